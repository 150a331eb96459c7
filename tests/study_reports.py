"""The shipped studies on the made-up cohorts, each run and written once a process, and a reader of the page that is written."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from smoulder import read, run_study, simulate
from smoulder.demo import made_up
from smoulder.protocol import study_keys
from smoulder.simulation import TRIAL
from smoulder.studying.charts import Drawn, study_charts
from smoulder.studying.result import StudyResult
from smoulder.studying.write import write_study
from smoulder.tables import Cohort

KEYS = study_keys()
MADE_ON = "2025-03-31"


@cache
def registry() -> Cohort:
    return read(made_up().tables)


@cache
def trial() -> Cohort:
    return read(simulate(TRIAL, 300, 7).tables)


def cohort_for(key: str) -> Cohort:
    return trial() if key == "kappos-2020" else registry()


@cache
def result_of(key: str) -> StudyResult:
    return run_study(key, cohort_for(key))


@cache
def _home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="smoulder-reports-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


@cache
def folder_of(key: str) -> Path:
    """Return the folder of a shipped study, written with everything."""
    folder = _home() / key
    write_study(result_of(key), folder, adam=True, made_on=MADE_ON)
    return folder


@cache
def drawn_of(key: str) -> tuple[Drawn, ...]:
    return study_charts(result_of(key))


@cache
def page_of(key: str) -> Page:
    return page_in(folder_of(key))


def page_in(folder: Path) -> Page:
    return parsed((folder / "report.html").read_text(encoding="utf-8"))


@dataclass(kw_only=True)
class Table:
    section: str
    part: str
    """Id of the h3 above it, such as "analysis-rates"; "" where there is none."""
    caption: str = ""
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def cells(self) -> list[dict[str, str]]:
        return [dict(zip(self.head, row, strict=True)) for row in self.rows]


@dataclass(kw_only=True)
class Page:
    html: str
    text: str
    tables: list[Table]
    tags: list[tuple[str, dict[str, str | None]]]
    sections: dict[str, str]
    """Id -> text."""

    def tables_of(self, part: str) -> list[Table]:
        return [table for table in self.tables if part in (table.part, table.section)]

    def table(self, caption: str) -> Table:
        return next(table for table in self.tables if table.caption == caption)

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[Table] = []
        self.texts: list[str] = []
        self.sections: dict[str, list[str]] = {}
        self.section = self.part = ""
        self._cell: list[str] | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "section":
            self.section, self.part = attributes.get("id") or "", ""
        elif tag == "h3":
            self.part = attributes.get("id") or ""
        elif tag in ("style", "script"):
            self._silent += 1
        elif tag == "table":
            self.tables.append(Table(section=self.section, part=self.part))
        elif tag in ("td", "th", "caption"):
            self._cell = []
        elif tag == "tr" and self.tables[-1].head:
            self.tables[-1].rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._silent -= 1
        elif tag in ("td", "th", "caption") and self._cell is not None:
            text, self._cell, table = " ".join("".join(self._cell).split()), None, self.tables[-1]
            if tag == "caption":
                table.caption = text
            elif table.rows:
                table.rows[-1].append(text)
            else:
                table.head.append(text)

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self.texts.append(data)
        self.sections.setdefault(self.section, []).append(data)
        if self._cell is not None:
            self._cell.append(data)


def parsed(html: str) -> Page:
    """Return the parts of a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Page(
        html=html,
        text=_plain("".join(reader.texts)),
        tables=reader.tables,
        tags=reader.tags,
        sections={name: _plain("".join(texts)) for name, texts in reader.sections.items()},
    )


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)
