"""The folder of a study: all is in the page, its numbers are those of the tables, nothing is fetched, nobody named, no byte moves."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from study_reports import KEYS, MADE_ON, Page, Table, cohort_for, drawn_of, folder_of, page_in, page_of, parsed, registry, result_of

from smoulder import __version__, definition, read, run_study, study
from smoulder.demo import made_up
from smoulder.errors import UsageError
from smoulder.estimates import Curve, Effects, Rates
from smoulder.outputs import files_in
from smoulder.protocol import study_from
from smoulder.studying import write as writing
from smoulder.studying.charts import NAMES
from smoulder.studying.formatting import sentence
from smoulder.studying.report import HEADINGS, with_own_ids
from smoulder.studying.reporting_items import reporting_items
from smoulder.studying.result import Finding, StudyResult
from smoulder.studying.write import people_tables, study_tables, write_study
from smoulder.tables import Cohort

EVERY = pytest.mark.parametrize("key", KEYS)
FOREIGN = re.compile(
    r"""(?:src|href|data|action|poster|srcset)\s*=\s*["'](?!#)|@import|url\((?!#|["']?#)|<(?:script|link|iframe|object|embed|img)\b"""
)


def csv_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def analysis_html(page: Page, key: str) -> str:
    """Return one analysis as it stands in the page, up to the next one or the end of the section."""
    start = page.html.index(f'<h3 id="analysis-{key}"')
    ends = [page.html.find(mark, start + 1) for mark in ("<h3", "</section>")]
    return page.html[start : min(end for end in ends if end > 0)]


# -- everything is there ----------------------------------------------------------------------------


@EVERY
def test_every_part_is_in_the_page_once(key: str) -> None:
    page, result = page_of(key), result_of(key)
    assert [page.sections[name].startswith(f" {heading} ") for name, heading in HEADINGS.items() if name in page.sections] == [True] * (
        len(page.sections) - 1
    )
    ids = page.ids()
    assert len(ids) == len(set(ids))
    contents = [attributes["href"] for tag, attributes in page.tags if tag == "a" and (attributes["href"] or "").startswith("#")]
    assert contents and {(name or "")[1:] for name in contents} <= set(ids)
    for finding in result.findings:
        assert f"analysis-{finding.key}" in ids
        assert page.html.count(f'id="analysis-{finding.key}">{finding.analysis.title}</h3>') == 1
        assert page.tables_of(f"analysis-{finding.key}") or finding.why_not


@EVERY
def test_estimates_of_one_analysis_are_told_apart(key: str) -> None:
    """Several estimates have headings, and no two the same: such as a model with and without days that a definition blocks."""
    for finding in result_of(key).findings:
        headings = re.findall(r"<h4>(.*?)</h4>", analysis_html(page_of(key), finding.key))
        assert len(headings) == len(set(headings)) == (len(finding.estimates) if len(finding.estimates) > 1 else 0), finding.key
        assert all(heading[0] == heading[0].upper() for heading in headings)


@EVERY
def test_every_figure_is_in_the_page_and_beside_it(key: str) -> None:
    page, folder = page_of(key), folder_of(key)
    drawn = drawn_of(key)
    assert {one.kind for one in drawn} == {part.kind for part in study(key).figure}
    numbers = [int(n) for n in re.findall(r"<b>Figure (\d+)\.</b>", page.html)]
    assert numbers == list(range(1, len(drawn) + 1))
    for one in drawn:
        assert one.drawing is not None, one.why_not
        place = page.html.index(f'<figure id="figure-{one.name}">')
        figure = page.html[place : page.html.index("</figure>", place)]
        assert figure.count("<svg") == 1 and 'role="img"' in figure
        own = f"f{re.findall(r'<b>Figure (.+?)[.]</b>', figure)[0]}-"
        assert all(name.startswith(own) for name in re.findall(r'<[^>]*\sid="([^"]+)"', figure[figure.index("<svg") :]))
        assert one.drawing.alt in parsed(figure).text or plain(one.drawing.alt) in parsed(figure).text
        beside = (folder / "figures" / f"{one.name}.svg").read_text(encoding="utf-8")
        assert beside.startswith("<svg") and one.drawing.svg.split(">", 1)[1][:200] in beside
    assert len(list((folder / "figures").iterdir())) == len(drawn)


