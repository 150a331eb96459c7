"""Rules over stretches of follow-up: blocks without gaps, change with and without relapses, the area under a score."""

from __future__ import annotations

from pydantic import Field

from smoulder.rulebook.cited import CitedPart
from smoulder.rulebook.model import Source
from smoulder.rulebook.parts import Days, days_text
from smoulder.terms import MEASURES


def measure_name(key: str) -> str:
    """Return the name of a measure in sentences; the key itself where the cohort brings the measure along."""
    return MEASURES[key].name if key in MEASURES else key


class Blocks(CitedPart):
    """Where follow-up falls into blocks, because nobody was seen for long."""

    longest_gap_days: int = Field(default=730, ge=1)
    """Visits further apart than this are in two blocks."""
    measure: str | None = None
    """Only visits with this measure; None: every visit."""
    source: Source = Source(
        citation="Blocks of visits: drstrupf/multiple-sclerosis-disability-progression has them (find_connected_blocks); "
        "no published length of a gap was seen.",
        assumed=("longest_gap_days",),
    )

    def prose(self) -> str:
        """Return the rule in words."""
        which = "Visits" if self.measure is None else f"Visits with the {measure_name(self.measure)}"
        return " ".join(
            (
                f"{which} more than {days_text(self.longest_gap_days)} apart belong to two blocks of follow-up.",
                "Visits a year are the visits after the first one over the years of the block (365.25 days each).",
                self.evidence_prose(),
            )
        ).strip()


class Decomposition(CitedPart):
    """Which part of a change is relapse-related: that of the intervals between visits with a relapse in or shortly before them."""

    measure: str = "edss"
    """Key of the measure."""
    days_after_relapse: Days = 90
    """An interval is relapse-related also if its last visit is at most this many days after a relapse; 0: on its day."""
    source: Source = Source(
        citation="No published rule was seen for adding up changes by interval. The 90 days are those of RAW in Kappos 2020 (preprint "
        "abstract). Another way, by confirmed RAW: pymsprog 1.0.7, separate_ri_ra.",
        doi="10.1001/jamaneurol.2020.1568",
        year=2020,
        assumed=("days_after_relapse",),
    )

    def prose(self) -> str:
        """Return the rule in words."""
        name = measure_name(self.measure)
        near = f"was at most {days_text(self.days_after_relapse)} after one" if self.days_after_relapse else "was on the day of one"
        return " ".join(
            (
                f"The change of the {name} from the first to the last visit was added up visit by visit, worse counted positive.",
                f"A change between two visits was relapse-related if a relapse began after the first of them and up to the second, or the "
                f"second {near}; undetermined if relapses were not recorded then; otherwise independent of relapses.",
                "No change had to be confirmed, and recovery that is first seen later counts as independent improvement.",
                self.evidence_prose(),
            )
        ).strip()


class AreaUnderCurve(CitedPart):
    """The area under the scores of a measure over time."""

    measure: str = "edss"
    """Key of the measure."""
    source: Source = Source(
        citation="Liu C, Li Wan Po A, Blumhardt LD. J Neurol Neurosurg Psychiatry 1998;64:726 (abstract seen: area under the disability-"
        "time curve from all visits); normalised to baseline in PRISMS (abstract seen, PMC1736573).",
        year=1998,
    )

    def prose(self) -> str:
        """Return the rule in words."""
        name = measure_name(self.measure)
        return " ".join(
            (
                f"The area under the {name} from the first to the last visit was summed by trapezoids, straight from visit to visit.",
                "Its mean is the area over the time; the part above baseline is the same for the score less the first score, worse counted "
                "positive. With one visit there is none.",
                self.evidence_prose(),
            )
        ).strip()
