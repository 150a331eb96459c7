"""Results into files: the ending of the name says how; with provenance, whole or not at all, and never over a file of others."""

from __future__ import annotations

import datetime
import io
import json
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import polars as pl

from smoulder._version import __version__
from smoulder.errors import UsageError, counted, one_of
from smoulder.events import Events, Summary
from smoulder.findings import Report
from smoulder.provenance import Provenance
from smoulder.rulebook import Definition, traps

if TYPE_CHECKING:
    from smoulder.figures.drawing import Drawing

TABLE_ENDINGS = (".csv", ".parquet", ".xlsx", ".json")
"""Endings of a file name that say how a table is written."""

MOST_SHEET_ROWS = 1_048_575
"""Rows that a worksheet holds below its header."""

AUTOFIT_ROWS = 5_000
"""Sheets up to this length get columns as wide as their content; beyond, that would cost more than the writing."""

_COMPANION = ".provenance.json"
_JSON_START = '{"smoulder": '
_SIGNED = "Written by Smoulder"
"""How the last line of a text or drawing begins by which a file is known as ours."""
_SIGNATURE = f"{_SIGNED} {__version__}"
_TAIL = 200
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = 12
"""Bytes of the last chunk of a PNG, IEND."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Document:
    """What belongs into one file."""

    name: str
    """What the rows are, such as "events"."""
    table: pl.DataFrame
    beside: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """Further sheets of a workbook."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further parts of JSON, as plain data."""
    provenance: Provenance | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further parts of the provenance, as plain data, such as how the tables were read."""

    def about(self) -> dict[str, Any]:
        """Return what the rows came from: the provenance, as far as there is one, and what else is known."""
        return about(self.provenance, self.extra)

    def json(self) -> str:
        """Return everything but the further sheets as JSON text, one object."""
        parts = [f"{_JSON_START}{json.dumps(__version__)}", f'"{self.name}": {self.table.write_json()}']
        parts += [f'"{name}": {json.dumps(fact, ensure_ascii=False)}' for name, fact in self.facts.items()]
        parts.append(f'"provenance": {json.dumps(self.about(), ensure_ascii=False)}')
        return ",\n ".join(parts) + "}\n"


def about(provenance: Provenance | None, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return provenance with what else is known, as plain data."""
    known = {"program": "smoulder", "version": __version__} if provenance is None else provenance.as_dict()
    return {**known, **extra}


class Files:
    """Files that are written beside their place and appear there together, or not at all.

    Used as a context: `part(path)` says where to write what is meant for `path`. `inputs` are files and
    folders that were read and must not be overwritten. Raises UsageError where a file cannot be written.
    """

    def __init__(self, inputs: Sequence[str | Path] = ()) -> None:
        self.inputs = tuple(Path(path) for path in inputs)
        self._parts: dict[Path, Path] = {}

    def part(self, path: str | Path) -> Path:
        """Return where to write what is meant for `path`."""
        check_target(path, self.inputs)
        place = Path(os.path.realpath(path))
        if place in self._parts:
            raise UsageError(f"Two results are meant for one file: '{path}'.")
        part = place.with_name(f".{place.stem[:100]}.{os.getpid()}.part{place.suffix}")
        self._parts[place] = part
        return part

    def __enter__(self) -> Files:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                for place, part in self._parts.items():
                    part.replace(place)
        except OSError as failed:
            raise _unwritable(failed) from failed
        finally:
            for part in self._parts.values():
                part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(error) from error


@contextmanager
def new_folder(folder: str | Path) -> Iterator[Path]:
    """Give an empty folder to fill, which then appears at `folder`: whole, or not at all where anything goes wrong.

    Raises UsageError where the folder has something in it already, or cannot be written.
    """
    folder = Path(folder)
    require_new(folder)
    beside = Path(_beside(folder))
    try:
        beside.chmod(0o755)
        yield beside
        if folder.is_dir():
            folder.rmdir()
        os.replace(beside, folder)
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _beside(folder: Path) -> str:
    """Make a folder with a name of its own beside the one that is meant; the same disk, so that it can take its place in one step."""
    try:
        return tempfile.mkdtemp(prefix=".smoulder-", dir=folder.absolute().parent)
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be written: {error.strerror or error}.") from error


