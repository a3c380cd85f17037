"""A whole head on a canvas: hair, skin with its light and shade, moving features, camera."""

import cv2
import numpy as np

from ..records import Floats, Pixels
from .appearance import Appearance, View
from .expression import Array, Expression
from .features import BROW_Y, EYE_Y, MOUTH_Y, creases, features, jaw_drop
from .shapes import Placement, Shape, blend, curve, oval, paint, path, tone

_GRID = 64
_REACH = 1.25
_AXIS = np.linspace(-_REACH, _REACH, _GRID, dtype=np.float32)
_RIM = np.clip(np.hypot(*np.meshgrid(_AXIS, _AXIS * 0.92)) - 0.62, 0, 1)[:, :, None] ** 1.5
_TURN = np.linspace(0, 2 * np.pi, 72, endpoint=False)
#: Shadow falls off less in red than in blue, so shaded skin stays warm.
_WARM = np.array([0.85, 1.0, 1.05], np.float32)


def draw(canvas: Pixels, face: Expression, placement: Placement) -> None:
    """Draw one head, with neck and shoulders, on an RGB canvas."""
    person = placement.person
    outline = skull(person, face)
    below = [*beard(person, outline), *creases(face, person), *hair(person)]
    paint(canvas, [*behind(person), Shape(outline, person.skin, depth=0)], placement)
    shade_skin(canvas, face, placement, outline)
    paint(canvas, [*below, *features(face, person), *glasses(person)], placement)


def skull(person: Appearance, face: Expression) -> Array:
    """Return the outline of the head from the crown to the chin."""
    x, y = np.cos(_TURN), np.sin(_TURN)
    low = np.clip(y, 0, 1)
    wide = x * (1 - person.jaw * low**2) * (1 + 0.25 * low * (1 - low))
    return np.stack([wide, y + jaw_drop(face) * low**2], 1)


def behind(person: Appearance) -> list[Shape]:
    """Return what the head covers: long hair, shoulders, neck and ears."""
    neck = tone(person.skin, 0.62)
    shoulders = curve((-2.2, 2.6), (-1.5, 1.45), (-0.5, 1.2), (0.5, 1.2), (1.5, 1.45), (2.2, 2.6))
    shapes = [
        Shape(shoulders, person.clothes, depth=0),
        Shape(path((-0.52, 0.5), (0.52, 0.5), (0.5, 1.25), (0, 1.42), (-0.5, 1.25)), neck, depth=0),
        *(Shape(oval(s * 1.0, 0.02, 0.12, 0.2), tone(person.skin, 0.82), depth=-0.3) for s in (-1, 1)),
    ]
    if person.hairstyle == "long":
        right = (1.1, -0.5), (1.25, 0.5), (1.15, 1.3), (0.4, 1.35)
        fall = curve((-1.1, -0.5), *right, (-0.4, 1.35), (-1.15, 1.3), (-1.25, 0.5))
        shapes.insert(0, Shape(fall, tone(person.hair, 0.85), depth=0))
    if person.hairstyle == "curly":
        shapes.insert(0, Shape(oval(0, -0.35, 1.3, 0.95, 48), person.hair, depth=0))
    return shapes


def shade_skin(canvas: Pixels, face: Expression, placement: Placement, outline: Array) -> None:
    """Multiply light and shade into the skin inside the outline."""
    size = canvas.shape[1], canvas.shape[0]
    step = 2 * _REACH / (_GRID - 1)
    matrix = placement.matrix() @ np.array([[step, 0, -_REACH], [0, step, -_REACH], [0, 0, 1]])
    shade = cv2.warpAffine(
        relief(face, placement), matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    shaded = cv2.multiply(canvas, shade, dtype=cv2.CV_8U)
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(placement.pixels(outline, 0.0)).astype(np.int32)], 255)
    cv2.copyTo(shaded, mask, canvas)


def relief(face: Expression, placement: Placement) -> Floats:
    """Return the light on the skin as factors on a grid (64, 64, 3): soft spots and a dark rim."""
    person = placement.person
    x, y, wide, high, amount = spots(face, person).T
    x, y = placement.turned(np.stack([x, y], 1), 1.0).T
    across = np.exp(-(((_AXIS - x[:, None]) / wide[:, None]) ** 2))
    down = np.exp(-(((_AXIS - y[:, None]) / high[:, None]) ** 2))
    light = (down.T @ (amount[:, None] * across))[:, :, None] - 0.75 * _RIM
    light += (person.view.light[0] * 1.2 * _AXIS[None, :])[:, :, None]
    return np.asarray(np.clip(1 + light * _WARM, 0.15, 1.5), np.float32)


