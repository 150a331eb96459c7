"""Files to tables of text or of the file's own types: CSV and its kin, XLSX, Parquet."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smoulder.errors import SourceError
from smoulder.sources.columns import matches
from smoulder.sources.sheetcells import Lost, lost_cells
from smoulder.tables import COLUMNS

TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt")
SHEET_ENDINGS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
PARQUET_ENDINGS = (".parquet", ".pq")
SEPARATORS = (",", ";", "\t", "|", " ")

_CAN_READ = "Smoulder reads CSV, TSV and text (also .gz), Excel workbooks and Parquet."
_OTHER_PROGRAMS = {
    ".sas7bdat": "SAS",
    ".xpt": "SAS",
    ".sav": "SPSS",
    ".zsav": "SPSS",
    ".por": "SPSS",
    ".dta": "Stata",
    ".rds": "R",
    ".rdata": "R",
}
HEADER_ROWS = 20
"""Rows at the top of a table among which its header is looked for."""
_STATED_SEPARATOR = re.compile(r"^\"?sep=(.)\"?\s*$", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One table found in a file or in memory, of which nothing but the names may have been read."""

    label: str
    """What messages call it."""
    names: tuple[str, ...]
    """Its columns."""
    take: Callable[[Sequence[str]], pl.DataFrame]
    """Reads the given columns."""
    first_row: int = 2
    """Spreadsheet row of the first data row."""
    notes: tuple[tuple[str, str], ...] = ()
    """Sentences about how it was opened, each with its code."""


def opened_frame(frame: pl.DataFrame, label: str, *, first_row: int = 2, notes: tuple[tuple[str, str], ...] = ()) -> Opened:
    """Return a frame as an opened table."""
    return Opened(label=label, names=tuple(frame.columns), take=frame.select, first_row=first_row, notes=notes)


def kind_of(path: Path) -> str:
    """Return "text", "sheets", "parquet", or "" for a file that is no table."""
    name = path.name.lower()
    if name.endswith(".gz"):
        name = name.removesuffix(".gz")
        return "text" if name.endswith(TEXT_ENDINGS) else ""
    for kind, endings in (("text", TEXT_ENDINGS), ("sheets", SHEET_ENDINGS), ("parquet", PARQUET_ENDINGS)):
        if name.endswith(endings):
            return kind
    return ""


def open_file(path: Path) -> dict[str, Opened]:
    """Return the tables of a file: sheet name -> table for a workbook, "" -> table otherwise.

    Raises SourceError where it cannot be read.
    """
    if not path.exists():
        raise SourceError(f"There is no file '{path}'.")
    kind = kind_of(path)
    if kind == "text":
        return {"": open_text(path)}
    if kind == "parquet":
        return {"": open_parquet(path)}
    if kind == "sheets":
        return open_workbook(path)
    raise SourceError(of_another_program(path) or f"'{path.name}' is of a kind that cannot be read. {_CAN_READ}")


def of_another_program(path: Path) -> str:
    """Return the sentence for a file of a statistics program; "" for any other."""
    program = _OTHER_PROGRAMS.get(path.suffix.lower())
    return f"'{path.name}': files of {program} are not read yet; export it as CSV, Parquet or Excel." if program else ""


def open_parquet(path: Path) -> Opened:
    """Return a Parquet file; its columns are read when they are asked for."""
    try:
        names = tuple(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"'{path.name}' cannot be read as Parquet: {error}") from error

    def take(columns: Sequence[str]) -> pl.DataFrame:
        try:
            return pl.read_parquet(path, columns=list(columns))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise SourceError(f"'{path.name}' is damaged and cannot be read as Parquet: {error}") from error

    return Opened(label=path.name, names=names, take=take)


def open_text(path: Path) -> Opened:
    """Return a text file, every cell as text."""
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.name.lower().endswith(".gz") else data
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"'{path.name}' cannot be read: {error}") from error
    data, notes = as_utf8(data, path.name)
    if b"\n" not in data:
        # Lines as old Macintosh programs end them.
        data = data.replace(b"\r", b"\n")
    if not data.strip():
        raise SourceError(f"'{path.name}' is empty: it has no header.")
    above, separator = _header_of(data)
    if above:
        notes = (*notes, *_header_notes(path.name, data, above))
        data = data.split(b"\n", above)[above]
    try:
        frame = pl.read_csv(data, separator=separator, infer_schema_length=0)
    except pl.exceptions.PolarsError as error:
        raise SourceError(_why_not(data, separator, path.name, error, above)) from error
    if b'"' in data:
        _refuse_swallowed_rows(frame, separator, path.name, above + 2)
    return opened_frame(_without_unnamed(frame), path.name, first_row=above + 2, notes=notes)


