"""Every error a user can cause, and the sentences they are told in.

SmoulderError        safe to print as it is, without a traceback
  SourceError        a file, folder or format that cannot be read
  DataError          the tables: lists every fault at once
  DefinitionError    a definition that cannot be
  UsageError         a call that asks for something that does not exist
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class SmoulderError(Exception):
    """An error caused by input; its text says what was found and what to do."""


class SourceError(SmoulderError):
    """A file, folder or format that cannot be read."""


class DataError(SmoulderError):
    """Faults in the tables that stop an analysis; the text lists them all."""


class DefinitionError(SmoulderError):
    """A definition that cannot be; the text names each field and the reason."""


class UsageError(SmoulderError):
    """A call that asks for something that does not exist."""


MOST_LISTED = 40
"""Names that a sentence lists; more are only counted."""


def unknown(what: str, found: str, known: Iterable[str]) -> str:
    """Return the sentence for a name that is not known, with the nearest known ones.

    >>> unknown("definition", "kapos-2020", ["kappos-2020", "graf-2021"])
    "There is no definition 'kapos-2020'; did you mean 'kappos-2020'?"
    """
    names = sorted(known)
    by_lower = {name.lower(): name for name in names}
    near = [by_lower[name] for name in difflib.get_close_matches(found.lower(), by_lower, n=3, cutoff=0.6)]
    if near:
        return f"There is no {what} '{found}'; did you mean {one_of(near)}?"
    if len(names) > MOST_LISTED:
        return f"There is no {what} '{found}' among the {len(names):,} there are."
    return f"There is no {what} '{found}'; there are: {', '.join(names) if names else 'none'}."


def one_of(names: Sequence[str]) -> str:
    """Return names as "'a', 'b' or 'c'"."""
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun.

    >>> counted(1, "patient"), counted(3, "patient")
    ('1 patient', '3 patients')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def agreed(n: int, one: str, many: str) -> str:
    """Return the form of a word that agrees with a count.

    >>> agreed(1, "has", "have"), agreed(3, "has", "have")
    ('has', 'have')
    """
    return one if n == 1 else many
