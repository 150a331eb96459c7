"""The patient's timeline: all that is known is on it, nothing overlaps or leaves the sheet, and the files are whole."""

from __future__ import annotations

import random
import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smoulder.errors import UsageError
from smoulder.events import ExplainedEvent, ExplainedMeasure, ExplainedStep, Explanation
from smoulder.figures import Figure, plot_patient
from smoulder.figures.sentences import unconfirmed
from smoulder.figures.strips import as_many_as_fit, lanes
from smoulder.figures.style import LOOKS, shortened, text_width, wrapped
from smoulder.provenance import Provenance
from smoulder.rulebook.model import Definition, definition_from
from smoulder.terms import MEASURES, Measure

SVG = "{http://www.w3.org/2000/svg}"
RULES = """
title = "Roving baseline, PIRA and RAW"
key = "roving"
[[measures]]
measure = "edss"
worsening = { steps = [{ up_to = 0.0, change = 1.5 }, { up_to = 5.5, change = 1.0 }, { change = 0.5 }] }
[confirmation]
windows = [{ name = "12w", from_day = 84 }, { name = "24w", from_day = 168 }]
[relapses]
raw = { days_before_onset = 90 }
relapse_free = ["baseline .. confirmation+30"]
"""
MORE = """
[[measures]]
measure = "t25fw"
worsening = { percent = 20.0 }
[[measures]]
measure = "nhpt"
worsening = { percent = 20.0 }
[[measures]]
measure = "sdmt"
worsening = { points = 4.0 }
"""


def rules(**changes: Any) -> Definition:
    return definition_from(tomllib.loads(RULES) | changes, where="test")


def composite() -> Definition:
    return definition_from(tomllib.loads(RULES + MORE), where="test")


def event(onset: int, *, label: str | None = "PIRA", kind: str = "worsening", **changes: Any) -> ExplainedEvent:
    given: dict[str, Any] = {
        "kind": kind,
        "label": label,
        "onset_day": onset,
        "onset": 300,
        "baseline_day": 16000,
        "reference": 200,
        "compared_with": "reference",
        "confirmation_day": onset + 90,
        "windows": (("12w", onset + 90), ("24w", onset + 180)),
        "pira_confirmation_day": onset + 90 if label == "PIRA" else None,
        "sustained_until_day": onset + 270,
        "forgiven_days": (),
        "raw_windows": ((onset - 90, onset),) if label else (),
        "relapse_free": ((16000, onset + 120),) if label else (),
        "mri": None,
        "mri_spans": (),
    }
    return ExplainedEvent(**given | changes)


def judged(
    days: tuple[int, ...], scores: tuple[int, ...], *events: ExplainedEvent, measure: Measure = MEASURES["edss"], steps: Any = ()
) -> ExplainedMeasure:
    references = ((days[0], scores[0]), *((e.confirmation_day or e.onset_day, e.onset) for e in events)) if days else ()
    return ExplainedMeasure(
        measure=measure, days=days, scores=scores, steps=tuple(steps), events=events, references=references, sought=()
    )


def explanation(*measures: ExplainedMeasure, definition: Definition | None = None, **changes: Any) -> Explanation:
    definition = definition or rules()
    days = [day for measure in measures for day in measure.days]
    origin = Provenance(
        version="9.9.9",
        definitions=(definition,),
        input_sha256="abcdef0123456789",
        n_patients=1,
        n_visits=len(days),
        n_relapses=0,
        relapse_knowledge="recorded",
        set_aside=(),
    )
    given: dict[str, Any] = {
        "patient": "P017",
        "definition": definition,
        "calendar": "date",
        "measures": measures,
        "relapse_days": (),
        "relapse_knowledge": "recorded",
        "treatments": (),
        "scans": (),
        "follow_up": (min(days), max(days)) if days else None,
        "provenance": origin,
    }
    return Explanation(**given | changes)


QUARTERS = tuple(range(16000, 16000 + 12 * 90, 90))
PIRA = explanation(
    judged(QUARTERS, (200, 200, 200, 200, 300, 300, 300, 300, 300, 300, 300, 300), event(16360)),
    relapse_days=(16100, 16800),
    treatments=(("interferon beta-1a", 15000, 16200), ("natalizumab", 16230, None)),
)
"""Onset on 2014-10-17; relapses on 2014-01-30 and 2015-12-31."""


