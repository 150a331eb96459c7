"""`smoulder definitions`: what the filters of `list` let through, the order of `show`, grids, and the words of mistakes."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from smoulder.cli import run
from smoulder.rulebook import definition, definitions, entry, grid, grids, keys, load_grid
from smoulder.rulebook.beside import BESIDE, beside
from smoulder.rulebook.search import OUTCOMES, deciding, is_about, is_verified, outcomes
from smoulder.terms import MEASURES


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def smoulder(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `smoulder definitions …` in this process."""

    def said(*arguments: str | Path) -> Said:
        code = run(["definitions", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Said(code, captured.out, captured.err)

    return said


def listed(smoulder: Run, *filters: str) -> dict[str, dict[str, Any]]:
    """Return the rows of `definitions list` by key."""
    said = smoulder("list", *filters, "--format", "json")
    assert (said.code, said.err) == (0, "")
    return {row["key"]: row for row in json.loads(said.out)}


# -- list -------------------------------------------------------------------------------------------


def test_every_filter_gives_a_part_of_the_list(smoulder: Run) -> None:
    whole = listed(smoulder)
    assert tuple(whole) == keys()
    for filters in (("--measure", "edss"), ("--outcome", "PIRA"), ("--year", "2020-2025"), ("--source", "kappos"), ("--verified",)):
        part = listed(smoulder, *filters)
        assert 0 < len(part) < len(whole), filters
        assert all(whole[key] == row for key, row in part.items())


def test_every_measure_is_known_and_only_others_are_wrong(smoulder: Run) -> None:
    assert set(listed(smoulder, "--measure", "sdmt")) == {"msprog-default-sdmt"}
    for key, measure in MEASURES.items():
        said = smoulder("list", "--measure", key)
        assert said.code == 0
        used = [one for one in keys() if key in [rule.measure for rule in definition(one).measures]]
        assert f"{len(used)} of {len(keys())} definitions" in said.err
        assert (f"No definition of the catalogue uses the {measure.name}; one of your own may." in said.err) == (not used)
    wrong = smoulder("list", "--measure", "sdmtt")
    assert (wrong.code, wrong.out) == (2, "")
    assert "There is no measure 'sdmtt'; did you mean 'sdmt'?" in wrong.err


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcome(smoulder: Run, outcome: str) -> None:
    found = listed(smoulder, "--outcome", outcome)
    assert found
    assert all(outcome in row["outcomes"].split() for row in found.values())
    assert set(found) == {one.key for one in definitions() if outcome in outcomes(one)}


def test_what_is_looked_for() -> None:
    assert outcomes(definition("cdw-12w")) == ("worsening",)
    assert outcomes(definition("mueller-2023")) == OUTCOMES
    assert outcomes(definition("cagol-2022")) == ("worsening", "PIRA", "RAW")
    assert outcomes(definition("graf-2021")) == ("worsening", "improvement", "PIRA")
    assert outcomes(definition("mueller-2025")) == OUTCOMES  # whatever is not PIRA is RAW
    assert outcomes(definition("cdw-12w").changed(looking_for="first improvement")) == ("improvement",)
    assert outcomes(definition("cagol-2022").changed(looking_for="first PIRA")) == ("worsening", "PIRA")
    assert outcomes(definition("bsteh-2025-grid.fixed-0.5-0w-none")) == ("worsening",)


def test_year(smoulder: Run) -> None:
    assert {row["year"] for row in listed(smoulder, "--year", "2023").values()} == {2023}
    span = {row["year"] for row in listed(smoulder, "--year", "2021-2023").values()}
    assert {2021, 2023} <= span <= {2021, 2022, 2023}
    assert "cdw-12w" not in listed(smoulder, "--year", "1900-2100")  # without a paper there is no year


def test_source_is_looked_for_in_key_title_citation_and_doi(smoulder: Run) -> None:
    assert {"mueller-2023", "mueller-2025"} <= set(listed(smoulder, "--source", "muller j"))
    assert "mueller-2025" in listed(smoulder, "--source", "10.1001/JAMANEUROL.2025.0495")
    assert "edss-plus" in listed(smoulder, "--source", "either hand")
    assert is_about("strasse", definition("cdw-12w").source, "Straße")


def test_filters_go_together(smoulder: Run) -> None:
    found = listed(smoulder, "--source", "kappos", "--measure", "t25fw", "--outcome", "RAW", "--year", "2020")
    assert set(found) == {"kappos-2020", "kappos-2020-24w", "kappos-2020-t25fw", "kappos-2020-cda", "kappos-2020-cda-24w"}


def test_verified(smoulder: Run) -> None:
    found = listed(smoulder, "--verified")
    for key in keys():
        one = definition(key)
        assert (key in found) == is_verified(one) == (not set(deciding(one)) & set(one.source.assumed)), key
    assert "msbase-dzau-2023" in found and "mueller-2025" not in found
    assert not is_verified(definition("msbase-dzau-2023").changed({"confirmation.windows": [{"name": "24w", "from_day": 168}]}))


def test_what_decides() -> None:
    assert deciding(definition("mueller-2025")) == ("edss.worsening", "confirmation.windows", "relapses.raw", "relapses.relapse_free")
    assert deciding(definition("cdw-12w")) == ("edss.worsening", "confirmation.windows")
    improvement = definition("cdw-12w").changed(looking_for="first improvement")
    assert deciding(improvement) == ("edss.improvement", "confirmation.windows")


def test_the_help_says_what_verified_means(smoulder: Run) -> None:
    text = " ".join(smoulder("list", "--help").out.replace("│", " ").split())
    for word in ("thresholds", "confirmation windows", "relapse intervals", "none assumed"):
        assert word in text


def test_evidence_is_a_column(smoulder: Run) -> None:
    said = smoulder("list", "--source", "cadavid")
    assert "read/program/assumed" in said.out
    source = definition("edss-plus").source
    assert f"{len(source.seen)}/{len(source.code)}/{len(source.assumed)}" in said.out
    (row,) = listed(smoulder, "--source", "cadavid").values()
    assert (row["read"], row["program"], row["assumed"]) == (len(source.seen), len(source.code), len(source.assumed))


def test_counts_and_nothing_found(smoulder: Run) -> None:
    assert f"{len(keys())} definitions." in smoulder("list").err
    some = smoulder("list", "--source", "cadavid")
    assert f"1 of {len(keys())} definitions." in some.err
    none = smoulder("list", "--source", "no such paper")
    assert (none.code, none.out) == (0, "")
    assert f"0 of {len(keys())} definitions." in none.err
    assert smoulder("list", "--source", "no such paper", "--format", "json").out == "[]\n"
    heads = smoulder("list", "--source", "no such paper", "--format", "csv").out.strip()
    assert heads == smoulder("list", "--format", "csv").out.splitlines()[0]


# -- grids ------------------------------------------------------------------------------------------


def test_list_of_grids(smoulder: Run) -> None:
    rows = listed(smoulder, "--grids")
    assert {key: row["definitions"] for key, row in rows.items()} == {key: len(grid(key)) for key in grids()}
    assert rows["mueller-2025-grid"]["axes"] == "baseline 3 × confirmation 3 × magnitude 2 × at_onset 5 × at_confirmation 4"
    assert rows["bsteh-2026-grid"]["axes_are"] == "ASSUMED"
    assert rows["kalincik-2015-grid"]["axes_are"] == "seen in the source, values partly ASSUMED"
    assert set(listed(smoulder, "--grids", "--year", "2025", "--source", "Portaccio")) == {"portaccio-2025-grid"}
    said = smoulder("list", "--grids")
    assert "1,440" in said.out and f"{len(grids())} grids." in said.err
    table = list(csv.DictReader(io.StringIO(smoulder("list", "--grids", "--format", "csv").out)))
    assert [row["key"] for row in table] == list(rows)
    empty = smoulder("list", "--grids", "--year", "1999", "--format", "csv").out.strip()
    assert empty == ",".join(table[0])


@pytest.mark.parametrize(
    ("axes", "values", "expected"),
    [
        ("seen", [("seen", ()), ("code", ())], "seen in the source"),
        ("seen", [("seen", ()), ("assumed", ())], "seen in the source, values partly ASSUMED"),
        ("seen", [("seen", ("sustained.days",)), ("seen", ())], "seen in the source, values partly ASSUMED"),
        ("code", [("assumed", ()), ("assumed", ())], "from a program, values ASSUMED"),
        ("assumed", [("seen", ()), ("assumed", ())], "ASSUMED"),
    ],
)
def test_the_list_of_grids_says_where_values_are_assumed(
    smoulder: Run, monkeypatch: pytest.MonkeyPatch, axes: str, values: list[tuple[str, tuple[str, ...]]], expected: str
) -> None:
    one = grid("kalincik-2015-grid")
    axis = next(axis for axis in one.axes if axis.name == "irreversibility")
    made = [value.model_copy(update={"evidence": known, "assumed": some}) for value, (known, some) in zip(axis.values, values, strict=True)]
    changed = one.model_copy(update={"axes_evidence": axes, "axes": (axis.model_copy(update={"values": tuple(made)}),)})
    monkeypatch.setattr("smoulder.rulebook.grid", lambda key: changed if key == one.key else grid(key))
    assert listed(smoulder, "--grids")[one.key]["axes_are"] == expected


@pytest.mark.parametrize("key", grids())
def test_show_a_grid(smoulder: Run, key: str, tmp_path: Path) -> None:
    one, said = grid(key), smoulder("show", key)
    assert said.code == 0
    text = " ".join(said.out.split())
    places = [text.index(word) for word in ("What counts", "Why it exists", "How papers differ", "Axes", "Known traps", "Source:")]
    assert places == sorted(places)
    assert f"{len(one):,} definitions, named {key}." in text
    assert " ".join(one.prose().split()) in text
    assert " ".join(one.page.differs.split()) in text
    for axis in one.axes:
        assert axis.title.split()[0] in text
        assert all(value.name in text for value in axis.values)
    (tmp_path / "mine.toml").write_text(smoulder("show", key, "--format", "toml").out, encoding="utf-8")
    assert load_grid(tmp_path / "mine.toml") == one
    mine = smoulder("show", tmp_path / "mine.toml")
    assert (mine.code, mine.out.splitlines()[0]) == (0, said.out.splitlines()[0])
    assert json.loads(smoulder("show", key, "--format", "json").out)["key"] == key


def test_show_one_of_a_grid(smoulder: Run) -> None:
    key = "portaccio-2025-grid.roving-48w-abs"
    said = smoulder("show", key)
    assert said.code == 0
    assert " ".join(definition(key).prose().split()) in " ".join(said.out.split())
    assert "One of 18 definitions: smoulder definitions show portaccio-2025-grid" in said.err
    assert tomllib.loads(smoulder("show", key, "--format", "toml").out)["key"] == key


def test_diff_takes_one_of_a_grid(smoulder: Run) -> None:
    alike = smoulder("diff", "portaccio-2025", "portaccio-2025-grid.roving-24w-90d")
    assert "decide alike" in alike.out
    other = smoulder("diff", "portaccio-2025", "portaccio-2025-grid.fixed-24w-90d", "--format", "json")
    assert [one["setting"] for one in json.loads(other.out)["differences"]] == ["baseline.moves_after", "looking_for"]


# -- show -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", keys())
def test_show_tells_in_the_order_of_the_page(smoulder: Run, key: str) -> None:
    said = smoulder("show", key)
    assert (said.code, said.err) == (0, "")
    one, told = definition(key), entry(key)
    lines = said.out.splitlines()
    assert lines[0] == f"{one.title} [{key}]"
    heads = ["What counts", "Why it exists", "How papers differ"]
    heads += [f"Worked patient: {patient.title}" for patient in told.patients]
    heads += ["Parameters", "Known traps", "Methods paragraph"]
    assert [line for line in lines if line in heads] == heads
    assert "Source: " in said.out[said.out.index("Methods paragraph") :]
    text = " ".join(said.out.split())
    for paragraph in (told.page.counts, told.page.why, told.page.differs, told.page.traps, one.prose()):
        assert " ".join(paragraph.split()) in text


def test_show_a_file(smoulder: Run, tmp_path: Path) -> None:
    rules = definition("cdw-12w").changed(key="mine", title="Mine")
    (tmp_path / "mine.toml").write_text(rules.changed(source={}).toml(), encoding="utf-8")
    said = smoulder("show", tmp_path / "mine.toml")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Mine [mine]\n\nParameters\n")
    assert "What counts" not in said.out and "Source" not in said.out


def test_show_worked_patients_with_all_they_have(smoulder: Run) -> None:
    shown = {key: smoulder("show", key).out for key in keys()}
    every = [(key, patient) for key in keys() for patient in entry(key).patients]
    for key, patient in every:
        assert not patient.relapses or f"relapses on day: {patient.relapses[0]}" in shown[key]
        assert not patient.scans or f"MRI on day {next(iter(patient.scans))}: " in shown[key]
        assert not patient.unscheduled or f"visits that were not planned on day: {patient.unscheduled[0]}" in shown[key]
        assert patient.time_zero is None or f"time zero: day {patient.time_zero}" in shown[key]
        assert patient.diagnosis is None or f"diagnosis: day {patient.diagnosis}" in shown[key]


def test_no_line_of_the_help_is_broken_where_the_screen_ends(smoulder: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are too long for 80 columns are broken once more, in the middle of a sentence."""
    monkeypatch.setenv("COLUMNS", "80")
    narrow = smoulder("--help").out
    monkeypatch.setenv("COLUMNS", "200")
    wide = smoulder("--help").out

    def before_the_table(text: str) -> list[str]:
        return [line.rstrip() for line in text.partition("╭")[0].splitlines()]

    assert before_the_table(narrow) == before_the_table(wide)


# -- mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--year", "20"], "'20' is neither a year, such as 2023, nor a span of years, such as 2020-2025."),
        (["list", "--year", "2025-2020"], "'2025-2020' is neither a year"),
        (["list", "--outcome", "pirra"], 'Choose from: "worsening", "improvement", "PIRA", "RAW"'),
        (["list", "--measure", "edsss"], "There is no measure 'edsss'; did you mean 'edss'?"),
        (["list", "--grids", "--verified"], "--grids lists grids; of the filters only --year and --source go with it."),
        (["list", "--grids", "--outcome", "PIRA"], "--grids lists grids;"),
        (["show", "nosuch"], f"There is no definition 'nosuch' among the {len(keys())} definitions and {len(grids())} grids there are."),
        (["show", "mueller-2025-gird"], "did you mean 'mueller-2025-grid'"),
        (["show", "mueller-2025-grid.pira"], "are named mueller-2025-grid.BASELINE-CONFIRMATION-MAGNITUDE-AT_ONSET-AT_CONFIRMATION,"),
        (["show", "portaccio-2025-grid.roving-24-90d"], "There is no value of the axis 'confirmation' '24'; did you mean '24w'"),
        (["diff", "portaccio-2025-grid", "portaccio-2025"], "'portaccio-2025-grid' is a grid of 18 definitions; name one of them"),
        (["show", "none.toml"], "none.toml: cannot be read"),
    ],
)  # fmt: skip
def test_a_mistake_is_met_with_a_sentence_and_2(smoulder: Run, arguments: list[str], said: str) -> None:
    found = smoulder(*arguments)
    assert (found.code, found.out) == (2, "")
    assert said in found.err


def test_a_grid_file_with_faults(smoulder: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(grid("portaccio-2025-grid").toml().replace("published = 18", "published = 19"), encoding="utf-8")
    said = smoulder("show", path)
    assert said.code == 2
    assert "1 fault in the grid" in said.err and "the axes make 18 definitions, and the source says 19" in said.err


@pytest.mark.parametrize("key", grids())
def test_show_of_a_grid_has_its_patients_with_the_answers(smoulder: Run, key: str) -> None:
    one = grid(key)
    text = " ".join(smoulder("show", key).out.split())
    for patient in one.patients:
        assert f"Worked patient: {patient.title}" in text
        assert f"a worsening under {patient.found_by:,} of {len(one):,} definitions" in text
        assert " ".join(patient.because.split()) in text
        for answer in patient.answers:
            assert f"{key}.{answer.definition}: {'no event' if not answer.events else answer.events[0].kind}" in text


# -- rules beside the definitions -------------------------------------------------------------------


@pytest.mark.parametrize("key", BESIDE)
def test_show_of_a_rule_beside_has_the_whole_order(smoulder: Run, key: str) -> None:
    one = beside(key)
    said = smoulder("show", key)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == f"{one.title} [{key}]"
    heads = ["What counts", "Why it exists", "How papers differ", *(f"Worked patient: {patient.title}" for patient in one.patients)]
    heads += ["Parameters", "Known traps", "Methods paragraph"]
    places = [lines.index(head) for head in heads]
    assert places == sorted(places)
    text = " ".join(said.out.split())
    for paragraph in (one.page.counts, one.page.why, one.page.differs, one.page.traps, one.rule.prose()):
        assert " ".join(paragraph.split()) in text
    assert f"Source: {one.rule.source.citation}" in text
    assert all(" ".join(patient.because.split()) in text for patient in one.patients)
    assert f"runs as: {one.command}" in said.err


@pytest.mark.parametrize("key", BESIDE)
def test_a_rule_beside_as_data(smoulder: Run, key: str) -> None:
    assert json.loads(smoulder("show", key, "--format", "json").out) == beside(key).rule.model_dump(mode="json")
    refused = smoulder("show", key, "--format", "toml")
    assert (refused.code, refused.out) == (2, "")
    assert f"'{key}' is no definition of worsening but a rule of its own; it has no TOML file." in refused.err


def test_the_list_names_the_rules_beside(smoulder: Run) -> None:
    assert f"Beside the definitions: {', '.join(BESIDE)} (smoulder progression, smoulder neda)" in smoulder("list").err
