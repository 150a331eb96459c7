"""Without a table of relapses nobody knows who had a PIRA: nothing that hangs on it is told as none."""

from __future__ import annotations

import pytest

from smoulder import read, run_study
from smoulder.demo import made_up
from smoulder.studying.result import StudyResult


def without_relapses(key: str) -> StudyResult:
    return run_study(key, read({name: table for name, table in made_up().tables.items() if name != "relapses"}))


@pytest.mark.parametrize(("key", "analysis"), [("relapse-dependence", "recurrent"), ("graf-2021", "share")])
def test_no_pira_is_counted(key: str, analysis: str) -> None:
    finding = without_relapses(key).finding(analysis)
    assert finding.estimates == ()
    assert finding.why_not == "There is no table of relapses, so RAW and PIRA cannot be told apart and PIRA cannot be counted."


def test_an_earlier_pira_is_not_known() -> None:
    result = without_relapses("tur-2023")
    assert result.followed.people["early-pira"].null_count() == result.followed.n > 50
    told = "PIRA within five years of the first attack: There is no table of relapses, so PIRA before time zero is not known for anybody."
    assert told in result.warnings
    hazard = result.finding("hazard").estimates[0].table
    early = hazard.filter(hazard["term"] == "PIRA within five years of the first attack")
    assert early.height == 2
    assert early["estimate"].null_count() == 2
    assert "" not in early["why"].to_list()


def test_counts_say_nothing_of_pira_and_raw() -> None:
    counts = without_relapses("graf-2021").finding("cpira").estimates[0].table
    told = counts["what"].to_list()
    assert "people with confirmed worsening" in told and "people with undetermined worsening" in told
    assert not [what for what in told if "PIRA" in what or "RAW" in what]


def test_secondary_progression_that_cannot_be_assessed_is_not_told_as_none() -> None:
    result = without_relapses("graf-2021")
    assert result.outcomes["spms"].outcome is None
    assert result.outcomes["spms"].why_not == "Nobody could be assessed for it (relapses not recorded)."
    assert "could not be made" in result.finding("conversion").why_not
