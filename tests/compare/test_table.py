"""The table as CSV, Markdown and LaTeX, letter by letter."""

from __future__ import annotations

import csv
import io
import math

import pytest

from mien.compare.table import (
    ComparisonRow,
    ComparisonTable,
    Quantity,
    Value,
    spread,
    to_csv,
    to_latex,
    to_markdown,
)

COLUMNS = (
    Quantity("head.accuracy", "Accuracy, %", True, 100, 1),
    Quantity("head.kl", "KL divergence", False, decimals=3),
    Quantity("parameters", "Parameters, M", scale=1e-6),
    Quantity("epochs", "Epochs", decimals=0),
)
TABLE = ComparisonTable(
    COLUMNS,
    (
        ComparisonRow(
            "plain|net", 1, (Value(0.7, (0.68, 0.725)), Value(0.5), Value(1_234_567.0), Value(12.0))
        ),
        ComparisonRow(
            "b_net",
            3,
            (
                Value(0.75, None, 0.01, 0.05, (0.02, 0.08), True),
                Value(0.4, None, 0.02, -0.1, (-0.21, 0.01)),
                Value(None),
                Value(12.0),
            ),
        ),
    ),
)


def test_csv_has_plain_numbers() -> None:
    ends = ["", "_low", "_high", "_sd", "_difference", "_difference_low", "_difference_high"]
    heads = [f"head.{metric}{end}" for metric in ("accuracy", "kl") for end in ends]
    assert to_csv(TABLE).splitlines() == [
        ",".join(["run", "seeds", *heads, "parameters", "epochs"]),
        "plain|net,1,0.7,0.68,0.725,,,,,0.5,,,,,,,1234567.0,12.0",
        "b_net,3,0.75,,,0.01,0.05,0.02,0.08,0.4,,,0.02,-0.1,-0.21,0.01,,12.0",
    ]


def test_csv_quotes_names() -> None:
    table = ComparisonTable(COLUMNS[3:], (ComparisonRow('a, "b"', 1, (Value(math.nan),)),))
    assert list(csv.reader(io.StringIO(to_csv(table)))) == [["run", "seeds", "epochs"], ['a, "b"', "1", ""]]


def test_markdown() -> None:
    assert to_markdown(TABLE) == (
        "| run | Accuracy, % ↑ | KL divergence ↓ | Parameters, M | Epochs |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| plain\\|net | 70.0 [68.0, 72.5] | 0.500 | 1.23 | 12 |\n"
        "| b_net (3 seeds) | **75.0** ± 1.0 \\* | **0.400** ± 0.020 | – | 12 |\n"
        "\n"
        "[ ]: 95 % interval; ±: standard deviation over seeds; bold: best; "
        "\\*: differs from the first row by more than noise\n"
    )


def test_markdown_without_marks_has_no_legend() -> None:
    assert to_markdown(TABLE.only(("epochs",))).endswith("| b_net (3 seeds) | 12 |\n")


def test_latex() -> None:
    assert to_latex(TABLE) == "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"% [ ]: 95 \% interval; $\pm$: standard deviation over seeds; bold: best; "
            "*: differs from the first row by more than noise",
            r"\begin{tabular}{lrrrr}",
            r"\toprule",
            r"run & Accuracy, \% $\uparrow$ & KL divergence $\downarrow$ & Parameters, M & Epochs \\",
            r"\midrule",
            r"plain|net & 70.0~{\footnotesize [68.0, 72.5]} & 0.500 & 1.23 & 12 \\",
            r"b\_net (3 seeds) & \textbf{75.0}$^*$~{\footnotesize $\pm$ 1.0} & "
            r"\textbf{0.400}~{\footnotesize $\pm$ 0.020} & -- & 12 \\",
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def test_latex_escapes_every_special_character() -> None:
    table = ComparisonTable(COLUMNS[3:], (ComparisonRow(r"\a{b}$c&d#e~f^g%", 1, (Value(-1.0),)),))
    line = to_latex(table).splitlines()[5]
    assert line == r"\textbackslash{}a\{b\}\$c\&d\#e\textasciitilde{}f\textasciicircum{}g\% & $-$1 \\"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (math.nan, "–"), (math.inf, "–"), (0.0, "0"), (0.0123456, "0.0123"), (1.2345, "1.23"),
        (57.06, "57.1"), (618.4, "618"), (12345.0, "12,345"), (-0.5, "−0.500"),
    ],
)  # fmt: skip
def test_costs_have_three_digits(value: float | None, text: str) -> None:
    assert Quantity("x", "x").text(value) == text


def test_the_direction_decides_what_is_best() -> None:
    assert (TABLE.best(0), TABLE.best(1), TABLE.best(3)) == (0.75, 0.4, None)
    assert ComparisonTable(COLUMNS, TABLE.rows[:1]).best(0) is None, "one row is no contest"


def test_spread_is_the_interval_or_the_deviation() -> None:
    assert spread(COLUMNS[0], Value(0.7, (0.6, 0.8))) == "[60.0, 80.0]"
    assert spread(COLUMNS[0], Value(0.7, None, 0.012)) == "± 1.2"
    assert spread(COLUMNS[0], Value(0.7)) == ""
