"""The rules beside the scan with other settings: checked anew, and refused with a sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest

from smoulder import definition
from smoulder.errors import DefinitionError
from smoulder.rulebook.milestone import Milestone
from smoulder.rulebook.model import Confirmation, Window
from smoulder.rulebook.neda import BrainVolume, Scans, neda_rule
from smoulder.rulebook.parts import Part
from smoulder.rulebook.periods import AreaUnderCurve, Blocks, Decomposition
from smoulder.rulebook.progression import LORSCHEIDER_2016, LORSCHEIDER_2016_NO_SYSTEMS
from smoulder.rulebook.relapse_events import RelapseHygiene, RelapseRate

MILESTONE = Milestone(key="edss-6", title="EDSS 6", score=6.0, confirmation=Confirmation(windows=(Window(name="24w", from_day=168),)))
RULES: list[tuple[Part, dict[str, Any]]] = [
    (LORSCHEIDER_2016, {"minimum_edss": 6.0}),
    (LORSCHEIDER_2016_NO_SYSTEMS, {"forgiven": 0, "key": "strict"}),
    (LORSCHEIDER_2016.significant_relapse, {"stable_months": 9}),
    (MILESTONE, {"score": 4.0, "key": "edss-4"}),
    (neda_rule(definition("cdw-12w")), {"to_day": 730, "brain_volume": BrainVolume()}),
    (Scans(), {"baseline_days": 30}),
    (RelapseHygiene(), {"apart_days": 60}),
    (RelapseRate(), {"period_days": 365}),
    (Blocks(), {"longest_gap_days": 400}),
    (Decomposition(), {"days_after_relapse": 180}),
    (AreaUnderCurve(), {"measure": "sdmt"}),
]


@pytest.mark.parametrize(("rule", "settings"), RULES, ids=lambda value: type(value).__name__ if isinstance(value, Part) else "")
def test_a_rule_with_other_settings(rule: Part, settings: dict[str, Any]) -> None:
    new = rule.changed(**settings)
    assert type(new) is type(rule)
    assert {name: getattr(new, name) for name in settings} == settings
    kept = type(rule).model_fields.keys() - settings.keys()
    assert {name: getattr(new, name) for name in kept} == {name: getattr(rule, name) for name in kept}
    assert new != rule
    assert rule.changed() == rule


@pytest.mark.parametrize(
    ("rule", "settings", "sentence"),
    [
        (LORSCHEIDER_2016, {"minimum_edss": 11.0}, "'lorscheider-2016': minimum_edss: should be less than or equal to 10."),
        (LORSCHEIDER_2016, {"minimum_edss": "six"}, "'lorscheider-2016': minimum_edss: should be a valid number."),
        (LORSCHEIDER_2016, {"minimal_edss": 6.0}, "'lorscheider-2016': There is no setting 'minimal_edss'; did you mean 'minimum_edss'?"),
        (
            LORSCHEIDER_2016,
            {"forgiven": -1, "fewest_visits": 1},
            "forgiven: should be greater than or equal to 0; fewest_visits: should be",
        ),
        (MILESTONE, {"measure": "gait"}, "'edss-6': 'gait' is no known measure"),
        (neda_rule(definition("cdw-12w")), {"to_day": 0}, "Neda: the window ends (day 0) before or on the day it starts (day 0)."),
        (neda_rule(definition("cdw-12w")), {"worsening": definition("cdi-top-2020")}, "looks for the first improvement"),
        (Scans(), {"needed": ("gd",), "counts": ("new_t2",)}, "needed names gadolinium-enhancing, which counts does not"),
        (RelapseRate(), {"period": 365}, "RelapseRate: There is no setting 'period'; did you mean 'period_days'?"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(rule: Part, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(sentence)):
        rule.changed(**settings)


def test_what_was_changed_is_no_longer_said_to_come_from_the_source() -> None:
    stricter = LORSCHEIDER_2016.changed(minimum_edss=6.0, forgiven=2)
    assert (LORSCHEIDER_2016.evidence("minimum_edss"), stricter.evidence("minimum_edss")) == ("seen", "")
    assert (LORSCHEIDER_2016.evidence("forgiven"), stricter.evidence("forgiven")) == ("code", "")
    assert stricter.evidence("improvement") == "code"
    assert "; forgiven;" not in stricter.prose() and "; forgiven;" in LORSCHEIDER_2016.prose()
