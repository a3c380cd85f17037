"""The page of an audit: every finding with its pictures, small, escaped and in order."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.audit import Audit, audit
from mien.labels import LabelSpace
from mien.media import image as pictures
from mien.report import audit as page_of
from mien.report.audit import write_audit
from mien.store import Store
from mien.tasks import Head, Kind
from tests.audit import planted

Parse = Callable[[Path], Any]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Audit, Store, Path]:
    folder = tmp_path_factory.mktemp("faulty")
    store = planted.write(folder / "faces.h5", planted.faulty())
    found = audit(store)
    return found, store, write_audit(found, store, folder / "audit.html")


def test_each_finding_has_its_section(faulty: tuple[Audit, Store, Path], parse: Parse) -> None:
    found, _, path = faulty
    page = parse(path)
    for finding in found.findings:
        assert page.text.count(finding.name.replace(":", ": ")) >= 2, "in the contents and as a heading"
        assert page.text.count(finding.says) >= 2, "in the table and in its section"
        assert finding.check.advice in page.text
    assert "faces.h5 · mien audit" in page.text
    assert "Nothing found: unreadable, size." in page.text
    assert "Balance of tags" in page.text
    assert "likeness 0.95" in page.text


def test_pictures_stand_side_by_side_with_label_and_split(
    faulty: tuple[Audit, Store, Path], parse: Parse
) -> None:
    page = parse(faulty[2])
    shown = {image["title"]: image["alt"] for image in page.all("img")}
    assert shown["leak-b"] == "happy, validation, row 26"
    assert shown["conflict-b"].endswith("train, row 30")
    assert "grey level 90" in page.text
    section = faulty[2].read_text(encoding="utf-8").partition('<h2 id="leak">')[2].partition("</section>")[0]
    assert len(re.findall('class="group"', section)) == 1
    assert re.findall('title="(.*?)"', section) == ["leak-a", "leak-b"]


def test_the_page_opens_without_a_network(faulty: tuple[Audit, Store, Path], parse: Parse) -> None:
    text = faulty[2].read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    assert all(image["src"].startswith("data:image/") for image in parse(faulty[2]).all("img"))
    assert text.count("prefers-color-scheme: dark") == 1
    ids = [attributes["id"] for _, attributes in parse(faulty[2]).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_what_cannot_be_decoded_is_told_not_shown(tmp_path: Path, parse: Parse) -> None:
    store = planted.write(tmp_path / "faces.h5", planted.mixed())
    page = parse(write_audit(audit(store), store, tmp_path / "audit.html"))
    assert "not shown" in page.text
    assert "not a picture" in page.text
    assert "broken" not in {image["title"] for image in page.all("img")}


def test_many_findings_are_cut_and_the_rest_is_counted(tmp_path: Path, parse: Parse) -> None:
    black = [planted.sample(f"black{k}", np.zeros((48, 48), np.uint8)) for k in range(30)]
    twins = [planted.sample(f"twin{k}", planted.noise(k // 2)) for k in range(40)]
    many = [planted.sample(f"many{k}", planted.noise(99)) for k in range(9)]
    store = planted.write(tmp_path / "faces.h5", [*black, *many, *twins])
    page = parse(write_audit(audit(store), store, tmp_path / "audit.html"))
    assert len([image for image in page.all("img") if image["title"].startswith("black")]) == 24
    assert "6 more pictures: all rows are in audit.json" in page.text
    assert len([image for image in page.all("img") if image["title"].startswith("many")]) == 6
    assert "and 3 more" in page.text
    assert "9 more groups" in page.text


def test_the_page_stays_small_whatever_the_pictures(
    tmp_path: Path, parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = planted.write(tmp_path / "faces.h5", planted.faulty())
    monkeypatch.setattr(page_of, "_BUDGET", 8_000)
    path = write_audit(audit(store), store, tmp_path / "audit.html")
    shown = [len(image["src"]) for image in parse(path).all("img")]
    assert 0 < sum(shown[:-1]) < 8_000
    assert "not shown" in parse(path).text


def test_names_are_escaped(tmp_path: Path, parse: Parse) -> None:
    evil = '"><script>alert(1)</script>'
    heads = (Head("evil", Kind.CLASS, LabelSpace("evil", (evil, "plain"))),)
    twins = [
        planted.sample(f"{evil}{k}", planted.noise(1), targets={"evil": evil}, group=evil) for k in range(2)
    ]
    store = planted.write(tmp_path / "faces.h5", twins, heads)
    page = parse(write_audit(audit(store), store, tmp_path / "audit.html"))
    assert not page.all("script")
    assert evil in page.text


@pytest.mark.parametrize("kind", [Kind.VALUES, Kind.TAGS])
def test_stores_without_classes(kind: Kind, tmp_path: Path, parse: Parse) -> None:
    head = Head("only", kind, LabelSpace("only", ("a", "b")))
    said = {"a": 0.5} if kind is Kind.VALUES else ["a"]
    files = [pictures.encode(planted.noise(k)) for k in (1, 1, 2)]
    samples = [planted.sample(f"s{k}", file, targets={"only": said}) for k, file in enumerate(files)]
    store = planted.write(tmp_path / "faces.h5", samples, (head,))
    page = parse(write_audit(audit(store), store, tmp_path / "audit.html"))
    assert "What raters saw" not in page.text
    assert page.all("img")[0]["alt"].startswith("a, train" if kind is Kind.TAGS else "picture, train")


def test_nothing_found(tmp_path: Path, parse: Parse) -> None:
    samples = [planted.sample(f"s{k}", planted.noise(k), targets={"va": {"valence": 0.1}}) for k in range(3)]
    head = Head("va", Kind.VALUES, LabelSpace("va", ("valence",)))
    store = planted.write(tmp_path / "faces.h5", samples, (head,))
    assert "Nothing was found." in parse(write_audit(audit(store), store, tmp_path / "audit.html")).text