def _refuse_swallowed_rows(frame: pl.DataFrame, separator: str, name: str, first_row: int) -> None:
    """Raise SourceError where a cell holds whole rows: two quotes that are no pair, with all between them read as one cell."""
    whole_row = rf"\n[^\n]*(?:{re.escape(separator)}[^\n]*){{{max(frame.width - 1, 1)}}}\n"
    holding = frame.select(pl.any_horizontal(pl.all().str.contains(whole_row)).fill_null(False).alias("h"))["h"].arg_true()
    if len(holding):
        raise SourceError(
            f"'{name}', row {first_row + int(holding[0])}: a cell in quotes (\") holds whole rows of the table; "
            "close the quote where the cell ends, or take it away."
        )


def _header_of(data: bytes) -> tuple[int, str]:
    """Return the number of lines above the header, and the sign between its cells."""
    lines = data[:262_144].split(b"\n")
    text = [(line.decode(errors="replace").splitlines() or [""])[0] for line in lines[:HEADER_ROWS]]
    first = next((n for n, line in enumerate(text) if line.strip()), 0)
    stated = _STATED_SEPARATOR.match(text[first])
    start = first + 1 if stated and len(text) > first + 1 else first

    def separator(above: int) -> str:
        return stated[1] if stated else separator_of(b"\n".join(lines[above:]))

    for above in range(start, len(text)):
        if is_header(next(csv.reader([text[above]], delimiter=separator(above)), [])):
            return above, separator(above)
    return start, separator(start)


def _header_notes(name: str, data: bytes, above: int) -> tuple[tuple[str, str], ...]:
    skipped = [line.decode().strip() for line in data.split(b"\n", above)[:above]]
    if all(not line or _STATED_SEPARATOR.match(line) for line in skipped):
        return ()
    return (header_note(f"'{name}'", above + 1),)


def header_note(name: str, row: int) -> tuple[str, str]:
    """Return the note that the header is not the first row with anything in it."""
    return "file-header", f"The header of {name} is row {row}; the rows above it are no part of the table and are left out."


def is_header(cells: Sequence[str | None]) -> bool:
    """Return whether a row of cells names a patient and a day."""
    names = [cell for cell in cells if cell]
    return any(
        any(matches(column, name) for column in COLUMNS[table] if column.kind == "id" for name in names)
        and any(matches(column, name) for column in COLUMNS[table] if column.kind == "day" for name in names)
        for table in COLUMNS
    )


