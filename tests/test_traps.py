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
