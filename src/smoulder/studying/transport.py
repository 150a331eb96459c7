"""A table into a SAS transport file of version 5: the same bytes each time, and nothing changed without a word.

The format is that of SAS Technical Support note TS-140: text in ASCII, numbers as IBM doubles, records of 80 bytes. It is the one
that regulators take, and it is narrow: names of 8, labels of 40 and texts of 200 characters, no number that is not finite.
"""

from __future__ import annotations

import errno
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from smoulder.errors import DataError, agreed, counted

MOST_NAME = 8
"""Characters of a name of a table or variable."""
MOST_LABEL = 40
"""Characters of a label."""
MOST_TEXT = 200
"""Characters of a text."""
MOST_SHOWN = 5
"""Texts that a sentence shows; more are only counted."""

STAMP = b"01JAN00:00:00:00"
"""Stands where the format wants the time of writing: with the time, the same result would be other bytes each time."""
STAMPS_AT = (144, 160, 464, 480)
"""Bytes at which the times of writing and of change begin, of the library and of the table (TS-140)."""

LEAST_NUMBER, MOST_NUMBER = 5.4e-79, 7.2e75
"""Sizes that an IBM double holds: 16 to the power of -65, and of 63; pyreadstat writes the limit in place of what lies beyond."""
EXACT_BELOW = 2**53
"""Whole numbers from here on are not all exact in the doubles of the programs that read the file."""

