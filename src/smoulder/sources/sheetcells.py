"""Cells of a workbook without a value: errors of Excel, and formulas that were never computed.

The reader of workbooks gives nothing for them, as for an empty cell; the sheets of an .xlsx say what they are.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

_REFERENCE = re.compile(r"^([A-Z]+)(\d+)$")


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A cell without a value that is not empty."""

    row: int
    """From 0, in the sheet."""
    column: int
    """From 0, from the sheet's first column that holds anything."""
    text: str
    """"#DIV/0!", or the formula."""


def lost_cells(path: Path) -> dict[str, tuple[Lost, ...]]:
    """Return the cells without a value of an .xlsx workbook, by the name of the sheet.

    Sheets without errors and formulas are only searched for their signs.
    """
    lost: dict[str, tuple[Lost, ...]] = {}
    with zipfile.ZipFile(path) as book:
        for name, part in _parts(book):
            with book.open(part) as file:
                data = file.read()
            if b't="e"' in data or b"t='e'" in data or b"<f" in data:
                with book.open(part) as file:
                    lost[name] = _in_sheet(file)
    return lost


def _parts(book: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the name of each sheet and the file in the workbook that holds it."""
    try:
        links = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
        sheets = ElementTree.fromstring(book.read("xl/workbook.xml"))
    except (KeyError, ElementTree.ParseError):
        return
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for sheet in sheets.iter():
        if _tag(sheet) != "sheet":
            continue
        link = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
        target = targets.get(link, "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if target and part in book.namelist():
            yield sheet.get("name", ""), part


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _in_sheet(file: IO[bytes]) -> tuple[Lost, ...]:
    found: list[tuple[int, int, str]] = []
    row, column, first = -1, -1, None
    for event, element in ElementTree.iterparse(file, events=("start", "end")):
        tag = _tag(element)
        if event == "start":
            if tag == "row":
                row, column = int(element.get("r", row + 2)) - 1, -1
            continue
        if tag == "row":
            element.clear()
        if tag != "c":
            continue
        at = _REFERENCE.match(element.get("r", ""))
        column = _column(at[1]) if at else column + 1
        parts = {_tag(part): "".join(part.itertext()) for part in element}
        if element.get("t") == "e":
            found.append((row, column, parts.get("v") or "#ERROR!"))
        elif "f" in parts and not parts.get("v") and element.get("t") != "str":
            found.append((row, column, f"={parts['f']}"))
        if parts.get("v") or parts.get("is"):
            first = column if first is None else min(first, column)
    return tuple(Lost(row=row, column=column - (first or 0), text=text) for row, column, text in found)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
