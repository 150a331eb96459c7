"""Whether a worsening without relapses was also free of new lesions on MRI."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.rulebook.parts import AsTuple, Part, listed
from smoulder.rulebook.relapse import Intervals

Lesions = Literal["new_t2", "enlarging_t2", "gd"]

_NAMES = {"new_t2": "new T2", "enlarging_t2": "enlarging T2", "gd": "gadolinium-enhancing"}


class MriRule(Part):
    """The scans around a PIRA: free of activity, active, or unknown. PIRA without MRI activity is PIRMA (Kapica-Topczewska 2021)."""

    scans_in: Annotated[Intervals, Field(min_length=1)]
    """Intervals whose scans count, both ends included."""
    lesions: Annotated[tuple[Lesions, ...], AsTuple, Field(min_length=1)] = ("new_t2", "enlarging_t2", "gd")
    """Counts of the MRI table that are activity; those that the table lacks are not asked for (`check_definition` tells), and an
    empty cell is a count that was not read."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any("previous visit" in (interval.start, interval.end) for interval in self.scans_in):
            raise ValueError(
                "scans_in cannot use the anchor 'previous visit', which events do not keep; use baseline, onset or confirmation"
            )
        if len(set(self.lesions)) != len(self.lesions):
            raise ValueError("lesions names something twice")
        return self

    def prose(self) -> str:
        """Return the rule in words."""
        where = listed([interval.prose() for interval in self.scans_in], "or")
        lesions = listed([_NAMES[name] for name in self.lesions], "or")
        return (
            f"A PIRA was free of MRI activity if no scan {where} showed {lesions} lesions and at least one scan there was read for all of "
            "those that the MRI table has a column for, active if a scan showed one, and else its MRI was unknown."
        )