_SPELLED = str.maketrans(
    {
        **{"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "đ": "d", "Đ": "D"},
        **{"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i"},
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("‘’‚′", "'"),
        **dict.fromkeys("“”„″", '"'),
        **{"≤": "<=", "≥": ">=", "×": "x", "·": ".", "±": "+/-", "°": "deg", "€": "EUR", "⁄": "/", "µ": "u", "μ": "u"},
    }
)
"""What is spelled in ASCII without being a letter with a mark."""


def as_ascii(text: str) -> str | None:
    """Return text spelled in ASCII, or None where it has a letter without a spelling here.

    Marks on letters fall away, and a control character, such as a tab, becomes a blank.

    >>> as_ascii("Zürich, 2–4 weeks"), as_ascii("Ω")
    ('Zurich, 2-4 weeks', None)
    """
    parts = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    plain = "".join(letter for letter in parts if not unicodedata.combining(letter)).translate(_SPELLED)
    return "".join(letter if letter.isprintable() else " " for letter in plain) if plain.isascii() else None


def write_transport(
    table: pl.DataFrame, place: Path, *, name: str, title: str, labels: Mapping[str, str], keys: Sequence[str] = ()
) -> tuple[str, ...]:
    """Write a table of texts, numbers and dates to `place` as the table `name` of a SAS transport file of version 5.

    `title` is its label, `labels` those of its columns, and `keys` are the columns of which no text may be cut, and in whose order the
    rows are put. Returns sentences that say which texts and labels were spelled in ASCII or cut. A missing text and an empty one are
    both blank, NaN is missing, and blanks at the end of a text do not exist in SAS. Raises DataError, with every fault, where a text
    cannot be spelled in ASCII, two texts of a column would become one, or a number is too large; OSError where the file cannot be
    written.
    """
    _check_names([name], table.columns)
    notes: list[str] = []
    faults: list[str] = []
    columns = [_plain(column, whole=column.name in keys, notes=notes, faults=faults) for column in table.iter_columns()]
    told = {column: _plain_label(column, labels.get(column, column), notes, faults) for column in table.columns}
    if faults:
        raise DataError("The SAS transport file cannot be written:\n" + "\n".join(f"  - {fault}" for fault in faults))
    plain = pl.DataFrame(columns)
    plain = plain.sort(keys) if keys else plain
    place.write_bytes(b"")  # raises an OSError that says why, where pyreadstat would raise one of its own
    _write(plain, place, name=name, title=(as_ascii(title) or name)[:MOST_LABEL], labels=told)
    _check_size(plain, place)
    with place.open("r+b") as file:
        for at in STAMPS_AT:
            _stamp(file, at)
    return tuple(notes)


def _check_names(tables: list[str], columns: list[str]) -> None:
    wrong = [name for name in (*tables, *columns) if not re.fullmatch(rf"[A-Z_][A-Z0-9_]{{0,{MOST_NAME - 1}}}", name)]
    if wrong:
        raise ValueError(f"names of a SAS transport file are 1 to {MOST_NAME} of A-Z, 0-9 and _, no digit first; got {wrong}")


def _plain(column: pl.Series, *, whole: bool, notes: list[str], faults: list[str]) -> pl.Series:
    """Return a column as the format can hold it; add what was changed to `notes` and what cannot be to `faults`."""
    if column.dtype == pl.Date:
        return column
    if column.dtype.is_numeric():
        return _plain_numbers(column, faults)
    if column.dtype == pl.String:
        return _plain_texts(column, whole, notes, faults)
    raise TypeError(f"column '{column.name}': a SAS transport file holds texts, numbers and dates; got {column.dtype}")


def _plain_numbers(column: pl.Series, faults: list[str]) -> pl.Series:
    number = column.cast(pl.Float64).fill_nan(None)
    size = number.abs()
    wrong = (size > MOST_NUMBER) | ((size > 0) & (size < LEAST_NUMBER))
    if column.dtype.is_integer():
        wrong |= size >= EXACT_BELOW
    found = column.filter(wrong.fill_null(False)).unique().sort().to_list()
    if found:
        faults.append(f"{column.name}: {counted(len(found), 'number')} too large or too small for the format: {_shown(map(str, found))}.")
    return number


def _plain_texts(column: pl.Series, whole: bool, notes: list[str], faults: list[str]) -> pl.Series:
    texts: list[str] = column.drop_nulls().unique().sort().to_list()
    spelled = {text: as_ascii(text) for text in texts}
    unknown = [text for text, plain in spelled.items() if plain is None]
    if unknown:
        faults.append(
            f"{column.name}: {counted(len(unknown), 'text')} that cannot be spelled in ASCII, which is all that the format knows: "
            f"{_shown(map(repr, unknown))}. Spell {agreed(len(unknown), 'it', 'them')} differently in the tables."
        )
    plain = {text: one.rstrip(" ") for text, one in spelled.items() if one is not None}
    long = [text for text, one in plain.items() if len(one) > MOST_TEXT]
    if long and whole:
        faults.append(f"{column.name}: {_too_long(long)} and must not be cut. Shorten {agreed(len(long), 'it', 'them')} in the tables.")
    cut = {text: one[:MOST_TEXT].rstrip(" ") for text, one in plain.items()}
    sources: dict[str, list[str]] = {}
    for text, one in cut.items():
        sources.setdefault(one, []).append(text)
    faults += [
        f"{column.name}: {_shown(map(_brief, several))} would be one text, {_brief(one)}. Make them differ in plain letters."
        for one, several in sources.items()
        if len(several) > 1
    ]
    changed = [f"{_brief(text)} as {_brief(one)}" for text, one in plain.items() if one != text]
    if changed:
        notes.append(
            f"In the SAS transport file {counted(len(changed), 'text')} of {column.name} "
            f"{agreed(len(changed), 'is', 'are')} spelled in ASCII, as the format demands: {_shown(changed)}."
        )
    if long and not whole:
        notes.append(f"In the SAS transport file {column.name} has {_too_long(long)}; the rest was cut off.")
    return column.replace_strict(cut, default=None, return_dtype=pl.String) if changed or long else column


def _too_long(long: list[str]) -> str:
    verb = agreed(len(long), "is", "are")
    return f"{counted(len(long), 'text')} that {verb} longer than the {MOST_TEXT} characters of the format ({_shown(map(_brief, long))})"


def _plain_label(column: str, label: str, notes: list[str], faults: list[str]) -> str:
    plain = as_ascii(label)
    if plain is None:
        faults.append(f"{column}: its label {label!r} cannot be spelled in ASCII, which is all that the format knows.")
        return column
    cut = plain[:MOST_LABEL].rstrip(" ")
    if cut != label:
        notes.append(f"In the SAS transport file the label of {column}, {label!r}, is written as {cut!r}.")
    return cut


def _brief(text: str) -> str:
    return repr(text if len(text) <= MOST_LABEL else f"{text[: MOST_LABEL - 1]}…")


def _shown(texts: Collection[str] | map[str]) -> str:
    every = list(texts)
    more = len(every) - MOST_SHOWN
    return ", ".join(every[:MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _write(plain: pl.DataFrame, place: Path, *, name: str, title: str, labels: dict[str, str]) -> None:
    import pyreadstat

    dates = {column: "DATE9." for column, dtype in plain.schema.items() if dtype == pl.Date}
    pyreadstat.write_xport(
        plain,  # type: ignore[arg-type] # a polars frame is taken, but does not fit the protocol that pyreadstat 1.3.7 declares for it
        str(place),
        file_label=title,
        column_labels=dict(labels),
        table_name=name,
        file_format_version=5,
        variable_format=dates,
    )


def _check_size(plain: pl.DataFrame, place: Path) -> None:
    """Raise OSError where the file has not the size that the format gives it: pyreadstat 1.3.7 says nothing of a full disk."""
    texts = [column for column in plain.iter_columns() if column.dtype == pl.String]
    widths = [max([1, *column.str.len_bytes().drop_nulls().unique().to_list()]) for column in texts]
    row = sum(widths) + 8 * (plain.width - len(texts))
    size = 9 * 80 + _whole_records(140 * plain.width) + _whole_records(row * plain.height)
    if place.stat().st_size != size:
        raise OSError(errno.ENOSPC, "the file is not complete; is the disk full?", str(place))


def _whole_records(n_bytes: int) -> int:
    return -(-n_bytes // 80) * 80


def _stamp(file: BinaryIO, at: int) -> None:
    file.seek(at)
    found = file.read(len(STAMP))
    if not re.fullmatch(rb"[ \d]\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d", found):
        raise AssertionError(f"byte {at} of a transport file should be the time of writing; got {found!r}")
    file.seek(at)
    file.write(STAMP)
