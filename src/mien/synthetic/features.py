"""The parts of a face that move: brows, eyes, nose, mouth, and the creases they make."""

import math

import numpy as np

from .appearance import Appearance
from .expression import Array, Expression
from .shapes import Shape, between, blend, curve, oval, path, tone

EYE_Y = -0.1
BROW_Y = -0.36
MOUTH_Y = 0.54
_SPAN = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 21))
_DOME = (1 - _SPAN**2) ** 0.7
_LASH = (30.0, 22.0, 20.0)


def features(face: Expression, person: Appearance) -> list[Shape]:
    """Return all parts that an expression moves except the creases, bottom layer first."""
    shapes = nose(face, person) + mouth(face, person)
    for side in (-1, 1):
        shapes += eye(face, person, side) + brow(face, person, side)
    return shapes


def lids(face: Expression, person: Appearance) -> tuple[Array, Array]:
    """Return upper and lower edge of the open eye at 21 places from the inner corner, y from the eye."""
    rise = 0.115 * (1 + 0.55 * face.lid if face.lid > 0 else 1 + 0.8 * max(face.lid, -1.0))
    frown = 1 - 0.35 * max(0.0, -face.brow_inner) * np.clip(0.5 - _SPAN, 0, 1)
    hood = 1 - 0.45 * face.droop * np.clip(0.2 + _SPAN, 0, 1)
    slant = 0.05 * (face.droop - 0.5 * max(0.0, -face.brow_inner)) * _SPAN
    upper = -rise * person.eye_size * _DOME * frown * np.clip(hood, 0.2, 1)
    sag = 0.075 * (1 - 0.7 * face.squint) + 0.02 * max(face.lid, 0.0) - 0.085 * face.cheek
    lower = np.maximum(sag * person.eye_size * _DOME, upper + 0.035 * _DOME)
    return upper + slant, lower + slant


def eye(face: Expression, person: Appearance, side: int) -> list[Shape]:
    """Return white, iris, pupil and glint cut to the lids, then the lids themselves."""
    half = 0.215 * person.eye_size
    upper, lower = (edge + EYE_Y for edge in lids(face, person))
    x = side * (person.eye_gap + half * _SPAN)
    white = tone(blend((236, 232, 228), person.skin, 0.35), 0.74)

    def cut(outline: Array) -> Array:
        where = (side * outline[:, 0] - person.eye_gap) / half
        outline[:, 1] = np.clip(outline[:, 1], np.interp(where, _SPAN, upper), np.interp(where, _SPAN, lower))
        return outline

    centre, height = side * person.eye_gap + person.gaze[0], EYE_Y - 0.012 + person.gaze[1]
    radius = 0.1 * person.eye_size
    lash = 0.04 * person.line
    crease = upper - 0.05 - 0.03 * max(face.lid, 0.0)
    return [
        Shape(np.array([x, crease]).T[2:-1], tone(person.skin, 0.66), 0.018 * person.line),
        Shape(between(x, upper, lower), white),
        Shape(cut(oval(centre, height, radius / person.width, radius)), person.eye),
        Shape(cut(oval(centre, height, 0.5 * radius / person.width, 0.5 * radius)), (16, 12, 12)),
        Shape(cut(oval(centre + 0.035, height - 0.03, 0.024, 0.02, 8)), (250, 250, 250)),
        Shape(between(x, upper - lash * (0.4 + 0.6 * _DOME), upper + 0.012), _LASH),
        Shape(np.array([x, lower]).T[3:], tone(person.skin, 0.5), 0.02 * person.line),
    ]


