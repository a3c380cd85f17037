"""A tiny model and noise for faces: what an evaluation says, writes and refuses."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mien import config, evaluate, files, metrics
from mien.errors import ConfigError, ModelError, StoreError
from mien.labels import EXPRESSION7, EXPRESSION8, VAD, VALENCE_AROUSAL, LabelSpace
from mien.metrics import evaluate_head
from mien.metrics.distributions import vote_distances
from mien.predict.engine import Engine
from mien.records import Floats, Sample, Target
from mien.run_folder import SplitFiles, scored_splits, split_files
from mien.store import Origin, Store, write
from mien.tasks import TASKS, Head, Kind, Task
from tests import tiny_scenes
from tests.tiny_model import GREY, RGB, write_model

EARLIER = Path(__file__).parent / "earlier"
FACE = Head("face", Kind.CLASS, EXPRESSION8)
VOTES = Head("votes", Kind.DISTRIBUTION, EXPRESSION8)
MOOD = Head("mood", Kind.TAGS, LabelSpace("mood", ("calm", "tired", "tense")))
AFFECT = Head("affect", Kind.VALUES, VALENCE_AROUSAL)
TASK = Task("all", (FACE, VOTES, MOOD, AFFECT))


def targets(rng: np.random.Generator, row: int) -> dict[str, Target]:
    """Something for every head, and now and then nothing."""
    votes = dict(zip(EXPRESSION8.labels, rng.multinomial(10, np.full(8, 1 / 8)).tolist(), strict=True))
    given: dict[str, Target] = {
        "face": EXPRESSION8.labels[int(rng.integers(8))],
        "votes": votes,
        "mood": [label for label in ("calm", "tired") if rng.random() < 0.5],
        "affect": {"valence": float(rng.uniform(-1, 1))}
        | ({"arousal": float(rng.uniform(-1, 1))} if row % 3 else {}),
    }
    return {name: target for k, (name, target) in enumerate(given.items()) if row % 7 != k}


def samples(heads: tuple[Head, ...], counts: dict[str, int]) -> list[Sample]:
    rng = np.random.default_rng(0)
    made = []
    for split, count in counts.items():
        for row in range(count):
            said = {head.name: targets(rng, row).get(head.name) for head in heads}
            known = {name: target for name, target in said.items() if target is not None}
            image = rng.integers(rng.integers(1, 255), 256, (48, 48), np.uint8)
            made.append(Sample.of_image(image, known, split, f"{split}/{row}.png"))
    return made


def make_store(path: Path, heads: tuple[Head, ...] = TASK.heads, **counts: int) -> Path:
    write(path, samples(heads, counts or {"train": 40, "validation": 30}), heads, Origin("noise", "1"))
    return path


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with 40 training and 30 validation faces."""
    return make_store(tmp_path_factory.mktemp("store") / "faces.h5")


@pytest.fixture
def run(tmp_path: Path, faces: Path) -> Path:
    """A run folder as training leaves it."""
    folder = tmp_path / "first"
    data = {"store": faces.name, "sha256": files.sha256(faces), "importer": "noise", "train_rows": 40}
    write_model(folder / "model.onnx", TASK, GREY, {"data": data, "seed": 7, "parameters": 99})
    said = config.Config(task=TASK.to_dict(), data=config.DataConfig(store=str(faces)))
    (folder / "config.toml").write_text(config.dumps(said))
    (folder / "history.csv").write_text("phase,epoch,seconds\n1,1,2.5\n1,2,3.5\n")
    return folder


