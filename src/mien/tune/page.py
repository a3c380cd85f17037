"""A study as one self-contained page, in the style of the report."""

from optuna.trial import FrozenTrial, TrialState

from ..config import dumps
from ..render import text
from ..render.blocks import Block, Card, Cards, Cell, Code, Facts, Plots, Section, Table, columns, key, note
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
    best = found.best
    if best is None:
        return Section("Best", blocks=(note("No trial has been measured yet."),))
    number, first = first_number(best), next((t for t in found.measured if first_number(t) == 0), None)
    cards = []
    for place, (name, up) in enumerate(zip(found.names, found.higher, strict=True)):
        under = (f"trial {number}", *([] if first is None else [f"defaults {first.values[place]:.4f}"]))
        cards.append(Card(name, f"{best.values[place]:.4f}", under, up, lead=place == 0))
    keys = [parameter.key for parameter in found.settings.space.parameters]
    blocks: tuple[Block, ...] = (
        Cards(tuple(cards)),
        Facts(tuple((name, format_value(best.params[name])) for name in keys)),
        Code(dumps(found.config(best)), f"best.toml: trial {number} as a configuration"),
        key(
            "The best of many trials looks better than it is: it was chosen on the very faces it was "
            "measured on. Score it on faces of another split, and with other seeds, before you believe the "
            "difference."
        ),
    )
    return Section("Best", blocks=blocks)


def _front(found: Outcome) -> Section | None:
    plot = figures.front(found)
    if plot is None:
        return None
    words = "The broken line joins the trials that no other one beats in every objective; front/ holds their "
    table, small = _table(found, found.front, "The front"), key(words + "configurations.")
    return Section("Front", blocks=(Plots((plot,), "large"), table, small))


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
    blocks: tuple[Block, ...] = (
        *([Plots(tuple(shares))] if shares else []),
        key(
            "Importance: fANOVA on the measured trials of this study. It says what made a difference within "
            "these ranges, and little where trials are few."
        ),
        Plots(figures.slices(found)),
        Plots((figures.parallel(found),), "large"),
        key("Each line is a trial, the better the stronger; the thick one is the best."),
    )
    return Section("What mattered", blocks=blocks)


def _trials(found: Outcome) -> Section:
    lost = [trial for trial in found.trials if trial.state is not TrialState.COMPLETE]
    return Section("Trials", blocks=(_table(found, [*found.measured, *lost], "Trials, best first"),))


def _table(found: Outcome, trials: list[FrozenTrial], name: str) -> Table:
    names = [parameter.name for parameter in found.settings.space.parameters]
    heads = columns("trial", *found.names, *names, "time")
    return Table(name, heads, tuple(_row(found, trial) for trial in trials))


def _row(found: Outcome, trial: FrozenTrial) -> tuple[Cell, ...]:
    lost = trial.state is not TrialState.COMPLETE
    values = ["–"] * len(found.names) if lost else [f"{value:.4f}" for value in trial.values]
    keys = [parameter.key for parameter in found.settings.space.parameters]
    drawn = [format_value(trial.params.get(name, "–")) for name in keys]
    first = Cell(str(first_number(trial)), strong=trial is found.best, under=ending(trial))
    return (first, *map(Cell, [*values, *drawn, text.duration(trial.user_attrs.get("seconds"))]))


def _setup(found: Outcome) -> Section:
    settings, states = found.settings, [trial.state for trial in found.trials]
    measured, pruned = states.count(TrialState.COMPLETE), states.count(TrialState.PRUNED)
    counts = f"{measured} measured, {pruned} pruned, {len(states) - measured - pruned} impossible"
    facts = (
        ("trials", f"{len(states)} finished of {settings.trials} wanted: {counts}"),
        ("training", text.duration(sum(trial.user_attrs.get("seconds", 0.0) for trial in found.trials))),
        ("sampler", settings.sampler),
        ("pruner", settings.pruner or "none"),
        ("seed", str(settings.seed)),
    )
    rows = []
    for parameter in settings.space.parameters:
        default = format_value(settings.space.defaults[parameter.key])
        rows.append((Cell(parameter.key), Cell(parameter.domain.describe()), Cell(default)))
    space = Table("Search space", columns("key", "values", "first trial", look=""), tuple(rows))
    return Section("How it was searched", blocks=(Facts(facts), space))
