"""Agreement with msprog's answers that stand beside those of the other programs, under settings matched to theirs.

The folder does not say the arguments. They follow from the names of the files and from the checks that `cross_agreement.csv` lists: `norel`
without relapses; `core` with MSoutcomes' steps and, where there are relapses, its distances (more than 30 days); `5p5` with msclinical's
steps; otherwise msprog's own steps; confirmed 84 days after onset or later.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smoulder.tables import Cohort
from tests.oracle.agreement import Agreement
from tests.oracle.inputs import rows_of
from tests.oracle.msprog import compare_config

ALWAYS = {"outcome": "edss", "value_col": "EDSS", "date_col": "date", "conf_days": 84, "conf_tol_days": [0, "Inf"]}
CORE = {"delta_fun": "edss_below_6", "relapse_to_bl": 31, "relapse_to_conf": 31}
STEPS_5P5 = {"delta_fun": "edss_5p5"}
EVERY = {"event": "multiple", "baseline": "roving"}
EVERY_WORSENING = {"event": "multiple", "baseline": "roving_wors"}
SINCE_BASELINE = {"prec": [0, None], "event": [None, 0], "conf": [0, 0], "prec_type": "baseline"}

SETTINGS: dict[str, dict[str, Any]] = {
    "msprog_main_norel_firstCDW": {},
    "msprog_main_norel_firstCDW_5p5": STEPS_5P5,
    "msprog_main_norel_core_firstCDW": CORE,
    "msprog_main_norel_multi_wors": EVERY_WORSENING,
    "msprog_main_norel_multi_wors_5p5": {**EVERY_WORSENING, **STEPS_5P5},
    "msprog_main_norel_multi_roving": EVERY,
    "msprog_main_norel_multi_roving_5p5": {**EVERY, **STEPS_5P5},
    "msprog_main_core_firstCDW": CORE,
    "msprog_main_core_firstCDW_sustInf": {**CORE, "require_sust_days": "Inf"},
    "msprog_main_core_multi_wors": {**EVERY_WORSENING, **CORE},
    "msprog_main_core_firstPIRA": {**CORE, "event": "firstPIRA", "relapse_rebl": True, "relapse_indep": SINCE_BASELINE},
}
"""File -> the arguments of MSprog that differ from `ALWAYS`."""


def compare(path: Path, people: Mapping[bool, Cohort]) -> Agreement:
    """Compare one file with ours in every column that both have; `people`: the cohort without relapses and with them."""
    config = {"id": path.stem, "description": path.stem, "args": {**ALWAYS, **SETTINGS[path.stem]}, "left_out": []}
    agreement = compare_config(config, people["_norel_" not in path.stem], rows_of(path, "id", "nevent"))
    agreement.group = "msprog, norel" if "_norel_" in path.stem else "msprog, with relapses"
    return agreement