def require_new(folder: Path) -> None:
    """Raise UsageError where a folder cannot be made or has something in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"'{folder}' is there already and not empty; give a new folder.")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"There is no folder '{folder.absolute().parent}' to make '{folder.name}' in.")


def files_in(folder: Path) -> tuple[str, ...]:
    """Return the names of all files below a folder, sorted, with '/' between folders on every system."""
    return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))


def _unwritable(error: OSError) -> UsageError:
    where = f"'{error.filename}'" if error.filename else "The file"
    return UsageError(f"{where} cannot be written: {error.strerror or error}.")


def check_target(path: str | Path, inputs: Sequence[str | Path] = (), endings: Sequence[str] | None = None) -> None:
    """Raise UsageError where a result cannot go to `path`: its ending, its folder, or because it would overwrite what is not ours.

    A file that is there already is replaced only if Smoulder wrote it, and never if it is among `inputs`.
    """
    path = Path(path)
    if endings is not None and path.suffix.lower() not in endings:
        found = f"it ends in '{path.suffix}'" if path.suffix else "it has no ending"
        raise UsageError(f"'{path.name}': the ending of the name says how it is written; {found}, possible are {one_of(endings)}.")
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder '{path.parent}' to write '{path.name}' into.")
    place = Path(os.path.realpath(path))
    if any(_same(place, Path(source)) for source in inputs):
        raise UsageError(f"'{path}' is one of the files that are read; it is not overwritten. Choose another name.")
    if place.exists() and not _is_ours(place):
        raise UsageError(
            f"'{path}' is there already and was not written by Smoulder; it is not overwritten. Choose another name, or delete it first."
        )


def _same(place: Path, source: Path) -> bool:
    """Return whether two paths are one file, also where they are two names of it."""
    try:
        return place == Path(os.path.realpath(source)) or os.path.samefile(place, source)
    except OSError:
        return False


def _is_ours(path: Path) -> bool:
    """Return whether Smoulder wrote a file, as its content says."""
    ending = path.suffix.lower()
    try:
        if path.name.endswith(_COMPANION):
            return _companion_names(path, path.name.removesuffix(_COMPANION))
        if ending in (".csv", ".xpt"):
            return _companion_names(companion(path), path.name)
        if ending == ".parquet":
            return "smoulder" in pl.read_parquet_metadata(path)
        if ending == ".xlsx":
            # Who saves it with another program is named there, and the changes are theirs.
            with zipfile.ZipFile(path) as book:
                return b"<cp:lastModifiedBy>Smoulder " in book.read("docProps/core.xml")
        if ending == ".json":
            with path.open(encoding="utf-8") as file:
                return file.read(len(_JSON_START)) == _JSON_START
        return _is_signed(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, pl.exceptions.PolarsError):
        return False


def _companion_names(beside: Path, name: str) -> bool:
    """Return whether a file is the provenance of the file of this name."""
    known = json.loads(beside.read_text(encoding="utf-8"))
    return isinstance(known, dict) and (known.get("program"), known.get("file")) == ("smoulder", name)


def _is_signed(path: Path) -> bool:
    starts = {".txt": b"", ".svg": b"<svg ", ".html": b"<!DOCTYPE html>", ".png": _PNG_START}
    start = starts.get(path.suffix.lower())
    with path.open("rb") as file:
        if start is None or file.read(len(start)) != start:
            return False
        file.seek(max(len(start), path.stat().st_size - _TAIL))
        tail = file.read()
    signed = _SIGNED.encode()
    if start == _PNG_START:
        return b"tEXtSoftware\0" + signed in tail
    return tail.rstrip().rpartition(b"\n")[2].removeprefix(b"<!-- ").startswith(signed)


def companion(path: Path) -> Path:
    """Return the file that carries the provenance of a CSV."""
    return path.with_name(path.name + _COMPANION)


def write(document: Document, path: str | Path, files: Files) -> None:
    """Write a document to the place that `files` gives for `path`."""
    path = Path(path)
    check_target(path, files.inputs, TABLE_ENDINGS)
    ending = path.suffix.lower()
    if ending == ".xlsx":
        _check_rows(document, path)
    part = files.part(path)
    if ending == ".csv":
        document.table.write_csv(part)
        place = Path(os.path.realpath(path))
        files.part(companion(place)).write_text(_indented(document.about() | {"file": place.name}) + "\n", encoding="utf-8")
    elif ending == ".parquet":
        # By way of memory, as polars calls a full disk an error of the format.
        content = io.BytesIO()
        document.table.write_parquet(content, metadata={"smoulder": _indented(document.about())})
        part.write_bytes(content.getbuffer())
    elif ending == ".json":
        part.write_text(document.json(), encoding="utf-8")
    else:
        from xlsxwriter.exceptions import FileCreateError

        try:
            _write_workbook(document, part)
        except FileCreateError as error:
            raise OSError(str(error).rpartition("] ")[2]) from error


def write_table(
    table: pl.DataFrame, path: str | Path, provenance: Provenance | None = None, *, name: str = "rows", inputs: Sequence[str | Path] = ()
) -> None:
    """Write one table to a file whose ending says how: .csv, .parquet, .xlsx or .json.

    CSV gets its provenance in a file beside it, the others carry it inside. Raises UsageError where
    the ending is another one, the file cannot be written, or it is among `inputs`.
    """
    with Files(inputs) as files:
        write(Document(name=name, table=table, provenance=provenance), path, files)


def _indented(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True)


def write_text(text: str, path: str | Path, files: Files) -> None:
    """Write text to the place that `files` gives for `path`, with a last line that says who wrote it."""
    files.part(path).write_text(f"{text}\n\n{_SIGNATURE}\n", encoding="utf-8")


def write_figure(figure: Drawing, path: str | Path, files: Files) -> None:
    """Draw a figure into the place that `files` gives for `path`, with a remark inside that says who drew it."""
    part = files.part(path)
    figure.save(part)
    if part.suffix.lower() != ".png":
        with part.open("a", encoding="utf-8") as file:
            file.write(f"\n<!-- {_SIGNATURE} -->\n")
        return
    content, text = part.read_bytes(), b"tEXtSoftware\0" + _SIGNATURE.encode()
    remark = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    part.write_bytes(content[:-_PNG_END] + remark + content[-_PNG_END:])


def events_document(events: Events, extra: Mapping[str, Any] | None = None) -> Document:
    """Return events as they are written: the table, and all that belongs to it. `extra` goes into the provenance."""
    extra = extra or {}
    summary = summary_frame(events.summaries())
    return Document(
        name="events",
        table=events.dated(),
        beside={
            "unconfirmed": events.dated(events.unconfirmed),
            "follow_up": events.dated(events.follow_up),
            "summary": summary,
            "definition": definition_frame(events.definitions),
            "provenance": provenance_frame(about(events.provenance, extra)),
        },
        facts={"summary": summary.to_dicts()},
        provenance=events.provenance,
        extra=extra,
    )


def write_events(
    events: Events,
    path: str | Path | None,
    *,
    unconfirmed: str | Path | None = None,
    follow_up: str | Path | None = None,
    inputs: Sequence[str | Path] = (),
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write events, and where asked for what was unconfirmed and the follow-up; all files or none. Each has the whole provenance."""
    whole = events_document(events, extra)
    known = {name: whole.beside[name] for name in ("definition", "provenance")}
    with Files(inputs) as files:
        if path is not None:
            write(whole, path, files)
        for name, place in (("unconfirmed", unconfirmed), ("follow_up", follow_up)):
            if place is not None:
                part = Document(name=name, table=whole.beside[name], beside=known, provenance=whole.provenance, extra=whole.extra)
                write(part, place, files)


