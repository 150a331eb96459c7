"""Smoulder: did this person with multiple sclerosis get worse, and was it a relapse or not?

The public names are imported on first use, so that `import smoulder` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smoulder._version import __version__

if TYPE_CHECKING:
    from smoulder.analysis import (
        andersen_gill,
        bootstrap,
        cox,
        cox_time_varying,
        cumulative_incidence,
        fine_gray,
        incidence_rates,
        interval_regression,
        interval_survival,
        kaplan_meier,
        logistic,
        mean_cumulative,
        recurrent_rates,
        relapse_rate_model,
        table_one,
    )
    from smoulder.analysis.outcome import time_to_first
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
    from smoulder.estimates import Episodes, SurvivalOutcome, Term
    from smoulder.events import Events, Explanation
    from smoulder.figures import plot_cohort, plot_curve, plot_flow, plot_forest, plot_patient, plot_spread, plot_stack
    from smoulder.findings import Report
    from smoulder.followed import Followed
    from smoulder.outcome import Outcome
    from smoulder.protocol import Study, load_study, studies, study
    from smoulder.reading import check, read
    from smoulder.rulebook import Definition, Grid, definition, definitions, diff, grid, grids, load_definition, load_grid, traps
    from smoulder.rulebook.neda import neda_rule
    from smoulder.simulation import simulate
    from smoulder.studying.rerun import rerun
    from smoulder.studying.result import StudyResult
    from smoulder.studying.run import run_study
    from smoulder.studying.write import write_study
    from smoulder.tables import Cohort

_HOMES = {
    "Cohort": "tables",
    "DataError": "errors",
    "Definition": "rulebook",
    "DefinitionError": "errors",
    "Episodes": "estimates",
    "Events": "events",
    "Explanation": "events",
    "Followed": "followed",
    "Grid": "rulebook",
    "Outcome": "outcome",
    "Report": "findings",
    "SmoulderError": "errors",
    "SourceError": "errors",
    "Study": "protocol",
    "StudyResult": "studying.result",
    "SurvivalOutcome": "estimates",
    "Term": "estimates",
    "UsageError": "errors",
    "andersen_gill": "analysis",
    "area_under_curve": "engine.beside.area",
    "bootstrap": "analysis",
    "check": "reading",
    "check_definition": "checks",
    "cox": "analysis",
    "cox_time_varying": "analysis",
    "cumulative_incidence": "analysis",
    "decompose_change": "engine.beside.decomposition",
    "definition": "rulebook",
    "definitions": "rulebook",
    "detect": "engine",
    "diff": "rulebook",
    "explain": "engine",
    "fine_gray": "analysis",
    "follow_up_blocks": "engine.beside.blocks",
    "grid": "rulebook",
    "grids": "rulebook",
    "incidence_rates": "analysis",
    "interval_regression": "analysis",
    "interval_survival": "analysis",
    "kaplan_meier": "analysis",
    "load_definition": "rulebook",
    "load_grid": "rulebook",
    "load_study": "protocol",
    "logistic": "analysis",
    "mean_cumulative": "analysis",
    "milestone_at": "engine.beside.reached",
    "milestone_reached": "engine.beside.reached",
    "neda": "engine.beside.neda",
    "neda_rule": "rulebook.neda",
    "plot_cohort": "figures",
    "plot_curve": "figures",
    "plot_flow": "figures",
    "plot_forest": "figures",
    "plot_patient": "figures",
    "plot_spread": "figures",
    "plot_stack": "figures",
    "read": "reading",
    "recurrent_rates": "analysis",
    "relapse_hygiene": "engine.beside.relapse_events",
    "relapse_rate_model": "analysis",
    "relapse_rates": "engine.beside.relapse_events",
    "rerun": "studying.rerun",
    "run_study": "studying.run",
    "secondary_progression": "engine.beside.progression",
    "simulate": "simulation",
    "studies": "protocol",
    "study": "protocol",
    "table_one": "analysis",
    "time_to_first": "analysis.outcome",
    "traps": "rulebook",
    "with_clean_relapses": "engine.beside.relapse_events",
    "write_study": "studying.write",
}

__all__ = [
    "Cohort",
    "DataError",
    "Definition",
    "DefinitionError",
    "Episodes",
    "Events",
    "Explanation",
    "Followed",
    "Grid",
    "Outcome",
    "Report",
    "SmoulderError",
    "SourceError",
    "Study",
    "StudyResult",
    "SurvivalOutcome",
    "Term",
    "UsageError",
    "__version__",
    "andersen_gill",
    "area_under_curve",
    "bootstrap",
    "check",
    "check_definition",
    "cox",
    "cox_time_varying",
    "cumulative_incidence",
    "decompose_change",
    "definition",
    "definitions",
    "detect",
    "diff",
    "explain",
    "fine_gray",
    "follow_up_blocks",
    "grid",
    "grids",
    "incidence_rates",
    "interval_regression",
    "interval_survival",
    "kaplan_meier",
    "load_definition",
    "load_grid",
    "load_study",
    "logistic",
    "mean_cumulative",
    "milestone_at",
    "milestone_reached",
    "neda",
    "neda_rule",
    "plot_cohort",
    "plot_curve",
    "plot_flow",
    "plot_forest",
    "plot_patient",
    "plot_spread",
    "plot_stack",
    "read",
    "recurrent_rates",
    "relapse_hygiene",
    "relapse_rate_model",
    "relapse_rates",
    "rerun",
    "run_study",
    "secondary_progression",
    "simulate",
    "studies",
    "study",
    "table_one",
    "time_to_first",
    "traps",
    "with_clean_relapses",
    "write_study",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'smoulder' has no attribute '{name}'")
    return getattr(import_module(f"smoulder.{_HOMES[name]}"), name)