def refused(onset: int) -> tuple[ExplainedStep, ...]:
    nothing: dict[str, Any] = {"score": None, "reference_day": None, "reference": None, "change": None, "needed": None, "rule": ""}
    return (
        ExplainedStep(step="compare", visit_day=onset, verdict="worse", text="met", **nothing),
        ExplainedStep(step="confirm", visit_day=onset + 90, verdict="not confirmed", text="refused", **nothing),
    )


DRUGS = ("x", "natalizumab", "a treatment with a remarkably long name, given twice a year")


def several(seed: int) -> Explanation:
    """Return a made-up patient: up to 25 years, 15 relapses and 12 events on up to four measures."""
    luck = random.Random(seed)
    calendar = luck.choice(["date", "day"])
    start = 9000 if calendar == "date" else 0
    days = tuple(sorted({start + luck.randrange(0, luck.choice([200, 2000, 9100])) for _ in range(luck.choice([1, 2, 10, 60]))}))
    specs = [MEASURES[key] for key in ("edss", "t25fw", "nhpt", "sdmt")][: luck.choice([1, 4])]
    names = [*(name for name in LOOKS if name not in ("improvement", "worsening")), None]
    measures = []
    for spec in specs:
        found = []
        for _ in range(luck.choice([0, 1, 12]) if len(days) > 2 else 0):
            onset = luck.randrange(days[0], days[-1])
            kind = luck.choice(["worsening", "worsening", "improvement"])
            late = luck.choice([100, 400])
            windows = luck.choice([(), (("12w", onset + 90),), (("12w", onset + 90), ("24w", onset + late))])
            first = min((day for _, day in windows), default=None)
            label = luck.choice(names) if kind == "worsening" else None
            pira = windows[-1][1] if windows and label == "PIRA" else None
            found.append(event(onset, label=label, kind=kind, windows=windows, confirmation_day=first, pira_confirmation_day=pira))
        scores = tuple(luck.randrange(100, 900, 50) for _ in days)
        measures.append(judged(days, scores, *sorted(found, key=lambda e: e.onset_day), measure=spec))
    return explanation(
        *measures,
        definition=composite() if len(specs) > 1 else rules(),
        calendar=calendar,
        relapse_days=tuple(sorted(start + luck.randrange(-3000, 12000) for _ in range(luck.choice([0, 1, 15])))),
        treatments=tuple(
            (
                luck.choice(["x", "natalizumab", "a treatment with a remarkably long name, given twice a year"]),
                day,
                luck.choice([None, day + 900]),
            )
            for day in sorted(start + luck.randrange(-3000, 12000) for _ in range(luck.choice([0, 3, 9])))
        ),
    )


# -- reading a figure -----------------------------------------------------------------------

Rect = tuple[float, float, float, float]


def root(figure: Figure) -> ET.Element:
    return ET.fromstring(figure.svg)


def groups(figure: Figure, role: str) -> list[ET.Element]:
    return [group for group in root(figure).iter(f"{SVG}g") if group.get("class") == role]


def texts(figure: Figure) -> list[str]:
    return [element.text or "" for element in root(figure).iter(f"{SVG}text")]


def tips(figure: Figure, role: str) -> list[str]:
    return [group.findtext(f"{SVG}title") or "" for group in groups(figure, role)]


def text_box(element: ET.Element) -> Rect:
    x, y, size = (float(element.get(name, "0")) for name in ("x", "y", "font-size"))
    width = text_width(element.text or "", size, bold=element.get("font-weight") == "bold")
    left = {"start": x, "middle": x - width / 2, "end": x - width}[element.get("text-anchor", "start")]
    return left, y - 0.75 * size, left + width, y + 0.2 * size


