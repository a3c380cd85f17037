"""Whom a picture shows and how: shape, tones, hair, pose, light and camera, drawn from one generator."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .expression import Array, Expression, mix

Colour = tuple[float, float, float]

HAIRSTYLES = ("bald", "short", "fringe", "parted", "long", "curly", "cap")
_SKINS = np.array([
    (238, 208, 188), (234, 192, 164), (226, 178, 142), (205, 150, 112), (171, 119, 84), (133, 90, 64),
    (104, 71, 53),
])  # fmt: skip
_HAIRS = np.array([
    (38, 28, 24), (62, 42, 30), (104, 68, 42), (150, 106, 62), (206, 170, 110), (146, 66, 36),
    (170, 170, 172),
])  # fmt: skip
_EYES = np.array([(46, 30, 20), (66, 42, 26), (58, 70, 44), (50, 76, 100), (70, 80, 86)])


@dataclass(frozen=True)
class View:
    """How a face is seen. Angles in radians; shift in shares of the picture, zoom 1 fills it; light (across,
    down) in shares of the exposure from one end to the other; noise in grey levels, `grain` its seed."""

    roll: float
    yaw: float
    pitch: float
    shift: tuple[float, float]
    zoom: float
    light: tuple[float, float]
    exposure: float
    blur: float
    noise: float
    background: tuple[Colour, Colour]
    grain: int


@dataclass(frozen=True)
class Appearance:
    """One person in one picture. Lengths are in face units (half the head's height) or relative to the mean.

    `side` (-1 left, 1 right) is where a smirk and a parting are, `variant` the way in which they show an
    emotion, `vivid` how strongly; `habit` is added to every expression.
    """

    width: float
    jaw: float
    skin: Colour
    hair: Colour
    hairstyle: str
    hairline: float
    eye: Colour
    eye_size: float
    eye_gap: float
    gaze: tuple[float, float]
    brow: float
    arch: float
    nose: float
    lips: float
    line: float
    glasses: bool
    beard: float
    moustache: bool
    clothes: Colour
    side: int
    variant: int
    vivid: float
    habit: Expression
    view: View

    def candid(self) -> Appearance:
        """Return this person without a resting face of their own, showing exactly what they feel."""
        return replace(self, vivid=1.0, habit=Expression())


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draw an appearance. The same state of the generator gives the same one."""
    bearded = rng.random() < 0.3
    return Appearance(
        width=rng.uniform(0.72, 0.84),
        jaw=rng.uniform(0.08, 0.32),
        skin=_between(rng, _SKINS),
        hair=_pick(rng, _HAIRS),
        hairstyle=HAIRSTYLES[rng.integers(len(HAIRSTYLES))],
        hairline=rng.uniform(-0.78, -0.6),
        eye=_pick(rng, _EYES),
        eye_size=rng.uniform(0.92, 1.15),
        eye_gap=rng.uniform(0.4, 0.45),
        gaze=(rng.normal(0, 0.018), rng.normal(0, 0.01)),
        brow=rng.uniform(0.055, 0.1),
        arch=rng.uniform(0.02, 0.07),
        nose=rng.uniform(0.85, 1.2),
        lips=rng.uniform(0.7, 1.3),
        line=rng.uniform(0.8, 1.3),
        glasses=rng.random() < 0.12,
        beard=rng.uniform(0.25, 0.75) if bearded else 0.0,
        moustache=bearded and rng.random() < 0.5,
        clothes=_muted(rng),
        side=int(rng.choice((-1, 1))),
        variant=int(rng.integers(2)),
        vivid=rng.uniform(0.85, 1.1),
        habit=Expression(*rng.normal(0, 0.07, len(Expression._fields)).tolist())._replace(smirk=0.0),
        view=_draw_view(rng),
    )


def express(probabilities: Array, person: Appearance) -> Expression:
    """Return the expression with which this person shows a distribution (8,)."""
    pure = np.array(mix(probabilities, person.variant))
    return Expression(*(person.vivid * pure + np.array(person.habit)).tolist())


def _draw_view(rng: np.random.Generator) -> View:
    return View(
        roll=float(np.clip(rng.normal(0, 0.08), -0.2, 0.2)),
        yaw=rng.uniform(-0.2, 0.2),
        pitch=rng.uniform(-0.06, 0.06),
        shift=(rng.uniform(-0.04, 0.04), rng.uniform(-0.04, 0.04)),
        zoom=rng.uniform(0.92, 1.12),
        light=(rng.normal(0, 0.12), rng.normal(0, 0.07)),
        exposure=rng.uniform(0.85, 1.12),
        blur=max(0.0, rng.uniform(-0.4, 0.6)),
        noise=rng.uniform(0, 5.5),
        background=(_muted(rng), _muted(rng)),
        grain=int(rng.integers(1 << 31)),
    )


def _pick(rng: np.random.Generator, palette: Array) -> Colour:
    noise = rng.normal(0, 8) + rng.normal(0, 2, 3)
    red, green, blue = np.clip(palette[rng.integers(len(palette))] + noise, 0, 255).tolist()
    return red, green, blue


def _muted(rng: np.random.Generator) -> Colour:
    """Return a colour of any brightness and little saturation."""
    red, green, blue = np.clip(rng.uniform(35, 225) + rng.normal(0, 18, 3), 0, 255).tolist()
    return red, green, blue


def _between(rng: np.random.Generator, palette: Array) -> Colour:
    """Return a colour from anywhere along the palette."""
    where = rng.uniform(0, len(palette) - 1)
    steps = np.arange(len(palette))
    return _pick(rng, np.array([[np.interp(where, steps, channel) for channel in palette.T]]))