def brow(face: Expression, person: Appearance, side: int) -> list[Shape]:
    """Return a brow, thick towards the nose; a smirk lifts the one on its side."""
    lift = max(0.0, face.smirk) if side == person.side else 0.0
    inner, outer = face.brow_inner + 0.1 * lift, face.brow_outer + 0.6 * lift
    along = np.linspace(0, 1, 9)
    start = 0.17 - 0.09 * np.clip(face.brow_pinch, 0, 1.2)
    x = side * (start + (0.72 - start) * along)
    arch = person.arch * (1 + 1.2 * max(0.0, outer)) * np.sin(np.pi * along**1.2)
    fall = 0.05 * along**3
    y = BROW_Y - arch + fall - 0.15 * inner * (1 - along) ** 1.3 - 0.12 * outer * along**0.8
    thick = person.brow * (1 - 0.65 * along**1.5) * np.minimum(1, 0.5 + 3 * along)
    colour = blend(tone(person.hair, 0.8), (28, 22, 20), 0.45)
    return [Shape(between(x, y - thick / 2, y + thick / 2), colour)]


def nose(face: Expression, person: Appearance) -> list[Shape]:
    """Return wings and nostrils, the shaded side of the ridge, and wrinkles across it."""
    bottom = 0.27 - 0.05 * face.nose_wrinkle
    wing = 0.17 * person.nose * (1 + 0.18 * face.nose_wrinkle)
    dark, soft = tone(person.skin, 0.42), tone(person.skin, 0.68)
    shaded = -1 if person.view.light[0] > 0 else 1
    ridge = curve((shaded * 0.085, 0.0), (shaded * 0.1, 0.12), (shaded * wing, bottom - 0.05))
    shapes = [Shape(ridge, soft, 0.02)]
    for side in (-1, 1):
        nostril = oval(side * 0.08 * person.nose, bottom, 0.05 * person.nose, 0.028, 10)
        shapes.append(Shape(nostril, dark, depth=1.3))
        x = side * wing
        curl = curve((0.9 * x, bottom - 0.08), (x, bottom - 0.02), (0.8 * x, bottom + 0.02))
        shapes.append(Shape(curl, tone(person.skin, 0.55), 0.025 * person.line, 1.2))
    if face.nose_wrinkle > 0.25:
        shapes += _wrinkles(face.nose_wrinkle, person)
    return shapes


def _wrinkles(amount: float, person: Appearance) -> list[Shape]:
    colour = tone(person.skin, 1 - 0.5 * min(amount, 1.0))
    across = [
        Shape(curve((-0.1, y + 0.03), (0, y - 0.03), (0.1, y + 0.03)), colour, 0.022 * person.line, 1.2)
        for y in (-0.16, -0.08, 0.0)
    ]
    beside = [curve((s * 0.11, -0.02), (s * 0.17, 0.06), (s * 0.2, 0.15)) for s in (-1, 1)]
    return across + [Shape(line, colour, 0.03 * person.line) for line in beside]


def creases(face: Expression, person: Appearance) -> list[Shape]:
    """Return forehead lines, frown lines, cheek folds, bags under raised cheeks and the dimple of a smirk."""
    raised = (max(face.brow_inner, 0.0) + max(face.brow_outer, 0.0)) / 2
    wide = 0.25 + 0.25 * max(0.0, face.brow_outer)
    shapes = []
    for row in range(3):
        y = -0.62 - 0.07 * row - 0.05 * raised
        shapes += _crease(person, 0.9 * raised, 0.018, (-wide, y + 0.03), (0, y - 0.02), (wide, y + 0.03))
    return shapes + _side_creases(face, person, -1) + _side_creases(face, person, 1)


def _side_creases(face: Expression, person: Appearance, side: int) -> list[Shape]:
    """Return the creases of one side."""
    eye_x, (corner_x, y) = side * person.eye_gap, mouth_corner(face)
    x = side * (corner_x + 0.09)
    fold = max(0.5 * face.cheek + 0.35 * max(0.0, face.mouth_curve), 0.9 * face.lip_raise)
    smirk = face.smirk if side == person.side else 0.0
    frown = (side * 0.05, BROW_Y + 0.09), (side * 0.045, BROW_Y - 0.05), (side * 0.07, BROW_Y - 0.12)
    dimple = (x - side * 0.06, y - 0.26), (x + side * 0.03, y - 0.19), (x - side * 0.01, y - 0.08)
    return [
        *_crease(person, face.brow_pinch, 0.028, *frown),
        *_crease(person, fold, 0.02, (side * 0.2, 0.22), (x, y - 0.14), (x + side * 0.02, y + 0.08)),
        *_crease(person, 0.8 * face.cheek, 0.018, (eye_x - 0.17, 0.04), (eye_x, 0.1), (eye_x + 0.17, 0.03)),
        *_crease(person, 1.2 * smirk, 0.03, *dimple),
    ]


