"""The colours of scores: a straight line in CIELAB from pale to dark, so that equal steps of score look equal, also in black and white."""

from __future__ import annotations

from dataclasses import dataclass

PALE, DARK = (94.0, -3.0, 22.0), (20.0, 14.0, -40.0)
"""L*, a*, b* of the best and of the worst score: cream to navy. Every colour vision sees the line as a change of lightness."""


@dataclass(frozen=True)
class Ramp:
    """Scores to colours; darker is worse."""

    best: float
    worst: float
    """In the unit of the measure; the colours of scores beyond either are those of the end."""

    def place(self, points: float) -> float:
        """Return where a score lies between best (0) and worst (1)."""
        if self.best == self.worst:
            return 0.0
        return min(max((points - self.best) / (self.worst - self.best), 0.0), 1.0)

    def colour(self, points: float) -> str:
        """Return the colour of a score."""
        return ramp_colour(self.place(points))


def ramp_colour(place: float) -> str:
    """Return the colour at a place between 0 (pale) and 1 (dark), in 40 steps: as fine as the eye tells apart."""
    step = round(40 * place) / 40
    lab = [a + step * (b - a) for a, b in zip(PALE, DARK, strict=True)]
    return _hex(*lab)


def _hex(lightness: float, a: float, b: float) -> str:
    """Return a CIELAB colour (white point D65) as sRGB; formulas of IEC 61966-2-1 and CIE 15."""
    fy = (lightness + 16) / 116
    x, y, z = (
        white * (f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29))
        for white, f in ((0.95047, fy + a / 500), (1.0, fy), (1.08883, fy - b / 200))
    )
    linear = (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )
    encoded = (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in linear)
    return "#" + "".join(f"{round(255 * min(max(v, 0.0), 1.0)):02x}" for v in encoded)
