"""TOML tables: read into dataclasses and checked, changed by dotted keys, written back."""

import json
import math
import re
import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import ConfigError, hint

_WORDS = {
    int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes", dict: "a table",
}  # fmt: skip


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value of a number, both allowed: `share: Annotated[float, Bounds(0, 1)]`.

    A number without them must be 0 or more; none may be infinite.
    """

    low: float = 0.0
    high: float = math.inf

    def hold(self, value: float) -> bool:
        """Whether a number lies within."""
        return self.low <= value <= self.high and math.isfinite(value)

    def __str__(self) -> str:
        if self.high < math.inf:
            return f"{self.low:g} to {self.high:g}"
        return "a finite number" if self.low == -math.inf else f"{self.low:g} or more"


@dataclass(frozen=True)
class Reader:
    """Turns tables into dataclasses and checks values by their field's type. `where` opens every message."""

    where: str

    def read(self, value: Any, kind: Any, key: str = "", bounds: Bounds = Bounds()) -> Any:
        """Return `value` as `kind`. Raises ConfigError with the key, what was given and what is allowed."""
        origin = get_origin(kind)
        if origin is Annotated:
            kind, bounds = get_args(kind)
            return self.read(value, kind, key, bounds)
        if is_dataclass(kind):
            return self._table(value, kind, key)
        if origin in (Union, UnionType):
            return self._union(value, get_args(kind), key, bounds)
        if origin is Literal:
            if value not in get_args(kind):
                raise self._wrong(key, value, "one of " + ", ".join(map(str, get_args(kind))))
            return value
        if origin in (tuple, dict):
            return self._collection(value, kind, key)
        return self._plain(value, kind, key, bounds)

    def _table(self, value: Any, kind: Any, key: str) -> Any:
        if not isinstance(value, Mapping):
            raise self._wrong(key, value, "a table")
        hints, names = _hints(kind), [item.name for item in fields(kind)]
        for name in value:
            check_key(name, names, _join(key, name), self.where)
        for item in fields(kind):
            if item.name not in value and item.default is MISSING and item.default_factory is MISSING:
                raise ConfigError(f"{self.where}: needs '{_join(key, item.name)}'")
        return kind(**{name: self.read(item, hints[name], _join(key, name)) for name, item in value.items()})

    def _union(self, value: Any, kinds: tuple[Any, ...], key: str, bounds: Bounds) -> Any:
        for kind in kinds:
            if isinstance(value, get_origin(kind) or kind):
                return self.read(value, kind, key, bounds)
        raise self._wrong(key, value, " or ".join(_WORDS[get_origin(kind) or kind] for kind in kinds))

    def _collection(self, value: Any, kind: Any, key: str) -> Any:
        inner = get_args(kind)
        if get_origin(kind) is tuple:
            if not isinstance(value, (list, tuple)):
                raise self._wrong(key, value, "a list")
            return tuple(self.read(item, inner[0], _join(key, str(n))) for n, item in enumerate(value))
        if not isinstance(value, Mapping):
            raise self._wrong(key, value, "a table")
        return {name: self.read(item, inner[1], _join(key, name)) for name, item in value.items()}

    def _plain(self, value: Any, kind: Any, key: str, bounds: Bounds) -> Any:
        if kind is Any:
            return value
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise self._wrong(key, value, _WORDS[kind])
        if kind in (int, float) and not bounds.hold(value):
            raise self._wrong(key, value, str(bounds))
        return value

    def _wrong(self, key: str, value: Any, allowed: str) -> ConfigError:
        return ConfigError(f"{self.where}: {key + ' = ' if key else ''}{value!r}: must be {allowed}")


def check_key(name: str, names: Sequence[str], key: str, where: str) -> None:
    """Raise ConfigError with the whole `key` unless its last name is one of those allowed."""
    if name not in names:
        raise ConfigError(f"{where}: unknown key '{key}'{hint(name, names)} (allowed: {', '.join(names)})")