def report_document(report: Report, extra: Mapping[str, Any] | None = None) -> Document:
    """Return a report as it is written: one row a case, with the accounts and the columns. `extra` goes into the provenance."""
    extra = extra or {}
    accounts = [
        {"table": a.table, "rows_read": a.rows_read, "rows_kept": a.rows_kept, "set_aside": dict(a.set_aside)} for a in report.accounts
    ]
    columns = [
        {"table": c.table, "column": c.column, "meaning": c.meaning, "format": c.format, "decided_by": c.decided_by} for c in report.columns
    ]
    text: dict[str, type[pl.String]] = dict.fromkeys(("table", "column", "meaning", "format", "decided_by"), pl.String)
    return Document(
        name="findings",
        table=report.frame(),
        beside={
            "accounts": _accounts_frame(report),
            "columns": pl.DataFrame(columns, schema=text),
            "provenance": provenance_frame(about(None, extra)),
        },
        facts={"accounts": accounts, "columns": columns},
        extra=extra,
    )


def _accounts_frame(report: Report) -> pl.DataFrame:
    rows = []
    for account in report.accounts:
        rows += [(account.table, "read", account.rows_read), (account.table, "kept", account.rows_kept)]
        rows += [(account.table, f"set aside: {reason}", n) for reason, n in account.set_aside]
    return pl.DataFrame(rows, schema={"table": pl.String, "rows": pl.String, "n": pl.Int64}, orient="row")


