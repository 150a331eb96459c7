"""What all figures of studies share: saving, words, ids, fonts, colours. Also helpers with which other tests read a drawing."""

from __future__ import annotations

import os
import re
import struct
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cohorts import cohort_of

from smoulder import detect
from smoulder.analysis import cox, cumulative_incidence, kaplan_meier
from smoulder.errors import UsageError
from smoulder.estimates import SurvivalOutcome, Term
from smoulder.figures import Chart, plot_cohort, plot_curve, plot_flow, plot_forest, plot_spread, plot_stack
from smoulder.figures.axes import PERCENT_TOPS, number_axis, p_text, percent, percent_ticks, round_top, time_axis
from smoulder.figures.labels import spaced
from smoulder.figures.palette import DASHES, SERIES_COLOURS, area_patterns, cause_colours
from smoulder.figures.pdf import in_order
from smoulder.figures.ramp import Ramp, ramp_colour
from smoulder.figures.style import FONTS, LOOKS, text_width
from smoulder.followed import FlowStep

SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]
Rect = tuple[float, float, float, float]

AWKWARD = "<b>\"&' \x00 ]]> \N{GRINNING FACE} ψ"
"""A name that would break markup, with a character that XML cannot hold, an emoji and another alphabet."""
LONG = "people with relapsing-remitting disease who started a high-efficacy treatment within two years of the first symptom"


# -- something to draw ----------------------------------------------------------------------


def outcome_of(
    n: int,
    groups: Sequence[str] = ("all",),
    causes: Sequence[str] = ("first PIRA",),
    *,
    last_day: int = 2000,
    share: float = 0.6,
    seed: int = 1,
) -> SurvivalOutcome:
    """Return an outcome of `n` people at random: the column "group" takes `groups` in turn; a share has one of the causes."""
    chance = np.random.default_rng(seed)
    time = chance.integers(1, last_day + 1, n).astype(np.int32)
    cause = ((chance.random(n) < share) * chance.integers(1, len(causes) + 1, n)).astype(np.int8)
    patients = pl.Series([f"P{k:05d}" for k in range(n)], dtype=pl.String)
    named = pl.Series([groups[k % len(groups)] for k in range(n)], dtype=pl.Enum(list(groups)))
    return SurvivalOutcome(
        name=causes[0],
        patients=patients,
        time=time,
        cause=cause,
        causes=tuple(causes),
        reason=pl.Series([causes[k - 1] if k else "last visit" for k in cause.tolist()], dtype=pl.String),
        free=np.zeros(n, dtype=np.int32),
        people=pl.DataFrame({"patient": patients, "group": named, "age": chance.normal(40, 10, n)}),
    )


# -- reading a drawing ----------------------------------------------------------------------


def root(chart: Chart) -> ET.Element:
    return ET.fromstring(chart.svg)


def groups(chart: Chart, role: str) -> list[ET.Element]:
    return [group for group in root(chart).iter(f"{SVG}g") if group.get("class") == role]


def texts(chart: Chart) -> list[str]:
    """Return every text, those of the axes too."""
    return [element.text or "" for element in root(chart).iter(f"{SVG}text")]


