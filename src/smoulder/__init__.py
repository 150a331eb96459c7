"""Smoulder: did this person with multiple sclerosis get worse, and was it a relapse or not?

The public names are imported on first use, so that `import smoulder` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smoulder._version import __version__

if TYPE_CHECKING:
    from smoulder.engine import detect, explain
    from smoulder.errors import DataError, DefinitionError, SmoulderError, SourceError, UsageError
    from smoulder.events import Events, Explanation
    from smoulder.figures import plot_patient
    from smoulder.findings import Report
    from smoulder.reading import check, read
    from smoulder.rulebook import Definition, definition, definitions, diff, load_definition, traps
    from smoulder.simulation import simulate
    from smoulder.tables import Cohort

_HOMES = {
    "Cohort": "tables",
    "DataError": "errors",
    "Definition": "rulebook",
    "DefinitionError": "errors",
    "Events": "events",
    "Explanation": "events",
    "Report": "findings",
    "SmoulderError": "errors",
    "SourceError": "errors",
    "UsageError": "errors",
    "check": "reading",
    "definition": "rulebook",
    "definitions": "rulebook",
    "detect": "engine",
    "diff": "rulebook",
    "explain": "engine",
    "load_definition": "rulebook",
    "plot_patient": "figures",
    "read": "reading",
    "simulate": "simulation",
    "traps": "rulebook",
}

__all__ = [
    "Cohort",
    "DataError",
    "Definition",
    "DefinitionError",
    "Events",
    "Explanation",
    "Report",
    "SmoulderError",
    "SourceError",
    "UsageError",
    "__version__",
    "check",
    "definition",
    "definitions",
    "detect",
    "diff",
    "explain",
    "load_definition",
    "plot_patient",
    "read",
    "simulate",
    "traps",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'smoulder' has no attribute '{name}'")
    return getattr(import_module(f"smoulder.{_HOMES[name]}"), name)
