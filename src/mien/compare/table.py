"""The table of a comparison, and writers of it: CSV for machines, Markdown and LaTeX for papers."""

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

Interval = tuple[float, float]
DASH = "–"


@dataclass(frozen=True)
class Quantity:
    """One quantity. `up`: whether higher is better, None where that is no question.

    People read it times `scale`, with so many `decimals` (None: three significant digits).
    """

    key: str
    title: str
    up: bool | None = None
    scale: float = 1.0
    decimals: int | None = None

    @property
    def is_metric(self) -> bool:
        """Whether it is a metric (HEAD.METRIC), not a cost."""
        return "." in self.key

    @property
    def head(self) -> str:
        """The title with its direction."""
        return self.title if self.up is None else f"{self.title} {'↑' if self.up else '↓'}"

    def text(self, value: float | None) -> str:
        """A value as people read it; a dash for none."""
        if value is None or not math.isfinite(value):
            return DASH
        shown = value * self.scale
        decimals = self.decimals
        if decimals is None:
            decimals = 0 if abs(shown) >= 100 or not shown else max(0, 2 - math.floor(math.log10(abs(shown))))
        return f"{round(shown, decimals) + 0.0:,.{decimals}f}".replace("-", "−")


@dataclass(frozen=True)
class Value:
    """A cell: a value, and its 95 % interval or its standard deviation over seeds.

    `difference` and `between`: how far it lies from the first row; `clear`: whether that is more than noise.
    """

    value: float | None = None
    interval: Interval | None = None
    sd: float | None = None
    difference: float | None = None
    between: Interval | None = None
    clear: bool = False


@dataclass(frozen=True)
class ComparisonRow:
    """A run, or several seeds of one configuration."""

    name: str
    seeds: int
    values: tuple[Value, ...]

    @property
    def title(self) -> str:
        """The name, with the number of seeds where there are several."""
        return f"{self.name} ({self.seeds} seeds)" if self.seeds > 1 else self.name


@dataclass(frozen=True)
class ComparisonTable:
    """Columns, and rows with a value for each."""

    columns: tuple[Quantity, ...]
    rows: tuple[ComparisonRow, ...]

    def best(self, column: int) -> float | None:
        """The best value of a metric; None where there is one row, and for costs, whose noise is not
        known."""
        up = self.columns[column].up if self.columns[column].is_metric else None
        present = [row.values[column].value for row in self.rows]
        values = [value for value in present if value is not None and math.isfinite(value)]
        if up is None or len(values) < 2:
            return None
        return max(values) if up else min(values)

    def only(self, keys: Sequence[str]) -> "ComparisonTable":
        """The table with these columns, in their order."""
        known = [column.key for column in self.columns]
        places = [known.index(key) for key in keys]
        rows = (replace(row, values=tuple(row.values[place] for place in places)) for row in self.rows)
        return ComparisonTable(tuple(self.columns[place] for place in places), tuple(rows))

    def split_by_role(self) -> tuple["ComparisonTable", ...]:
        """The metrics, and the costs where there are any, as tables of their own."""
        roles = (
            [column.key for column in self.columns if column.is_metric is role] for role in (True, False)
        )
        return tuple(self.only(keys) for keys in roles if keys)

    def is_best(self, column: int, value: Value) -> bool:
        """Whether a value of a column is the best one."""
        return value.value is not None and value.value == self.best(column)

    def legend(self) -> str:
        """What brackets, ±, bold and the star mean, as far as the table has them."""
        values = [value for row in self.rows for value in row.values]
        parts = [
            ("[ ]: 95 % interval", any(value.interval for value in values)),
            ("±: standard deviation over seeds", any(value.sd is not None for value in values)),
            ("bold: best", any(self.best(place) is not None for place in range(len(self.columns)))),
            ("*: differs from the first row by more than noise", any(value.clear for value in values)),
        ]
        return "; ".join(words for words, present in parts if present)


def spread(column: Quantity, value: Value) -> str:
    """The interval or the standard deviation of a value as people read it; '' without either."""
    if value.sd is not None:
        return f"± {column.text(value.sd)}"
    if value.interval:
        return f"[{column.text(value.interval[0])}, {column.text(value.interval[1])}]"
    return ""


def to_csv(table: ComparisonTable) -> str:
    """Plain numbers in SI units and shares 0…1, each metric with its noise and its difference; '' for
    none."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    parts = ("", "_low", "_high", "_sd", "_difference", "_difference_low", "_difference_high")
    spans = [len(parts) if column.is_metric else 1 for column in table.columns]
    heads = [
        column.key + part for column, span in zip(table.columns, spans, strict=True) for part in parts[:span]
    ]
    writer.writerow(["run", "seeds", *heads])
    for row in table.rows:
        cells = [_plain(value)[:span] for value, span in zip(row.values, spans, strict=True)]
        writer.writerow([row.name, row.seeds, *(cell for group in cells for cell in group)])
    return sheet.getvalue()


def _plain(value: Value) -> list[str]:
    ends, between = value.interval or (None, None), value.between or (None, None)
    numbers = [value.value, *ends, value.sd, value.difference, *between]
    return ["" if number is None or not math.isfinite(number) else repr(number) for number in numbers]


def to_markdown(table: ComparisonTable) -> str:
    """A table of GitHub's Markdown, with a line that explains its marks."""

    def cell(place: int, value: Value) -> str:
        text = table.columns[place].text(value.value)
        text = f"**{text}**" if table.is_best(place, value) else text
        return " ".join(
            filter(None, [text, spread(table.columns[place], value), r"\*" if value.clear else ""])
        )

    lines = [["run", *(column.head for column in table.columns)], ["---", *["---:"] * len(table.columns)]]
    lines += [
        [row.title, *(cell(place, value) for place, value in enumerate(row.values))] for row in table.rows
    ]
    text = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    legend = table.legend().replace("*", r"\*")
    return f"{text}\n\n{legend}\n" if legend else f"{text}\n"


def to_latex(table: ComparisonTable) -> str:
    """A LaTeX tabular with the rules of booktabs."""

    def cell(place: int, value: Value) -> str:
        text = _tex(table.columns[place].text(value.value))
        text = rf"\textbf{{{text}}}" if table.is_best(place, value) else text
        star = "$^*$" if value.clear else ""
        around = _tex(spread(table.columns[place], value))
        return text + star + (rf"~{{\footnotesize {around}}}" if around else "")

    lines = [[_tex("run"), *(_tex(column.head) for column in table.columns)]]
    lines += [
        [_tex(row.title), *(cell(place, value) for place, value in enumerate(row.values))]
        for row in table.rows
    ]
    head, *body = (" & ".join(line) + r" \\" for line in lines)
    legend = _tex(table.legend())
    return "\n".join([
        r"% needs \usepackage{booktabs}",
        *([f"% {legend}"] if legend else []),
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule", head, r"\midrule", *body, r"\bottomrule",
        r"\end{tabular}", "",
    ])  # fmt: skip


_TEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$", "−": "$-$", "–": "--",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


def _tex(text: str) -> str:
    """Text as LaTeX prints it. Names come from files, so every special character is escaped."""
    return re.sub("|".join(map(re.escape, _TEX)), lambda found: _TEX[found[0]], text)


FORMATS: dict[str, Callable[[ComparisonTable], str]] = {
    "csv": to_csv,
    "markdown": to_markdown,
    "latex": to_latex,
}
