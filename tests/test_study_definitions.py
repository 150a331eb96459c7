"""Definitions of one's own in a study, and definitions that go on without a measure that nobody has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smoulder import definition, load_study, read, run_study, study
from smoulder.errors import DefinitionError, UsageError
from smoulder.protocol import study_from
from smoulder.studying.methods import main_sentences, methods_paragraph
from smoulder.studying.write import write_study

MINE = definition("cdw-12w").changed(key="mine", title="Two points", **{"measures": [{"measure": "edss", "worsening": {"points": 2.0}}]})
DAYS = ("2020-01-01", "2020-06-01", "2020-12-01", "2021-06-01")
SCORES = {"A": (2, 3, 3, 3), "B": (2, 4, 4, 4), "C": (2, 2, 2, 2)}
"""A worsens by one point, B by two."""


def tables(**more: list[float | None]) -> dict[str, Any]:
    rows = [(patient, day, float(score)) for patient, scores in SCORES.items() for day, score in zip(DAYS, scores, strict=True)]
    visits: dict[str, Any] = dict(zip(("patient", "date", "edss"), map(list, zip(*rows, strict=True)), strict=True))
    patients = {"patient": list(SCORES), "time_zero": ["2020-01-01"] * 3, "arm": ["active", "control", "control"]}
    return {"visits": visits | more, "patients": patients}


def content(key: str, **more: Any) -> dict[str, Any]:
    return {
        "key": "own",
        "title": "Own",
        "question": "Who?",
        "time_zero": {"at": "first visit"},
        "outcome": [{"key": "worse", "title": "first worsening", "kind": "disability", "definition": key, "event": "worsening"}],
        "analysis": [{"key": "counts", "title": "counts", "kind": "counts", "definition": key}],
        "figure": [{"kind": "timeline", "of": key}, {"kind": "strip", "of": key}],
    } | more


def test_a_definition_in_full_decides(tmp_path: Path) -> None:
    cohort = read(tables(), nobody_relapsed=True)
    theirs = run_study(study_from(content("cdw-12w"), where="test"), cohort)
    mine = run_study(study_from(content("mine", definition=[MINE.as_dict()]), where="test"), cohort)
    assert theirs.made()["worse"].n_events == 2 and mine.made()["worse"].n_events == 1
    write_study(mine, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "at least 2.0 points" in methods_paragraph(mine) and "could not be drawn" not in page
    assert load_study(tmp_path / "out" / "study.toml") == mine.study


def test_a_study_file_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "two-points.toml").write_text(MINE.toml(), encoding="utf-8")
    whole = study_from(content("mine", definition=[MINE.as_dict()]), where="test")
    (tmp_path / "study.toml").write_text(
        whole.toml().partition("[[definition]]")[0].replace('"mine"', '"two-points.toml"'), encoding="utf-8"
    )
    assert "two-points.toml" in (tmp_path / "study.toml").read_text(encoding="utf-8")
    assert load_study(tmp_path / "study.toml") == whole
    (tmp_path / "two-points.toml").unlink()
    with pytest.raises(DefinitionError, match=r"two-points\.toml: cannot be read"):
        load_study(tmp_path / "study.toml")


def test_an_own_definition_must_have_a_key_of_its_own() -> None:
    theirs = definition("cdw-12w").as_dict()
    with pytest.raises(DefinitionError, match="the catalogue has a definition of this key"):
        study_from(content("cdw-12w", definition=[theirs]), where="test")
    with pytest.raises(DefinitionError, match="the key is given twice"):
        study_from(content("mine", definition=[MINE.as_dict(), MINE.as_dict()]), where="test")


def test_a_composite_goes_on_without_a_measure_that_nobody_has_and_says_so(tmp_path: Path) -> None:
    result = run_study("kappos-2020", read(tables(), nobody_relapsed=True))
    told = main_sentences(result)[0]
    assert told.startswith("No visit has a score of T25FW or 9HPT, so 'kappos-2020-cda', 'kappos-2020-cda-24w', 'kappos-2020' and")
    assert "not the outcome that was published" in told and told in result.warnings
    assert all([rule.measure for rule in one.measures] == ["edss"] for one in result.events.definitions)
    assert all(one.title.endswith(", on the EDSS only") for one in result.events.definitions)
    assert result.made()["cda-12w"].n_events == 2
    assert result.study == study("kappos-2020")
    write_study(result, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "not the outcome that was published" in page
    assert "t25fw" not in (tmp_path / "out" / "definitions" / "kappos-2020-cda.toml").read_text(encoding="utf-8")


def test_a_column_without_any_score_is_a_measure_that_nobody_has() -> None:
    nobody: list[float | None] = [None] * 12
    result = run_study("kappos-2020", read(tables(t25fw=nobody), nobody_relapsed=True))
    assert "No visit has a score of T25FW or 9HPT" in main_sentences(result)[0]


def test_a_measure_that_some_visits_have_stays() -> None:
    walked: list[float | None] = [5.0, 7.0, 7.0, 7.0, *[None] * 8]
    result = run_study("kappos-2020", read(tables(t25fw=walked), nobody_relapsed=True))
    assert main_sentences(result)[0].startswith("No visit has a score of 9HPT, so")
    assert [rule.measure for rule in result.events.definitions[0].measures] == ["edss", "t25fw"]


def test_refused_is_the_rule() -> None:
    data = study("kappos-2020").as_dict()
    del data["if_missing_measure"]
    with pytest.raises(UsageError, match="There is no measure 't25fw'"):
        run_study(study_from(data, where="test"), read(tables(), nobody_relapsed=True))