def spots(face: Expression, person: Appearance) -> Array:
    """Return soft light (above 0) and shade (below 0) of a face: rows of x, y, width, height, amount."""
    gap, cheek = person.eye_gap, face.cheek
    socket = BROW_Y / 2 + EYE_Y / 2 + 0.05
    rows: list[tuple[float, ...]] = [(0, -0.62, 0.6, 0.25, 0.1), (0, 0.02, 0.1, 0.3, 0.2)]
    rows += [(0, 0.19, 0.12, 0.09, 0.08), (0, 0.36, 0.16, 0.05, -0.18)]
    rows += [(0, MOUTH_Y + 0.22, 0.25, 0.06, -0.2), (0, 0.88, 0.25, 0.1, 0.1)]
    for s in (-1, 1):
        rows += [
            (s * gap, socket, 0.3, 0.16, -0.48),
            (s * 0.17, -0.12, 0.09, 0.14, -0.18),
            (s * 0.48, 0.22 - 0.06 * cheek, 0.22, 0.14, 0.24 + 0.08 * cheek),
            (s * 0.2, 0.2, 0.08, 0.12, -0.12),
            (s * 0.75, 0.5, 0.2, 0.3, -0.12),
        ]
    return np.array(rows)


def hair(person: Appearance) -> list[Shape]:
    """Return hair, or a cap, that lies on the head."""
    if person.hairstyle == "bald":
        return []
    line = person.hairline
    left = (-1.06, -0.25), (-1.1, -0.7), (-0.8, -1.08)
    crown = curve(*left, (0, -1.22), (0.8, -1.08), (1.1, -0.7), (1.06, -0.25))
    fronts: dict[str, tuple[tuple[float, float], ...]] = {
        "short": ((0.93, -0.4), (0.75, line + 0.05), (0, line - 0.06), (-0.75, line + 0.05), (-0.93, -0.4)),
        "fringe": ((0.95, -0.3), (0.8, -0.52), (0.3, -0.54), (-0.2, -0.5), (-0.8, -0.52), (-0.95, -0.3)),
        "parted": ((0.95, -0.2), (0.8, -0.45), (0.3 * person.side, -0.85), (-0.8, -0.45), (-0.95, -0.2)),
        "long": ((0.93, 0.3), (0.86, -0.4), (0.2 * person.side, -0.86), (-0.86, -0.4), (-0.93, 0.3)),
        "curly": (
            (0.9, -0.4), (0.7, line), (0.35, line - 0.05), (0, line),
            (-0.35, line - 0.05), (-0.7, line), (-0.9, -0.4),
        ),
        "cap": ((1.02, -0.5), (0.5, -0.56), (0, -0.58), (-0.5, -0.56), (-1.02, -0.5)),
    }  # fmt: skip
    colour = person.clothes if person.hairstyle == "cap" else person.hair
    top = Shape(np.concatenate([crown, curve(*fronts[person.hairstyle])]), colour, depth=0.15)
    gleam = curve((-0.5, -0.98), (-0.1, -1.06), (0.35, -1.02))
    return [top, Shape(gleam, tone(colour, 1.35), 0.05, 0.15)]


def beard(person: Appearance, outline: Array) -> list[Shape]:
    """Return a beard along the jaw, as dense as the person's, and a moustache."""
    if not person.beard:
        return []
    colour = blend(tone(person.skin, 0.7), person.hair, person.beard)
    jaw = outline[outline[:, 1] > -0.01]
    left = (-1, 0), (-0.85, 0.3), (-0.6, 0.72), (-0.2, 0.82)
    inner = curve(*left, (0.2, 0.82), (0.6, 0.72), (0.85, 0.3), (1, 0))
    shapes = [Shape(np.concatenate([jaw[np.argsort(-jaw[:, 0])], inner]), colour, depth=0.1)]
    if person.moustache:
        lip = curve((-0.36, 0.47), (-0.2, 0.36), (0, 0.34), (0.2, 0.36), (0.36, 0.47), (0, 0.41))
        shapes.append(Shape(lip, colour))
    return shapes


def glasses(person: Appearance) -> list[Shape]:
    """Return glasses: a thin rim around both eyes."""
    if not person.glasses:
        return []
    colour = (44.0, 40.0, 44.0)
    rings = [oval(s * person.eye_gap, EYE_Y, 0.31, 0.21, 32) for s in (-1, 1)]
    rims = [Shape(np.vstack([ring, ring[:1]]), colour, 0.026) for ring in rings]
    return [*rims, Shape(path((-0.13, -0.13), (0.13, -0.13)), colour, 0.03)]


def render(canvas: Pixels, view: View, size: tuple[int, int]) -> Pixels:
    """Shrink a canvas to (width, height) as a camera would: light from a side, exposure, blur and noise."""
    picture = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    if view.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), view.blur * max(size) / 80 + 0.05)
    across = np.linspace(-0.5, 0.5, size[0], dtype=np.float32)
    down = np.linspace(-0.5, 0.5, size[1], dtype=np.float32)[:, None]
    light: Floats = np.asarray(view.exposure + view.light[0] * across + view.light[1] * down, np.float32)
    grain = np.random.default_rng(view.grain).standard_normal(light.shape, np.float32)
    lit = picture * light[:, :, None] + np.float32(view.noise) * grain[:, :, None]
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


def backdrop(view: View, size: tuple[int, int]) -> Pixels:
    """Return an RGB canvas of (width, height) that runs from one colour at the top to another below."""
    top, bottom = (np.array(colour, np.float32) for colour in view.background)
    share = np.linspace(0, 1, size[1], dtype=np.float32)[:, None, None]
    return np.repeat((top + (bottom - top) * share).astype(np.uint8), size[0], axis=1)
