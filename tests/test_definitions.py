"""The model of a definition: what it refuses and in which words, equality, changes, differences, TOML, prose, traps."""

# One case a line reads best, however long.
# ruff: noqa: E501
from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from cohorts import cohort_of, cohort_of_worked
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import definitions as random_definitions
from strategies import sourced

from smoulder.engine.detect import detect
from smoulder.errors import DefinitionError
from smoulder.rulebook import Definition, definition, definition_from, diff, load_definition, traps
from smoulder.rulebook.catalogue import WorkedPatient
from smoulder.rulebook.model import (
    Baseline,
    CarriedReference,
    Confirmation,
    Interval,
    LastVisit,
    MeasureRule,
    MriRule,
    Onset,
    RelapseRule,
    Source,
    Sustained,
    Threshold,
    Window,
)
from smoulder.rulebook.parts import Part
from smoulder.rulebook.relapse import RawWindow
from smoulder.terms import MEASURES
from smoulder.terms import months as months_in_days

PLAIN: dict[str, Any] = {
    "key": "mine",
    "title": "Mine",
    "measures": [{"measure": "edss", "worsening": {"points": 1.0}}],
    "confirmation": {"windows": [{"name": "12w", "from_day": 84}]},
}
LABELS: dict[str, Any] = {"raw": {"days_before_onset": 90}, "relapse_free": ["onset-90 .. onset+30"]}


def plain(settings: dict[str, Any] | None = None) -> Definition:
    """Return the plainest definition, with settings changed."""
    return definition_from(PLAIN, where="mine").changed(settings or {})


def labelled(settings: dict[str, Any] | None = None) -> Definition:
    """Return the plainest definition that labels, with settings changed."""
    return plain({"relapses": LABELS}).changed(settings or {})


def edss(threshold: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"measures": [{"measure": "edss", "worsening": threshold, **more}]}


# -- what is refused ------------------------------------------------------------------------

