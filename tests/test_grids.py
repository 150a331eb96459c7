"""Grids: as many definitions as published, each valid, named, marked and distinct; and what a grid refuses."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cohorts import cohort_of
from pydantic import ValidationError

from smoulder import read
from smoulder.engine.detect import detect
from smoulder.engine.pack import record_of
from smoulder.engine.record import LABELS
from smoulder.engine.reference import scan
from smoulder.errors import DefinitionError, UsageError
from smoulder.rulebook import Definition, Grid, definition, definition_from, diff, entry, grid, grids, keys, load_grid, resolve
from smoulder.rulebook.grid import GridPatient, evidence_words, grid_in, settings_text
from smoulder.simulation import NATALIZUMAB, simulate
from smoulder.tables import Cohort

PUBLISHED = {
    "kalincik-2015-grid": (3, 2, 2, 4),
    "portaccio-2025-grid": (2, 3, 3),
    "mueller-2025-grid": (3, 3, 2, 5, 4),
    "bsteh-2025-grid": (2, 21, 4, 4),
    "bsteh-2026-grid": (2, 5, 2, 3, 4, 3, 2),
}
NUMBERS = {
    "kalincik-2015-grid": 48,
    "portaccio-2025-grid": 18,
    "mueller-2025-grid": 360,
    "bsteh-2025-grid": 672,
    "bsteh-2026-grid": 1440,
}
MEMBERS = {key: grid(key).definitions() for key in grids()}
RECOMMENDED = "mueller-2025-grid.improvement-12m-threshold-previous-30d"


# -- the shipped ones -----------------------------------------------------------------------------


def test_the_shipped_grids() -> None:
    assert set(grids()) == set(NUMBERS)
    assert not set(grids()) & set(keys())


@pytest.mark.parametrize("key", NUMBERS)
def test_a_grid_has_the_published_number_of_definitions(key: str) -> None:
    one = grid(key)
    assert tuple(len(axis.values) for axis in one.axes) == PUBLISHED[key]
    assert len(one) == one.published == len(MEMBERS[key]) == NUMBERS[key]
    assert str(NUMBERS[key]) in one.title.replace(",", "")


@pytest.mark.parametrize("key", NUMBERS)
def test_every_definition_has_its_own_key_and_content(key: str) -> None:
    members = MEMBERS[key]
    assert len({one.key for one in members}) == len(members)
    assert len({one.title for one in members}) == len(members)
    assert len({json.dumps(one.settings()) for one in members}) == len(members)
    assert list(grid(key).choices()) == [one.key for one in members]


@pytest.mark.parametrize("key", NUMBERS)
def test_every_setting_has_its_evidence_once_and_in_order(key: str) -> None:
    for one in MEMBERS[key]:
        paths, source = list(one.settings()), one.source
        assert sorted([*source.seen, *source.code, *source.assumed]) == sorted(paths), one.key
        for marks in (source.seen, source.code, source.assumed):
            assert list(marks) == [path for path in paths if path in marks], one.key


@pytest.mark.parametrize("key", NUMBERS)
def test_definitions_differ_in_what_the_axes_set_only(key: str) -> None:
    one = grid(key)
    set_by_axes = {path for axis in one.axes for value in axis.values for path in value.paths()}
    for member in MEMBERS[key][:: max(1, len(one) // 40)]:
        changed = {difference.setting for difference in diff(one.base_definition(), member)}
        assert {path for path in changed if not any(f"{said}.".startswith(f"{path}.") for said in set_by_axes)} == set(), member.key


@pytest.mark.parametrize("key", NUMBERS)
def test_a_definition_of_a_grid_is_a_whole_definition(key: str) -> None:
    for member in MEMBERS[key][:: max(1, len(MEMBERS[key]) // 12)]:
        assert definition(member.key) == member
        assert definition_from(tomllib.loads(member.toml()), where="again") == member
        assert member.source.citation == grid(key).source.citation
        assert "None" not in member.prose() and "{" not in member.prose()


@pytest.mark.parametrize("key", NUMBERS)
def test_toml_round_trip(key: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(grid(key).toml(), encoding="utf-8")
    again = load_grid(path)
    assert again == grid(key)
    assert again.definitions()[-1] == MEMBERS[key][-1]


@pytest.mark.parametrize("key", NUMBERS)
def test_texts_read_as_paragraphs(key: str) -> None:
    one = grid(key)
    assert one.source.citation.endswith(".") and one.source.year is not None
    for text in (one.page.counts, one.page.why, one.page.differs, one.page.traps, one.prose()):
        assert text.strip() == text and text.endswith(".") and "  " not in text
        assert text.count('"') % 2 == 0
    assert f"The grid has {NUMBERS[key]:,} definitions" in one.prose()


def test_an_assumed_grid_says_so_loudly() -> None:
    for key in ("bsteh-2025-grid", "bsteh-2026-grid"):
        one = grid(key)
        assert one.axes_evidence == "assumed"
        assert "ASSUMED" in one.title
        assert one.page.differs.startswith("THE AXES OF THIS GRID ARE A CONSTRUCTION.")
        assert "That these axes make up the definitions of the source is assumed." in one.prose()
    assert "WHICH BASELINES AND MAGNITUDES THEY ARE WAS NOT SEEN" in grid("kalincik-2015-grid").page.differs
    for key in ("portaccio-2025-grid", "mueller-2025-grid"):
        assert "That these axes" not in grid(key).prose()


def test_a_page_names_definitions_that_exist() -> None:
    for key in grids():
        page = grid(key).page
        words = [word.strip("(),.:;") for text in (page.counts, page.why, page.differs) for word in text.split()]
        named = [word for word in words if word.startswith(f"{key}.")]
        assert set(named) <= {one.key for one in MEMBERS[key]}


# -- what the papers say of single definitions ------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "key"),
    [
        (RECOMMENDED, "mueller-2025"),
        ("portaccio-2025-grid.roving-24w-90d", "portaccio-2025"),
        ("kalincik-2015-grid.worsening-3strata-sustained-3m", "kalincik-2015"),
    ],
)
def test_the_recommended_definition_decides_as_the_catalogue_entry(member: str, key: str) -> None:
    assert diff(definition(member), definition(key)) == ()


def test_marks_of_the_recommended_definition() -> None:
    mine, other = definition(RECOMMENDED).source, definition("mueller-2025").source
    assert (mine.seen, mine.code, mine.assumed) == (other.seen, other.code, other.assumed)


def test_of_two_axes_that_set_one_thing_the_weaker_evidence_stands() -> None:
    between = definition("mueller-2025-grid.improvement-12m-threshold-previous-onset")
    assert [str(one) for one in between.relapses.relapse_free] == ["previous visit .. onset", "onset .. confirmation"]  # type: ignore[union-attr]
    assert "relapses.relapse_free" in between.source.seen
    assert "confirmation.days_after_relapse" in between.source.assumed

    def value(name: str, evidence: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "title": name, "evidence": evidence, **more}

    path = "relapses.relapse_free"
    axes = [
        {"name": "a", "title": "A", "values": [value("x", "seen", settings={path: ["onset-9 .. onset"]})]},
        {"name": "b", "title": "B", "values": [value("y", "code", adds={path: ["onset .. confirmation"]}), value("z", "seen")]},
    ]
    first, second = made(axes=axes, base="mueller-2025").definitions()
    assert path in first.source.code and path in second.source.seen


def test_the_extremes_of_the_abstract_are_corners_of_the_grid(people: Cohort) -> None:
    most, fewest = "bsteh-2025-grid.roving-0.5-0w-none", "bsteh-2025-grid.fixed-1.0-48w-48w"
    events = detect(people, "bsteh-2025-grid").table
    with_event = events.group_by("definition").agg(pl.col("patient").n_unique())
    found = dict(with_event.iter_rows())
    assert found[most] == max(found.values())
    assert found[fewest] == min(found.values())
    assert definition(most).settings()["confirmation.windows"] == []
    assert definition(fewest).settings()["onset.min_days"] == 336


def test_the_windows_of_raw_fill_the_interval_of_pira() -> None:
    one = definition("bsteh-2026-grid.roving-12w-threshold-through-all-60d-30d")
    assert one.relapses is not None and one.relapses.raw is not None
    assert [str(interval) for interval in one.relapses.relapse_free] == ["confirmation-60 .. confirmation+30"]
    assert (one.relapses.raw.days_before_onset, one.relapses.raw.days_after_onset) == (60, 30)


def test_one_reference_and_one_confirmation_leave_144() -> None:
    choices = grid("bsteh-2026-grid").choices().values()
    assert sum(1 for one in choices if (one["baseline"], one["confirmation"]) == ("roving", "48w")) == 144


# -- what they find ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people() -> Cohort:
    tables = simulate(NATALIZUMAB, 60, seed=3).tables
    return read(tables["visits"], relapses=tables["relapses"], patients=tables["patients"])


def test_a_grid_in_one_pass_is_each_definition_by_itself(people: Cohort) -> None:
    for key in grids():
        table = detect(people, key).table
        for member in MEMBERS[key][:: max(1, len(MEMBERS[key]) // 5)]:
            mine = detect(people, member).table
            both = [name for name in mine.columns if not name.startswith(("confirmed_", "pira_")) and name in table.columns]
            assert table.filter(pl.col("definition") == member.key).select(both).equals(mine.select(both)), member.key


def by_reference(cohort: Cohort, rules: Definition) -> list[tuple[int, str, str | None, int]]:
    """Return number of the patient, kind, label and day of onset of every event, by the readable engine."""
    events = []
    for patient in range(cohort.n_patients):
        record = record_of(cohort, patient, rules.measures[0], rules)
        for found in scan(record, rules.measures[0], rules):
            if found.reason == 0:
                kind = "worsening" if found.worsening else "improvement"
                events.append((patient, kind, LABELS[found.label], record.days[found.onset]))
    return events


@pytest.mark.parametrize("key", NUMBERS)
def test_both_engines_find_the_same(key: str, people: Cohort) -> None:
    numbers = {name: number for number, name in enumerate(people.patients)}
    for rules in MEMBERS[key][:: max(1, len(MEMBERS[key]) // 6)]:
        table = detect(people, rules).table.select("patient", "kind", "label", "onset_day")
        assert [(numbers[name], *rest) for name, *rest in table.iter_rows()] == by_reference(people, rules), rules.key


def labels(edss: str, relapses: list[int], *chosen: str) -> list[list[tuple[str | None, int]]]:
    """Return, for each definition, label and onset of every worsening of one patient."""
    table = detect(cohort_of({"A": {"edss": edss}}, {"A": relapses}), list(chosen)).table.filter(pl.col("kind") == "worsening")
    return [list(table.filter(pl.col("definition") == key).select("label", "onset_day").iter_rows()) for key in chosen]


def test_relapse_free_at_onset() -> None:
    # A relapse 100 days before onset, at a visit 150 days after the one before it, and after the baseline visit.
    stem = "mueller-2025-grid.pira-6m-threshold-"
    found = labels(
        "0:2.0 300:2.0 450:3.0 700:3.0", [350], *(f"{stem}{rule}-30d" for rule in ("90d", "90d30d", "180d180d", "previous", "baseline"))
    )
    assert [one[0] for one in found] == [("PIRA", 450), ("PIRA", 450), ("RAW", 450), ("RAW", 450), ("RAW", 450)]


def test_relapse_free_at_confirmation() -> None:
    # A relapse 40 days before the only visit that can confirm, and 210 days after onset.
    stem = "mueller-2025-grid.improvement-6m-threshold-90d-"
    found = labels("0:2.0 100:3.0 350:3.0", [310], *(f"{stem}{rule}" for rule in ("30d", "90d", "30d30d", "onset")))
    assert found == [[("PIRA", 100)], [], [("PIRA", 100)], [("RAW", 100)]]


def test_fixed_and_roving() -> None:
    # 3.0 improves to 2.0 and comes back: worse than the best score only.
    series = "0:3.0 200:2.0 400:2.0 600:3.0 800:3.0"
    assert labels(series, [], "portaccio-2025-grid.fixed-24w-90d", "portaccio-2025-grid.roving-24w-90d") == [[], [("PIRA", 600)]]
    assert labels(series, [], "kalincik-2015-grid.fixed-3strata-confirmed-6m", "kalincik-2015-grid.roving-3strata-confirmed-6m") == [
        [],
        [(None, 600)],
    ]
    assert labels(series, [], "bsteh-2025-grid.fixed-1.0-0w-24w", "bsteh-2025-grid.roving-1.0-0w-24w") == [[], [(None, 600)]]


# -- finding one --------------------------------------------------------------------------------------


def test_resolve_expands_a_grid() -> None:
    assert resolve("portaccio-2025-grid") == MEMBERS["portaccio-2025-grid"] == resolve(grid("portaccio-2025-grid"))
    mixed = resolve(["cdw-12w", "portaccio-2025-grid", "kalincik-2015-grid.fixed-2strata-confirmed-3m"])
    assert len(mixed) == 1 + 18 + 1
    assert mixed[-1].key == "kalincik-2015-grid.fixed-2strata-confirmed-3m"
    with pytest.raises(UsageError, match=r"Two definitions have the key 'portaccio-2025-grid\.fixed-24w-90d'"):
        resolve(["portaccio-2025-grid", "portaccio-2025-grid.fixed-24w-90d"])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("portaccio-2025-grid", "is a grid of 18 definitions; name one of them, such as 'portaccio-2025-grid.fixed-24w-90d'."),
        ("portaccio-2025-grid.roving-24w", "are named portaccio-2025-grid.BASELINE-CONFIRMATION-RELAPSE_FREE, such as"),
        ("portaccio-2025-grid.rovin-24w-90d", "There is no value of the axis 'baseline' 'rovin'; did you mean 'roving'?"),
        ("portacio-2025-grid", "There is no definition 'portacio-2025-grid'; did you mean 'portaccio-2025-grid'"),
    ],
)
def test_a_definition_that_is_none(key: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        definition(key)
    assert said in str(caught.value)


def test_an_unknown_grid_names_the_near_one() -> None:
    with pytest.raises(UsageError, match="There is no grid 'muller-2025-grid'; did you mean 'mueller-2025-grid'"):
        grid("muller-2025-grid")


def test_a_file_may_be_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(made().toml(), encoding="utf-8")
    assert [one.key for one in resolve(str(path))] == ["mine.12w-low", "mine.12w-high", "mine.24w-low", "mine.24w-high"]
    assert resolve([path]) == resolve(path)
    with pytest.raises(UsageError, match=r"is a grid of 4 definitions; name one of them, such as 'mine\.12w-low'"):
        definition(path)
    path.write_text(definition("cdw-12w").toml(), encoding="utf-8")
    assert grid_in(path) is None and definition(path) == definition("cdw-12w")
    assert grid_in(tmp_path / "none.toml") is None


# -- one's own ----------------------------------------------------------------------------------------


def value_of(name: str, path: str, said: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "title": f"value {name}", "evidence": "seen", "settings": {path: said}, **more}


def windows(weeks: int) -> list[dict[str, Any]]:
    return [{"name": f"{weeks}w", "from_day": 7 * weeks}]


PAGE = {"counts": "All.", "why": "To try.", "differs": "Nobody did."}
AXES: list[dict[str, Any]] = [
    {
        "name": "confirmation",
        "title": "Confirmation",
        "values": [value_of(f"{weeks}w", "confirmation.windows", windows(weeks)) for weeks in (12, 24)],
    },
    {
        "name": "level",
        "title": "Level",
        "values": [value_of("low", "confirmation.level", "threshold"), value_of("high", "confirmation.level", "onset", evidence="assumed")],
    },
]


def made(**fields: Any) -> Grid:
    """Return a grid of four definitions, with fields changed."""
    data = {"key": "mine", "title": "Mine", "base": "cdw-12w", "axes": AXES, "axes_evidence": "seen", "page": PAGE}
    return Grid.model_validate(data | fields)


def test_a_grid_of_ones_own() -> None:
    one = made()
    first, *_, last = one.definitions()
    assert first.settings() == definition("cdw-12w").settings()
    assert "confirmation.windows" in first.source.seen and "confirmation.level" in last.source.assumed
    assert last.title == "value 24w; value high (mine)"
    assert one.choices()["mine.24w-low"] == {"confirmation": "24w", "level": "low"}
    assert one.prose() == (
        "The grid has 4 definitions: every combination of the values of 2 axes. Confirmation (2): value 12w; value 24w. "
        "Level (2): value low; value high. What no axis says is as in cdw-12w. "
        "Assumed, as the source was not seen to state it: 'Level' (value high)."
    )


def test_an_inline_base() -> None:
    base = definition("cdw-24w").as_dict()
    assert made(base=base).definitions()[0] == made(base="cdw-24w").definitions()[0]
    with pytest.raises(DefinitionError, match="the base of the grid: 1 fault in the definition"):
        made(base=base | {"key": "Not a key"})
    with pytest.raises(UsageError, match="There is no definition 'cdw-13w'; did you mean"):
        made(base="cdw-13w").definitions()


def test_combinations_are_left_out_with_a_reason() -> None:
    one = made(left_out=[{"values": {"confirmation": "24w", "level": "high"}, "reason": "nobody tried it."}])
    assert len(one) == 3 == len(one.definitions())
    assert "Left out: confirmation = 24w and level = high, because nobody tried it." in one.prose()
    with pytest.raises(UsageError, match=r"The grid 'mine' leaves 'mine\.24w-high' out: nobody tried it\."):
        one.definition("mine.24w-high")


def test_a_setting_is_taken_out_and_a_word_filled() -> None:
    axes = [
        {"name": "lag", "title": "Lag", "values": [value_of("30d", "baseline.days_after_relapse", 30, fills={"lag": 30})]},
        {
            "name": "free",
            "title": "Free",
            "values": [{**value_of("yes", "relapses.relapse_free", ["onset-{lag} .. onset"]), "without": ["relapses.raw"]}],
        },
    ]
    (only,) = made(base="portaccio-2025", axes=axes).definitions()
    assert only.relapses is not None and only.relapses.raw is None
    assert [str(one) for one in only.relapses.relapse_free] == ["onset-30 .. onset"]
    assert "relapses.raw" in only.source.seen
    with pytest.raises(DefinitionError, match=r"'mine\.yes' cannot be: no value fills \{lag\} in 'onset-\{lag\} \.\. onset'"):
        made(base="portaccio-2025", axes=axes[1:]).definitions()


def test_a_combination_that_cannot_be_names_itself() -> None:
    axes = [{"name": "a", "title": "A", "values": [value_of("x", "baseline.may_fall", "no")]}]
    with pytest.raises(DefinitionError, match=r"'mine\.x' cannot be: .*\n.*may_fall has no effect on a baseline that never moves"):
        made(axes=axes).definitions()


def axis(name: str, *values: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "title": name, "values": list(values)}


LOW = value_of("low", "confirmation.level", "threshold")
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"published": 5}, "the axes make 4 definitions, and the source says 5"),
    ({"axes": []}, "axes: Value should have at least 1 item"),
    ({"axes": [AXES[0], AXES[0]]}, "two axes have one name: confirmation and confirmation"),
    ({"axes": [axis("a", LOW), axis("b", LOW)]}, "the axes 'a' and 'b' both set confirmation.level"),
    ({"axes": [axis("a", LOW), axis("b", value_of("x", "confirmation", {}))]}, "the axes 'a' and 'b' both set confirmation"),
    ({"axes": [axis("a", LOW, LOW)]}, "two values of the axis 'a' have one name: low and low"),
    ({"axes": [axis("a", LOW | {"name": "a-b"})]}, "should match pattern"),
    ({"axes": [axis("a", LOW | {"without": ["confirmation.level"]})]}, "'low' says more than one thing of confirmation.level"),
    ({"axes": [axis("a", LOW | {"assumed": ["coverage"]})]}, "'low' marks coverage, which it does not set"),
    ({"axes": [axis("a", LOW | {"evidence": "guessed"})]}, "evidence: should be 'assumed', 'code' or 'seen'"),
    ({"left_out": [{"values": {"level": "middle"}, "reason": "No."}]}, "left_out names level = 'middle', which the grid does not have"),
    ({"source": {"seen": ["coverage"]}}, "source marks settings; in a grid the values and the base have the marks"),
    ({"key": "my.grid"}, "key: String should match pattern"),
    ({"what": 1}, "what: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("fields", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refusal_names_field_and_reason(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    import tomlkit

    data = {"key": "mine", "title": "Mine", "base": "cdw-12w", "axes": AXES, "axes_evidence": "seen", "page": PAGE} | fields
    path = tmp_path / "mine.toml"
    path.write_text(tomlkit.dumps(data), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_grid(path)
    assert str(caught.value).startswith(f"{path}: 1 fault in the grid\n  - ")
    assert said in str(caught.value)


def test_load_names_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"none\.toml: cannot be read"):
        load_grid(tmp_path / "none.toml")
    (tmp_path / "torn.toml").write_text("axes = ", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"torn\.toml: not valid TOML: "):
        load_grid(tmp_path / "torn.toml")


def test_a_value_tells_what_it_sets() -> None:
    one, other = grid("mueller-2025-grid"), grid("bsteh-2025-grid")
    told = {value.name: settings_text(value) for axis in (*one.axes, *other.axes) for value in axis.values}
    assert told["pira"] == 'baseline.moves_after = ["PIRA"]; edss.improvement = { steps = [{}] }; no baseline.crossed_days'
    assert told["onset"].endswith('relapses.relapse_free has ["onset .. confirmation"] as well')
    assert told["0w"] == "as in the base"
    assert told["48w"] == 'confirmation.windows = [{ name = "48w", from_day = 336 }]'
    assert evidence_words(one.axes[0].values[1]) == "read in the source; assumed: baseline.crossed_days, edss.improvement"


def test_the_base_of_a_grid_is_the_catalogue_as_it_is() -> None:
    one: Definition = entry("portaccio-2025").definition
    assert grid("portaccio-2025-grid").base_definition() is one


# -- the page of the documentation ------------------------------------------------------------------

DOCS = Path(__file__).parents[1] / "docs" / "definitions" / "grids.md"


def test_the_page_lists_every_grid_with_its_number() -> None:
    rows = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `") and "-grid` |" in line]
    cells = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]
    assert {key: int(number.replace(",", "")) for key, number, *_ in cells} == NUMBERS


def test_the_grid_of_the_page_is_one(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    written = text.partition('```toml title="my-grid.toml"\n')[2].partition("```")[0]
    left_out = text.rpartition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "my-grid.toml"
    path.write_text(written, encoding="utf-8")
    assert [one.key for one in resolve(path)] == [
        f"my-grid.{weeks}-{level}" for weeks in ("12w", "24w") for level in ("threshold", "score")
    ]
    path.write_text(f"{written}\n{left_out}", encoding="utf-8")
    assert len(resolve(path)) == 3


# -- worked patients ------------------------------------------------------------------------------

WORKED = [pytest.param(key, number, id=f"{key}-{number}") for key in grids() for number in range(len(grid(key).patients))]


@pytest.mark.parametrize("key", grids())
def test_every_grid_has_patients_whom_its_definitions_disagree_on(key: str) -> None:
    assert len(grid(key).patients) >= 2
    assert len({patient.title for patient in grid(key).patients}) == len(grid(key).patients)


@pytest.mark.parametrize(("key", "number"), WORKED)
def test_worked_patient_of_a_grid(key: str, number: int) -> None:
    """The named definitions find what is stated, as many as stated find a worsening, and among the named ones some do and some do not."""
    one, patient = grid(key), grid(key).patients[number]
    cohort = cohort_of({"A": patient.visits}, {"A": patient.relapses}, diagnosis={"A": 0}, time_zero={"A": 0})
    table = detect(cohort, one).table
    worsening = table.filter(pl.col("kind") == "worsening")
    assert worsening["definition"].n_unique() == patient.found_by
    assert 0 < patient.found_by < len(one)
    for answer in patient.answers:
        rules = one.definition(f"{key}.{answer.definition}")
        days = [pl.col(f"confirmed_{window.name}_day") for window in rules.confirmation.windows]
        found = table.filter(pl.col("definition") == rules.key).select(
            "measure", "kind", "label", "onset_day", confirmed=pl.min_horizontal(days) if days else pl.lit(None)
        )
        assert found.rows() == [(e.measure, e.kind, e.label, e.onset, e.confirmed) for e in answer.events], answer.definition
    has_it = {any(event.kind == "worsening" for event in answer.events) for answer in patient.answers}
    assert has_it == {True, False}


def test_a_patient_of_a_grid_has_no_events_beside_its_answers() -> None:
    data = grid("portaccio-2025-grid").patients[0].model_dump(mode="json")
    data["events"] = [{"onset": 90}]
    with pytest.raises(ValidationError, match="has events of its own; in a grid each answer has them"):
        GridPatient.model_validate(data)
