"""Faults that stop nothing: those of tables and columns that an analysis does not rest on are warnings."""

from __future__ import annotations

from dataclasses import replace

from smoulder.errors import agreed
from smoulder.findings import Finding
from smoulder.loaded import NEEDED_OF_PATIENTS, Loaded

CARRIED = ("treatments", "mri")
"""Tables that are carried along."""


def is_needed(finding: Finding, loaded: Loaded) -> bool:
    """Return whether an analysis rests on what the finding is about."""
    if finding.code == "column-not-there":
        # Whoever names a column means it.
        return True
    if finding.table in CARRIED:
        return False
    if finding.table != "patients":
        return True
    meant = {found.column: found.meaning for found in loaded.columns if found.table == "patients"}
    ours = meant.get(finding.column, finding.column)
    if ours in ("", "patient"):
        return any(meaning in NEEDED_OF_PATIENTS for meaning in meant.values())
    return ours in NEEDED_OF_PATIENTS


def softened(finding: Finding, loaded: Loaded) -> Finding:
    """Return an error of what is not needed as a warning that says what became of it."""
    if finding.level != "error" or is_needed(finding, loaded):
        return finding
    return replace(finding, level="warning", problem=f"{finding.problem} {_outcome(finding, loaded)}")


def _outcome(finding: Finding, loaded: Loaded) -> str:
    n = finding.cases.height
    if not n:
        return "The table is left out." if finding.table in loaded.unusable else "The column is left out."
    if finding.code == "patient-twice":
        return "The first row of each is taken."
    if finding.table == "patients" and finding.code not in ("patient-missing", "patient-near-miss"):
        return f"The {agreed(n, 'cell is', 'cells are')} left empty."
    return f"The {agreed(n, 'row is', 'rows are')} set aside."