MOVES = "baseline.moves_after"
REFUSED: list[tuple[dict[str, Any], str]] = [
    # baseline
    ({MOVES: ["worsening", "worsening"]}, "baseline: moves_after names something twice"),
    ({MOVES: ["worsening", "PIRA"], "relapses": LABELS}, "baseline: moves_after has both 'worsening' and 'PIRA'; every PIRA is a worsening, so name one"),
    ({"baseline.sub_threshold": "improvement"}, "baseline: sub_threshold = 'improvement' has no effect unless moves_after has 'improvement'"),
    ({MOVES: ["improvement"], "baseline.sub_threshold": "both"}, "baseline: sub_threshold = 'both' has no effect unless moves_after has 'worsening'"),
    ({MOVES: ["improvement"], "baseline.sub_threshold": "worsening"}, "baseline: sub_threshold = 'worsening' has no effect unless moves_after has 'worsening'"),
    ({"baseline.relapse_move": "crossed"}, "baseline: relapse_move and crossed_days have no effect unless moves_after has 'relapse'"),
    ({"baseline.crossed_days": 0}, "baseline: relapse_move and crossed_days have no effect unless moves_after has 'relapse'"),
    ({"baseline.distance_after_change": False, "baseline.days_after_relapse": 30}, "baseline: distance_after_change has no effect unless confirmed changes move the baseline and it keeps a distance"),
    ({"baseline.distance_after_change": False, MOVES: ["worsening"]}, "baseline: distance_after_change has no effect unless confirmed changes move the baseline and it keeps a distance"),
    ({"baseline.may_fall": "no"}, "baseline: may_fall has no effect on a baseline that never moves"),
    ({MOVES: ["worsening"], "baseline.may_fall": "not after a relapse"}, "baseline: may_fall = 'not after a relapse' has no effect unless moves_after has 'relapse'"),
    ({"baseline.days_after_relapse": -30}, "baseline.days_after_relapse: should be greater than or equal to 0 (found -30)"),
    ({"baseline.start": "Fixd"}, "baseline.start: should be 'first visit', 'nearest time zero', 'first after time zero' or 'previous visit' (found 'Fixd')"),
    ({MOVES: ["progression"]}, "baseline.moves_after.0: should be 'worsening', 'PIRA', 'improvement' or 'relapse' (found 'progression')"),
    ({"baseline.unsustained_moves": True}, "the definition: baseline.unsustained_moves has no effect unless sustained.days is set"),
    ({MOVES: ["PIRA"]}, "the definition: moves_after has 'PIRA', which needs a relapse rule under relapses"),
    ({MOVES: ["relapse"]}, "the definition: baseline.crossed_days must be given where relapses move the baseline and there is no RAW window"),
    ({MOVES: ["relapse"], "relapses": {}}, "the definition: baseline.crossed_days must be given where relapses move the baseline and there is no RAW window"),
    # onset
    ({"onset.days_before_relapse": -1}, "onset.days_before_relapse: should be greater than or equal to 0 (found -1)"),
    # confirmation; the last three are a misspelt value, a misspelt name and negative days
    (
        {"confirmation.windows": [], "confirmation.days_after_relapse": 30},
        "confirmation: without windows a change needs no confirmation, so days_after_relapse would have no effect",
    ),
    ({"confirmation.windows": [{"name": "a b", "from_day": 84}]}, "confirmation.windows.0.name: String should match pattern '^[A-Za-z0-9_]+$' (found 'a b')"),
    ({"confirmation.windows": [{"name": "12w", "from_day": 84, "to_day": 83}]}, "confirmation.windows.0: window '12w' ends (day 83) before it starts (day 84)"),
    ({"confirmation.windows": [{"name": "a", "from_day": 84}, {"name": "a", "from_day": 168}]}, "confirmation: two windows have one name: a and a"),
    ({"confirmation.windows": [{"name": "12w", "from_day": 84.0}]}, "confirmation.windows.0.from_day: should be a valid integer (found 84.0)"),
    ({"confirmation.windows": [{"name": "12w"}]}, "confirmation.windows.0.from_day: must be given"),
    ({"confirmation.windows": [{"name": "6m", "from_day": 183}]}, "the definition: the window '6m' speaks of months; state days_a_month, such as 30.4375"),
    ({"confirmation.every_visit": "yes"}, "confirmation.every_visit: should be a valid boolean (found 'yes')"),
    ({"confirmation.level": "threshhold"}, "confirmation.level: should be 'threshold' or 'onset' (found 'threshhold')"),
    ({"confirmation.every_vist": False}, "confirmation.every_vist: there is no such setting; did you mean 'every_visit' or 'falls_every_visit'?"),
    ({"confirmation.windows": [{"name": "12w", "from_day": -84}]}, "confirmation.windows.0.from_day: should be greater than or equal to 0 (found -84)"),
    # sustained, last visit
    ({"sustained.kinds": "PIRA"}, "sustained.kinds: should be 'both', 'worsening' or 'improvement' (found 'PIRA')"),
    ({"last_visit.within_days": 365}, "last_visit: within_days has no effect unless worsening = 'counted'"),
    # relapses
    ({"relapses": {"relapse_free": ["onset"]}}, "'onset' is not 'ANCHOR±DAYS .. ANCHOR±DAYS', such as 'onset-90 .. onset+30'; the anchors are baseline, last meaningful visit, previous visit, onset, confirmation and last holding visit"),
    ({"relapses": {"relapse_free": ["event .. confirmation"]}}, "'event .. confirmation' is not 'ANCHOR±DAYS"),
    ({"relapses": {"relapse_free": ["confirmation .. onset"]}}, "'confirmation .. onset' starts at a later anchor than it ends"),
    ({"relapses": {"relapse_free": ["onset+30 .. onset-90"]}}, "'onset+30 .. onset-90' has no length"),
    ({"relapses": {"relapse_free": ["onset .. onset"]}}, "'onset .. onset' has no length"),
    ({"relapses": {"raw": {"days_before_onset": -90}}}, "relapses.raw.days_before_onset: should be greater than or equal to 0 (found -90)"),
    ({"relapses": {"raw": {}}}, "relapses.raw.days_before_onset: must be given"),
    ({"relapses": {"otherwise": "PIRA"}}, "relapses.otherwise: should be 'undefined' or 'RAW' (found 'PIRA')"),
    # thresholds
    (edss({}), "measures.0.worsening: give steps, percent or points"),
    (edss({"steps": [{"change": 1.0}], "points": 1.0}), "measures.0.worsening: give steps alone; got steps and points"),
    (edss({"percent": 20.0, "points": 1.0}), "measures.0.worsening: percent and points together need of_two = 'smaller' or 'larger', and of_two needs both"),
    (edss({"points": 1.0, "of_two": "smaller"}), "measures.0.worsening: percent and points together need of_two = 'smaller' or 'larger', and of_two needs both"),
    (edss({"steps": [{"change": 1.0}, {"up_to": 5.0, "change": 1.0}]}), "measures.0.worsening: only the last step may leave out up_to"),
    (edss({"steps": [{"up_to": 5.0, "change": 1.0}, {"up_to": 3.0, "change": 1.0}]}), "measures.0.worsening: steps must be in ascending order of up_to, each once"),
    (edss({"steps": [{"up_to": 5.0, "change": 1.0}, {"up_to": 5.0, "change": 0.5}]}), "measures.0.worsening: steps must be in ascending order of up_to, each once"),
    (edss({"steps": [{"change": -1.0}]}), "measures.0.worsening.steps.0: change must be more than 0; got -1"),
    (edss({"steps": [{"change": 0.125}]}), "measures.0.worsening.steps.0: 0.125 has more than two decimals"),
    (edss({"steps": [{"up_to": 0.125, "change": 1.0}]}), "measures.0.worsening.steps.0: 0.125 has more than two decimals"),
    (edss({"points": 0.005}), "measures.0.worsening: 0.005 has more than two decimals"),
    (edss({"percent": -20.0}), "measures.0.worsening.percent: should be greater than 0 (found -20.0)"),
    (edss({"percent": 12.345}), "measures.0.worsening: 12.345 has more than two decimals"),
    (edss({"points": "1"}), "measures.0.worsening.points: should be a valid number (found '1')"),
    # measures
    ({"measures": []}, "measures: Value should have at least 1 item after validation, not 0 (found [])"),
    ({"measures": PLAIN["measures"] * 2}, "the definition: measures names one twice: edss and edss"),
    ({"measures": [{"measure": "grip", "worsening": {"points": 1.0}}]}, "measures.0: 'grip' is no known measure (edss, t25fw,"),
    (edss({"points": 1.0}, custom={"name": "Mine", "unit": "points", "low": 0.0}), "measures.0: 'edss' is a known measure; leave custom out, or give another name"),
    ({"measures": [{"measure": "mood", "worsening": {"percent": 20.0}, "custom": {"name": "Mood", "unit": "points", "low": -5.0}}]}, "measures.0: a percentage needs a measure that cannot be negative"),
    # the whole
    ({"key": "My definition"}, "key: String should match pattern '^[a-z0-9][a-z0-9.-]*$' (found 'My definition')"),
    ({"title": None}, "title: must be given"),
    ({"looking_for": "first PIRA"}, "the definition: looking_for = 'first PIRA' needs a relapse rule under relapses"),
    ({"looking_for": "first RAW"}, "the definition: looking_for = 'first RAW' needs a relapse rule under relapses"),
    ({"looking_for": "firstPIRA"}, "looking_for: should be 'every event', 'first event', 'first worsening', 'first improvement', 'first PIRA' or 'first RAW' (found 'firstPIRA')"),
    ({"coverage": "unknown"}, "coverage: should be 'assumed' or 'observed' (found 'unknown')"),
    ({"days_a_month": 28.0}, "days_a_month: should be greater than 28 (found 28.0)"),
    ({"days_a_month": 31.0}, "days_a_month: should be less than 31 (found 31.0)"),
    ({"source": {"seen": ["sustained.days"], "code": ["sustained.days"]}}, "source: marked more than once: sustained.days"),
    ({"source": {"seen": ["sdmt.worsening"]}}, "the definition: source marks settings that do not exist: sdmt.worsening"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "said"), REFUSED, ids=[said.split(" (found")[0][:70] for _, said in REFUSED])
