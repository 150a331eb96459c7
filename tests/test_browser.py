"""The report in a browser: nothing is fetched, everything is seen, on a wide and a narrow screen and on paper."""

from __future__ import annotations

import os
import re
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright
from study_reports import KEYS, drawn_of, folder_of, page_of, result_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
INSTALL = "There is no chromium on this machine, so the report is not opened in a browser. On Debian: apt-get install chromium."
PAPER = 688
"""Width of what is printed on A4 with the margins of the report, 182 mm, in CSS pixels of 1/96 inch."""
EVERY = pytest.mark.parametrize("key", KEYS)
TWO = pytest.mark.parametrize("key", ["graf-2021", "kappos-2020"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@dataclass
class Seen:
    """What a page did while it was open."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def opened(browser: Browser, file: Path, *, width: int = 1000) -> Seen:
    """Return a file in the browser; whatever else it asks for is written down and refused."""
    seen = Seen(browser.new_page(viewport={"width": width, "height": 900}))
    address = file.as_uri()

    def routed(route: Route) -> None:
        seen.requests.append(route.request.url)
        if route.request.url == address:
            route.continue_()
        else:
            route.abort()

    def told(message: ConsoleMessage) -> None:
        seen.messages.append(f"{message.type}: {message.text}")

    seen.page.route("**/*", routed)
    seen.page.on("console", told)
    seen.page.on("pageerror", lambda error: seen.messages.append(f"error: {error}"))
    seen.page.goto(address, wait_until="load")
    return seen


def report_of(key: str) -> Path:
    return folder_of(key) / "report.html"


Show = Callable[..., Seen]


@pytest.fixture(scope="module")
def show(browser: Browser) -> Show:
    """Return a function that gives the report of a study, opened once for all tests: as wide as asked for, on a screen or on paper."""
    reports: dict[str, Seen] = {}

    def shown(key: str, *, width: int = 1000, media: Literal["null", "print"] = "null") -> Seen:
        if key not in reports:
            reports[key] = opened(browser, report_of(key))
        reports[key].page.set_viewport_size({"width": width, "height": 900})
        reports[key].page.emulate_media(media=media)
        return reports[key]

    return shown


def widths(page: Page) -> tuple[int, int]:
    """Return how wide the content is and how wide the window."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return wide, window


def test_what_a_page_asks_for_is_seen(browser: Browser, tmp_path: Path) -> None:
    """The fixture of the tests below sees a request, and a complaint of the browser."""
    bad = tmp_path / "bad.html"
    bad.write_text("<!DOCTYPE html><img src='https://example.org/a.png'><p style='width: 3000px'>x</p><script>nothing()</script>")
    seen = opened(browser, bad)
    assert seen.requests == [bad.as_uri(), "https://example.org/a.png"]
    assert any("nothing is not defined" in message for message in seen.messages)
    assert widths(seen.page)[0] > widths(seen.page)[1]
    seen.page.close()


@EVERY
def test_nothing_is_fetched_and_everything_is_seen(show: Show, key: str) -> None:
    seen = show(key)
    page = seen.page
    assert page.title() == result_of(key).study.title
    for one in drawn_of(key):
        figure = page.locator(f"[id='figure-{one.name}']")
        drawing = figure.locator("svg")
        box = drawing.bounding_box()
        assert drawing.is_visible() and box is not None and box["width"] > 300 and box["height"] > 100, one.name
        assert drawing.get_attribute("role") == "img"
        assert figure.locator("figcaption").is_visible() and figure.locator("figcaption").inner_text().startswith("Figure ")
        words = figure.locator("details p")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.removeAttribute('open'))")
        assert not words.is_visible()
        figure.locator("summary").click()
        assert words.is_visible() and one.drawing is not None and words.inner_text().split() == one.drawing.alt.split()
    sizes = page.evaluate(
        "[...document.querySelectorAll('table')].map(t => [t.getBoundingClientRect().width, t.rows.length, t.checkVisibility()])"
    )
    assert len(sizes) == len(page_of(key).tables)
    assert all(width > 100 and rows >= 2 and visible for width, rows, visible in sizes)
    page.wait_for_load_state("networkidle")
    assert seen.requests == [report_of(key).as_uri()]
    assert seen.messages == []


@EVERY
def test_each_drawing_has_a_name_and_its_words_lie_inside_it(show: Show, key: str) -> None:
    """A text that reaches beyond its drawing would be cut off. Half a pixel is left for the browser's own rounding of letters."""
    seen = show(key)
    nameless = seen.page.evaluate(
        """[...document.querySelectorAll('figure svg[role=img]')].filter(svg => {
            const ids = (svg.getAttribute('aria-labelledby') || '').split(' ').filter(id => id)
            const words = ids.map(id => document.getElementById(id)?.textContent || '').join('')
            return !(svg.getAttribute('aria-label') || words)
        }).map(svg => svg.closest('figure').id)"""
    )
    assert nameless == []
    cut = seen.page.evaluate(
        """[...document.querySelectorAll('figure svg[role=img]')].flatMap(svg => {
            const frame = svg.getBoundingClientRect()
            return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect()
                const beside = box.left < frame.left - .5 || box.right > frame.right + .5
                return beside || box.top < frame.top - .5 || box.bottom > frame.bottom + .5
            }).map(text => [svg.closest('figure').id, text.textContent])
        })"""
    )
    assert cut == []


@TWO
def test_the_contents_lead_to_their_parts(show: Show, key: str) -> None:
    page = show(key).page
    links = page.locator("nav a")
    assert links.count() >= 8
    bottom = page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
    for number in range(links.count()):
        page.evaluate("window.scrollTo(0, 0)")
        name = (links.nth(number).get_attribute("href") or "").removeprefix("#")
        links.nth(number).click()
        assert page.evaluate("location.hash") == f"#{name}"
        top, scrolled = page.evaluate("name => [document.getElementById(name).getBoundingClientRect().top, window.scrollY]", name)
        assert abs(top) < 2 or scrolled >= bottom - 2, name  # the last part may be shorter than the window
        assert page.locator(f"[id='{name}'] h2").inner_text() == links.nth(number).inner_text()


@EVERY
@pytest.mark.parametrize("width", [1000, 400])
def test_the_page_does_not_scroll_sideways(show: Show, key: str, width: int) -> None:
    """Wide tables and figures scroll by themselves."""
    page = show(key, width=width).page
    wide, window = widths(page)
    assert window <= width and wide <= window


@TWO
def test_no_table_needs_scrolling_on_a_wide_screen(show: Show, key: str) -> None:
    page = show(key).page
    hidden = page.evaluate(
        "[...document.querySelectorAll('.table')].filter(d => d.scrollWidth > d.clientWidth + 1).map(d => d.innerText.slice(0, 80))"
    )
    assert hidden == []


@EVERY
def test_nothing_is_cut_off_on_paper(show: Show, key: str) -> None:
    page = show(key, width=PAPER, media="print").page
    wide, window = widths(page)
    assert wide <= window == PAPER
    assert not page.locator("nav").is_visible()
    assert all(one.is_visible() for one in page.locator("figure svg[role=img]").all())


@TWO
def test_the_page_prints_on_several_sheets_of_a4(show: Show, key: str) -> None:
    page = show(key).page
    paper = page.pdf(prefer_css_page_size=True)
    sheets = [tuple(float(number) for number in found.split()) for found in re.findall(rb"/MediaBox \[([\d. ]+)\]", paper)]
    assert paper.startswith(b"%PDF") and 5 <= len(sheets) <= 60
    # A4 is 210 x 297 mm, in points of 1/72 inch; the browser rounds to hundredths of an inch.
    assert all(sheet == pytest.approx((0, 0, 595.3, 841.9), abs=0.8) for sheet in sheets)


def test_dark_mode_does_not_make_it_unreadable(show: Show) -> None:
    page = show("tur-2023").page
    page.emulate_media(color_scheme="dark")
    colours = page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
    page.emulate_media(color_scheme="light")
    assert colours == ["rgb(255, 255, 255)", "rgb(26, 26, 26)"]


@TWO
def test_a_picture_of_the_whole_page(show: Show, key: str, tmp_path: Path) -> None:
    """Kept in the test's folder, to be looked at."""
    page = show(key).page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.removeAttribute('open'))")
    height = page.evaluate("document.documentElement.scrollHeight")
    page.screenshot(path=tmp_path / f"{key}.png", full_page=True)
    picture = (tmp_path / f"{key}.png").read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (1000, height)
    assert len(picture) > 200_000  # an empty page of this size has 30,000 bytes