def drawn_boxes(figure: Figure) -> Iterator[Rect]:
    tree = root(figure)
    for definitions in tree.findall(f"{SVG}defs"):
        tree.remove(definitions)
    for element in tree.iter():
        if element.tag == f"{SVG}text":
            yield text_box(element)
        elif element.tag == f"{SVG}rect":
            x, y, width, height = (float(element.get(name, "0")) for name in ("x", "y", "width", "height"))
            yield x, y, x + width, y + height
        elif element.tag == f"{SVG}circle":
            x, y, radius = (float(element.get(name, "0")) for name in ("cx", "cy", "r"))
            yield x - radius, y - radius, x + radius, y + radius
        elif element.tag == f"{SVG}path":
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", element.get("d", ""))]
            yield min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] - 0.1 and b[0] < a[2] - 0.1 and a[1] < b[3] - 0.1 and b[1] < a[3] - 0.1


def colliding_texts(figure: Figure) -> list[tuple[str, str]]:
    """Return pairs of texts that touch."""
    found = [(element.text or "", text_box(element)) for element in root(figure).iter(f"{SVG}text")]
    return [(a, b) for i, (a, box) in enumerate(found) for b, other in found[i + 1 :] if overlap(box, other)]


def outside_the_sheet(figure: Figure) -> list[Rect]:
    _, _, width, height = (float(number) for number in root(figure).get("viewBox", "").split())
    return [box for box in drawn_boxes(figure) if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height]


# -- what is on it --------------------------------------------------------------------------


def test_a_pira_shows_all_that_is_known() -> None:
    figure = plot_patient(PIRA)
    shown = texts(figure)
    assert {"Patient P017", "PIRA", "12w", "24w", "EDSS (points)", "interferon beta-1a", "natalizumab"} <= set(shown)
    assert "PIRA, onset 2014-10-17" in shown
    assert tips(figure, "event") == ["PIRA, 2.0 to 3.0, onset 2014-10-17; 12w 2015-01-15; 24w 2015-04-15"]
    assert tips(figure, "relapse") == ["relapse, 2014-01-30", "relapse, 2015-12-31"]
    assert tips(figure, "treatment") == ["interferon beta-1a (2011-01-26 to 2014-05-10)", "natalizumab (from 2014-06-09)"]
    assert tips(figure, "relapse-free") == ["2013-10-22 to 2015-02-14: has to be free of relapses for PIRA"]
    assert tips(figure, "raw-window") == ["2014-07-19 to 2014-10-17: a relapse here makes it RAW"]
    assert tips(figure, "reference") == ["reference in force: 2.0, 3.0"]
    assert len(groups(figure, "visit")) == len(QUARTERS)


def test_a_raw_leaves_out_the_intervals_that_had_no_say() -> None:
    raw = replace(PIRA, measures=(judged(QUARTERS, PIRA.measures[0].scores, event(16360, label="RAW")),), relapse_days=(16300,))
    assert groups(plot_patient(raw), "relapse-free") == []
    assert len(groups(plot_patient(raw), "raw-window")) == 1
    both = replace(
        raw, definition=rules(relapses={"raw": {"days_before_onset": 90}, "relapse_free": ["baseline .. onset"], "exclusive": False})
    )
    assert len(groups(plot_patient(both), "relapse-free")) == 1


@pytest.mark.parametrize("label", [*LOOKS])
def test_every_label_has_its_tag(label: str) -> None:
    kind = "improvement" if label == "improvement" else "worsening"
    shown = event(16360, label=None if label == kind else label, kind=kind)
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12, shown)))
    assert [tag.findtext(f"{SVG}text") for tag in groups(figure, "tag")] == [label]


def test_a_pira_that_was_confirmed_later_than_the_worsening_says_so() -> None:
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12, event(16360, pira_confirmation_day=16540))))
    assert "24w as PIRA" in texts(figure)
    assert "as PIRA 2015-04-15" in figure.verdicts[0]


def test_a_worsening_counted_without_confirmation_says_so() -> None:
    counted = event(16990, confirmation_day=None, windows=(("12w", None),), pira_confirmation_day=None)
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12, counted)))
    assert "not confirmed, counted" in texts(figure)
    assert "counted without a confirming visit" in figure.alt


def test_no_event_is_said_and_refused_changes_are_hollow() -> None:
    scores = (200, 300, 200, 200)
    figure = plot_patient(explanation(judged(QUARTERS[:4], scores, steps=refused(16090))))
    assert {"No event", "no event"} <= set(texts(figure))
    assert tips(figure, "unconfirmed") == ["2014-01-20: 3.0, not confirmed"]
    assert figure.verdicts == ("No event; 1 change past the threshold did not become one.",)