def test_refusal_names_field_and_reason(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        plain(settings)
    assert f"  - {said}" in str(caught.value) or f": {said}" in str(caught.value)
    assert str(caught.value).startswith("definition 'mine': 1 fault in the definition\n")


@pytest.mark.parametrize("days", [-1, "forever"])
def test_sustained_takes_days_or_the_end(days: object) -> None:
    with pytest.raises(DefinitionError, match=r"sustained\.days"):
        plain({"sustained.days": days})


def test_all_faults_together() -> None:
    with pytest.raises(DefinitionError) as caught:
        definition_from({"key": "mine", "measures": [], "baseline": {"start": "x"}}, where="mine.toml")
    lines = str(caught.value).splitlines()
    assert lines[0] == "mine.toml: 4 faults in the definition"
    assert [line.split(":")[0] for line in lines[1:]] == ["  - title", "  - measures", "  - baseline.start", "  - confirmation"]


# -- files ----------------------------------------------------------------------------------


def test_load_names_what_is_wrong_with_the_file(tmp_path) -> None:
    with pytest.raises(DefinitionError, match=r"missing\.toml: cannot be read \(No such file or directory\)\."):
        load_definition(tmp_path / "missing.toml")
    (tmp_path / "torn.toml").write_text("key = ", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"torn\.toml: not valid TOML: "):
        load_definition(tmp_path / "torn.toml")
    (tmp_path / "latin.toml").write_bytes(b'title = "M\xfcller"')
    with pytest.raises(DefinitionError, match=r"latin\.toml: not valid TOML: "):
        load_definition(tmp_path / "latin.toml")
    (tmp_path / "half.toml").write_text('key = "half"\n', encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"half\.toml: 3 faults in the definition"):
        load_definition(tmp_path / "half.toml")


def test_load_leaves_page_and_patients_aside(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(plain().toml() + '\n[page]\ncounts = "x"\n\n[[patients]]\ntitle = "y"\n', encoding="utf-8")
    assert load_definition(path) == plain()


@given(sourced())
def test_toml_round_trip(rules: Definition) -> None:
    again = definition_from(tomllib.loads(rules.toml()), where="again")
    assert again == rules
    assert hash(again) == hash(rules)
    assert again.toml() == rules.toml()


@given(random_definitions())
def test_settings_come_back_from_plain_data(rules: Definition) -> None:
    assert definition_from(rules.as_dict(), where="again").settings() == rules.settings()
    assert diff(rules, rules.changed(key="other", title="Another title")) == ()


# -- one object -----------------------------------------------------------------------------


def test_frozen() -> None:
    with pytest.raises(ValidationError, match="Instance is frozen"):
        plain().title = "Other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Instance is frozen"):
        plain().baseline.start = "nearest time zero"  # type: ignore[misc]


def test_equal_by_content() -> None:
    assert plain() == plain()
    assert len({plain(), plain(), labelled()}) == 2
    assert plain() != plain({"confirmation.every_visit": False})


@given(st.permutations(["worsening", "improvement", "relapse"]))
def test_equal_in_any_order_of_moves(moves: list[str]) -> None:
    rules = labelled({MOVES: moves})
    assert rules == labelled({MOVES: ["worsening", "improvement", "relapse"]})
    assert hash(rules) == hash(labelled({MOVES: ["worsening", "improvement", "relapse"]}))


def test_parts_can_be_made_in_python() -> None:
    made = Definition(
        key="mine",
        title="Mine",
        measures=(MeasureRule(measure="edss", worsening=Threshold(points=1.0)),),
        baseline=Baseline(moves_after=("improvement",)),
        confirmation=Confirmation(windows=(Window(name="12w", from_day=84),)),
        relapses=RelapseRule(
            raw=RawWindow(days_before_onset=90),
            relapse_free=(Interval(start="onset", start_days=-90, end="onset", end_days=30),),
        ),
    )
    assert made == labelled({MOVES: ["improvement"]})


def test_tells_what_it_is() -> None:
    assert labelled().labelled
    assert not plain().labelled
    assert definition("edss-plus").is_composite
    assert not plain().is_composite


def test_crossed_days_are_the_raw_window_unless_given() -> None:
    assert labelled({MOVES: ["relapse"]}).crossed_days == 90
    assert labelled({MOVES: ["relapse"], "baseline.crossed_days": 0}).crossed_days == 0
    assert plain().crossed_days == 0


# -- changed and diff -----------------------------------------------------------------------


def test_changed_takes_paths_and_fields() -> None:
    rules = plain({"sustained.days": 168, "baseline.moves_after": ["improvement"]}).changed(title="Other", sustained=Sustained(days=84))
    assert (rules.sustained.days, rules.baseline.moves_after, rules.title) == (84, ("improvement",), "Other")
    assert plain().title == "Mine"


def test_changed_to_none_takes_a_setting_away() -> None:
    assert labelled({"relapses": None}) == plain()
    assert labelled({"relapses.raw": None}).relapses == RelapseRule(relapse_free=(Interval.model_validate("onset-90 .. onset+30"),))


def test_changed_is_checked_anew() -> None:
    with pytest.raises(DefinitionError, match="definition 'mine': 1 fault"):
        plain().changed({"looking_for": "first PIRA"})


def test_diff_names_each_setting() -> None:
    found = diff(plain(), labelled({"confirmation.every_visit": False}))
    assert [difference.setting for difference in found] == [
        "confirmation.every_visit", "relapses", "relapses.raw", "relapses.relapse_free", "relapses.exclusive", "relapses.otherwise",
    ]  # fmt: skip
    assert (found[0].a, found[0].b) == ("true", "false")
    assert (found[3].a, found[3].b) == ("-", '["onset-90 .. onset+30"]')


def test_diff_does_not_mind_names_and_sources() -> None:
    assert diff(plain(), plain({"key": "other", "title": "Other", "source.citation": "Somebody 2020."})) == ()


# -- thresholds and measures ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("threshold", "reference", "needed"),
    [
        ({"percent": 20.0}, 400, 80),
        ({"percent": 20.0}, 401, 81),
        ({"percent": 33.3}, 1000, 333),
        ({"percent": 20.0}, 0, 1),
        ({"points": 4.0, "percent": 20.0, "of_two": "smaller"}, 3000, 400),
        ({"points": 4.0, "percent": 20.0, "of_two": "smaller"}, 1000, 200),
        ({"points": 4.0, "percent": 20.0, "of_two": "larger"}, 3000, 600),
        ({"steps": [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.5, "change": 1.0}, {"change": 0.5}]}, 0, 150),
        ({"steps": [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.5, "change": 1.0}, {"change": 0.5}]}, 550, 100),
        ({"steps": [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.5, "change": 1.0}, {"change": 0.5}]}, 551, 50),
        ({"steps": [{"up_to": 5.5, "change": 1.0}, {}]}, 600, None),
        ({"steps": [{"up_to": 5.5, "change": 1.0}]}, 600, None),
    ],
)
def test_needed_change(threshold: dict[str, Any], reference: int, needed: int | None) -> None:
    assert Threshold.model_validate(threshold).needed(reference) == needed


