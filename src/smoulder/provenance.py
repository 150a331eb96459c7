"""What a result came from: program version, the definitions in full, a hash of the input. No clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from smoulder._version import __version__
from smoulder.rulebook.model import Definition
from smoulder.rulebook.traps import traps
from smoulder.tables import Cohort


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a result came from."""

    version: str
    definitions: tuple[Definition, ...]
    input_sha256: str
    """`Cohort.sha256` of what was analysed."""
    n_patients: int
    n_visits: int
    n_relapses: int
    relapse_knowledge: str
    set_aside: tuple[tuple[str, str], ...]
    """Patients left out because of faults, each with the reason."""
    rows_set_aside: tuple[tuple[str, int, str], ...] = ()
    """Rows left out because of faults that name no patient: table, row, reason."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "program": "smoulder",
            "version": self.version,
            "input_sha256": self.input_sha256,
            "patients": self.n_patients,
            "visits": self.n_visits,
            "relapses": self.n_relapses,
            "relapse_knowledge": self.relapse_knowledge,
            "set_aside": [{"patient": patient, "reason": reason} for patient, reason in self.set_aside],
            "rows_set_aside": [{"table": table, "row": row, "reason": reason} for table, row, reason in self.rows_set_aside],
            "definitions": [definition.as_dict() for definition in self.definitions],
            "known_traps": {definition.key: list(traps(definition)) for definition in self.definitions if traps(definition)},
        }

    def json(self) -> str:
        """Return `as_dict` as JSON text, the same bytes for the same input."""
        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False, sort_keys=True)


def provenance_of(cohort: Cohort, definitions: tuple[Definition, ...]) -> Provenance:
    """Return the provenance of a result from `cohort` under `definitions`."""
    return Provenance(
        version=__version__,
        definitions=definitions,
        input_sha256=cohort.sha256,
        n_patients=cohort.n_patients,
        n_visits=cohort.n_visits,
        n_relapses=cohort.n_relapses,
        relapse_knowledge=cohort.relapse_knowledge,
        set_aside=cohort.set_aside,
        rows_set_aside=cohort.report.rows_without_patient() if cohort.kept_going else (),
    )