def test_a_change_found_again_as_an_event_is_not_hollow() -> None:
    assert unconfirmed(judged(QUARTERS, (200,) * 12, event(16090), steps=refused(16090))) == {}


def test_a_composite_names_its_first_event_and_its_directions() -> None:
    first, later = event(16360), event(16540, label="RAW")
    measures = (
        judged(QUARTERS, (200,) * 12, later),
        judged(QUARTERS, (600,) * 12, measure=MEASURES["t25fw"]),
        judged((), (), measure=MEASURES["nhpt"]),
        judged(QUARTERS, (5000,) * 12, first, measure=MEASURES["sdmt"]),
    )
    shown = texts(plot_patient(explanation(*measures, definition=composite())))
    assert "First worsening on any measure: PIRA on the SDMT, onset 2014-10-17; 2 events: 1 PIRA, 1 RAW" in shown
    assert {"lower is worse", "no event", "no visit with this measure", "24w · first on any measure"} <= set(shown)


@pytest.mark.parametrize(
    ("knowledge", "said"), [("recorded", "none recorded"), ("none", "none (stated"), ("unknown", "not known (there is no relapse table)")]
)
def test_what_is_known_of_relapses_is_said(knowledge: str, said: str) -> None:
    figure = plot_patient(explanation(judged(QUARTERS, (200,) * 12), relapse_knowledge=knowledge))
    assert any(text.startswith(said) for text in texts(figure))
    assert said in figure.alt


def test_nothing_known_at_all_is_a_figure_too() -> None:
    for empty in (explanation(judged((), ())), explanation(judged((), ()), relapse_days=(16000,))):
        figure = plot_patient(empty)
        assert outside_the_sheet(figure) == []
        assert figure.verdicts == ("No event: there is no visit to judge.",)


def test_day_numbers_stay_day_numbers() -> None:
    figure = plot_patient(explanation(judged((0, 84, 168, 336), (200, 300, 300, 300), event(84)), calendar="day"))
    assert {"day", "100", "200", "PIRA, onset day 84"} <= set(texts(figure))
    assert "onset day 84" in figure.alt


def test_relapses_and_treatments_far_away_are_listed_at_the_edge() -> None:
    figure = plot_patient(replace(PIRA, relapse_days=(12000, 12400, 16100, 19000), treatments=(("x", 11000, 11900), ("y", 20000, None))))
    shown = texts(figure)
    assert {"2 earlier: 2002-11-09, 2003-12-14", "1 later: 2022-01-08", "x, until 2002-08-01", "y, from 2024-10-04"} <= set(shown)
    assert len(groups(figure, "relapse")) == 4


# -- how it is laid out ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_nothing_overlaps_or_leaves_the_sheet(seed: int) -> None:
    told = several(seed)
    figure = plot_patient(told)
    assert outside_the_sheet(figure) == []
    assert colliding_texts(figure) == []
    assert len(groups(figure, "relapse")) == len(told.relapse_days)
    assert len(groups(figure, "treatment")) == len(told.treatments)
    assert len(groups(figure, "event")) == sum(len(measure.events) for measure in told.measures)
    tags = [text_box(tag.findall(f"{SVG}text")[0]) for tag in groups(figure, "tag")]
    assert not any(overlap(a, b) for i, a in enumerate(tags) for b in tags[i + 1 :])


def test_lanes_are_shared_until_two_would_touch() -> None:
    assert lanes([(0, 10), (5, 20), (30, 40), (19, 29)], gap=8) == [0, 1, 0, 2]


def test_a_date_is_listed_whole_or_not_at_all() -> None:
    assert as_many_as_fit("2 earlier: ", ["2001-01-01", "2002-02-02"], 500) == "2 earlier: 2001-01-01, 2002-02-02"
    assert as_many_as_fit("2 earlier: ", ["2001-01-01", "2002-02-02"], 150) == "2 earlier: 2001-01-01, …"