def test_the_mean_of_two_hands_is_kept_as_their_sum() -> None:
    rule = MeasureRule.model_validate({"measure": "nhpt", "worsening": {"percent": 20.0}, "improvement": {"points": 2.0}})
    assert rule.needed(4200, worsening=True) == 840
    assert rule.needed(4200, worsening=False) == 400


def test_improvement_mirrors_worsening_unless_it_has_its_own() -> None:
    rule = MeasureRule.model_validate({"measure": "edss", "worsening": {"points": 1.0}})
    assert rule.needed(300, worsening=False) == 100
    own = MeasureRule.model_validate({"measure": "edss", "worsening": {"points": 1.0}, "improvement": {"points": 0.5}})
    assert own.needed(300, worsening=False) == 50


def test_custom_measure() -> None:
    custom = {"name": "grip strength", "unit": "kg", "low": 0.0, "worse": "lower"}
    rules = plain({"measures": [{"measure": "grip", "worsening": {"percent": 20.0}, "custom": custom}]})
    spec = rules.measures[0].spec()
    assert (spec.key, spec.name, spec.unit, spec.higher_is_worse) == ("grip", "grip strength", "kg", False)
    assert "On the grip strength, worsening was a fall of at least 20 % of the reference" in rules.prose()
    assert "grip" not in MEASURES


# -- intervals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("onset-90 .. onset+30", "onset-90 .. onset+30"),
        ("baseline..confirmation", "baseline .. confirmation"),
        (" previous visit  ..  onset + 0 ", "previous visit .. onset"),
        ("last meaningful visit - 7 .. confirmation", "last meaningful visit-7 .. confirmation"),
    ],
)
def test_interval_text(text: str, written: str) -> None:
    interval = Interval.model_validate(text)
    assert str(interval) == written
    assert Interval.model_validate(str(interval)) == interval


@given(random_definitions())
def test_interval_text_round_trip(rules: Definition) -> None:
    for interval in rules.relapses.relapse_free if rules.relapses else ():
        assert Interval.model_validate(str(interval)) == interval


# -- prose ----------------------------------------------------------------------------------


@given(sourced())
def test_prose_is_made_of_sentences(rules: Definition) -> None:
    text = rules.prose()
    assert text.endswith(".")
    assert "  " not in text
    assert "None" not in text
    assert text.count("(") == text.count(")")
    for sentence in re.split(r"(?<=[a-z)])\. ", text):
        assert sentence[0].isupper()
    told = not rules.confirmation.window_follows_from(rules.onset)
    for window in rules.confirmation.windows:
        assert (f"({window.name})" in text) == told


RICH = labelled(
    {
        MOVES: ["worsening", "improvement", "relapse"],
        "sustained.days": 168,
        "last_visit.worsening": "counted",
        "days_a_month": 30.4375,
    }
)
OTHERWISE: dict[str, Any] = {
    "measures": [{"measure": "edss", "worsening": {"points": 1.0}}, {"measure": "t25fw", "worsening": {"percent": 20.0}}],
    "edss.worsening": [{"measure": "edss", "worsening": {"points": 1.5}}],
    "edss.improvement": [{"measure": "edss", "worsening": {"points": 1.0}, "improvement": {"points": 0.5}}],
    "baseline.start": "nearest time zero",
    "baseline.days_after_relapse": 30,
    "baseline.days_before_relapse": 30,
    "baseline.moves_after": ["improvement", "relapse"],
    "baseline.moves_to": "onset",
    "baseline.sub_threshold": "both",
    "baseline.unsustained_moves": True,
    "baseline.relapse_move": "crossed",
    "baseline.crossed_days": 0,
    "baseline.may_fall": "no",
    "baseline.local_extrema": "none",
    "onset.days_after_relapse": 30,
    "onset.days_before_relapse": 30,
    "confirmation.windows": [{"name": "12w", "from_day": 84, "to_day": 168}],
    "confirmation.every_visit": False,
    "confirmation.level": "onset",
    "confirmation.days_after_relapse": 30,
    "confirmation.days_before_relapse": 30,
    "confirmation.visits": "scheduled",
    "sustained.days": "to the end",
    "sustained.kinds": "worsening",
    "last_visit.worsening": "unconfirmed",
    "last_visit.within_days": 365,
    "last_visit.when": "no eligible visit left",
    "relapses.raw": {"days_before_onset": 30},
    "relapses.relapse_free": ["onset-90 .. confirmation"],
    "relapses.exclusive": False,
    "relapses.otherwise": "RAW",
    "coverage": "observed",
    "looking_for": "first worsening",
    "days_a_month": 30.25,
}
"""Another value of each setting."""


def test_another_value_of_each_setting_is_tried() -> None:
    assert OTHERWISE.keys() == RICH.settings().keys()


@pytest.mark.parametrize("setting", OTHERWISE)
def test_every_setting_is_told_in_prose(setting: str) -> None:
    path = "measures" if setting.startswith("edss") else setting
    other = RICH.changed({path: OTHERWISE[setting]})
    assert diff(RICH, other)[0].setting == setting
    assert other.prose() != RICH.prose()