def test_results_hold_what_the_format_promises(run: Path, faces: Path) -> None:
    results = evaluate.evaluate(run)
    assert json.loads(split_files(run, "validation").results.read_text()) == results
    assert results["schema"] == 2
    assert results["run"] == "first"
    assert Task.from_dict(results["task"]) == TASK
    assert results["data"] == {
        "store": str(faces), "sha256": files.sha256(faces), "importer": "noise", "split": "validation",
        "rows": 30,
        "trained_on": False,
        "chosen_on": False,
    }  # fmt: skip
    training = results["training"]
    assert (training["seed"], training["parameters"], training["train_rows"]) == (7, 99, 40)
    assert (training["epochs"], training["seconds"], training["machine"]) == (2, 6.0, None)
    assert {"mien", "numpy"} <= set(results["versions"])
    for head in TASK:
        found = results["heads"][head.name]
        assert list(found["metrics"]) == list(head.reported) == list(found["references"]["marginal"])
        assert found["references_from"] == "train"
        for name, said in found["metrics"].items():
            low, high = said["interval"]
            assert low <= high, name
    assert results["heads"]["face"]["rows"] == 25
    assert results["heads"]["affect"]["rows"] == 26
    assert results["heads"]["votes"]["metrics"]["kl"]["higher_is_better"] is False
    assert sum(map(sum, results["heads"]["votes"]["confusion"])) == results["heads"]["votes"]["rows"]
    assert "confusion" not in results["heads"]["mood"]
    assert np.shape(results["heads"]["votes"]["ground"]) == (8, 8)
    assert "ground" not in results["heads"]["face"]


def scores(head: Head, store: Store, output: Floats, target: Floats) -> dict[str, float]:
    """Every metric of an evaluation, with the distances between labels that training votes tell."""
    ground = vote_distances(store.target(head, store.rows("train"))) if head.kind is Kind.DISTRIBUTION else ()
    return evaluate_head(replace(head, metrics=head.reported), output, target, ground=ground)


def test_metrics_are_those_of_the_models_outputs_on_the_stores_targets(run: Path, faces: Path) -> None:
    results = evaluate.evaluate(run)
    store = Store(faces)
    rows = store.rows("validation")
    outputs = Engine(run).probabilities(store.images(rows))
    for head in TASK:
        expected = scores(head, store, outputs[head.name], store.target(head, rows))
        found = {name: score["value"] for name, score in results["heads"][head.name]["metrics"].items()}
        assert found == {name: pytest.approx(value) for name, value in expected.items()}


def test_labels_and_columns_are_listed_one_by_one(run: Path) -> None:
    heads = evaluate.evaluate(run)["heads"]
    assert [row["label"] for row in heads["face"]["per_class"]] == list(EXPRESSION8.labels)
    assert [row["support"] for row in heads["face"]["per_class"]] == [
        sum(row) for row in heads["face"]["confusion"]
    ]
    calm, _, tense = heads["mood"]["per_class"]
    assert 0 < calm["average_precision"] <= 1
    assert (tense["support"], tense["average_precision"], tense["recall"]) == (0, None, None)
    valence, arousal = heads["affect"]["per_column"]
    assert (valence["label"], valence["support"], arousal["support"]) == ("valence", 26, 18)
    rmse = heads["affect"]["metrics"]["rmse"]["value"]
    assert rmse == pytest.approx((valence["rmse"] + arousal["rmse"]) / 2)


def test_tags_are_scored_at_the_models_thresholds(run: Path, tmp_path: Path, faces: Path) -> None:
    plain = evaluate.evaluate(run)["heads"]["mood"]
    assert plain["at_thresholds"]["chosen"] is False
    assert [row["threshold"] for row in plain["per_class"]] == [0.5, 0.5, 0.5]
    known = {
        "store": faces.name,
        "sha256": files.sha256(faces),
        "importer": "",
        "train_rows": 0,
        "validation": "validation",
    }
    changes = {"thresholds": {"mood": {"calm": 0.0, "tired": 0.25}}, "data": known}
    model = write_model(tmp_path / "model.onnx", TASK, changes=changes)
    results = evaluate.evaluate(model, faces, "validation")
    chosen = results["heads"]["mood"]
    assert chosen["at_thresholds"]["chosen"] is True
    assert [row["threshold"] for row in chosen["per_class"]] == [0.0, 0.25, 0.5]
    assert chosen["per_class"][0]["recall"] == 1
    assert set(chosen["at_thresholds"]) == {"chosen", "macro_f1", "micro_f1", "jaccard"}
    assert results["data"]["chosen_on"] is True
    assert evaluate.evaluate(model, faces, "train")["data"]["chosen_on"] is False


