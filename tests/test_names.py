"""Names: a class name means one thing, and the private words of the first version do not come back."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.house import PACKAGE

#: Words that a reader cannot know, in identifiers and docstrings: each has a plain one (temperature, roll …).
PRIVATE_WORDS = {
    *("said", "told", "heat", "heats", "borne", "dial", "dials", "undertaker", "trainee", "wishes", "sniff"),
    *("lean", "leans", "leaning", "tilt", "tilts", "tilted"),
}
#: Names that have a successor, in identifiers: parts of names, and whole ones.
OLD_NAMES = {
    *("ahead", "reel", "bury", "heeding", "stoppable", "tally", "faceset", "journal"),
    *("by_lot", "going_on", "hold_on", "one_batch", "face_files", "about_answers", "about_pictures"),
}
#: How often they may stand in the whole package.
LIMIT = 0


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"))


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name that is defined or used, those of attributes and parameters included."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield name


def docstrings(tree: ast.AST) -> Iterator[str]:
    """Texts that stand as a statement: of modules, classes, functions and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def parts(identifier: str) -> set[str]:
    """The whole name and its words, in lower case: `_ReadAhead` as read, ahead and readahead."""
    name = identifier.strip("_")
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word.lower() for word in (name, *words)}


def banned(tree: ast.AST) -> Iterator[str]:
    for name in identifiers(tree):
        yield from parts(name) & (PRIVATE_WORDS | OLD_NAMES)
    for text in docstrings(tree):
        yield from (word for word in re.findall(r"[a-z]+", text.lower()) if word in PRIVATE_WORDS)


def test_no_class_name_stands_twice() -> None:
    found = defaultdict(list)
    for module, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{module}:{node.lineno}")
    twice = {name: places for name, places in found.items() if len(places) > 1}
    assert not twice, twice


def test_private_words_do_not_come_back() -> None:
    found = {module: Counter(banned(tree)) for module, tree in trees()}
    total = sum((words for words in found.values()), Counter[str]())
    worst = sorted(found.items(), key=lambda item: -item[1].total())[:10]
    assert total.total() <= LIMIT, "\n".join(map(str, [total.total(), total, *worst]))


def test_words_of_a_name() -> None:
    assert parts("_ReadAhead") == {"readahead", "read", "ahead"}
    assert parts("by_lot") == {"by_lot", "by", "lot"}
    assert list(banned(ast.parse("class Dial:\n    'What is said.'\n    heat = told(lean_by=1)"))) == [
        "dial", "heat", "told", "lean", "said",
    ]  # fmt: skip