PROSE: list[tuple[dict[str, Any], str]] = [
    ({}, "On the EDSS, worsening was a rise of at least 1.0 point, and improvement a fall by as much."),
    (edss({"points": 1.0}, improvement={"points": 0.5}), "and improvement a fall of at least 0.5 points."),
    (edss({"steps": [{"up_to": 0.0, "change": 1.5}, {"up_to": 5.5, "change": 1.0}, {"change": 0.5}]}), "a rise of at least 1.5 points from a reference of 0.0, 1.0 point from a reference up to 5.5 and 0.5 points from a reference above 5.5,"),
    (edss({"steps": [{"up_to": 5.99, "change": 1.0}, {"change": 0.5}]}), "1.0 point from a reference below 6.0 and 0.5 points from a reference from 6.0 on,"),
    (edss({"steps": [{"up_to": 5.5, "change": 1.0}]}), "1.0 point from a reference up to 5.5 (no change counted from a reference above 5.5),"),
    ({"measures": [{"measure": "sdmt", "worsening": {"points": 4.0, "percent": 20.0, "of_two": "smaller"}}]}, "On the SDMT, worsening was a fall of at least the smaller of 20 % of the reference and 4 points, and improvement a rise by as much."),
    ({}, "The reference was the score at the first visit. It stayed fixed."),
    ({"baseline.days_after_relapse": 30}, "The reference was the score at the first visit at least 30 days after any relapse."),
    ({"baseline.start": "nearest time zero"}, "The reference was the score at the visit nearest time zero."),
    ({MOVES: ["improvement", "worsening"]}, "It moved to the score at the confirming visit after each confirmed worsening and each confirmed improvement."),
    ({MOVES: ["improvement"], "baseline.sub_threshold": "improvement"}, "Any confirmed improvement moved it, also one smaller than the threshold."),
    ({MOVES: ["relapse"], "baseline.crossed_days": 30}, "After every relapse the reference was set anew at the first visit on or after the relapse; a change first seen at most 30 days after the relapse was still compared with the reference before it."),
    ({MOVES: ["improvement"], "baseline.may_fall": "no"}, "A move could not make the reference better: the worse of the old and the new score was kept."),
    ({"baseline.days_after_relapse": 30, MOVES: ["worsening"]}, "Each new reference visit, too, had to be at least 30 days after any relapse."),
    ({"baseline.days_after_relapse": 30, MOVES: ["worsening", "relapse"], "baseline.crossed_days": 0, "baseline.distance_after_change": False}, "A reference visit after a confirmed change could be near a relapse; one after a relapse had to be at least 30 days after any relapse."),
    ({"onset.days_after_relapse": 30}, "The first visit of a change (its onset) had to be at least 30 days after any relapse."),
    ({}, "A change was confirmed if the score was still past the threshold at the first visit 84 days or more (12w) after onset, and at every visit from onset to it."),
    ({"confirmation.windows": [{"name": "24w", "from_day": 140, "to_day": 196}], "confirmation.every_visit": False}, "at the first visit 140 to 196 days (24w) after onset, whatever the scores between."),
    ({"confirmation.level": "onset", "confirmation.visits": "scheduled"}, "still at least as far from the reference as at onset at the first scheduled visit 84 days or more (12w) after onset,"),
    ({"sustained.days": "to the end", "sustained.kinds": "worsening"}, "A confirmed worsening counted only if it was sustained to the end of follow-up."),
    ({"last_visit.worsening": "counted", "last_visit.within_days": 365}, "A worsening first seen at the last visit within 365 days of the first visit was counted without confirmation."),
    ({"relapses": LABELS}, "A worsening was relapse-associated (RAW) if a relapse began in the 90 days before onset or on its day. It was independent of relapses (PIRA) if it was not RAW and no relapse began from 90 days before to 30 days after onset."),
    ({"relapses": {}}, "Every worsening was counted as independent of relapses (PIRA)."),
    ({"relapses": {"relapse_free": ["baseline .. confirmation"], "otherwise": "RAW"}}, "A worsening was independent of relapses (PIRA) if no relapse began from the reference visit to the confirming visit; of several confirming visits, one for which this held was enough. The first and the last day of a window belonged to it. Any other worsening was counted as RAW."),
    ({"relapses": LABELS, "coverage": "observed"}, "Relapses were taken to be recorded from the first to the last visit only;"),
    ({"days_a_month": 30.4375}, "A month was taken as 30.4375 days."),
    ({"looking_for": "first worsening"}, "Only the first confirmed worsening of a patient was counted."),
    ({"source": {"assumed": ["sustained.days", "sustained.kinds", "baseline.start"], "code": ["edss.worsening"]}}, "Assumed, as the source was not seen to state it: baseline (start); sustained. Taken from a program that implements it: EDSS (worsening)."),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "sentence"), PROSE, ids=[sentence[:60] for _, sentence in PROSE])
def test_prose_sentence(settings: dict[str, Any], sentence: str) -> None:
    assert sentence in plain(settings).prose()


YEAR_5 = {"day": 1826, "from_day": 1461, "to_day": 2191}
YEAR_10 = {"day": 3652, "from_day": 3288, "to_day": 4017}


@pytest.mark.parametrize(
    ("window", "onset_at", "told"),
    [
        ({"name": "10y", "from_day": 1097}, YEAR_5, False),
        ({"name": "10y", "from_day": 1098}, YEAR_5, True),
        ({"name": "10y", "from_day": 1097}, None, True),
        ({"name": "10y", "from_day": 1097, "to_day": 2556}, YEAR_5, False),
        ({"name": "10y", "from_day": 1097, "to_day": 2555}, YEAR_5, True),
    ],
)
def test_prose_leaves_out_a_window_that_follows_from_two_set_times(window: dict[str, Any], onset_at: Any, told: bool) -> None:
    """The first day of year 10 is 3288 - 2191 = 1097 days after the last of year 5, the last 4017 - 1461 = 2556 after the first."""
    rules = plain({"confirmation.windows": [window], "confirmation.at": YEAR_10, "onset.at": onset_at})
    place = "past the threshold at the visit nearest to day 3652 after the starting visit (day 3288 to 4017)"
    assert f"{place}, and at every visit" in rules.prose() or told
    assert (f"{place}, {window['from_day']} " in rules.prose()) == told
    assert ("(10y) after onset" in rules.prose()) == told


# -- traps ----------------------------------------------------------------------------------


def has_trap(rules: Definition, words: str) -> bool:
    return any(words in sentence for sentence in traps(rules))


