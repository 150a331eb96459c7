"""What a study finds: `StudyResult`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smoulder.errors import counted
from smoulder.estimates import Estimate, SurvivalOutcome
from smoulder.events import Events
from smoulder.followed import Followed
from smoulder.protocol.aims import AnyAim
from smoulder.protocol.analyses import AnyAnalysis
from smoulder.protocol.model import Study
from smoulder.provenance import Provenance
from smoulder.tables import Cohort


@dataclass(frozen=True, eq=False, kw_only=True)
class Finding:
    """What one analysis of a study found."""

    analysis: AnyAnalysis
    estimates: tuple[Estimate, ...]
    """In the order of telling; empty where it could not be done."""
    why_not: str = ""
    """Why it could not be done, or not with all of its outcomes, in sentences; "" where it was."""

    @property
    def key(self) -> str:
        """Key of the analysis."""
        return self.analysis.key


@dataclass(frozen=True, eq=False, kw_only=True)
class MadeOutcome:
    """One outcome of a study."""

    aim: AnyAim
    outcome: SurvivalOutcome | None
    why_not: str = ""
    """Why there is none, as a sentence: such as a measure that the visits do not have."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StudyResult:
    """A study, run on a cohort."""

    study: Study
    cohort: Cohort
    """As it was read; who entered is in `followed`."""
    followed: Followed
    events: Events
    """Of the people who entered, from the starting visit to the end of observation, under every definition of the study."""
    outcomes: Mapping[str, MadeOutcome]
    """By key, in the order of the study."""
    findings: tuple[Finding, ...]
    """In the order of the study."""
    unlike_published: tuple[str, ...]
    """How what was counted differs from what the study says, as these tables lack something, as sentences."""
    warnings: tuple[str, ...]
    """Known traps of the definitions on these tables, and what the tables lack, as sentences."""
    provenance: Provenance

    def __repr__(self) -> str:
        people = counted(self.followed.n, "person", "people")
        return f"<StudyResult: {self.study.key}, {people}, {counted(len(self.findings), 'analysis', 'analyses')}>"

    def finding(self, key: str) -> Finding:
        """Return what the analysis of a key found."""
        return next(finding for finding in self.findings if finding.key == key)

    def made(self) -> dict[str, SurvivalOutcome]:
        """Return the outcomes that could be made, by key."""
        return {key: one.outcome for key, one in self.outcomes.items() if one.outcome is not None}
