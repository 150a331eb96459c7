"""Several rows of one patient and day to one visit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smoulder.terms import MISSING


def merged_scores(scores: NDArray[np.int32], starts: NDArray[np.int64], same_day: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return (n_visits,) one score a visit, and the row each came from (-1 for none).

    Parameters
    ----------
    scores
        (n_rows,) of one measure, sorted by visit, in the order of the file within one; MISSING where not measured.
    starts
        (n_visits,) where each visit's rows begin.
    same_day
        "lowest" or "highest"; otherwise the last measured one is taken.
    """
    index = np.arange(len(scores), dtype=np.int64)
    measured = scores != MISSING
    if same_day in ("lowest", "highest"):
        sign = 1 if same_day == "highest" else -1
        # Score first, then the earlier row: both in one number, so that a single pass finds the row.
        rank = np.where(measured, (sign * scores.astype(np.int64) << 32) - index, np.iinfo(np.int64).min)
        best = np.maximum.reduceat(rank, starts) if len(starts) else rank
        row = np.where(best == np.iinfo(np.int64).min, -1, -best & 0xFFFFFFFF)
    else:
        row = np.maximum.reduceat(np.where(measured, index, -1), starts) if len(starts) else index
    return np.where(row >= 0, scores[np.maximum(row, 0)], np.int32(MISSING)).astype(np.int32), row


def merged_flags(flags: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (n_visits,) whether any row of the visit has the flag."""
    return np.logical_or.reduceat(flags, starts) if len(starts) else flags