def test_trap_of_the_raw_plateau() -> None:
    words = "The baseline does not move after a RAW"
    assert has_trap(labelled(), words)
    assert has_trap(labelled({"looking_for": "first PIRA"}), words)
    assert not has_trap(plain(), words)
    assert not has_trap(labelled({MOVES: ["worsening"]}), words)
    assert not has_trap(labelled({MOVES: ["relapse"]}), words)
    assert not has_trap(labelled({"relapses.relapse_free": ["baseline .. confirmation"]}), words)
    assert not has_trap(labelled({"looking_for": "first worsening"}), words)


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        ("baseline .. onset", False),
        ("baseline+1 .. onset", True),
        ("baseline .. onset-1", True),
        ("last meaningful visit .. confirmation", False),
        ("onset-90 .. confirmation", True),
    ],
)
def test_an_interval_spares_the_plateau_only_where_it_holds_the_whole_step(free: str, expected: bool) -> None:
    assert has_trap(labelled({"relapses.relapse_free": [free]}), "The baseline does not move after a RAW") == expected


MET_AGAIN = "met again and called PIRA"


def test_trap_of_a_plateau_that_is_met_before_the_baseline_moves() -> None:
    """Day 210 is 110 days after the relapse: too late for RAW, and still compared with the 2.0 before it."""
    rules = labelled({MOVES: ["relapse"], "baseline.crossed_days": 365, "looking_for": "first PIRA"})
    cohort = cohort_of({"A": {"edss": "0:2.0 120:3.0 210:3.0 300:3.0 400:3.0"}}, relapses={"A": [100]})
    assert detect(cohort, rules).table.select("label", "onset_day").rows() == [("PIRA", 210)]
    (sentence,) = [trap for trap in traps(rules) if MET_AGAIN in trap]
    assert sentence.startswith("Up to 365 days after a relapse a visit is still compared with the score before it, and from 91 days after")
    assert sentence.endswith("or let crossed_days be at most 90.")
    closed = rules.changed({"baseline.crossed_days": 90})
    assert detect(cohort, closed).table.height == 0
    assert not has_trap(closed, MET_AGAIN)


def left_behind(cohort_days: dict[str, list[int]]) -> Any:
    """Return people at 2.0 whose relapse on day 100 leaves 3.0 behind, each seen on some days after it."""
    series = {name: {"edss": " ".join(["0:2.0", "99:2.0", *(f"{day}:3.0" for day in days)])} for name, days in cohort_days.items()}
    return cohort_of(series, relapses=dict.fromkeys(series, (100,)))


# Everybody is first seen at 3.0 soon after the relapse, so a PIRA with a later onset is the plateau, met again. Seen every day, or first
# on the day of the relapse or the day after, then on the day that confirms it, and every day from some later one on.
LEFT_BEHIND = left_behind(
    {"daily": [*range(101, 600)]}
    | {f"from {again}": [100, 184, *range(again, 600)] for again in (185, 186, 190, 191, 192, 210, 220, 221)}
    | {f"later, from {again}": [101, 185, *range(again, 600)] for again in (186, 191, 192)}
)


@pytest.mark.parametrize("looking_for", ["first PIRA", "every event"])
@pytest.mark.parametrize("crossed_days", [0, 1, 2, 59, 60, 61, 84, 85, 89, 90, 91, 120, 365])
@pytest.mark.parametrize(
    ("settings"),
    [
        {},
        {"relapses.exclusive": False},
        {"relapses.exclusive": False, "relapses.relapse_free": ["previous visit .. onset"]},
        {"relapses.raw": None, "relapses.relapse_free": ["previous visit .. onset"], "relapses.otherwise": "RAW"},
        {"relapses.raw": None, "relapses.relapse_free": ["onset-60 .. confirmation"]},
        {"relapses.relapse_free": ["onset-120 .. onset-61"]},
        {"relapses.relapse_free": ["onset-120 .. onset-92"]},
        {"relapses.relapse_free": ["previous visit-119 .. onset"]},
        {"onset.days_after_relapse": 110},
        {"baseline.moves_to": "onset", "relapses.raw.days_before_onset": 60, "relapses.relapse_free": []},
        {"relapses.raw.days_before_onset": 60, "relapses.relapse_free": []},
        {"confirmation.days_after_relapse": 91, "relapses.raw.days_before_onset": 60, "relapses.relapse_free": []},
    ],
    ids=lambda settings: " ".join(f"{path}={value}" for path, value in settings.items()) or "RAW 90",
)
def test_the_trap_of_the_plateau_is_told_exactly_where_it_can_be_met(looking_for: str, crossed_days: int, settings: dict[str, Any]) -> None:
    rules = labelled({MOVES: ["relapse", "PIRA"], "baseline.crossed_days": crossed_days, "looking_for": looking_for, **settings})
    found = detect(LEFT_BEHIND, rules).table
    met = found.filter(found["pira"] & (found["onset_day"] > 101)).height > 0
    assert has_trap(rules, MET_AGAIN) == met


@pytest.mark.parametrize(("days", "expected"), [(91, True), (90, False)])
def test_trap_of_an_onset_too_far_from_relapses_to_be_raw(days: int, expected: bool) -> None:
    rules = labelled({MOVES: ["worsening"], "onset.days_after_relapse": days})
    assert has_trap(rules, "no worsening after a relapse can be RAW") == expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"baseline.start": "previous visit"}, "after one good day is a worsening"),
        ({"last_visit.worsening": "counted"}, "counts all the same"),
        ({"confirmation.windows": []}, "Nothing has to be confirmed"),
        ({MOVES: ["relapse"], "baseline.crossed_days": 30}, "first seen more than 30 days after a relapse is taken into the new reference"),
        ({"carried": {"second_reference": "no"}}, "first seen at the first visit past the RAW window"),
    ],
)
def test_other_traps(settings: dict[str, Any], words: str) -> None:
    assert has_trap(labelled(settings), words)
    assert not has_trap(labelled(), words)


def test_trap_of_a_step_counted_again() -> None:
    words = "the same worsening is found and counted again"
    assert has_trap(plain(), words)
    assert has_trap(labelled({MOVES: ["relapse"]}), words)
    assert has_trap(labelled({MOVES: ["improvement"]}), words)
    assert not has_trap(labelled({MOVES: ["worsening"]}), words)
    assert not has_trap(labelled({MOVES: ["PIRA", "relapse"]}), words)
    assert not has_trap(plain({"looking_for": "first worsening"}), words)