def summary_frame(summaries: Sequence[Summary]) -> pl.DataFrame:
    """Return the counts of summaries, one row a line: what is counted, the count, what it is out of, the share and its interval."""
    rows: list[tuple[object, ...]] = []
    for summary in summaries:
        years = round(summary.person_years, 2)
        named = key_and_title(summary)
        for name, share in summary.counts:
            low, high = share.interval or (None, None)
            percent = [None if part is None else round(100 * part, 2) for part in (_ratio(share.numerator, share.denominator), low, high)]
            rows.append((*named, f"patients with {name}", share.numerator, share.denominator, *percent, years))
        for name, n in summary.events:
            rows.append((*named, name, n, None, None, None, None, years))
    schema = {"definition": pl.String, "title": pl.String, "what": pl.String, "n": pl.Int64, "out_of": pl.Int64, "percent": pl.Float64}
    schema |= {"percent_low": pl.Float64, "percent_high": pl.Float64, "person_years": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def key_and_title(summary: Summary) -> tuple[str, str]:
    """Return the key and the title of the definition of a summary, which names it as "title [key]"."""
    title, _, key = summary.definition.removesuffix("]").rpartition(" [")
    return key, title


def _ratio(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


def evidence(definition: Definition, setting: str) -> str:
    """Return how a setting is known: "seen", "assumed", "code", or "" where the definition does not say."""
    marks = {"seen": definition.source.seen, "assumed": definition.source.assumed, "code": definition.source.code}
    return next((mark for mark, settings in marks.items() if setting in settings), "")


def setting_text(value: object) -> str:
    """Return the value of a setting as text; "-" for none."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def definition_frame(definitions: Sequence[Definition]) -> pl.DataFrame:
    """Return definitions in full, one row a setting, the methods paragraph and the source first."""
    rows: list[tuple[str, str, str, str]] = []
    for one in definitions:
        about = {"title": one.title, "in words": one.prose(), "source": one.source.citation, "doi": one.source.doi}
        rows += [(one.key, name, text, "") for name, text in about.items() if text]
        rows += [(one.key, "known trap", sentence, "") for sentence in traps(one)]
        rows += [(one.key, setting, setting_text(value), evidence(one, setting)) for setting, value in one.settings().items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(("definition", "setting", "value", "evidence"), pl.String), orient="row")


def provenance_frame(known: Mapping[str, Any]) -> pl.DataFrame:
    """Return provenance (`about`) as rows of a name and a value, one for each patient and row set aside, each setting and definition."""
    rows: list[tuple[str, str]] = []
    for name, value in known.items():
        if name == "set_aside":
            rows += [("set aside", f"{one['patient']}: {one['reason']}") for one in value]
        elif isinstance(value, list):
            rows += [(name.replace("_", " ").removesuffix("s"), json.dumps(one, ensure_ascii=False)) for one in value]
        elif isinstance(value, Mapping):
            shown = name.replace("_", " ")
            for inner, content in value.items():
                # Sentences of a definition, such as its known traps, have a row each.
                rows += [(f"{shown}: {inner}", setting_text(one)) for one in (content if isinstance(content, list) else [content])]
        else:
            rows.append((name.replace("_", " "), str(value)))
    return pl.DataFrame(rows, schema={"name": pl.String, "value": pl.String}, orient="row")


def _check_rows(document: Document, path: Path) -> None:
    for name, frame in {document.name: document.table, **document.beside}.items():
        if frame.height > MOST_SHEET_ROWS:
            raise UsageError(
                f"'{path.name}': the sheet '{name}' would have {counted(frame.height, 'row')}, and a worksheet holds "
                f"{MOST_SHEET_ROWS:,}. Write CSV or Parquet."
            )


def header_names(names: Sequence[str]) -> list[str]:
    """Return names of columns that a worksheet accepts: each once whatever the case; otherwise it has none of their cells.

    >>> header_names(["Arm", "arm", "ARM", "arm~2"])
    ['Arm', 'arm~3', 'ARM~4', 'arm~2']
    """
    taken = {name.lower() for name in names}
    seen: set[str] = set()
    found = []
    for name in names:
        chosen, number = name, 2
        while chosen.lower() in (seen if chosen == name else taken):
            chosen, number = f"{name}~{number}", number + 1
        seen.add(chosen.lower())
        taken.add(chosen.lower())
        found.append(chosen)
    return found


def _write_workbook(document: Document, place: Path) -> None:
    import xlsxwriter

    # An id such as '=1+1' or 'http://x' is a text like any other.
    with xlsxwriter.Workbook(place, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        # Without a fixed day the same result would be other bytes each time.
        book.set_properties({"author": f"Smoulder {__version__}", "created": datetime.datetime(2000, 1, 1)})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for name, frame in {document.name: document.table, **document.beside}.items():
            frame.rename(dict(zip(frame.columns, header_names(frame.columns), strict=True))).write_excel(
                book,
                name,
                autofit=frame.height <= AUTOFIT_ROWS,
                dtype_formats={pl.Date: "yyyy-mm-dd", pl.Float64: "General", **dict.fromkeys((pl.Int32, pl.Int64, pl.UInt32), "General")},
                table_style="Table Style Light 1",
                freeze_panes=(1, 0),
            )
            if "value" in frame.columns:
                sheet = book.get_worksheet_by_name(name)
                assert sheet is not None
                sheet.set_column(frame.columns.index("value"), frame.columns.index("value"), 100, wrapped)
