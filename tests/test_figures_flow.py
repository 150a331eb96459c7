"""The flow diagram: every step with its number, who was left out beside it, and nothing on top of anything else."""

from __future__ import annotations

import pytest
from test_figures_chart import AWKWARD, LONG, SVG, Rect, groups, require_sound, texts, words

from smoulder.figures import Chart, plot_flow
from smoulder.figures.flow import denied
from smoulder.followed import FlowStep


def step(text: str, left_out: int, remaining: int, unknown: int = 0, note: str = "") -> FlowStep:
    return FlowStep(key=text, text=text, left_out=left_out, unknown=unknown, remaining=remaining, note=note)


STEPS = (
    step("people in the tables", 0, 1200),
    step("had course RRMS", 100, 1100, unknown=30),
    step("were treated with natalizumab for at least 731 days", 0, 1100, note="not applied: there is no table of treatments"),
    step("have a starting visit", 7, 1093, unknown=7),
    step("had no relapse and no worsening", 93, 1000),
)


def box_of(group: object) -> Rect:
    box = group.find(f"{SVG}rect")  # pyright: ignore[reportAttributeAccessIssue]
    x, y, width, height = (float(box.get(name)) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def boxes(chart: Chart) -> list[Rect]:
    return [box_of(group) for role in ("step", "step not-applied", "left-out") for group in groups(chart, role)]


def test_every_step_has_a_box_with_its_number_and_words() -> None:
    chart = plot_flow(STEPS)
    require_sound(chart)
    found = [words(group) for group in (*groups(chart, "step"), *groups(chart, "step not-applied"))]
    assert len(found) == 5
    assert {lines[0] for lines in found} == {"n = 1,200", "n = 1,100", "n = 1,093", "n = 1,000"}
    assert [" ".join(lines[1:]) for lines in found][:2] == ["People in the tables", "Had course RRMS"]
    assert chart.subtitle == "1,000 of 1,200 people remain"


def test_who_was_left_out_stands_beside_with_the_reason() -> None:
    found = [" ".join(words(group)) for group in groups(plot_flow(STEPS), "left-out")]
    assert found == [
        "Left out: 100 Did not have course RRMS Of them 30 of whom it is not known",
        "Left out: 7 Not known whether they have a starting visit",
        "Left out: 93 Not met: had no relapse and no worsening",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("had course RRMS", "Did not have course RRMS"),
        ("have a starting visit", "Do not have a starting visit"),
        ("were treated with natalizumab", "Were not treated with natalizumab"),
        ("are adults", "Are not adults"),
        ("had not had EDSS 6 before", "Had had EDSS 6 before"),
        ("had no relapse and no worsening", "Not met: had no relapse and no worsening"),
        ("had their first visit not before 2010", "Not met: had their first visit not before 2010"),
        ("people in the tables", "Not met: people in the tables"),
    ],
)
def test_what_was_not_met_is_said_in_plain_words_where_that_is_safe(text: str, said: str) -> None:
    assert denied(text) == said


def test_a_step_that_was_not_applied_is_dashed_and_says_why() -> None:
    chart = plot_flow(STEPS)
    (off,) = groups(chart, "step not-applied")
    assert off.find(f"{SVG}rect").get("stroke-dasharray")  # pyright: ignore[reportOptionalMemberAccess]
    assert "not applied: there is no table of treatments" in " ".join(words(off))
    assert chart.caption == "Dashed: a step that was not applied."
    assert plot_flow(STEPS[:2]).caption == ""


def test_the_last_box_stands_out_and_steps_are_joined_by_arrows() -> None:
    chart = plot_flow(STEPS)
    fills = [group.find(f"{SVG}rect").get("fill") for group in groups(chart, "step")]  # pyright: ignore[reportOptionalMemberAccess]
    assert fills == ["#ffffff", "#ffffff", "#ffffff", "#dcedf9"]
    assert len(groups(chart, "arrow")) == 4


def test_the_words_tell_every_number() -> None:
    assert plot_flow(STEPS, title="Who entered").alt == (
        "Who entered. People in the tables: 1,200 remain. Had course RRMS: 1,100 remain, 100 left out (30 of them not known). "
        "Were treated with natalizumab for at least 731 days: 1,100 remain; not applied: there is no table of treatments. "
        "Have a starting visit: 1,093 remain, 7 left out (7 of them not known). Had no relapse and no worsening: 1,000 remain, 93 left out."
    )


def test_twenty_steps_with_long_and_awkward_words_do_not_touch() -> None:
    steps = [step("people in the tables", 0, 5000)]
    for n in range(1, 20):
        text = (AWKWARD, LONG, "had 高効果治療群")[n % 3]
        steps.append(step(text, n % 4, steps[-1].remaining - n % 4, unknown=n % 4 // 2, note=f"note {LONG}" if n % 5 == 0 else ""))
    chart = plot_flow(steps)
    require_sound(chart)
    found = boxes(chart)
    assert len(found) == 20 + sum(one.left_out > 0 for one in steps)
    for n, a in enumerate(found):
        for b in found[n + 1 :]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def test_no_step_and_one_step() -> None:
    for steps in ((), STEPS[:1]):
        require_sound(plot_flow(steps))
    assert "There is no step to show." in texts(plot_flow(()))
    assert groups(plot_flow(STEPS[:1]), "arrow") == []