@EVERY
def test_limits_warnings_items_checks_and_methods_are_in_the_page(key: str) -> None:
    page, result, folder = page_of(key), result_of(key), folder_of(key)
    for text in (*result.study.limits, *result.warnings):
        assert plain(sentence(text)) in page.sections["limits"]
    for finding in result.findings:
        for estimate in finding.estimates:
            assert all(plain(sentence(note)) in page.sections["analyses"] for note in estimate.notes)
    items = reporting_items(result)
    assert items["number"].unique().sort().to_list() == list(range(1, 32))
    assert all(plain(answer) in page.sections["reporting"] for answer in items["answer"])
    assert items["answer"].str.len_chars().min() > 0  # type: ignore[operator]
    for finding in result.cohort.report.findings:
        if finding.level != "notice" or finding.cases.height:
            assert plain(finding.problem) in page.sections["checks"]
    methods = (folder / "methods.txt").read_text(encoding="utf-8")
    told = [line for line in methods.splitlines() if line and not line.startswith("Written by Smoulder")]
    assert len(told) >= 4 and result.study.prose() == told[0]
    for line in told:
        assert plain(line) in page.sections["methods"]
    for one in result.events.definitions:
        assert plain(one.prose()) in page.sections["methods"]


def test_the_page_says_the_day_of_making_in_one_line_only(tmp_path: Path) -> None:
    with_day = (folder_of("tur-2023") / "report.html").read_text(encoding="utf-8")
    write_study(result_of("tur-2023"), tmp_path / "without", adam=True)
    without = (tmp_path / "without" / "report.html").read_text(encoding="utf-8")
    assert with_day.replace(f'<p class="made-on">Made on {MADE_ON}.</p>\n', "") == without
    assert with_day.count("2025-03-31") == 1


