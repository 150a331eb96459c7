"""Each known trap is told for definitions that allow it, and each is met by a patient worked by hand."""

from __future__ import annotations

from typing import Any

import pytest
from cohorts import cohort_of

from smoulder import definition
from smoulder.engine.detect import detect
from smoulder.rulebook import Definition, traps

COUNTED_AGAIN = "the same improvement is found and counted again"
BETTER = "0:4.0 91:2.0 182:2.0 273:2.0 364:2.0 455:2.0"


def rules(settings: dict[str, Any]) -> Definition:
    return definition("cdw-12w").changed({"looking_for": "every event", **settings})


def has_trap(one: Definition, words: str) -> bool:
    return any(words in sentence for sentence in traps(one))


def onsets(one: Definition, edss: str, kind: str, relapses: tuple[int, ...] = ()) -> list[int]:
    table = detect(cohort_of({"A": {"edss": edss}}, relapses={"A": relapses}), one).table
    return table.filter(table["kind"] == kind)["onset_day"].to_list()


# -- one lasting improvement, counted again ---------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "told", "found"),
    [
        ({"baseline.moves_after": ["worsening"]}, True, [91, 273]),
        ({"baseline.moves_after": ["worsening", "relapse"], "baseline.crossed_days": 30}, True, [91, 273]),
        ({"baseline.moves_after": ["worsening", "improvement"]}, False, [91]),
        ({"baseline.moves_after": ["worsening"], "edss.improvement": {"steps": [{}]}}, False, []),
        ({"baseline.moves_after": ["worsening"], "looking_for": "first improvement"}, False, [91]),
        ({"baseline.start": "previous visit"}, False, [91]),
    ],
)
def test_a_lasting_improvement_that_is_counted_again(settings: dict[str, Any], told: bool, found: list[int]) -> None:
    one = rules({"edss.improvement": None, **settings})
    assert onsets(one, BETTER, "improvement") == found
    assert has_trap(one, COUNTED_AGAIN) == told


def test_where_both_are_counted_again_one_sentence_tells_it() -> None:
    (sentence,) = [trap for trap in traps(rules({"edss.improvement": None})) if "counted again" in trap]
    assert "the same worsening is found and counted again; so is a lasting improvement. Let the baseline move after both" in sentence


# -- worsening that is taken into the reference -----------------------------------------------------


CREPT = "smaller than the threshold moves the reference: a slow worsening"
CREEPING = "0:2.0 91:2.5 182:2.5 273:3.0 364:3.0 455:3.5 546:3.5 637:4.0 728:4.0"
"""Half a point at a time, each held for 91 days."""


@pytest.mark.parametrize("looking_for", ["every event", "first worsening"])
@pytest.mark.parametrize(
    ("sub_threshold", "told", "found"),
    [("worsening", True, []), ("both", True, []), ("improvement", False, [273, 637]), ("no", False, [273, 637])],
)
def test_a_worsening_by_steps_below_the_threshold(looking_for: str, sub_threshold: str, told: bool, found: list[int]) -> None:
    """The EDSS doubles, and where steps below the threshold move the reference nothing is found."""
    moves = {"baseline.moves_after": ["worsening", "improvement"], "baseline.sub_threshold": sub_threshold}
    one = rules({**moves, "looking_for": looking_for})
    assert onsets(one, CREEPING, "worsening") == (found if looking_for == "every event" else found[:1])
    assert has_trap(one, CREPT) == told


CAME_BACK = "confirmed and not sustained is no event and moves the reference all the same"
TWICE = "0:2.0 91:3.0 182:3.0 273:2.5 364:3.0 455:3.0 546:3.0"
"""At 3.0 for a quarter, half a point better for one visit, and at 3.0 to the end."""


@pytest.mark.parametrize("looking_for", ["every event", "first worsening"])
@pytest.mark.parametrize(
    ("settings", "told", "found"),
    [
        ({"baseline.unsustained_moves": True}, True, []),
        ({"baseline.unsustained_moves": False}, False, [364]),
        ({"baseline.unsustained_moves": True, "sustained.kinds": "improvement"}, False, [91]),
        ({"baseline.unsustained_moves": True, "baseline.moves_after": ["improvement"]}, False, [364]),
    ],
)
def test_a_worsening_that_comes_back_to_stay(looking_for: str, settings: dict[str, Any], told: bool, found: list[int]) -> None:
    moves = {"baseline.moves_after": ["worsening"], "sustained.days": "to the end"}
    one = rules({**moves, "looking_for": looking_for, **settings})
    assert onsets(one, TWICE, "worsening")[:1] == found
    assert has_trap(one, CAME_BACK) == told


SWALLOWED = "a second step between onset and that visit is taken into the new reference"
TWO_STEPS = "0:2.0 180:3.0 270:4.0 360:4.0 450:4.0 540:4.0"


@pytest.mark.parametrize(
    ("settings", "told", "found"),
    [
        ({"baseline.moves_to": "confirmation"}, True, [180]),
        ({"baseline.moves_to": "onset"}, False, [180, 270]),
        ({"baseline.moves_to": "lowest score"}, False, [180, 270]),
        ({"baseline.moves_to": "confirmation", "confirmation.windows": []}, False, [180, 270]),
    ],
)
def test_x19_the_confirming_visit_swallows_a_second_step(settings: dict[str, Any], told: bool, found: list[int]) -> None:
    one = rules({"baseline.moves_after": ["worsening"], **settings})
    assert onsets(one, TWO_STEPS, "worsening") == found
    assert has_trap(one, SWALLOWED) == told


@pytest.mark.parametrize(("looking_for", "relapse", "label"), [("first PIRA", 170, "PIRA"), ("first RAW", 261, "RAW")])
@pytest.mark.parametrize(("moves_to", "told"), [("confirmation", True), ("onset", False)])
def test_the_first_of_a_label_is_swallowed_by_a_worsening_of_another(
    looking_for: str, relapse: int, label: str, moves_to: str, told: bool
) -> None:
    """The first step is RAW and the second PIRA, or the other way round; the one looked for is the second."""
    one = rules(
        {
            "baseline.moves_after": ["worsening"],
            "baseline.moves_to": moves_to,
            "relapses": {"raw": {"days_before_onset": 30}, "relapse_free": ["onset-30 .. onset"]},
            "looking_for": looking_for,
        }
    )
    table = detect(cohort_of({"A": {"edss": TWO_STEPS}}, relapses={"A": [relapse]}), one).table
    assert table.select("label", "onset_day").rows() == ([] if told else [(label, 270)])
    assert has_trap(one, SWALLOWED) == told


def test_the_trap_is_not_told_where_the_search_ends_with_the_first_worsening() -> None:
    one = rules({"baseline.moves_after": ["worsening"], "looking_for": "first worsening"})
    assert onsets(one, TWO_STEPS, "worsening") == [180]
    assert not has_trap(one, SWALLOWED)