def test_the_marginal_always_answers_the_training_mean(run: Path, faces: Path) -> None:
    heads = evaluate.evaluate(run)["heads"]
    store = Store(faces)
    train, scored = store.rows("train"), store.rows("validation")
    for head in TASK:
        target = store.target(head, scored)
        answer = np.tile(np.nanmean(store.target(head, train), axis=0), (len(scored), 1))
        expected = scores(head, store, answer, target)
        said = heads[head.name]["references"]["marginal"]
        chance = {name: math.nan if value is None else value for name, value in said.items()}
        assert chance == pytest.approx(expected, nan_ok=True, abs=1e-6)
    assert heads["face"]["references"]["marginal"]["kappa"] == pytest.approx(0)
    assert heads["affect"]["references"]["marginal"]["pearson"] is None


def test_each_kind_has_its_references(run: Path) -> None:
    heads = evaluate.evaluate(run)["heads"]
    found = {name: set(head["references"]) for name, head in heads.items()}
    assert found["face"] == {"uniform", "marginal"}
    assert found["votes"] == {"uniform", "marginal", "oracle", "noise_floor"}
    assert found["mood"] == found["affect"] == {"marginal"}
    assert heads["face"]["references"]["uniform"]["accuracy"] == pytest.approx(1 / 8)
    floor, oracle = (heads["votes"]["references"][name]["kl"] for name in ("noise_floor", "oracle"))
    assert 0 < floor < oracle


def test_each_kind_has_its_parts(run: Path, faces: Path) -> None:
    heads = evaluate.evaluate(run)["heads"]
    for name in ("face", "votes"):
        assert sum(part["rows"] for part in heads[name]["calibration"]["bins"]) == heads[name]["rows"]
        assert heads[name]["risk_coverage"]["coverage"][-1] == 1
        assert "conformal" not in heads[name]
        for row in heads[name]["per_class"]:
            assert (
                row["support"] == 0 or row["recall_interval"][0] <= row["recall"] <= row["recall_interval"][1]
            )
    assert not {"calibration", "risk_coverage"} & set(heads["mood"]) | set(heads["affect"]) & {"calibration"}
    true = Store(faces).target(MOOD, Store(faces).rows("validation"))
    both = np.nansum(true[:, 0] * true[:, 1])
    counts = heads["mood"]["cooccurrence"]["true"]
    assert counts[0][1] == counts[1][0] == both > 0
    assert [counts[k][k] for k in range(3)] == [row["support"] for row in heads["mood"]["per_class"]]
    assert len(heads["mood"]["cooccurrence"]["predicted"]) == 3


def test_sets_of_labels_are_measured_where_the_model_promises_them(
    run: Path, tmp_path: Path, faces: Path
) -> None:
    said = {"conformal": {"face": {"level": 0.9, "threshold": 0.0, "split": "validation"}}}
    heads = evaluate.evaluate(write_model(tmp_path / "model.onnx", TASK, changes=said), faces, "validation")[
        "heads"
    ]
    assert heads["face"]["conformal"]["mean_size"] == 8
    assert heads["face"]["conformal"]["coverage"] == 1
    assert "conformal" not in heads["votes"]