def test_trap_of_looking_ahead() -> None:
    assert has_trap(plain({"sustained.days": "to the end"}), "looks into the future")
    assert not has_trap(plain({"sustained.days": 168}), "looks into the future")


def test_trap_of_the_open_window() -> None:
    assert has_trap(plain(), "Confirmation has no upper bound")
    assert not has_trap(
        plain({"confirmation.windows": [{"name": "24w", "from_day": 140, "to_day": 196}]}), "Confirmation has no upper bound"
    )


# -- the page that teaches it -----------------------------------------------------------------

PAGE = (Path(__file__).parents[1] / "docs" / "definitions" / "writing-a-definition.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)[0]
PARTS: dict[str, type[Part]] = {
    "": Definition,
    "baseline": Baseline,
    "onset": Onset,
    "confirmation": Confirmation,
    "sustained": Sustained,
    "last_visit": LastVisit,
    "relapses": RelapseRule,
    "carried": CarriedReference,
    "mri": MriRule,
    "source": Source,
}


def rows_after(heading: str) -> list[list[str]]:
    """Return the cells of all table rows from a heading to the next one of its level."""
    text = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not set(row[0]) <= set("-: ")]


def documented() -> dict[str, tuple[str, str]]:
    """Return the settings that the page has, each with what is allowed and its default."""
    found = {}
    for names, allowed, default, _ in rows_after("Every setting"):
        found |= {name: (allowed, default) for name in re.findall(r"`([^`]+)`", names)}
    return found


RARE = {
    "baseline.start": "first after time zero",
    "baseline.zero": "diagnosis",
    "baseline.start_within_days": 730,
    "onset.min_days": 90,
    "onset.min_days_from": "previous visit",
    "onset.at": {"day": 365, "from_day": 300, "to_day": 400},
    "confirmation.forgives": "single visits",
    "confirmation.at": {"day": 730, "from_day": 700, "to_day": 760},
    "confirmation.as_well": {"day": 900, "from_day": 800, "to_day": 1000},
    "confirmation.leading_system": True,
    "sustained.days": 200,
    "sustained.every_visit": True,
    "relapses.relapse_free": ["onset .. last holding visit"],
    "relapses.raw_in": ["previous visit .. onset"],
    "relapses.pira_at": "first confirming visit",
    "relapses.during_confirmation": "own class",
    "mri": {"scans_in": ["onset-730 .. onset"]},
    "carried": {"falls": "at once"},
}
"""A value for each setting that few definitions use, and what they need beside them."""
MOVED = {MOVES: ["worsening"], "baseline.days_after_relapse": 30, "baseline.distance_after_change": False}
"""One that a carried reference leaves no room for."""


def test_rare_settings_are_listed_only_where_they_are_used() -> None:
    rare = labelled(RARE).settings().keys() - labelled({"sustained.days": 200}).settings().keys()
    assert {path.partition(".")[0] if path.startswith(("carried", "mri")) else path for path in rare} == RARE.keys() - {
        "baseline.start",
        "sustained.days",
        "relapses.relapse_free",
    }
    assert "forgives" not in labelled().toml()
    assert load_again(labelled(RARE)) == labelled(RARE)
    assert load_again(labelled(MOVED)) == labelled(MOVED)


def load_again(rules: Definition) -> Definition:
    """Return a definition written as TOML and read again."""
    return definition_from(tomllib.loads(rules.toml()), where="again")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"baseline.start": "previous visit", "baseline.moves_after": ["worsening"]}, "leaves moves_after empty"),
        ({"baseline.zero": "diagnosis"}, "zero has no effect"),
        ({"baseline.start_within_days": 30}, "start_within_days has no effect"),
        ({"onset.min_days_from": "previous visit"}, "min_days_from has no effect"),
        ({"onset.at": {"day": 1, "from_day": 2, "to_day": 3}}, "day 1 does not lie between"),
        ({"sustained.every_visit": True}, "every_visit has no effect"),
        ({"confirmation.windows": [], "last_visit.worsening": "counted"}, "last_visit has no effect"),
        ({"relapses.during_confirmation": "own class"}, "during_confirmation = 'own class' has no effect"),
        ({"carried": {"falls": "no", "falls_from_day": 84}}, "have no effect unless falls = 'if confirmed'"),
        ({"carried": {"falls_to_day": 3}}, "lies before falls_from_day"),
        ({"carried": {}, "baseline.moves_after": ["worsening"]}, "baseline.moves_after has no effect"),
        ({"carried": {}, "looking_for": "first improvement"}, "looks for worsening only"),
        ({"carried": {"second_reference": "no", "second_at_least": "the reference"}}, "second_at_least has no effect"),
        ({"carried": {"earlier_reference": True}}, "earlier_reference has no effect"),
        ({"carried": {"second_reference": "after the last event"}, "looking_for": "first PIRA"}, "needs looking_for = 'every event'"),
        ({"carried": {}, "relapses": {"relapse_free": ["onset-90 .. onset"]}}, "need the RAW window"),
        ({"relapses.raw_in": ["onset .. confirmation"]}, "end at onset at the latest"),
        ({"relapses": {"relapse_free": ["onset-90 .. onset"]}, "looking_for": "first RAW"}, "finds nothing"),
        ({"edss.improvement": {"steps": [{}]}, "looking_for": "first improvement"}, "no improvement counts"),
        ({"edss.worsening": {"steps": [{}]}, "edss.improvement": {"points": 1.0}, "looking_for": "first worsening"}, "no worsening counts"),
        ({MOVES: ["PIRA"], "looking_for": "first improvement"}, "tells no PIRA"),
        ({"confirmation.leading_system": True, "looking_for": "first improvement"}, "are about worsening"),
        (
            {
                "onset.at": {"day": 300, "from_day": 300, "to_day": 400},
                "confirmation.at": {"day": 200, "from_day": 100, "to_day": 299},
            },
            "confirmation.at lies before onset.at",
        ),
        (
            {"confirmation.as_well": {"day": 200, "from_day": 100, "to_day": 299}, "last_visit.worsening": "counted"},
            "cannot be asked to hold at confirmation.as_well",
        ),
        ({"carried": {"after_relapse": "stays"}}, "has no effect where after_relapse = 'stays'"),
        ({"mri": {"scans_in": []}}, "at least 1 item"),
        ({"mri": {"scans_in": ["previous visit .. onset"]}}, "cannot use the anchor 'previous visit'"),
        ({"mri": {"scans_in": ["onset-90 .. onset"], "lesions": ["gd", "gd"]}}, "names something twice"),
    ],
)
def test_a_setting_without_effect_is_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(reason)):
        labelled(settings)