def override(table: MutableMapping[str, Any], words: Sequence[str], kind: Any = Any) -> None:
    """Change a table in place by `--dotted.key value` or `--dotted.key=value`; numbers pick from a list.

    `kind` is the dataclass that the table will be read as: a key that takes text gets it as it is; other
    values are TOML. Raises ConfigError.
    """
    parts = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    if len(parts) % 2 or any(not key.startswith("--") for key in parts[::2]):
        raise ConfigError(f"overrides are pairs such as '--train.seed 3', given: {' '.join(words)}")
    for key, text in zip(parts[::2], parts[1::2], strict=True):
        change(table, key, _value(text, _kind_at(kind, key.removeprefix("--").split("."))))


def change(table: MutableMapping[str, Any], key: str, value: Any) -> None:
    """Change one value of a table in place by its dotted key. Raises ConfigError."""
    *parents, last = key.removeprefix("--").split(".")
    inner: Any = table
    for parent in parents:
        inner = _step(inner, parent, key)
    inner[_spot(inner, last, key)] = value


def _step(inner: Any, name: str, key: str) -> Any:
    spot = _spot(inner, name, key)
    child = inner.setdefault(spot, {}) if isinstance(inner, MutableMapping) else inner[spot]
    if isinstance(child, tuple):
        child = inner[spot] = list(child)
    return child


def _spot(inner: Any, name: str, key: str) -> str | int:
    """Where one part of a dotted key points in a table or list. Dashes may stand for underscores."""
    if isinstance(inner, MutableMapping):
        plain = name.replace("-", "_")
        return plain if plain in inner else name
    if isinstance(inner, list) and name.isdecimal() and int(name) < len(inner):
        return int(name)
    plain_value = "nothing, it is a plain value"
    allowed = f"0 to {len(inner) - 1}" if isinstance(inner, list) and inner else plain_value
    raise ConfigError(f"{key}: cannot go down to '{name}' (allowed here: {allowed})")


def _kind_at(kind: Any, path: Sequence[str]) -> Any:
    """The type that the value at a dotted key must have; Any where it is not known."""
    for name in path:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        if is_dataclass(kind):
            kind = _hints(kind).get(name.replace("-", "_"), Any)
        elif get_origin(kind) in (tuple, dict):
            kind = get_args(kind)[0 if get_origin(kind) is tuple else 1]
        else:
            return Any
    return kind


def _value(text: str, kind: Any) -> Any:
    """A word of the command line as TOML; as it is where TOML has no such value, or a text is wanted. A table
    stays one: in the file of a search it stands in any value's place."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return text if _takes_text(kind) and not isinstance(value, (str, Mapping)) else value


def _takes_text(kind: Any) -> bool:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(map(_takes_text, get_args(kind)))
    return kind is str or (origin is Literal and isinstance(get_args(kind)[0], str))


def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def dumps(table: Mapping[str, Any]) -> str:
    """A table as TOML."""
    lines: list[str] = []
    _write(table, "", lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def _write(table: Mapping[str, Any], name: str, lines: list[str]) -> None:
    for key, value in table.items():
        if not isinstance(value, Mapping) and not _is_table_list(value):
            lines.append(f"{_quoted(key)} = {_literal(value)}")
    for key, value in table.items():
        full = _join(name, _quoted(key))
        if isinstance(value, Mapping):
            lines += ["", f"[{full}]"]
            _write(value, full, lines)
        elif _is_table_list(value):
            for item in value:
                lines += ["", f"[[{full}]]"]
                _write(item, full, lines)


def _is_table_list(value: Any) -> bool:
    items = value if isinstance(value, (list, tuple)) else ()
    return len(items) > 0 and all(isinstance(item, Mapping) for item in items)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(key)} = {_literal(item)}" for key, item in value.items()) + "}"
    return str(value)


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _literal(key)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