# -- the numbers ------------------------------------------------------------------------------------


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a cell as they are printed, thousands joined."""
    return [float(found.replace(",", "")) for found in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)]


def is_shown(text: str, value: str, scale: float = 1.0) -> bool:
    """Return whether a printed number is the one of a table, at the digits printed; nothing is shown for nothing."""
    if value == "" or text in ("", "–"):
        return value == "" and text in ("", "–")
    shown = text.replace(",", "").removesuffix(" %").strip()
    places = len(shown.partition(".")[2])
    return abs(float(shown) - scale * float(value)) <= 0.5 * 10**-places * (1 + 1e-9)


@EVERY
def test_outcomes_flow_and_endings_are_those_of_the_tables(key: str) -> None:
    page, folder, result = page_of(key), folder_of(key), result_of(key)
    shown, stored = page.table("Outcomes, from time zero").cells(), csv_of(folder, "outcomes")
    assert len(shown) == len(stored) == len(result.outcomes)
    for cell, row in zip(shown, stored, strict=True):
        made = result.made()[row["key"]]
        n, out_of, share, lower, upper = numbers_in(cell["n/N with it (share, 95 % interval)"])
        assert (cell["outcome"], n, out_of) == (row["outcome"], int(row["n"]), int(row["out_of"])) == (made.name, made.n_events, made.n)
        assert share == pytest.approx(100 * n / out_of, abs=0.05 + 1e-9)  # printed with one decimal
        assert lower < share < upper or n in (0, out_of)
        assert is_shown(cell["person-years"], row["person_years"])
        assert int(cell.get("not followed for it", "0").replace(",", "")) == int(row["left_out"])
    flow, steps = page.table("Who entered").cells(), csv_of(folder, "flow")
    assert [(c["step"], c["left out"], c["of them not known"], c["remaining"]) for c in flow] == [
        (s["text"], s["left_out"], s["unknown"], s["remaining"]) for s in steps
    ]
    endings = page.table("How the observation of people ended")
    counted = {(row["of"], row["reason"]): int(row["people"]) for row in csv_of(folder, "endings")}
    found = {(of, row["reason"]): int(row[of].replace(",", "")) for row in endings.cells() for of in endings.head[1:]}
    assert {place: n for place, n in found.items() if n and place[1] != "everybody"} == counted
    for name in endings.head[1:]:
        assert found[name, "everybody"] == sum(n for (of, _), n in counted.items() if of == name)


def tables_by_estimate(key: str, kind: type, sign: str, but: str = "") -> Iterator[tuple[str, Any, Table]]:
    """Yield the name of the CSV, the estimate and its table in the page, by a sign in the head of the table, and none of `but`."""
    page, result = page_of(key), result_of(key)
    for finding in result.findings:
        tables = [table for table in page.tables_of(f"analysis-{finding.key}") if any(sign in head for head in table.head)]
        tables = [table for table in tables if but not in table.head]
        mine = [(number, one) for number, one in enumerate(finding.estimates, start=1) if isinstance(one, kind)]
        mine = [(number, one) for number, one in mine if not isinstance(one, Curve) or one.at_days.height]
        assert len(tables) == len(mine), finding.key
        for (number, estimate), table in zip(mine, tables, strict=True):
            yield finding.key if number == 1 else f"{finding.key}-{number}", estimate, table


RATE = "events per 100 person-years (95 % limits)"


@EVERY
def test_rates_are_those_of_the_tables(key: str) -> None:
    folder, seen = folder_of(key), 0
    for name, _, table in tables_by_estimate(key, Rates, RATE):
        stored = csv_of(folder, name)
        assert len(table.rows) == len(stored) > 0
        for cell, row in zip(table.cells(), stored, strict=True):
            assert (cell["what"], int(cell["events"].replace(",", ""))) == (row["what"], int(row["events"]))
            assert is_shown(cell["person-years"], row["person_years"])
            values = [row[of] for of in ("rate", "lower", "upper")]
            assert all(map(is_shown, limited(cell[RATE]), values)), (cell, row)
            seen += 1
    assert seen or not any(part.kind in ("rates", "periods", "rebound") for part in study(key).analysis)


def limited(text: str) -> tuple[str, ...]:
    """Return estimate and limits as printed: '0.67 (0.52 to 0.86)'."""
    if text == "–":
        return ("–", "–", "–")
    if text.endswith("(no limits)"):
        return (text.split(" (", maxsplit=1)[0], "–", "–")
    found = re.fullmatch(r"(.+?) \((.+?) to (.+?)\)", text)
    assert found, text
    value, lower, upper = (part.removesuffix(" %") for part in found.groups())
    return value, lower, upper


@EVERY
def test_effects_are_those_of_the_tables(key: str) -> None:
    folder, seen = folder_of(key), 0
    for name, estimate, table in tables_by_estimate(key, Effects, "ratio (95 % limits)", "outcome"):
        printed: list[tuple[str, str]] = []
        for cell in table.cells():
            columns = [head for head in cell if "(95 % limits)" in head]
            printed += [(cell[head], cell[head.replace(f"{estimate.scale} (95 % limits)", "p")]) for head in columns]
        stored = csv_of(folder, name)
        assert len(printed) == len(stored)
        for row in stored:
            values = [row[of] for of in ("estimate", "lower", "upper")]
            assert any(all(map(is_shown, limited(shown), values)) and _is_p(p, row["p"]) for shown, p in printed), (name, row)
            seen += 1
    kinds = {"cox", "fine gray", "changing", "logistic", "relapse rates"}
    assert seen or not kinds & {part.kind for part in study(key).analysis}


def _is_p(shown: str, p: str) -> bool:
    if shown.startswith(("<", ">")):
        return float(p) < 0.001 if shown[0] == "<" else float(p) > 0.999
    return is_shown(shown, p)


def median_text(row: Mapping[str, str]) -> str:
    """Return a median with its limits as it must be told: in days below three months, in months below two years, else in years."""

    def told(days: str) -> str:
        if not days:
            return "not reached"
        n = float(days)
        return f"{n:,.0f} days" if n < 92 else f"{n / 365.25 * 12:.1f} months" if n < 731 else f"{n / 365.25:.1f} years"

    if not row["median_days"] and not row["lower_days"]:
        return "not reached"
    return f"{told(row['median_days'])} ({told(row['lower_days'])} to {told(row['upper_days'])})"


@EVERY
def test_curves_are_those_of_the_tables(key: str) -> None:
    folder, seen = folder_of(key), 0
    for name, estimate, table in tables_by_estimate(key, Curve, "time", "what"):
        scale = 1.0 if estimate.kind == "mean count" else 100.0
        stored = csv_of(folder, f"{name}-at-days")
        head = next(head for head in table.head if "(95 % limits)" in head)
        assert len(table.rows) == len(stored)
        for cell, row in zip(table.cells(), stored, strict=True):
            values = [row[of] for of in ("estimate", "lower", "upper")]
            if cell[head].startswith("no event by then (0/"):
                assert float(row["estimate"]) == (1 if estimate.kind == "survival" else 0) and row["lower"] == ""
                seen += 1
                continue
            assert all(is_shown(text, value, scale) for text, value in zip(limited(cell[head]), values, strict=True)), (cell, row)
            assert f"(day {int(row['day']):,})" in cell["time"]
            assert is_shown(cell["at risk"], row["at_risk"]) if "at risk" in cell else row["at_risk"] == ""
            seen += 1
        if estimate.kind == "survival":
            for row in csv_of(folder, f"{name}-quantiles"):
                assert median_text(row) in analysis_html(page_of(key), table.part.removeprefix("analysis-"))
        for row in csv_of(folder, f"{name}-tests") if estimate.tests.height else ():
            assert plain(row["test"]) in page_of(key).sections["analyses"]
    assert seen or key in ("early-treatment", "natalizumab-stop", "relapse-dependence")


PRINTED = re.compile(r"(?<![\w.-])-?\d[\d,]*(?:\.\d+)?")
BOUNDS = ("95 %", "> 0.999", "< 0.001")


@EVERY
def test_every_number_of_an_analysis_is_in_its_tables(key: str) -> None:
    """Each number printed in a cell is one of the CSV files of that analysis: as it is, in per cent, in months or in years."""
    page, folder, result = page_of(key), folder_of(key), result_of(key)
    names = [sheet.name for sheet in study_tables(result)]
    for finding in result.findings:
        further = re.compile(rf"{re.escape(finding.key)}(-\d+)?(-(quantiles|at-days|tests|differences|checks))?")
        texts = [value for name in names if further.fullmatch(name) for row in csv_of(folder, name) for value in row.values()]
        values = {number for text in texts for number in numbers_in(text)} | {
            float(text) for text in texts if re.fullmatch(r"-?\d.*e-?\d+", text)
        }
        values |= person_years(finding, result)
        ways = [way for value in values for way in (value, 100 * value, value / 365.25, value / 365.25 * 12)]
        for cell in (cell for table in page.tables_of(f"analysis-{finding.key}") for row in table.rows for cell in row):
            if is_share(cell):
                continue
            for bound in BOUNDS:
                cell = cell.replace(bound, "")
            for shown in PRINTED.findall(cell):
                assert any(is_shown(shown, repr(way)) for way in ways), (finding.key, cell, shown)


def person_years(finding: Finding, result: StudyResult) -> set[float]:
    """Return the person-years of the curves of an analysis, added up from how long each person was followed, in all and by group."""
    found: set[float] = set()
    by = getattr(finding.analysis, "by", None)
    for estimate in finding.estimates:
        for made in (one for one in result.made().values() if isinstance(estimate, Curve) and one.name == estimate.outcome):
            found.add(made.person_years)
            groups = made.people[by].to_list() if by else []
            found |= {
                sum(days for days, mine in zip(made.time.tolist(), groups, strict=True) if mine == group) / 365.25 for group in set(groups)
            }
    return found


def is_share(text: str) -> bool:
    """Return whether a cell holds n/N, whose share and Wilson interval follow from the two."""
    return bool(re.match(r"[\d,]+/[\d,]+ \(", text))


@EVERY
def test_main_sentences_have_the_numbers_of_the_tables(key: str) -> None:
    page, result = page_of(key), result_of(key)
    first = page.sections["found"]
    years = sum(end - zero for zero, end in result.followed.people.select("zero_day", "end_day").iter_rows()) / 365.25
    assert f"{result.followed.n:,} of {result.cohort.n_patients:,} people in the tables entered" in first
    assert f"were observed for {years:,.0f} person-years" in first
    for made in list(result.made().values())[:3]:
        assert f"{made.n_events:,}/{made.n:,} people ({100 * made.n_events / made.n:.1f} %" in first


# -- files ------------------------------------------------------------------------------------------


@EVERY
def test_the_list_of_files_is_what_is_there(key: str) -> None:
    listed: set[str] = set()
    for name, _ in page_of(key).table("Files that belong to this report").rows:
        first, *endings = name.split(", ")
        listed |= {first, *(f"{first.rpartition('.')[0]}{ending}" for ending in endings)}
    there = set(files_in(folder_of(key)))
    assert listed <= there
    assert {name for name in there - listed if not name.endswith(".provenance.json")} == {"report.html"}


@EVERY
def test_workbooks_have_the_cells_of_the_csv_files(key: str) -> None:
    folder = folder_of(key)
    for home in ("tables", "people"):
        book = openpyxl.load_workbook(folder / f"{home}.xlsx", read_only=True)
        contents = [[cell.value for cell in row] for row in book["contents"].iter_rows(min_row=2)]
        assert sorted(row[1] for row in contents) == sorted(path.stem for path in (folder / home).glob("*.csv"))
        assert book.sheetnames == ["contents", *(row[0] for row in contents), "provenance"]
        for sheet, name, _ in contents:
            with (folder / home / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                expected = list(csv.reader(file))
            found = [[cell.value for cell in row] for row in book[sheet].iter_rows()]
            assert len(found) == len(expected)
            for cells, texts in zip(found, expected, strict=True):
                cells = [*cells, *[None] * (len(texts) - len(cells))]  # trailing empty cells are not stored
                assert all(map(same_cell, cells, texts)), (name, cells, texts)
        book.close()


def same_cell(value: Any, text: str) -> bool:
    if value is None:
        return text == ""
    if isinstance(value, bool):
        return text == str(value).lower()
    if isinstance(value, int | float):
        # A workbook keeps 16 digits.
        return text not in ("true", "false", "") and float(value) == pytest.approx(float(text), rel=1e-14, abs=0)
    return (str(value.date()) if hasattr(value, "date") else str(value)) == text


@EVERY
def test_parquet_files_have_the_rows_of_the_csv_files(key: str) -> None:
    folder, result = folder_of(key), result_of(key)
    for home, sheets in (("tables", study_tables(result)), ("people", people_tables(result))):
        for sheet in sheets:
            stored = pl.read_parquet(folder / home / f"{sheet.name}.parquet")
            assert stored.equals(sheet.frame)
            assert (folder / home / f"{sheet.name}.csv").read_text(encoding="utf-8") == stored.write_csv()


@EVERY
def test_provenance_has_versions_definitions_and_the_study_in_full(key: str) -> None:
    folder, result = folder_of(key), result_of(key)
    known = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert known["version"] == known["software"]["smoulder"] == __version__
    assert set(known["software"]) == {"smoulder", "python", "numpy", "polars", "survival", "statsmodels"}
    assert study_from(known["study"], where="provenance.json") == study(key)
    assert known["input_sha256"] == result.provenance.input_sha256 and len(known["input_sha256"]) == 64
    keys = [one.key for one in result.events.definitions]
    for name in keys:
        assert definition(str(folder / "definitions" / f"{name}.toml")) == definition(name)
    text = (folder / "provenance.json").read_text(encoding="utf-8")
    assert all(f'"{name}"' in text for name in keys)
    page = page_of(key).sections["provenance"]
    assert plain(result.study.toml()).strip() in page
    assert all(plain(definition(name).toml()).strip() in page for name in keys)
    assert study(folder / "study.toml") == study(key)
    assert page.startswith(f" Provenance whatvalue Smoulder{__version__} ") and known["input_sha256"] in page


def test_hashes_of_the_files_that_were_read_are_told(tmp_path: Path) -> None:
    source = tmp_path / "visits.csv"
    made_up().tables["visits"].write_csv(source)
    write_study(result_of("tur-2023"), tmp_path / "out", inputs=[source])
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["inputs"] == [{"file": "visits.csv", "sha256": digest}]
    assert page_in(tmp_path / "out").table("Files that were read").rows == [["visits.csv", digest]]


# -- nothing is fetched, nobody is named ------------------------------------------------------------


@EVERY
def test_the_page_fetches_nothing(key: str) -> None:
    page = page_of(key)
    assert FOREIGN.findall(page.html) == []
    assert "default-src 'none'" in page.html
    namespaces = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[^\s\"'<]+", page.html)) <= namespaces
    assert not any(tag in ("script", "link", "img", "iframe", "object", "embed", "base", "form") for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_what_would_fetch_is_seen() -> None:
    """The pattern of the test above finds what it looks for."""
    for bad in ('<img src="a.png">', '<a href="http://x">', "<style>@import 'x'</style>", "url(http://x)", 'url("data:x")', "<script>"):
        assert FOREIGN.search(bad), bad
    for good in ('<a href="#limits">', "url(#clip)", '<use xlink:href="#a"/>'):
        assert not FOREIGN.search(good), good


@EVERY
def test_nobody_is_named_outside_the_one_timeline_and_people(key: str) -> None:
    """Where the timeline shows one person, only that one figure (and its words) names somebody."""
    folder, page, cohort = folder_of(key), page_of(key), cohort_for(key)
    word = re.compile(rf"\b(?:{'|'.join(cohort.patients)})\b")
    assert word.search((folder / "people" / "people.csv").read_text(encoding="utf-8"))
    outside = re.sub(r'<figure id="figure-timeline.*?</figure>', "", page.html, flags=re.DOTALL)
    assert (outside != page.html) == any(part.kind == "timeline" for part in study(key).figure)
    assert word.findall(outside) == []
    for path in [
        *(folder / "tables").iterdir(),
        folder / "tables.xlsx",
        folder / "methods.txt",
        folder / "study.toml",
        folder / "rerun.json",
    ]:
        assert word.findall(_texts(path)) == [], path.name
    for path in (folder / "figures").iterdir():
        assert path.name.startswith("timeline") or word.findall(path.read_text(encoding="utf-8")) == [], path.name


def _texts(path: Path) -> str:
    """Return everything that a file says in words, of Parquet and workbooks too."""
    if path.suffix == ".parquet":
        return pl.read_parquet(path).write_csv() + str(pl.read_parquet_metadata(path))
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        return " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    return path.read_text(encoding="utf-8")


def test_who_was_set_aside_is_counted_and_not_named(tmp_path: Path) -> None:
    visits = made_up().tables["visits"].with_columns(edss=pl.when(pl.col("patient") == "N007").then(99.0).otherwise("edss"))
    cohort = read(made_up().tables | {"visits": visits}, keep_going=True)
    assert [patient for patient, _ in cohort.set_aside] == ["N007"]
    write_study(run_study("tur-2023", cohort), tmp_path / "out")
    page = page_in(tmp_path / "out")
    assert "Set aside because of faults: 1 person (" in page.sections["checks"]
    assert "N007" not in page.html
    for path in [*(tmp_path / "out" / "tables").iterdir(), tmp_path / "out" / "tables.xlsx"]:
        assert "N007" not in _texts(path), path.name


# -- what people write is text ----------------------------------------------------------------------

EVIL = "<script>alert(1)</script>"


def small(ids: Mapping[str, str] | None = None, *, relapses: bool = True, worse: bool = True, arms: tuple[str, str] = ("a", "b")) -> Cohort:
    """Return twelve people in two arms; every third one worsens, without a relapse, from day 200 on."""
    rows, people = [], []
    for number in range(12):
        name = (ids or {}).get(f"P{number:02}", f"P{number:02}")
        step = 1.0 if worse and number % 3 == 0 else 0.0
        for visit, day in enumerate(range(0, 601, 100)):
            rows.append((name, day + number, 2.0 + (step if visit >= 2 else 0.0)))
        people.append((name, arms[number % 2], -9000 - 100 * number, "female" if number % 4 < 2 else "male"))
    tables: dict[str, pl.DataFrame] = {
        "visits": pl.DataFrame(rows, schema=["patient", "date", "edss"], orient="row"),
        "patients": pl.DataFrame(people, schema=["patient", "arm", "birth_date", "sex"], orient="row"),
    }
    if relapses:
        tables["relapses"] = pl.DataFrame({"patient": [people[1][0]], "date": [50]})
    return read(tables, date_format="day")


def small_study(**changes: Any) -> Any:
    data: dict[str, Any] = {
        "key": "small",
        "title": "A small study",
        "question": "Does it work?",
        "time_zero": {"at": "first visit"},
        "known": [
            {"key": "arm", "title": "arm", "what": "column", "column": "arm"},
            {"key": "age", "title": "age", "what": "age", "per": 10, "unit": "years"},
        ],
        "outcome": [
            {"key": "worse", "title": "worsening", "kind": "disability", "definition": "mueller-2025", "event": "worsening"},
            {
                "key": "pira",
                "title": "first PIRA",
                "kind": "disability",
                "definition": "mueller-2025",
                "event": "PIRA",
                "competing": ["RAW"],
            },
            {"key": "relapse", "title": "first relapse", "kind": "relapse"},
        ],
        "analysis": [
            {"key": "t1", "title": "The people", "kind": "table one", "variables": ["arm", "age"], "by": "arm"},
            {"key": "counts", "title": "Who worsened", "kind": "counts", "definition": "mueller-2025", "by": "arm"},
            {"key": "km", "title": "Free of it", "kind": "survival", "outcomes": ["worse", "pira"], "by": "arm", "at_days": [365]},
            {"key": "aj", "title": "Incidence", "kind": "incidence", "outcome": "pira", "by": "arm", "at_days": [365]},
            {"key": "rates", "title": "Rates", "kind": "rates", "outcomes": ["worse", "relapse"], "by": "arm"},
            {"key": "cox", "title": "Hazards", "kind": "cox", "outcomes": ["worse"], "terms": ["arm", "age"]},
            {"key": "fg", "title": "Subdistribution", "kind": "fine gray", "outcome": "pira", "terms": ["arm"]},
            {"key": "ag", "title": "All events", "kind": "recurrent", "definition": "mueller-2025", "event": "worsening", "terms": ["arm"]},
            {"key": "iv", "title": "Between visits", "kind": "interval", "outcome": "worse", "by": "arm", "at_days": [365]},
            {"key": "nb", "title": "Relapse rates", "kind": "relapse rates", "terms": ["arm"]},
            {"key": "lo", "title": "At all", "kind": "logistic", "outcome": "worse", "terms": ["arm", "age"]},
            {"key": "share", "title": "Share of PIRA", "kind": "share", "definition": "mueller-2025", "replicates": 200},
        ],
        "figure": [
            {"kind": "flow"},
            {"kind": "curves", "of": "km"},
            {"kind": "stack", "of": "aj"},
            {"kind": "forest", "of": "cox"},
            {"kind": "strip"},
            {"kind": "spread", "by": "arm"},
            {"kind": "timeline"},
        ],
    }
    return study_from(data | changes, where="small")


def written(cohort: Cohort, folder: Path, **changes: Any) -> tuple[StudyResult, Page]:
    result = run_study(small_study(**changes), cohort)
    write_study(result, folder)
    return result, page_in(folder)


def test_what_people_write_is_shown_and_never_run(tmp_path: Path) -> None:
    """P00 has the fewest visits of those with a PIRA, so the timeline names it."""
    arms = ('<b onmouseover="alert(2)">a & b</b>', 'x\' "y" </svg></figure>')
    changes = {
        "title": f'Tom & "Jerry" {EVIL}',
        "question": f"Is 2 < 3 & {EVIL}?",
        "limits": [f"Nothing but {EVIL}."],
    }
    result, page = written(small({"P00": EVIL}, arms=arms), tmp_path / "out", **changes)
    tags = {tag for tag, _ in page.tags}
    assert not {"script", "img"} & tags
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "<h1>Tom &amp; &#34;Jerry&#34; &lt;script&gt;alert(1)&lt;/script&gt;</h1>" in page.html
    assert changes["title"] in page.text and changes["question"] in page.text and changes["limits"][0] in page.text
    assert all(arm in page.text for arm in arms)
    bold = [attributes for tag, attributes in page.tags if tag == "b"]
    assert bold == [{}] * len(bold)
    assert EVIL in page.text  # the timeline names the person
    assert result.followed.n == 12
    for path in (tmp_path / "out" / "figures").iterdir():
        assert "<script" not in path.read_text(encoding="utf-8"), path.name
        assert 'onmouseover="' not in path.read_text(encoding="utf-8"), path.name


def test_ids_of_drawings_do_not_meet_in_the_page() -> None:
    svg = '<svg aria-labelledby="t d"><title id="t">a</title><desc id="d">b</desc><clipPath id="c"/>'
    svg += '<g clip-path="url(#c)" fill="url(\'#x\')"/></svg>'
    assert with_own_ids(svg, "f2-") == (
        '<svg aria-labelledby="f2-t f2-d"><title id="f2-t">a</title><desc id="f2-d">b</desc><clipPath id="f2-c"/>'
        '<g clip-path="url(#f2-c)" fill="url(\'#x\')"/></svg>'
    )


# -- where there is nothing to estimate -------------------------------------------------------------


def cells_of(page: Page, part: str) -> list[str]:
    return [cell for table in page.tables_of(part) for row in table.rows for cell in row]


def part_of(page: Page, key: str) -> str:
    """Return the text of one analysis."""
    return parsed(analysis_html(page, key)).text


NO_RESULT = re.compile(r"\binf\b|\bnan\b|\bNone\b|1\.00 \(1\.00 to 1\.00\)|0\.00 \(0\.00 to 0\.00\)")


def test_a_cohort_without_events_says_why_and_prints_no_ratio(tmp_path: Path) -> None:
    result, page = written(small(worse=False), tmp_path / "out")
    assert result.made()["worse"].n_events == 0
    assert NO_RESULT.findall(page.text) == []
    undone = {finding.key: finding.why_not for finding in result.findings if finding.why_not}
    for why in undone.values():
        assert plain(sentence(why)) in page.sections["analyses"] and plain(sentence(why)) in page.sections["limits"]
    for part in ("cox", "fg", "ag", "lo"):
        tables = [table for table in page.tables_of(f"analysis-{part}") if "term" in table.head]
        assert tables and all(table.head == ["term", "people", "events"] for table in tables), part
        assert re.search(r"No estimate for arm: b against a: [^<]*(no |nobody|did not)", part_of(page, part), re.IGNORECASE), part
    assert "0/12 (0.0 %, 0.0 to 24.2 %)" in cells_of(page, "found")  # nobody of twelve, with Wilson's interval
    assert "Nobody has an event under mueller-2025, so there is no person to show." in page.text
    assert NAMES["timeline"] in page.text and not list((tmp_path / "out" / "figures").glob("timeline*"))


def test_a_cohort_without_relapse_table_says_that_pira_cannot_be_told(tmp_path: Path) -> None:
    result, page = written(small(relapses=False), tmp_path / "out")
    outcomes = {row["outcome"]: row for row in page.table("Outcomes, from time zero").cells()}
    assert outcomes["worsening"]["n/N with it (share, 95 % interval)"].startswith("4/12 (33.3 %")
    for name in ("first PIRA", "first relapse"):
        assert outcomes[name]["n/N with it (share, 95 % interval)"] == "–"
        assert "no table of relapses" in outcomes[name]["why there is none"]
    assert "no table of relapses" in page.sections["limits"]
    for part in ("aj", "fg", "nb"):
        assert cells_of(page, f"analysis-{part}") == []
        assert "no table of relapses" in result.finding(part).why_not
        assert plain(sentence(result.finding(part).why_not)) in page.sections["analyses"]
    for part in ("km", "rates"):  # of several outcomes those that can be made are analysed
        assert "no table of relapses" in part_of(page, part) and "A part of this could not be done: Without first " in page.text
        assert [made.name for made in result.made().values()] == ["worsening"]
        assert result.finding(part).estimates and cells_of(page, f"analysis-{part}")
    assert NO_RESULT.findall(page.text) == []
    assert '<p class="undone" id="figure-stack-aj">' in page.html
    assert page.table("Outcomes, from time zero").rows[1][1] == "–"


def test_one_arm_is_compared_with_nothing(tmp_path: Path) -> None:
    _, page = written(small(arms=("all one", "all one")), tmp_path / "out")
    assert NO_RESULT.findall(page.text) == []
    for part in ("cox", "fg", "ag", "nb", "lo"):
        assert not any("all one against" in cell or "against all one" in cell for cell in cells_of(page, f"analysis-{part}"))
        assert "Everyone in the model is in one level, 'all one'." in part_of(page, part), part
    assert "Log-rank" not in page.sections["analyses"] and "Gray" not in page.sections["analyses"]


# -- whole or not at all ----------------------------------------------------------------------------


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> str:
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(writing, "report_html", fails)
    with pytest.raises(RuntimeError, match="on fire"):
        write_study(result_of("tur-2023"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(UsageError, match=r"is there already and not empty; give a new folder\."):
        write_study(result_of("tur-2023"), folder)
    assert files_in(folder) == ("notes.txt",) and (folder / "notes.txt").read_text() == "keep"
    (tmp_path / "file").write_text("keep", encoding="utf-8")
    with pytest.raises(UsageError, match="is there already"):
        write_study(result_of("tur-2023"), tmp_path / "file")
    with pytest.raises(UsageError, match="There is no folder"):
        write_study(result_of("tur-2023"), tmp_path / "no" / "where")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    names = write_study(result_of("tur-2023"), tmp_path)
    assert names == files_in(tmp_path) and "report.html" in names


def test_progress_is_told_step_by_step(tmp_path: Path) -> None:
    told: list[str] = []
    result = run_study("tur-2023", registry(), told.append)
    assert told == ["Finding time zero and who enters", "Finding the events", *(part.title for part in study("tur-2023").analysis)]
    told.clear()
    write_study(result, tmp_path / "out", adam=True, progress=told.append)
    assert told == ["Drawing the figures", "Writing the tables", "Writing ADaM data", "Writing the report"]


# -- the same bytes ---------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


@pytest.mark.parametrize("key", ["graf-2021", "kappos-2020"])
def test_the_same_bytes_in_any_order_of_rows(key: str, tmp_path: Path) -> None:
    from study_reports import TRIAL

    from smoulder import simulate

    tables = simulate(TRIAL, 300, 7).tables if key == "kappos-2020" else made_up().tables
    turned = {name: table.sample(fraction=1.0, shuffle=True, seed=11) for name, table in tables.items()}
    write_study(run_study(key, read(turned)), tmp_path / "other", adam=True, made_on=MADE_ON)
    one, other = contents(folder_of(key)), contents(tmp_path / "other")
    assert one.keys() == other.keys()
    naming_rows = {"people.xlsx", "people/findings.csv", "people/findings.parquet"}  # what was found in the tables names their rows
    assert [name for name in one if one[name] != other[name] and name not in naming_rows] == []


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    write_study(result_of("prosperini-2021"), tmp_path / "again", adam=True, made_on=MADE_ON)
    one, other = contents(folder_of("prosperini-2021")), contents(tmp_path / "again")
    assert [name for name in one if one[name] != other.get(name)] == [] and len(one) == len(other)