def test_intervals_are_drawn_by_group_where_there_are_groups(run: Path, tmp_path: Path) -> None:
    every = samples((FACE,), {"validation": 60})
    grouped = [replace(sample, group=f"person {k // 20}") for k, sample in enumerate(every)]
    write(tmp_path / "rows.h5", every, (FACE,), Origin("noise", "1"))
    write(tmp_path / "groups.h5", grouped, (FACE,), Origin("noise", "1"))
    by_row, by_group = (
        evaluate.evaluate(run, tmp_path / f"{name}.h5", draws=50) for name in ("rows", "groups")
    )
    assert by_row["intervals"] == {"draws": 50, "level": 0.95, "unit": "row", "seed": 0}
    assert by_group["intervals"]["unit"] == "group"
    ends = [found["heads"]["face"]["metrics"]["accuracy"]["interval"] for found in (by_row, by_group)]
    assert ends[0] != ends[1]
    tables = [
        pq.read_table(split_files(run / f"on-{name}", "validation").predictions)
        for name in ("rows", "groups")
    ]
    assert "group" not in tables[0].column_names
    assert tables[1]["group"].to_pylist() == [sample.group for sample in grouped]


def test_no_draws_leave_intervals_and_subgroups_out(run: Path, tmp_path: Path) -> None:
    rows = [
        replace(s, attributes={"age": str(k % 2)}) for k, s in enumerate(samples((FACE,), {"validation": 80}))
    ]
    write(tmp_path / "ages.h5", rows, (FACE,), Origin("noise", "1"))
    face = evaluate.evaluate(run, tmp_path / "ages.h5", draws=0)["heads"]["face"]
    assert [found["interval"] for found in face["metrics"].values()] == [None] * len(FACE.reported)
    assert {row["recall_interval"] for row in face["per_class"]} == {None}
    assert "subgroups" not in face
    with pytest.raises(ConfigError, match="--draws -1: must be 0"):
        evaluate.evaluate(run, draws=-1)


def test_figures_are_told_apart_by_every_attribute_or_those_named(run: Path, tmp_path: Path) -> None:
    said = [{"age": str(k % 2), "gender": "fm"[k % 3 > 0]} for k in range(120)]
    rows = [
        replace(s, attributes=a) for s, a in zip(samples((FACE,), {"validation": 120}), said, strict=True)
    ]
    write(tmp_path / "who.h5", rows, (FACE,), Origin("noise", "1"))
    face = evaluate.evaluate(run, tmp_path / "who.h5", draws=20)["heads"]["face"]
    assert set(face["subgroups"]) == {"age", "gender"}
    assert sum(group["rows"] for group in face["subgroups"]["age"]["groups"]) == face["rows"]
    assert set(face["subgroups"]["age"]["gaps"]) <= set(FACE.metrics)
    named = evaluate.evaluate(run, tmp_path / "who.h5", draws=20, by=["gender"])["heads"]["face"]
    assert named["subgroups"] == {"gender": face["subgroups"]["gender"]}
    with pytest.raises(StoreError, match="did you mean 'gender'"):
        evaluate.evaluate(run, tmp_path / "who.h5", by=["gendr"])


def test_chance_falls_back_to_the_scored_split(run: Path, tmp_path: Path) -> None:
    store = make_store(tmp_path / "test.h5", (FACE,), test=20)
    face = evaluate.evaluate(run, store, "test")["heads"]["face"]
    assert face["references_from"] == "test"
    truth = np.array([row["support"] for row in face["per_class"]])
    assert face["references"]["marginal"]["accuracy"] == pytest.approx(truth.max() / truth.sum())


def test_training_faces_without_that_target_leave_chance_to_the_scored_split(
    run: Path, tmp_path: Path
) -> None:
    rows = [replace(s, targets={}, source=f"x/{s.source}") for s in samples((FACE,), {"train": 3})]
    store = tmp_path / "faces.h5"
    write(store, [*rows, *samples((FACE,), {"test": 9})], (FACE,), Origin("noise", "1"))
    assert evaluate.evaluate(run, store, "test")["heads"]["face"]["references_from"] == "test"