def test_leading_systems_are_about_the_edss() -> None:
    measures = [{"measure": "t25fw", "worsening": {"percent": 20.0}}]
    with pytest.raises(DefinitionError, match="not among the measures"):
        definition_from(PLAIN | {"measures": measures}, where="mine").changed({"confirmation.leading_system": True})


def test_the_mri_tells_pira_apart_and_needs_them() -> None:
    with pytest.raises(DefinitionError, match="need a relapse rule"):
        plain({"mri": {"scans_in": ["onset-90 .. onset"]}})


def test_the_page_has_every_setting() -> None:
    every = {**RICH.settings(), **plain().settings(), **labelled(RARE).settings(), **labelled(MOVED).settings()}
    paths = {path.replace("edss.", "MEASURE.") for path in every}
    about = {"key", "title", "measure", "custom", *(f"source.{name}" for name in Source.model_fields)}
    assert documented().keys() == paths | about


def test_the_page_has_the_defaults_and_the_choices_of_the_model() -> None:
    for path, (allowed, default) in documented().items():
        part, _, name = path.rpartition(".")
        if part == "MEASURE" or name in ("measure", "custom"):
            continue
        field = PARTS[part].model_fields[name]
        value = field.get_default(call_default_factory=True)
        expected = "required" if field.is_required() else "none" if value is None else f"`{toml_text(value)}`"
        assert default == expected, path
        choices = [option for option in get_args(field.annotation) if isinstance(option, str)]
        if choices:
            assert re.findall(r'`"([^"]+)"`', allowed) == choices, path
        assert (bool in (field.annotation, *get_args(field.annotation))) == (allowed == "`true`, `false`"), path


def toml_text(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(toml_text(item) for item in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_the_example_is_what_its_paper_says() -> None:
    rules = definition_from({name: part for name, part in tomllib.loads(EXAMPLE).items() if name != "patients"}, where="example")
    assert rules.baseline == Baseline(moves_after=("worsening", "improvement"))
    assert rules.confirmation == Confirmation(windows=(Window(name="24w", from_day=140, to_day=196),))
    assert rules.relapses == RelapseRule(
        raw=RawWindow(days_before_onset=90), relapse_free=(Interval(start="onset", start_days=-90, end="onset", end_days=30),)
    )
    assert [rules.measures[0].needed(score, worsening=True) for score in (0, 100, 500, 550)] == [150, 100, 100, 50]


def test_the_patients_of_the_example_are_right(tmp_path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    rules = load_definition(path)
    for data in tomllib.loads(EXAMPLE)["patients"]:
        patient = WorkedPatient.model_validate(data)
        found = detect(cohort_of_worked(patient, rules), rules).table.select("label", "onset_day", "confirmed_24w_day").rows()
        assert found == [(event.label, event.onset, event.confirmed) for event in patient.events]


PHRASES = [
    pytest.param(span, id=span[:60])
    for cells in rows_after("What papers say")[1:]
    for span in re.findall(r"`([^`]+ = [^`]+)`", cells[1])
    if not span.startswith("{")
]


@pytest.mark.parametrize("span", PHRASES)
def test_what_papers_say_can_be_said(span: str) -> None:
    if span.startswith(("steps", "percent")):
        assert plain(edss(tomllib.loads(f"x = {{ {span} }}")["x"])).prose()
        return
    data = tomllib.loads(span)
    path, value = next(iter(data.items()))
    if isinstance(value, dict):
        path, value = f"{path}.{next(iter(value))}", next(iter(value.values()))
    beside: dict[str, Any] = {MOVES: ["worsening", "improvement", "relapse"]}
    if path in ("baseline.zero", "baseline.start_within_days"):
        beside["baseline.start"] = "first after time zero"
    if value == "previous visit":
        beside = {}
    changed = labelled(beside).changed({path: value})
    assert path in changed.settings()


def test_the_python_of_the_page(tmp_path) -> None:
    (tmp_path / "my.toml").write_text(EXAMPLE, encoding="utf-8")
    mine = load_definition(tmp_path / "my.toml")
    stricter = mine.changed({"confirmation.every_visit": True, "sustained.days": 336}, key="my-pira-sustained")
    assert [difference.setting for difference in diff(mine, stricter)] == ["sustained.days"]


@pytest.mark.parametrize(("months", "length", "from_day"), [(3, 30.25, 91), (6, 30.4375, 183), (12, 30.4375, 366)])
def test_the_page_rounds_months_as_the_program_does(months: int, length: float, from_day: int) -> None:
    assert months_in_days(months, days_a_month=length) == from_day


def test_a_changed_setting_loses_its_mark() -> None:
    before = definition("graf-2021")
    assert "confirmation.windows" in before.source.seen
    after = before.changed({"confirmation.windows": [{"name": "24w", "from_day": 168}], "edss.worsening": {"points": 1.0}})
    marks = {*after.source.seen, *after.source.assumed, *after.source.code}
    assert not marks & {"confirmation.windows", "edss.worsening"}
    assert "baseline.moves_after" in marks
    assert before.changed(relapses=None).labelled is False


@pytest.mark.parametrize("path", ["baseline.start.x", "measures.0.worsening"])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(DefinitionError, match="there is no setting"):
        definition("graf-2021").changed({path: 1})


def test_no_number_is_beyond_what_the_engine_holds() -> None:
    with pytest.raises(DefinitionError, match="finite number"):
        definition("cdw-12w").changed({"edss.worsening": {"points": float("inf")}})
    with pytest.raises(DefinitionError, match="less than or equal to 1000000"):
        definition("cdw-12w").changed({"edss.worsening": {"points": 3e7}})
    with pytest.raises(DefinitionError, match="reaches further than 100,000 days"):
        definition("mueller-2023").changed({"relapses.relapse_free": ["onset-3000000000 .. onset"]})
    with pytest.raises(DefinitionError, match="less than or equal to 100000"):
        definition("cdw-12w").changed({"confirmation.windows": [{"name": "w", "from_day": 10**12}]})
