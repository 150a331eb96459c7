"""The true EDSS as whole half points: 0, 2, 3, ... 19 stand for 0, 1.0, 1.5, ... 9.5; there is no 0.5 on the scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HALVES = 2
"""Half points in a point."""
HIGHEST = 19
"""EDSS 9.5: 10 is death from MS, and the people here live."""


def landed(level: int) -> int:
    """Return where a level of half points comes to rest: within 0 to 9.5, and on 1.0 instead of 0.5."""
    return 2 if level == 1 else min(max(level, 0), HIGHEST)


def all_landed(levels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return `landed` of each of the levels, of any shape."""
    return np.where(levels == 1, 2, np.clip(levels, 0, HIGHEST)).astype(np.int16)


def shifted(levels: NDArray[np.int16], shifts: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return levels + shifts, and the level itself where that is not on the scale; any shape."""
    moved = levels + shifts
    possible = (moved >= 0) & (moved <= HIGHEST) & (moved != 1)
    return np.where(possible, moved, levels).astype(np.int16)
