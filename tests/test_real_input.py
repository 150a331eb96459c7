"""Cohorts of other projects, read as they are: what comes out, and what is said about their oddities."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smoulder.errors import SourceError
from smoulder.findings import Finding
from smoulder.reading import check, read
from smoulder.sources import cohort_toml
from smoulder.tables import Cohort


def found(cohort: Cohort, code: str) -> list[Finding]:
    return [finding for finding in check(cohort).findings if finding.code == code]


def accounts_add_up(cohort: Cohort) -> bool:
    return all(a.rows_read == a.rows_kept + sum(n for _, n in a.set_aside) for a in check(cohort).accounts)


def test_msprog_toy(shared: Path) -> None:
    cohort = read(shared / "data" / "msprog_toy")
    assert (cohort.n_patients, cohort.n_visits, cohort.n_relapses) == (7, 57, 5)
    assert set(cohort.visits.scores) == {"edss", "sdmt"} and cohort.calendar == "date"
    assert not check(cohort).errors and not check(cohort).warnings
    assert "'visit_day'" in found(cohort, "column-second-choice")[0].problem
    assert accounts_add_up(cohort)


def test_msprog_toy_by_day_numbers_has_the_same_steps(shared: Path) -> None:
    dates = read(shared / "data" / "msprog_toy")
    by_day = {"visits": {"date": "visit_day"}, "relapses": {"date": "visit_day"}}
    days = read(shared / "data" / "msprog_toy", columns=by_day)
    assert days.calendar == "day" and not check(days).errors
    for p in range(7):
        own = dates.visits_of(p)
        assert (dates.visits.day[own] - dates.visits.day[own][0]).tolist() == days.visits.day[own].tolist()


def test_msoutcomes_sample(shared: Path) -> None:
    cohort = read(shared / "data" / "msoutcomes_sample")
    assert (cohort.n_patients, cohort.n_visits) == (40, 550)
    assert int((cohort.visits.scores["edss"] > -1).sum()) == 539
    assert "'NA' 259 times" in next(f for f in found(cohort, "missing-spelled") if f.column == "EDSS").problem
    assert "'daysPostRelapse'" in found(cohort, "relapse-column-unused")[0].problem
    assert cohort.relapse_knowledge == "unknown" and found(cohort, "relapses-unknown")
    assert check(cohort).accounts[0].set_aside == (("no score in the row", 248),)


def test_setools_relapses_on_visit_rows(shared: Path) -> None:
    path = shared / "data" / "stata_setools" / "relapses_visits.csv"
    cohort = read(path, same_day="lowest")
    assert not check(cohort).errors
    assert (cohort.n_patients, cohort.n_relapses) == (500, 1733)
    assert found(cohort, "relapses-from-visits")[0].column == "relapse_date"
    assert "1,736 scores of 4,433" in found(cohort, "score-rounded")[0].problem
    assert found(cohort, "score-off-grid")[0].level == "warning"
    assert found(cohort, "score-one-a-day")
    assert found(read(path), "score-twice-a-day")[0].level == "error"
    apart = read(path, relapses=path.with_name("relapses_only.csv"), same_day="lowest")
    assert apart.sha256 == cohort.sha256
    assert accounts_add_up(cohort)


def test_setools_folder_has_several_candidates(shared: Path) -> None:
    with pytest.raises(SourceError, match=r"3 candidates for the table relapses.*cohort\.toml"):
        read(shared / "data" / "stata_setools")


def test_setools_folder_with_cohort_toml(shared: Path, tmp_path: Path) -> None:
    for file in (shared / "data" / "stata_setools").iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    (tmp_path / "cohort.toml").write_text(
        '[tables]\nvisits = "relapses_visits.csv"\nrelapses = "relapses_only.csv"\n[reading]\nsame_day = "lowest"\n'
    )
    cohort = read(tmp_path)
    assert (cohort.n_patients, cohort.n_relapses) == (500, 1733) and not check(cohort).errors


def test_setools_long_table_alone(shared: Path) -> None:
    cohort = read(shared / "data" / "stata_setools" / "setools_edss_long.csv.gz")
    assert cohort.n_visits > 5_000 and "edss" in cohort.visits.scores


def test_ms_synth(shared: Path) -> None:
    cohort = read(shared / "data" / "ms_synth", same_day="last")
    assert (cohort.n_patients, cohort.n_visits) == (500, 14_632) and not check(cohort).errors
    assert {c.meaning: c.column for c in check(cohort).columns if c.table == "visits"}["edss"] == "EDSS"
    assert "'EDSS_true'" in found(cohort, "column-alike")[0].problem
    assert "'relapse'" in found(cohort, "relapse-column-unused")[0].problem
    assert found(cohort, "relapses-unknown")[0].level == "warning"
    assert cohort.attributes is not None and "DMT_status" in cohort.attributes.columns
    assert accounts_add_up(cohort)


@pytest.mark.parametrize("noise", ["n300_2y_noise00", "n300_2y_noise30"])
def test_msclinical(shared: Path, noise: str) -> None:
    cohort = read(shared / "data" / "msclinical_sim" / noise)
    assert (cohort.n_patients, cohort.n_visits, cohort.n_relapses) == (600, 5400, 317)
    assert not check(cohort).errors and not check(cohort).warnings
    assert cohort.mri is not None and cohort.mri.height == 3000
    assert cohort.attributes is not None and set(cohort.attributes["arm"].unique()) >= {"placebo"}
    assert "truth.tsv" in found(cohort, "files-not-used")[0].problem
    assert accounts_add_up(cohort)


def test_messy(shared: Path) -> None:
    folder = shared / "oracle" / "cohorts" / "messy"
    cohort = read(folder)
    assert {f.code for f in check(cohort).errors} == {"date-missing", "score-twice-a-day"}
    assert accounts_add_up(cohort)
    resolved = read(folder, same_day="last")
    assert {f.code for f in check(resolved).errors} == {"date-missing"}
    going = read(folder, same_day="last", keep_going=True)
    going.require_sound()
    assert set(going.patients).isdisjoint(patient for patient, _ in going.set_aside)
    assert going.n_patients + len(going.set_aside) == cohort.n_patients
    assert accounts_add_up(going) and accounts_add_up(resolved)


def test_messy_says_the_same_from_its_saved_column_map(shared: Path, tmp_path: Path) -> None:
    folder = shared / "oracle" / "cohorts" / "messy"
    cohort = read(folder, same_day="last")
    for name in ("visits.csv", "relapses.csv"):
        shutil.copyfile(folder / name, tmp_path / name)
    (tmp_path / "cohort.toml").write_text(cohort_toml(check(cohort)))
    again = read(tmp_path, same_day="last")
    assert again.sha256 == cohort.sha256
    assert {c.decided_by for c in check(again).columns if c.meaning} == {"cohort.toml"}