def test_text_is_shortened_and_wrapped_to_a_width() -> None:
    assert shortened("natalizumab", 500, 10) == "natalizumab"
    assert shortened("natalizumab", 40, 10).endswith("…")
    assert all(text_width(part, 10) <= 100 for part in wrapped("a few words that do not fit, andonethatislongerthantheline", 100, 10))


# -- what it is written in ------------------------------------------------------------------


def test_names_are_escaped_and_control_characters_replaced() -> None:
    name = "<script>&\"'\x00\x1b]]>"
    figure = plot_patient(replace(PIRA, patient=name, treatments=(('<b>"&', 16000, None),)))
    assert "Patient <script>&\"'\ufffd\ufffd]]>" in texts(figure)
    assert '<b>"&' in texts(figure)
    assert "<script" not in figure.svg + figure.html
    assert "\x00" not in figure.svg + figure.html + figure.alt


def test_a_name_that_is_too_long_is_shortened_but_kept_in_the_words() -> None:
    figure = plot_patient(replace(PIRA, patient="P" * 400))
    assert outside_the_sheet(figure) == []
    assert "P" * 400 in figure.alt


def test_the_same_patient_gives_the_same_bytes() -> None:
    assert plot_patient(PIRA) == plot_patient(replace(PIRA))
    assert plot_patient(PIRA).png() == plot_patient(replace(PIRA)).png()


def test_two_figures_in_a_page_share_no_id() -> None:
    ids = [set(re.findall(r'id="([^"]+)"', plot_patient(told).svg)) for told in (PIRA, replace(PIRA, patient="other"))]
    assert ids[0] and ids[0].isdisjoint(ids[1])


def test_it_can_be_read_aloud() -> None:
    figure = plot_patient(PIRA)
    tree = root(figure)
    by_id = {element.get("id"): element.text for element in tree if element.get("id")}
    title, description = (by_id[name] for name in (tree.get("aria-labelledby") or "").split())
    assert tree.get("role") == "img"
    assert title == "Patient P017: PIRA, onset 2014-10-17"
    assert description == figure.alt
    assert figure.alt == (
        "Timeline of patient P017 under Roving baseline, PIRA and RAW [roving]. Visits from 2013-10-22 to 2016-07-08. "
        "EDSS: 12 visits, 2.0 at the first, 3.0 at the last, 2.0 to 3.0. 2 relapses: 2014-01-30, 2015-12-31. "
        "Treatments: interferon beta-1a (2011-01-26 to 2014-05-10), natalizumab (from 2014-06-09). "
        "Worsening (PIRA) on the EDSS, onset 2014-10-17, from 2.0 to 3.0; confirmed 2015-01-15 (12w) and 2015-04-15 (24w); "
        "held until 2015-07-14."
    )


def test_nothing_is_fetched() -> None:
    figure = plot_patient(PIRA)
    assert re.findall(r"https?://[^\s\"']*", figure.svg) == ["http://www.w3.org/2000/svg"]
    assert re.findall(r"https?://[^\s\"']*", figure.html) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|link|img|iframe)|@import|\bon\w+=", figure.html)


def test_tags_can_be_read() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for look in LOOKS.values():
        bright, dark = sorted((light(look.fill), light(look.text)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, look


# -- files ----------------------------------------------------------------------------------


def test_a_figure_is_saved_by_the_end_of_the_name(tmp_path: Path) -> None:
    figure = plot_patient(PIRA)
    for name in ("a.svg", "a.png", "a.HTML"):
        figure.save(tmp_path / name)
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == figure.svg
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "a.HTML").read_text(encoding="utf-8")
    assert figure.svg in page
    assert all(sentence in page for sentence in figure.verdicts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.HTML", "a.png", "a.svg"]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^A figure is written as \.svg, \.png or \.html; got 'a\.pdf'\.$"):
        plot_patient(PIRA).save(tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(UsageError, match=re.escape("pip install 'smoulder[png]'")):
        plot_patient(PIRA).save(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.svg").write_text("before", encoding="utf-8")

    def full(self: Path, content: bytes) -> int:
        self.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left on device"):
        plot_patient(PIRA).save(tmp_path / "a.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == "before"


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        plot_patient(PIRA).save(tmp_path / "no" / "a.svg")
