"""A study as one self-contained page, in the style of the report."""

from optuna.trial import FrozenTrial, TrialState

from ..config import dumps
from ..render import text
from ..render.blocks import Block, Card, Cards, Cell, Code, Column, Facts, Plots, Section, Table, key, note
from ..render.page import page
from . import figures
from .outcome import Outcome, ending, format_value
from .workers import first_number


def render(found: Outcome) -> str:
    """The whole page as HTML. Raises MissingExtraError without the extra `report`."""
    made = [
        _summary(found),
        _front(found),
        _history(found),
        _parameters(found),
        _trials(found),
        _setup(found),
    ]
    return page(found.settings.folder.resolve().name, tuple(section for section in made if section), "tuning")


def _summary(found: Outcome) -> Section:
    if found.best is None:
        return Section("Best", blocks=(note("No trial has been measured yet."),))
    first = next((trial for trial in found.measured if first_number(trial) == 0), None)
    cards = [
        Card(name, f"{found.best.values[place]:.4f}", _under(found, first, place), up, lead=place == 0)
        for place, (name, up) in enumerate(zip(found.names, found.higher, strict=True))
    ]
    drawn, parameters = found.best.params, found.settings.space.parameters
    pairs = tuple((parameter.key, format_value(drawn[parameter.key])) for parameter in parameters)
    blocks: tuple[Block, ...] = (
        Cards(tuple(cards)),
        Facts(pairs),
        Code(
            dumps(found.config(found.best)), f"best.toml: trial {first_number(found.best)} as a configuration"
        ),
        key(
            "The best of many trials looks better than it is: it was chosen on the very faces it was measured on. Score it on "
            "faces of another split, and with other seeds, before you believe the difference."
        ),
    )
    return Section("Best", blocks=blocks)


def _under(found: Outcome, first: FrozenTrial | None, place: int) -> tuple[str, ...]:
    assert found.best is not None
    lines = (f"trial {first_number(found.best)}",)
    return lines if first is None else (*lines, f"defaults {first.values[place]:.4f}")


def _front(found: Outcome) -> Section | None:
    drawn = figures.front(found)
    if drawn is None:
        return None
    small = key(
        "The broken line joins the trials that no other one beats in every objective; front/ holds their configurations."
    )
    return Section("Front", blocks=(Plots((drawn,), "large"), _table(found, found.front, "The front"), small))


def _history(found: Outcome) -> Section | None:
    if not found.measured:
        return None
    drawn = [figures.history(found, place) for place in range(len(found.names))]
    drawn += [plot for plot in (figures.epochs(found),) if plot]
    return Section("History", blocks=(Plots(tuple(drawn), "large"),))


def _parameters(found: Outcome) -> Section | None:
    if len(found.measured) < 2:
        return None
    shares = [plot for place in range(len(found.names)) if (plot := figures.importances(found, place))]
    blocks: list[Block] = [Plots(tuple(shares))] if shares else []
    blocks += [
        key(
            "Importance: fANOVA on the measured trials of this study. It says what made a difference within these ranges, and "
            "little where trials are few."
        ),
        Plots(figures.slices(found)),
        Plots((figures.parallel(found),), "large"),
        key("Each line is a trial, the better the stronger; the thick one is the best."),
    ]
    return Section("What mattered", blocks=tuple(blocks))


def _trials(found: Outcome) -> Section:
    lost = [trial for trial in found.trials if trial.state is not TrialState.COMPLETE]
    return Section("Trials", blocks=(_table(found, [*found.measured, *lost], "Trials, best first"),))


def _table(found: Outcome, trials: list[FrozenTrial], name: str) -> Table:
    heads = [Column("trial"), *(Column(title, "n") for title in found.names)]
    heads += [Column(parameter.name, "n") for parameter in found.settings.space.parameters]
    return Table(name, (*heads, Column("time", "n")), tuple(_row(found, trial) for trial in trials))


def _row(found: Outcome, trial: FrozenTrial) -> tuple[Cell, ...]:
    lost = trial.state is not TrialState.COMPLETE
    values = [Cell("–")] * len(found.names) if lost else [Cell(f"{value:.4f}") for value in trial.values]
    drawn = [
        Cell(format_value(trial.params.get(parameter.key, "–")))
        for parameter in found.settings.space.parameters
    ]
    first = Cell(str(first_number(trial)), strong=trial is found.best, under=ending(trial))
    return (first, *values, *drawn, Cell(text.duration(trial.user_attrs.get("seconds"))))


def _setup(found: Outcome) -> Section:
    settings = found.settings
    count = {
        state: sum(trial.state is state for trial in found.trials)
        for state in (TrialState.COMPLETE, TrialState.PRUNED)
    }
    seconds = sum(trial.user_attrs.get("seconds", 0.0) for trial in found.trials)
    facts = (
        ("trials", f"{len(found.trials)} finished of {settings.trials} wanted: {count[TrialState.COMPLETE]} measured, "
                   f"{count[TrialState.PRUNED]} pruned, {len(found.trials) - sum(count.values())} impossible"),
        ("training", text.duration(seconds)),
        ("sampler", settings.sampler),
        ("pruner", settings.pruner or "none"),
        ("seed", str(settings.seed)),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(parameter.key),
            Cell(parameter.domain.describe()),
            Cell(format_value(found.settings.space.defaults[parameter.key])),
        )
        for parameter in settings.space.parameters
    )
    space = Table("Search space", (Column("key"), Column("values"), Column("first trial")), rows)
    return Section("How it was searched", blocks=(Facts(facts), space))