def _crease(person: Appearance, amount: float, width: float, *points: tuple[float, float]) -> list[Shape]:
    """Return a line as dark as the amount (0…1) says; none below 0.2."""
    if amount < 0.2:
        return []
    return [Shape(curve(*points), tone(person.skin, 1 - 0.38 * min(amount, 1.0)), width * person.line)]


def mouth_corner(face: Expression) -> tuple[float, float]:
    """Return the right corner of the mouth (x, y), without any smirk."""
    half = 0.37 * (1 + (0.28 if face.mouth_width > 0 else 0.42) * face.mouth_width)
    return half, MOUTH_Y - 0.09 * face.mouth_curve


def mouth(face: Expression, person: Appearance) -> list[Shape]:
    """Return lips, then what shows between them: dark and teeth; a line where they meet."""
    half, _ = mouth_corner(face)
    x = half * _SPAN
    upper, lower = _inner_lips(face, person)
    bow = 1 - 0.3 * np.exp(-((_SPAN / 0.2) ** 2))
    thin = person.lips * (1 - 0.65 * np.clip(face.lip_press, 0, 1))
    top = upper - (0.055 * thin * bow + 0.012) * _DOME
    bottom = lower + (0.075 * thin + 0.012) * _DOME
    lip = blend(tone(person.skin, 0.72), (150, 50, 56), 0.4)
    shapes = [Shape(between(x, top, bottom), lip)]
    gap = float((lower - upper).max())
    if gap > 0.05:
        shapes += _inside(face, x, upper, lower)
    if gap < 0.12:
        middle, thick = (upper + lower) / 2, 0.022 * person.line * (0.4 + 0.6 * _DOME)
        shapes.append(Shape(between(x * 1.04, middle - thick, middle + thick), (58, 26, 26)))
    return shapes


def _inner_lips(face: Expression, person: Appearance) -> tuple[Array, Array]:
    """Return the inner edges of the upper and the lower lip, y over 21 places from left to right."""
    line = MOUTH_Y - 0.15 * face.mouth_curve * (_SPAN**2 - 0.4)
    line = line - 0.15 * face.smirk * np.clip(_SPAN * person.side + 0.15, 0, 2) ** 1.5
    gape = max(0.0, face.mouth_open)
    power = 2 + 5 * max(0.0, face.mouth_square)
    profile = (1 - np.abs(_SPAN) ** power) ** 0.5
    snarl = np.clip(face.lip_raise, 0, 1.2) * (1 - _SPAN**2)
    pout = max(0.0, -face.mouth_width)
    upper = line - (0.06 + 0.08 * pout) * gape * profile - 0.07 * snarl
    lower = line + (0.19 + 0.02 * pout) * gape * profile - 0.02 * snarl
    return upper, lower


def _inside(face: Expression, x: Array, upper: Array, lower: Array) -> list[Shape]:
    shapes = [Shape(between(x, upper, lower), (72, 28, 30))]
    show = min(1.0, max(0.0, face.teeth))
    if show < 0.25:
        return shapes
    white = (238.0, 234.0, 224.0)
    edge = np.minimum(lower, upper + 0.11 * show)
    shapes.append(Shape(between(x[1:-1], upper[1:-1], edge[1:-1]), white))
    if face.mouth_square > 0.85:
        row = np.maximum(edge, lower - 0.08)
        shapes.append(Shape(between(x, row, lower), white))
        top, bottom = float(upper.max()), float(lower.max())
        gaps = [path((k * 0.09, top), (k * 0.09, bottom)) for k in (-2, -1, 0, 1, 2)]
        shapes += [Shape(gap, (150, 136, 130), 0.012) for gap in gaps]
    return shapes


def jaw_drop(face: Expression) -> float:
    """Return how far the chin falls."""
    return 0.1 * math.tanh(max(0.0, face.mouth_open))