def words(element: ET.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def own_texts(chart: Chart) -> Iterator[tuple[str, Rect]]:
    """Return the texts that the sheet placed, with the box that each takes at most."""
    for element in root(chart).iter(f"{SVG}text"):
        if element.get("x") is None:
            continue
        x, y, size = (float(element.get(name, "0")) for name in ("x", "y", "font-size"))
        width = text_width(element.text or "", size, bold=element.get("font-weight") == "bold")
        left = {"start": x, "middle": x - width / 2, "end": x - width}[element.get("text-anchor", "start")]
        yield element.text or "", (left, y - 0.75 * size, left + width, y + 0.2 * size)


def overlaps(chart: Chart) -> list[tuple[str, str]]:
    found = [(text, box) for text, box in own_texts(chart) if text]
    return [
        (a, b)
        for i, (a, one) in enumerate(found)
        for b, other in found[i + 1 :]
        if one[0] < other[2] - 0.1 and other[0] < one[2] - 0.1 and one[1] < other[3] - 0.1 and other[1] < one[3] - 0.1
    ]


def outside(chart: Chart) -> list[str]:
    _, _, width, height = (float(number) for number in root(chart).get("viewBox", "").split())
    return [text for text, box in own_texts(chart) if box[0] < 0 or box[1] < 0 or box[2] > width or box[3] > height]


def plots(chart: Chart) -> list[ET.Element]:
    return groups(chart, "plot")


def paths(plot: ET.Element, name: str) -> list[ET.Element]:
    """Return the shapes of a layer that the plot was given under a name."""
    layers = [group for group in plot.iter(f"{SVG}g") if f"{name}_marks" in (group.get("class") or "").split()]
    return [shape for layer in layers for shape in layer if shape.tag in (f"{SVG}path", f"{SVG}line")]


def corners(path: ET.Element) -> list[Point]:
    """Return the corners of a path of straight lines, in the plot."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]?(-?[\d.]+)[, ](-?[\d.]+)", path.get("d", ""))]


def places(path: ET.Element) -> Point:
    """Return where a point mark stands in the plot."""
    found = re.fullmatch(r"translate\((-?[\d.]+),(-?[\d.]+)\)", path.get("transform", ""))
    assert found is not None, path.attrib
    return float(found[1]), float(found[2])


def plot_width(plot: ET.Element) -> float:
    """Return how wide a plot is, from its time axis."""
    lines = [line for group in plot.iter(f"{SVG}g") if "role-axis-domain" in (group.get("class") or "") for line in group]
    return max(float(line.get("x2", "0")) for line in lines)


def axis_labels(plot: ET.Element) -> list[list[str]]:
    found = [group for group in plot.iter(f"{SVG}g") if "role-axis-label" in (group.get("class") or "")]
    return [words(group) for group in found]


def require_sound(chart: Chart) -> None:
    """Assert what has to hold for every chart, whatever it shows."""
    tree = root(chart)
    assert tree.get("role") == "img"
    assert tree.get("aria-label") == chart.alt
    assert tree.findtext(f"{SVG}desc") == chart.alt
    assert tree.findtext(f"{SVG}title")
    assert chart.alt.endswith(".")
    assert re.findall(r"\w+://[^\s\"']*", chart.svg) == ["http://www.w3.org/2000/svg"]
    assert re.findall(r"\w+://[^\s\"']*", chart.html) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|link|img|iframe|image|use)\b|@import|\bon\w+=", chart.html)
    assert "NaN" not in chart.svg and "Infinity" not in chart.svg and "undefined,undefined" not in chart.svg
    names = re.findall(r'\bid="([^"]+)"', chart.svg)
    assert len(set(names)) == len(names)
    assert set(re.findall(r"url\(#([^)]+)\)", chart.svg)) <= set(names)
    assert set(re.findall(r'font-family="([^"]*)"', chart.svg)) <= {FONTS.replace("'", "&#39;"), FONTS}
    assert outside(chart) == []
    assert overlaps(chart) == []


def png_size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


# -- files ----------------------------------------------------------------------------------

STEPS = (
    FlowStep(key="tables", text="people in the tables", left_out=0, unknown=0, remaining=30),
    FlowStep(key="course", text="had course RRMS", left_out=4, unknown=1, remaining=26),
)


@pytest.fixture
def chart() -> Chart:
    return plot_flow(STEPS, title="Who is in")


def test_a_chart_is_saved_by_the_end_of_the_name(chart: Chart, tmp_path: Path) -> None:
    for ending in ("svg", "png", "PDF", "html"):
        chart.save(tmp_path / f"a.{ending}")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == chart.svg
    width, height = png_size((tmp_path / "a.png").read_bytes())
    _, _, wide, high = (float(number) for number in root(chart).get("viewBox", "").split())
    assert width == 2250
    assert height == pytest.approx(2250 * high / wide, abs=1)  # whole pixels
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert chart.svg in page and f"<p>{chart.alt}</p>" in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PDF", "a.html", "a.png", "a.svg"]


def test_a_pdf_is_as_wide_as_a_page_and_holds_its_text(chart: Chart) -> None:
    pdf = chart.pdf()
    assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert box is not None
    # 190 mm in points of 1/72 inch, written with two decimals.
    assert float(box[1]) == pytest.approx(190 / 25.4 * 72, abs=0.01)
    assert b"/ToUnicode" in pdf


def test_the_table_of_a_pdf_points_at_its_objects(chart: Chart) -> None:
    pdf = chart.pdf()
    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    lines = pdf[start:].split(b"\n")
    assert lines[0] == b"xref"
    n = int(lines[1].split()[1])
    offsets = [int(line.split()[0]) for line in lines[3 : 2 + n]]
    assert len(offsets) == n - 1
    for number, offset in enumerate(offsets, start=1):
        assert pdf[offset:].startswith(b"%d 0 obj\n" % number)
    assert in_order(pdf) == pdf


def test_the_same_numbers_give_the_same_bytes(chart: Chart) -> None:
    again = plot_flow(tuple(STEPS), title="Who is in")
    assert again == chart
    assert again.png() == chart.png()
    # Without putting them in order, two of five are already different.
    assert len({chart.pdf() for _ in range(5)}) == 1


def test_a_chart_is_written_whole_or_not_at_all(chart: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(b"before")

    def full(self: Path, content: bytes) -> int:
        self.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left on device"):
        chart.save(tmp_path / "a.pdf")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]
    assert (tmp_path / "a.pdf").read_bytes() == b"before"


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svgz"])
def test_another_ending_is_refused(chart: Chart, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=rf"^A figure is written as \.svg, \.png, \.pdf or \.html; got '{name}'\.$"):
        chart.save(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_two_charts_in_a_page_share_no_id() -> None:
    ids = [set(re.findall(r'\bid="([^"]+)"', plot_flow(STEPS, title=title).svg)) for title in ("one", "two")]
    assert ids[0] and ids[0].isdisjoint(ids[1])


def test_threads_get_the_bytes_that_one_gets(chart: Chart) -> None:
    found: list[bytes] = []
    workers = [threading.Thread(target=lambda: found.append(chart.png())) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [chart.png()] * 4


def test_awkward_titles_are_escaped() -> None:
    chart = plot_flow(STEPS, title=AWKWARD)
    require_sound(chart)
    assert "<b>" not in chart.svg + chart.html
    assert "\x00" not in chart.svg + chart.html + chart.alt
    assert "\N{GRINNING FACE}" in chart.svg


def test_a_very_long_title_is_cut_after_three_lines_and_whole_in_the_words() -> None:
    title = "word " * 400
    chart = plot_flow(STEPS, title=title)
    require_sound(chart)
    sizes = [element for element in root(chart).iter(f"{SVG}text") if element.get("font-size") == "16"]
    assert len(sizes) == 3 and (sizes[-1].text or "").endswith("…")
    assert title.strip() in chart.alt


# -- words and axes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_day", "unit", "ticks"),
    [
        (20, "days", (0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)),
        (1, "days", (0, 1)),
        (0, "days", (0, 1)),
        (120, "months", (0, 1, 2, 3)),
        (728, "months", (0, 3, 6, 9, 12, 15, 18, 21)),
        (731, "months", (0, 3, 6, 9, 12, 15, 18, 21, 24)),
        (1461, "months", (0, 6, 12, 18, 24, 30, 36, 42, 48)),
        (3653, "years", tuple(range(11))),
        (9131, "years", (0, 5, 10, 15, 20, 25)),
    ],
)
def test_time_is_in_a_unit_that_fits(last_day: int, unit: str, ticks: tuple[int, ...]) -> None:
    time = time_axis(last_day)
    assert (time.unit, time.ticks) == (unit, ticks)
    assert time.ticks[-1] * time.days_a_unit <= time.last_day
    assert 0 <= time.last_day - last_day <= 2


def test_an_axis_ends_at_a_round_number() -> None:
    assert [round_top(value, PERCENT_TOPS) for value in (0, 5, 5.1, 31, 99, 100)] == [5, 5, 10, 40, 100, 100]
    for top in PERCENT_TOPS:
        ticks = percent_ticks(top)
        assert (ticks[0], ticks[-1]) == (0, top)
        assert len({round(b - a, 9) for a, b in pairwise(ticks)}) == 1
    for highest in (0.0, 0.004, 0.37, 1.0, 1.21, 7.7, 234.0):
        ticks = number_axis(highest)
        assert ticks[-1] >= highest and (highest == 0 or ticks[-1] <= 1.6 * highest)
        assert 4 <= len(ticks) <= 7


def test_numbers_are_written_as_sentences_say_them() -> None:
    assert [percent(share) for share in (0, 0.5, 0.12345, 1, 0.0001, 0.99999)] == ["0 %", "50 %", "12.3 %", "100 %", "0.01 %", "100 %"]
    assert [p_text(p) for p in (0.0, 0.0009999, 0.001, 0.0494, 0.0999, 1.0)] == [
        "p < 0.001",
        "p < 0.001",
        "p = 0.001",
        "p = 0.049",
        "p = 0.10",
        "p = 1.00",
    ]


def test_names_are_pushed_apart_and_stay_inside() -> None:
    tops = spaced([(50, 10), (51, 10), (49, 10)], 0, 100)
    assert tops is not None
    assert sorted(tops)[1] - sorted(tops)[0] >= 10 and sorted(tops)[2] - sorted(tops)[1] >= 10
    assert tops[2] < tops[0] < tops[1]
    low = spaced([(99, 10), (98, 10)], 0, 100)
    assert low == [90, 80]
    assert spaced([(5, 60), (6, 60)], 0, 100) is None
    assert spaced([], 0, 100) == []


# -- colours --------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour (IEC 61966-2-1), independent of the code under test."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lightness(colour: str) -> float:
    """Return CIE L* of an sRGB colour (CIE 15), independent of the code under test."""
    light = luminance(colour)
    return 116 * light ** (1 / 3) - 16 if light > 0.008856 else 903.3 * light


def test_no_two_causes_have_colours_that_look_alike() -> None:
    colours = cause_colours(["first PIRA", "first RAW", "undefined", "undetermined", "improvement", "death"])
    apart = [
        sum((int(a[i : i + 2], 16) - int(b[i : i + 2], 16)) ** 2 for i in (1, 3, 5)) ** 0.5
        for n, a in enumerate(colours)
        for b in colours[n + 1 :]
    ]
    # The green of improvement and that of the series are 44 apart and look alike.
    assert min(apart) > 60


def test_the_colours_of_scores_darken_evenly() -> None:
    found = [lightness(ramp_colour(n / 20)) for n in range(21)]
    steps = [a - b for a, b in pairwise(found)]
    assert min(steps) > 0
    # L* falls from 94 to 20 in 20 steps of 3.7; eight-bit colours are off by up to half a unit.
    assert all(step == pytest.approx(3.7, abs=0.6) for step in steps)


def test_darker_is_worse_whichever_way_the_measure_goes() -> None:
    edss, sdmt = Ramp(0, 10), Ramp(110, 0)
    assert lightness(edss.colour(1)) > lightness(edss.colour(8))
    assert lightness(sdmt.colour(100)) > lightness(sdmt.colour(20))
    assert edss.colour(-3) == edss.colour(0) and edss.colour(12) == edss.colour(10)


def test_series_differ_in_colour_and_in_dash() -> None:
    assert len(set(SERIES_COLOURS)) == 8 and len(set(DASHES)) == 9
    looks = {(SERIES_COLOURS[n % 8], DASHES[n % 9]) for n in range(72)}
    assert len(looks) == 72


@pytest.mark.parametrize("causes", [["PIRA", "RAW"], ["first RAW", "first PIRA", "death"], list(LOOKS), [f"cause {n}" for n in range(8)]])
def test_causes_differ_in_colour_and_in_pattern(causes: list[str]) -> None:
    patterns = area_patterns(causes)
    assert len({pattern.ground for pattern in patterns}) == len(causes)
    assert len({(pattern.lines, pattern.width) for pattern in patterns}) == len(causes)
    colours = dict(zip(causes, cause_colours(causes), strict=True))
    for name, cause in (("PIRA", "first PIRA"), ("RAW", "first RAW")):
        for found in {name, cause} & set(causes):
            assert colours[found] == LOOKS[name].colour


# -- every kind -----------------------------------------------------------------------------


def every_kind() -> dict[str, Chart]:
    two, causes = outcome_of(80, ("control", "active")), outcome_of(80, ("control", "active"), ("PIRA", "RAW", "undefined"))
    visits = {"edss": "0:2.0 100:2.0 200:3.0 300:3.0 400:3.0"}
    followed = cohort_of({f"P{n}": visits for n in range(6)}, {"P0": [190], "P1": [20]})
    return {
        "curves": plot_curve(kaplan_meier(two, by="group")),
        "stack": plot_stack(cumulative_incidence(causes, by="group")),
        "forest": plot_forest(cox(two, [Term(column="group", title="arm"), Term(column="age", title="age", per=10, unit="years")])),
        "flow": plot_flow(STEPS),
        "strip": plot_cohort(followed, detect(followed, "mueller-2023")),
        "spread": plot_spread(followed),
    }


KINDS = every_kind()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_sound_saved_and_the_same_each_time(kind: str, tmp_path: Path) -> None:
    chart = KINDS[kind]
    require_sound(chart)
    assert every_kind()[kind].svg == chart.svg
    for ending, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF-"), ("html", b"<!DOCTYPE html>")):
        chart.save(tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes().startswith(start)
    with pytest.raises(UsageError, match="A figure is written as"):
        chart.save(tmp_path / "a.eps")


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 has it: 1 to 21."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_text_can_be_read_on_every_ground(kind: str) -> None:
    tree = root(KINDS[kind])
    inks = {text.get("fill") or "" for text in tree.iter(f"{SVG}text")}
    grounds = {box.get("fill") or "" for box in tree.iter(f"{SVG}rect")} - {"none"}
    grounds = {fill for fill in grounds if fill.startswith("#") and not fill.startswith(tuple(SERIES_COLOURS))}
    assert inks and "#ffffff" in grounds
    # Only the flow diagram writes on coloured boxes; those of the stack are swatches, those of the strip are scores.
    plain = {fill for fill in grounds if kind not in ("stack", "strip") or fill == "#ffffff"}
    # 4.5 to 1 is what WCAG 2 asks of small text.
    assert min(contrast(ink, ground) for ink in inks for ground in plain) >= 4.5