def test_predictions_hold_every_row_with_its_truth(run: Path, faces: Path) -> None:
    evaluate.evaluate(run)
    table = pq.read_table(split_files(run, "validation").predictions)
    store = Store(faces)
    rows = store.rows("validation")
    assert table.column_names[:4] == ["row", "source", "face.neutral", "face.neutral.true"]
    assert len(table.column_names) == 2 + 2 * (8 + 8 + 3 + 2)
    assert table["row"].to_pylist() == rows.tolist()
    assert table["source"].to_pylist() == store.texts("source", rows)
    assert {str(field.type) for field in table.schema} == {"int64", "string", "float"}
    outputs = Engine(run).probabilities(store.images(rows))
    for head in TASK:
        target = store.target(head, rows)
        for k, label in enumerate(head.space.labels):
            said = table[f"{head.name}.{label}"].to_numpy()
            assert said == pytest.approx(outputs[head.name][:, k], abs=1e-6)
            true = table[f"{head.name}.{label}.true"]
            assert true.null_count == np.isnan(target[:, k]).sum()
            assert true.to_numpy() == pytest.approx(target[:, k], nan_ok=True)


def test_faces_are_read_in_blocks(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate.evaluate(run)
    steps: list[tuple[int, int]] = []
    monkeypatch.setattr(evaluate.predictions, "_BLOCK", 8)
    found = evaluate.evaluate(run, progress=lambda done, total: steps.append((done, total)))
    assert found["heads"] == whole["heads"]
    assert steps == [(8, 30), (16, 30), (24, 30), (30, 30)]


def test_scoring_the_training_split_says_so(run: Path, tmp_path: Path) -> None:
    assert evaluate.evaluate(run, split="train")["data"]["trained_on"] is True
    other = make_store(tmp_path / "other.h5", (FACE,), train=9)
    assert evaluate.evaluate(run, other, "train")["data"]["trained_on"] is False


def test_each_split_has_files_of_its_own(run: Path) -> None:
    first = evaluate.evaluate(run, draws=20)
    before = {path: path.read_bytes() for path in split_files(run, "validation")}
    other = evaluate.evaluate(run, split="train", draws=20)
    assert {path: path.read_bytes() for path in before} == before
    found = {split: json.loads(paths.results.read_text()) for split, paths in scored_splits(run).items()}
    assert found == {"validation": first, "train": other}
    assert pq.read_table(split_files(run, "train").predictions).num_rows == 40
    assert evaluate.evaluate(run, split="train", draws=10)["intervals"]["draws"] == 10
    assert json.loads(split_files(run, "train").results.read_text())["intervals"]["draws"] == 10, "replaced"


def test_out_keeps_the_files_of_the_run(run: Path, tmp_path: Path) -> None:
    evaluate.evaluate(run)
    results = split_files(run, "validation").results
    before = results.read_bytes()
    evaluate.evaluate(run, out=tmp_path / "aside", draws=10)
    assert results.read_bytes() == before
    aside = split_files(tmp_path / "aside", "validation")
    assert json.loads(aside.results.read_text())["intervals"]["draws"] == 10
    assert pq.read_table(aside.predictions).num_rows == 30


def test_another_model_file_of_the_run_goes_aside(run: Path, faces: Path) -> None:
    first = evaluate.evaluate(run)
    write_model(run / "model-int8.onnx", TASK, GREY)
    assert evaluate.evaluate(run / "model-int8.onnx")["model"] == "model-int8.onnx"
    assert json.loads(split_files(run, "validation").results.read_text()) == first
    assert list(scored_splits(run / "model-int8-on-faces")) == ["validation"]


@pytest.mark.parametrize("name", ["faces", "scenes"])
def test_a_run_of_an_earlier_version_keeps_its_results(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (EARLIER / name, EARLIER / f"{name}.h5"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / path.name)
    old = SplitFiles(Path(name, "results.json"), Path(name, "predictions.parquet"))
    before = {path: path.read_bytes() for path in old}
    assert scored_splits(Path(name)) == {"validation": old}
    assert evaluate.evaluate(Path(name), split="train", draws=0)["data"]["trained_on"]
    assert scored_splits(Path(name)) == {"validation": old, "train": split_files(Path(name), "train")}
    record = json.loads(old.results.read_text())
    again = evaluate.evaluate(Path(name), draws=0)
    for head, found in record["heads"].items():
        for metric, score in found["metrics"].items():
            assert again["heads"][head]["metrics"][metric]["value"] == pytest.approx(
                score["value"], abs=1e-6
            ), metric
    assert scored_splits(Path(name))["validation"] == split_files(Path(name), "validation")
    assert {path: path.read_bytes() for path in before} == before


def test_heads_that_the_store_lacks_are_left_out(run: Path, tmp_path: Path) -> None:
    store = make_store(tmp_path / "one.h5", (AFFECT,), validation=13)
    assert list(evaluate.evaluate(run, store)["heads"]) == ["affect"]
    table = pq.read_table(split_files(run / "on-one", "validation").predictions)
    assert table["face.happy.true"].null_count == table["mood.calm.true"].null_count == 13
    assert table["face.happy"].null_count == 0


def test_another_store_is_held_against_what_fits_and_leaves_the_run_as_it_was(
    run: Path, tmp_path: Path
) -> None:
    evaluate.evaluate(run)
    before = {path: path.read_bytes() for path in split_files(run, "validation")}
    seven = Head("seven", Kind.CLASS, EXPRESSION7)
    spot = Head("spot", Kind.VALUES, VAD, bounds=(1.0, 10.0))
    wide = replace(seven, name="wide", space=LabelSpace("wide", (*EXPRESSION7.labels, "bored")))
    rng = np.random.default_rng(1)
    rows = [
        Sample.of_image(rng.integers(0, 256, (48, 48), np.uint8), said, split, f"{split}/{k}")
        for split in ("train", "test")
        for k, label in enumerate(wide.space.labels * 3)
        for said in [
            {"wide": label, "spot": {"valence": 1 + k / 3, "arousal": 5.0}}
            | ({"seven": label} if k % 8 < 7 else {})
        ]
    ]
    write(tmp_path / "far.h5", rows, (seven, wide, spot), Origin("noise", "1"))
    results = evaluate.evaluate(run, tmp_path / "far.h5", "test", match={"votes": "wide"})
    assert {path: path.read_bytes() for path in before} == before
    assert not split_files(run, "test").results.exists()
    assert json.loads(split_files(run / "on-far", "test").results.read_text()) == results
    assert {name: found["compared"]["target"] for name, found in results["heads"].items()} == {
        "face": "seven", "votes": "wide", "affect": "spot",
    }  # fmt: skip
    votes, affect = results["heads"]["votes"], results["heads"]["affect"]
    assert votes["compared"]["data_only"] == {"bored": 3}
    assert votes["compared"]["model_only"] == ["contempt"]
    assert votes["rows"] == 21
    assert [row["label"] for row in votes["per_class"]] == votes["compared"]["labels"]
    assert np.shape(votes["confusion"]) == (7, 7)
    assert votes["metrics"]["top_label_accuracy"]["value"] == votes["compared"]["accuracy"]
    assert votes["references"]["marginal"]["top_label_accuracy"] == pytest.approx(1 / 7)
    assert affect["compared"]["data_only"] == {"dominance": 0}
    assert affect["metrics"]["rmse"]["value"] < 2.1

    table = pq.read_table(split_files(run / "on-far", "test").predictions)
    assert table["votes.contempt.true"].null_count == 24
    assert table["votes.contempt"].null_count == 0
    assert table["votes.happy.true"].null_count == 3
    assert np.nansum([table[f"votes.{label}.true"].to_numpy() for label in EXPRESSION7.labels]) == 21
    assert table["affect.valence.true"].to_numpy() == pytest.approx(2 * np.arange(24) / 3 / 9 - 1)


def test_shares_held_against_labels_are_made_chances_of_the_label(run: Path, faces: Path) -> None:
    before = evaluate.evaluate(run, match={"votes": "face"})["heads"]["votes"]
    chosen = {"conformal": {"votes": {"level": 0.9, "threshold": 0.1}}, "label_temperature": {"votes": 0.5}}
    write_model(run / "model.onnx", TASK, GREY, chosen)
    found = evaluate.evaluate(run, match={"votes": "face"})["heads"]["votes"]
    store = Store(faces)
    rows, engine = store.rows("validation"), Engine(run)
    shares, label = engine.probabilities(store.images(rows))["votes"], store.target(FACE, rows)
    sharp = shares.astype(float) ** 2 / (shares.astype(float) ** 2).sum(axis=1, keepdims=True)
    for name in ("ece", "aurc", "kl"):
        assert found["metrics"][name]["value"] == pytest.approx(
            metrics.score(name, sharp, label, VOTES), rel=1e-5
        )
    assert found["metrics"]["kl"] != before["metrics"]["kl"]
    assert found["confusion"] == before["confusion"]
    assert found["calibration"]["label_temperature"] == 0.5
    assert "label" not in found["calibration"]
    assert found["compared"]["rule"].startswith(before["compared"]["rule"])
    assert found["compared"]["rule"].endswith("chances of being the label by its label temperature")
    sizes = (shares >= 0.1).sum(axis=1)[~np.isnan(label[:, 0])]
    assert found["conformal"]["mean_size"] == pytest.approx(sizes.mean()), "sets are made of shares"
    table = pq.read_table(split_files(run / "on-faces", "validation").predictions)
    np.testing.assert_allclose(table["votes.happy"].to_numpy(), sharp[:, 1], rtol=1e-5)


def test_shares_held_against_votes_stay_shares_and_tell_of_the_label_too(run: Path, faces: Path) -> None:
    before = evaluate.evaluate(run)["heads"]["votes"]
    write_model(run / "model.onnx", TASK, GREY, {"label_temperature": {"votes": 0.5}})
    found = evaluate.evaluate(run)["heads"]["votes"]
    assert found["metrics"] == before["metrics"]
    told = found["calibration"].pop("label")
    assert found["calibration"].pop("label_temperature") == 0.5
    assert found["calibration"] == before["calibration"]
    against = evaluate.evaluate(run, match={"votes": "face"})["heads"]["votes"]["calibration"]
    store = Store(faces)
    rows = store.rows("validation")
    both = ~np.isnan(store.target(VOTES, rows) + store.target(FACE, rows)).any(axis=1)
    assert told["rows"] == both.sum() == sum(one["rows"] for one in told["bins"])
    assert set(told) == {"bins", "ece", "ece_equal_width", "classwise_ece", "rows"}
    assert told["ece"] == pytest.approx(against["ece"], abs=0.15), "nearly the same faces"


def test_measures_are_those_of_the_labels_compared(run: Path, tmp_path: Path) -> None:
    """The same by hand: contempt cannot be answered, and what was given to it is shared out."""
    seven = Head("face", Kind.CLASS, EXPRESSION7)
    rows = [
        Sample.of_image(
            np.full((48, 48), 10 * k, np.uint8), {"face": EXPRESSION7.labels[k % 7]}, "test", f"{k}"
        )
        for k in range(21)
    ]
    store = write(tmp_path / "seven.h5", rows, (seven,), Origin("noise", "1"))
    found = evaluate.evaluate(run, store.path, "test")["heads"]["face"]
    output = Engine(run).probabilities(store.images(store.rows()))["face"]
    places = [EXPRESSION8.index(label) for label in EXPRESSION7.labels]
    said, true = output[:, places], np.arange(21) % 7
    loss = -np.log((said / said.sum(axis=1, keepdims=True))[np.arange(21), true]).mean()
    assert found["metrics"]["log_loss"]["value"] == pytest.approx(loss, rel=1e-5)
    assert found["metrics"]["accuracy"]["value"] == np.mean(said.argmax(axis=1) == true)
    assert found["compared"]["accuracy_unrestricted"] == np.mean(
        output.argmax(axis=1) == np.array(places)[true]
    )
    assert found["compared"]["matched_by"] == "name"


def test_other_truth_goes_aside(run: Path, faces: Path, tmp_path: Path) -> None:
    assert evaluate.destination(run) == evaluate.destination(run, faces) == run
    assert evaluate.destination(run / "model.onnx", faces) == run
    assert evaluate.destination(run, tmp_path / "ck.h5") == run / "on-ck"
    assert evaluate.destination(run, match={"face": "votes"}) == run / "on-faces"
    results = evaluate.evaluate(run, match={"face": "votes"})
    assert not (run / "results").exists()
    assert results["heads"]["face"]["compared"]["matched_by"] == "--match"
    assert "compared" not in results["heads"]["votes"]
    table = pq.read_table(split_files(run / "on-faces", "validation").predictions)
    assert table["affect.valence.true"].null_count == 4


def test_a_lone_model_file_is_scored_beside_itself(tmp_path: Path, faces: Path) -> None:
    model = write_model(tmp_path / "kept" / "some.onnx", TASK, GREY)
    results = evaluate.evaluate(model, faces)
    assert results["run"] == "kept"
    assert "epochs" not in results["training"]
    assert split_files(tmp_path / "kept" / "some-on-faces", "validation").results.exists()
    with pytest.raises(ConfigError, match="names no store to evaluate on; give one with --data FILE"):
        evaluate.evaluate(model)


@pytest.mark.parametrize("gone", ["config.toml", "history.csv"])
def test_a_run_without_its_side_files_is_still_scored(run: Path, faces: Path, gone: str) -> None:
    (run / gone).unlink()
    assert evaluate.evaluate(run, faces)["heads"]["face"]["rows"] == 25


def test_what_cannot_be_scored_is_one_line(run: Path, faces: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"empty: .*model\.onnx"):
        evaluate.evaluate(tmp_path / "empty", faces)
    with pytest.raises(StoreError, match="split 'test' is empty"):
        evaluate.evaluate(run, split="test")
    with pytest.raises(StoreError, match="unknown split 'tset', did you mean 'test'"):
        evaluate.evaluate(run, split="tset")
    with pytest.raises(StoreError, match=r"none\.h5: no such store"):
        evaluate.evaluate(run, tmp_path / "none.h5")
    other = tmp_path / "other"
    write_model(other / "model.onnx", TASKS["compound11"], GREY)
    with pytest.raises(
        StoreError, match=r"'face' \(neutral, .*\) shares fewer than two labels with the model's 'compound11'"
    ):
        evaluate.evaluate(other, faces)
    with pytest.raises(ConfigError, match=r"--match face=mood: .*\(one of: face, votes\)"):
        evaluate.evaluate(run, match={"face": "mood"})
    assert not (run / "results").exists()
    assert not (other / "results").exists()


def test_a_split_that_nobody_annotated_is_refused(run: Path, tmp_path: Path) -> None:
    store = tmp_path / "bare.h5"
    bare = [replace(s, targets={}) for s in samples((FACE,), {"test": 3})]
    write(store, bare, (FACE,), Origin("noise", "1"))
    with pytest.raises(StoreError, match="split 'test' has no annotated face, so nothing can be scored"):
        evaluate.evaluate(run, store, "test")


@pytest.mark.parametrize("inputs", [("face",), ("face", "scene")])
def test_the_box_of_a_sample_is_what_is_scored(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    store = tiny_scenes.write(tmp_path / "scenes.h5")
    engine = Engine(write_model(tmp_path / "model.onnx", TASKS["emotic"], RGB, inputs=inputs))
    rows = store.rows("validation")
    found = evaluate.predict(engine, store, rows)
    expected = engine.probabilities(store.images(rows), store.boxes(rows))
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in expected.items()
    }
    assert not np.array_equal(found["tags"], engine.probabilities(store.images(rows))["tags"])
