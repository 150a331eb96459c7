"""Files to tables of text or of the file's own types: CSV and its kin, XLSX, Parquet."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smoulder.errors import SourceError

TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt")
SHEET_ENDINGS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
PARQUET_ENDINGS = (".parquet", ".pq")
SEPARATORS = (",", ";", "\t", "|", " ")

_CAN_READ = "Smoulder reads CSV, TSV and text (also .gz), Excel workbooks and Parquet."
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
    notes: tuple[str, ...] = ()
    """Sentences about how it was opened."""


def opened_frame(frame: pl.DataFrame, label: str, *, first_row: int = 2, notes: tuple[str, ...] = ()) -> Opened:
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
    raise SourceError(f"'{path.name}' is of a kind that cannot be read. {_CAN_READ}")


def open_parquet(path: Path) -> Opened:
    """Return a Parquet file; its columns are read when they are asked for."""
    try:
        names = tuple(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"'{path.name}' cannot be read as Parquet: {error}") from error
    return Opened(label=path.name, names=names, take=lambda columns: pl.read_parquet(path, columns=list(columns)))


def open_text(path: Path) -> Opened:
    """Return a text file, every cell as text."""
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.name.lower().endswith(".gz") else data
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"'{path.name}' cannot be read: {error}") from error
    data, notes = as_utf8(data, path.name)
    if not data.strip():
        raise SourceError(f"'{path.name}' is empty: it has no header.")
    separator = separator_of(data)
    try:
        frame = pl.read_csv(data, separator=separator, infer_schema_length=0)
    except pl.exceptions.PolarsError as error:
        raise SourceError(_why_not(data, separator, path.name, error)) from error
    return opened_frame(_without_unnamed(frame), path.name, notes=notes)


def as_utf8(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
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


def _encoded(name: str, encoding: str) -> str:
    return f"'{name}' is not UTF-8; it was read as {encoding}."


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


def _why_not(data: bytes, separator: str, name: str, error: Exception) -> str:
    """Return the sentence for a text file that is no table: the first row with too many cells, where that is it."""
    rows = csv.reader(io.StringIO(data.decode()), delimiter=separator)
    header = next(rows, [])
    for number, row in enumerate(rows, start=2):
        if len(row) > len(header):
            return (
                f"'{name}', row {number}: {len(row)} cells under a header of {len(header)}: {separator.join(row)[:80]!r}. "
                "If decimals are written with a comma, separate the cells with ';' or quote the numbers."
            )
    return f"'{name}' cannot be read as a table: {error}"


def _without_unnamed(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out columns without a name and without a value: the trace of separators at the ends of lines."""
    empty = [name for name in frame.columns if not name.removeprefix("_duplicated_").strip("0123456789 ") and frame[name].is_null().all()]
    return frame.drop(empty)


def open_workbook(path: Path) -> dict[str, Opened]:
    """Return the sheets of a workbook that have a header, every cell as text."""
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        sheets = {name: _open_sheet(book, name, path.name) for name in book.sheet_names}
    except fastexcel.FastExcelError as error:
        raise SourceError(f"'{path.name}' cannot be read as a workbook: {error}") from error
    return {name: sheet for name, sheet in sheets.items() if sheet is not None}


def _open_sheet(book: object, name: str, file: str) -> Opened | None:
    """Return a sheet; its header is the first row with anything in it."""
    # Typed reading turns a text such as 'n/a' among numbers into nothing, without a word.
    sheet = book.load_sheet(name, dtypes="string", header_row=None, skip_rows=0)  # pyright: ignore[reportAttributeAccessIssue]
    frame: pl.DataFrame = sheet.to_polars()
    if not frame.width or not frame.height:
        return None
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null()).alias("filled"))["filled"].arg_true()
    if not len(filled):
        return None
    header = int(filled[0])
    names = _header_names(frame.row(header))
    body = frame[header + 1 :]
    body.columns = names
    keep = [column for column, cell in zip(names, frame.row(header), strict=True) if cell is not None or not body[column].is_null().all()]
    return opened_frame(body.select(keep), f"{file}, sheet '{name}'", first_row=header + 2)


def _header_names(cells: Sequence[str | None]) -> list[str]:
    """Return names for the cells of a header, each once, as the CSV reader makes them."""
    names: list[str] = []
    for position, cell in enumerate(cells):
        name = (cell or "").strip() or f"column {position + 1}"
        repeats = sum(known == name or known.startswith(f"{name}_duplicated_") for known in names)
        names.append(f"{name}_duplicated_{repeats - 1}" if repeats else name)
    return names