def as_utf8(data: bytes, name: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """Return text as UTF-8, and a note where it was written otherwise."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decoded(data, encoding, name).encode(), (() if encoding == "utf-8-sig" else (_encoded(name, "UTF-16"),))
    if b"\x00" in data[:4096]:
        encoding = "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"
        return _decoded(data, encoding, name).encode(), (_encoded(name, "UTF-16"),)
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return data, ()
    try:
        return data.decode("cp1252").encode(), (_encoded(name, "Windows-1252"),)
    except UnicodeDecodeError:
        return data.decode("latin-1").encode(), (_encoded(name, "Latin-1"),)


def _decoded(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(f"'{name}' says it is {encoding.upper()} and is not ({error}). Save it as UTF-8.") from error


def _encoded(name: str, encoding: str) -> tuple[str, str]:
    return "file-encoding", f"'{name}' is not UTF-8; it was read as {encoding}."


def separator_of(data: bytes) -> str:
    """Return the sign between cells: the one the header has most often, and other rows as often if there is a tie."""
    lines = data[:65_536].decode(errors="replace").splitlines()[:20]
    lines = [line for line in lines if line.strip()] or [""]

    def cells(line: str, sign: str) -> int:
        return len(next(csv.reader([line], delimiter=sign), []))

    def rank(sign: str) -> tuple[bool, int, int]:
        header = cells(lines[0], sign)
        same = sum(cells(line, sign) == header for line in lines[1:])
        return (header > 1, header if sign != " " else 0, same)

    return max(SEPARATORS, key=rank)


def _why_not(data: bytes, separator: str, name: str, error: Exception, above: int) -> str:
    """Return the sentence for a text file that is no table: an open quote, or the first row with too many cells, where that is it."""
    text = io.StringIO(data.decode(), newline="")
    rows, line = csv.reader(text, delimiter=separator, strict=True), 0
    try:
        for _ in rows:
            line = rows.line_num
    except csv.Error:
        where = f"'{name}', row {above + line + 1}"
        return f'{where}: a quote (") is opened and not closed, or stands inside a cell; close it or take it away.'
    rows = csv.reader(io.StringIO(data.decode()), delimiter=separator)
    header = next(rows, [])
    for number, row in enumerate(rows, start=above + 2):
        if len(row) > len(header):
            return (
                f"'{name}', row {number}: {len(row)} cells under a header of {len(header)}: {separator.join(row)[:80]!r}. "
                "If decimals are written with a comma, separate the cells with ';' or quote the numbers."
            )
        if any('"' in cell for cell in row):
            return f"'{name}', row {number}: a quote (\") stands inside a cell; take it away, or quote the cell and double the quote."
    return f"'{name}' cannot be read as a table: {str(error).splitlines()[0]}"


def _without_unnamed(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out columns without a name and without a value: the trace of separators at the ends of lines."""
    empty = [name for name in frame.columns if not name.removeprefix("_duplicated_").strip("0123456789 ") and frame[name].is_null().all()]
    return frame.drop(empty)


def open_workbook(path: Path) -> dict[str, Opened]:
    """Return the sheets of a workbook that have a header, every cell as text."""
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        lost = lost_cells(path) if path.suffix.lower() in (".xlsx", ".xlsm") else {}
        sheets = {name: _open_sheet(book, name, path.name, lost.get(name, ())) for name in book.sheet_names}
    except (fastexcel.FastExcelError, zipfile.BadZipFile) as error:
        raise SourceError(f"'{path.name}' cannot be read as a workbook: {error}") from error
    return {name: sheet for name, sheet in sheets.items() if sheet is not None}


def _open_sheet(book: object, name: str, file: str, lost: Sequence[Lost]) -> Opened | None:
    """Return a sheet; its header is the first row that names a patient and a day, else the first with anything in it."""
    # Typed reading turns a text such as 'n/a' among numbers into nothing, without a word.
    sheet = book.load_sheet(name, dtypes="string", header_row=None, skip_rows=0)  # pyright: ignore[reportAttributeAccessIssue]
    frame: pl.DataFrame = sheet.to_polars()
    if not frame.width or not frame.height:
        return None
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null()).alias("filled"))["filled"].arg_true()
    if not len(filled):
        return None
    top = [int(n) for n in filled.head(HEADER_ROWS)]
    header = next((n for n in top if is_header(frame.row(n))), top[0])
    label = f"{file}, sheet '{name}'"
    frame = _with_lost(frame, lost)
    names = _header_names(frame.row(header))
    body = frame[header + 1 :]
    body.columns = names
    keep = [column for column, cell in zip(names, frame.row(header), strict=True) if cell is not None or not body[column].is_null().all()]
    return opened_frame(body.select(keep), label, first_row=header + 2, notes=() if header == top[0] else (header_note(label, header + 1),))


def _with_lost(frame: pl.DataFrame, lost: Sequence[Lost]) -> pl.DataFrame:
    """Write what a cell holds where it holds no value, so that the reading of its column says that it is none."""
    by_column: dict[int, dict[int, str]] = {}
    for cell in lost:
        if cell.row < frame.height and 0 <= cell.column < frame.width:
            by_column.setdefault(cell.column, {})[cell.row] = cell.text
    for column, texts in by_column.items():
        values = frame.to_series(column).to_list()
        for row, text in texts.items():
            values[row] = text if values[row] is None else values[row]
        frame = frame.with_columns(pl.Series(frame.columns[column], values, dtype=pl.String))
    return frame


def _header_names(cells: Sequence[str | None]) -> list[str]:
    """Return names for the cells of a header, each once, as the CSV reader makes them."""
    names: list[str] = []
    for position, cell in enumerate(cells):
        name = (cell or "").strip() or f"column {position + 1}"
        repeats = sum(known == name or known.startswith(f"{name}_duplicated_") for known in names)
        names.append(f"{name}_duplicated_{repeats - 1}" if repeats else name)
    return names
