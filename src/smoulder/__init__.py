"""Smoulder: did this person with multiple sclerosis get worse, and was it a relapse or not?

The public names are imported on first use, so that `import smoulder` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smoulder._version import __version__

if TYPE_CHECKING:
    from smoulder.checks import check_definition
    from smoulder.engine import detect, explain
    from smoulder.engine.beside.area import area_under_curve
    from smoulder.engine.beside.blocks import follow_up_blocks
    from smoulder.engine.beside.decomposition import decompose_change
    from smoulder.engine.beside.neda import neda
    from smoulder.engine.beside.progression import secondary_progression
    from smoulder.engine.beside.reached import milestone_at, milestone_reached
    from smoulder.engine.beside.relapse_events import relapse_hygiene, relapse_rates, with_clean_relapses
    from smoulder.errors import DataError, DefinitionError, SmoulderError, SourceError, UsageError
    from smoulder.events import Events, Explanation
    from smoulder.figures import plot_patient
    from smoulder.findings import Report
    from smoulder.outcome import Outcome
    from smoulder.reading import check, read
    from smoulder.rulebook import Definition, Grid, definition, definitions, diff, grid, grids, load_definition, load_grid, traps
    from smoulder.rulebook.neda import neda_rule
    from smoulder.simulation import simulate
    from smoulder.tables import Cohort

_HOMES = {
    "Cohort": "tables",
    "DataError": "errors",
    "Definition": "rulebook",
    "DefinitionError": "errors",
    "Events": "events",
    "Explanation": "events",
    "Grid": "rulebook",
    "Outcome": "outcome",
    "Report": "findings",
    "SmoulderError": "errors",
    "SourceError": "errors",
    "UsageError": "errors",
    "area_under_curve": "engine.beside.area",
    "check": "reading",
    "check_definition": "checks",
    "decompose_change": "engine.beside.decomposition",
    "definition": "rulebook",
    "definitions": "rulebook",
    "detect": "engine",
    "diff": "rulebook",
    "explain": "engine",
    "follow_up_blocks": "engine.beside.blocks",
    "grid": "rulebook",
    "grids": "rulebook",
    "load_definition": "rulebook",
    "load_grid": "rulebook",
    "milestone_at": "engine.beside.reached",
    "milestone_reached": "engine.beside.reached",
    "neda": "engine.beside.neda",
    "neda_rule": "rulebook.neda",
    "plot_patient": "figures",
    "read": "reading",
    "relapse_hygiene": "engine.beside.relapse_events",
    "relapse_rates": "engine.beside.relapse_events",
    "secondary_progression": "engine.beside.progression",
    "simulate": "simulation",
    "traps": "rulebook",
    "with_clean_relapses": "engine.beside.relapse_events",
}

__all__ = [
    "Cohort",
    "DataError",
    "Definition",
    "DefinitionError",
    "Events",
    "Explanation",
    "Grid",
    "Outcome",
    "Report",
    "SmoulderError",
    "SourceError",
    "UsageError",
    "__version__",
    "area_under_curve",
    "check",
    "check_definition",
    "decompose_change",
    "definition",
    "definitions",
    "detect",
    "diff",
    "explain",
    "follow_up_blocks",
    "grid",
    "grids",
    "load_definition",
    "load_grid",
    "milestone_at",
    "milestone_reached",
    "neda",
    "neda_rule",
    "plot_patient",
    "read",
    "relapse_hygiene",
    "relapse_rates",
    "secondary_progression",
    "simulate",
    "traps",
    "with_clean_relapses",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'smoulder' has no attribute '{name}'")
    return getattr(import_module(f"smoulder.{_HOMES[name]}"), name)
