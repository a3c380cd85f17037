"""The model card: what the model is for, what it is not for, what limits it, and what the law says."""

from ..render import blocks
from ..render.blocks import Block, Points, Runs, Section, Strong, Subhead
from .record import RunRecord
from .summary import ANSWERS

_USES: tuple[Runs, ...] = (
    (
        Strong("Meant for"),
        " research, teaching, and tools whose users know of it and agree: an estimate of how a face looks.",
    ),
    (
        Strong("Not meant for"),
        " policing, migration and border control, hiring, insurance, credit, lie detection, medical or "
        "psychological diagnosis, or any decision about a person.",
    ),
)
_LIMITS: tuple[Runs, ...] = (
    (
        "The labels are guesses of raters about appearance. Nobody measured what the people in the pictures "
        "felt.",
    ),
    ("Raters disagree, and they judge by their own culture; the model learns both.",),
    (
        "Expect failures with profile views, small or blurred faces, occlusion, children and older people, "
        "darker skin in poor light, and expressions of cultures other than the raters'.",
    ),
)
_LAW: tuple[Runs, ...] = (
    (
        Strong("Regulation (EU) 2024/1689 (AI Act), Article 5(1)(f)"),
        " prohibits AI systems that infer emotions of a person in the workplace and in education "
        "institutions, except where intended for medical or safety reasons. It has applied since 2 February "
        "2025.",
    ),
    (
        "Other uses of emotion recognition are regulated by the same act, and by data protection law, with "
        "duties to inform those exposed. This card is no legal advice.",
    ),
)


def section(record: RunRecord) -> Section:
    """The card, with what the run itself says of its data and licence."""
    answers = " and ".join(ANSWERS[head.kind].format(len(head)) for head in record.task)
    model = blocks.text(f"{record.name} answers, for the picture of one face, with {answers}.")
    shown: list[Block] = [model, Subhead("Intended use"), Points(_USES), Subhead("Limits")]
    shown += [
        Points((*_LIMITS, *_measured(record))),
        Subhead("Data and licence"),
        blocks.text(_licence(record)),
    ]
    return Section("Model card", blocks=(*shown, Subhead("Law"), Points(_LAW)))


def _measured(record: RunRecord) -> list[Runs]:
    """What this run's own evaluation leaves open."""
    if any(result.part("subgroups") for result in record.heads):
        return [
            ("Figures by group stand under Subgroups; groups that the data do not name were not measured.",)
        ]
    return [
        ("This report has no figures by group: whether the model serves all people alike was not measured.",)
    ]


def _licence(record: RunRecord) -> str:
    licence = (
        record.licence
        or "The run does not say under which licence its data stand: ask before you pass model or report on."
    )
    terms = "Faces in this report come from the data and stand under their terms."
    return f"{licence[0].upper()}{licence[1:].rstrip('.')}. {terms}"
