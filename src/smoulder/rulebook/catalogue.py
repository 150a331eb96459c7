"""The catalogue of published definitions: one TOML file each, with its page and its two worked patients."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from smoulder.errors import DefinitionError, UsageError, counted, unknown
from smoulder.rulebook.model import Definition, definition_from, load_definition
from smoulder.rulebook.parts import AsTuple, Part

if TYPE_CHECKING:
    from smoulder.rulebook.grid import Grid


class Page(Part):
    """What a reader is told about a definition beside its settings."""

    counts: str
    """What counts, in the words of a neurologist."""
    why: str
    """Why the definition exists."""
    differs: str
    """How papers differ from it, or read it differently."""
    traps: str = ""
    """Where it misleads."""


class WorkedEvent(Part):
    """One event that a worked patient is expected to have."""

    measure: str = "edss"
    kind: str = "worsening"
    label: str | None = None
    onset: int
    """Day of onset."""
    confirmed: int | None = None
    """Day of the earliest confirming visit."""
    mri: str | None = None
    """What the MRI of a PIRA says, where the definition asks: no activity, activity or unknown."""


class WorkedPatient(Part):
    """A hand-worked patient: documentation and test of the definition."""

    title: str
    """Such as "has it" or "just misses it: …"."""
    visits: dict[str, str]
    """Measure -> "day:score day:score …"."""
    relapses: Annotated[tuple[int, ...], AsTuple] = ()
    """Days of relapse onset."""
    unscheduled: Annotated[tuple[int, ...], AsTuple] = ()
    """Days of visits that were not planned."""
    scans: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Day of a scan -> the lesion counts that were read."""
    time_zero: int | None = None
    """Day that counts as the start, such as randomisation."""
    diagnosis: int | None = None
    """Day of the diagnosis."""
    events: Annotated[tuple[WorkedEvent, ...], AsTuple] = ()
    """What is to be found; empty: nothing."""
    because: str
    """The reason, in a sentence."""

    def visit_rows(self) -> list[dict[str, Any]]:
        """Return the visits as rows with day and scores, in day order."""
        rows: dict[int, dict[str, Any]] = {}
        for measure, series in self.visits.items():
            for item in series.split():
                day, score = item.split(":")
                rows.setdefault(int(day), {"date": int(day)})[measure] = float(score)
        return [rows[day] for day in sorted(rows)]


class CatalogueEntry(Part):
    """A published definition with its page and its worked patients."""

    definition: Definition
    page: Page
    patients: Annotated[tuple[WorkedPatient, ...], AsTuple, Field(min_length=2)]


_HOME = resources.files("smoulder.rulebook") / "catalogue"


def keys() -> tuple[str, ...]:
    """Return the keys of the catalogue, in alphabetical order."""
    return tuple(sorted(item.name.removesuffix(".toml") for item in _HOME.iterdir() if item.name.endswith(".toml")))


@cache
def entry(key: str) -> CatalogueEntry:
    """Return a catalogue entry; UsageError with the near keys where there is none."""
    if key not in keys():
        raise UsageError(unknown("definition", key, keys()))
    data = tomllib.loads((_HOME / f"{key}.toml").read_text(encoding="utf-8"))
    page, patients = data.pop("page"), data.pop("patients")
    definition = definition_from(data, where=f"catalogue/{key}.toml")
    try:
        return CatalogueEntry.model_validate({"definition": definition, "page": page, "patients": patients})
    except ValidationError as error:
        raise DefinitionError(f"catalogue/{key}.toml: {error}") from error


def definitions() -> tuple[Definition, ...]:
    """Return every definition of the catalogue, by key.

    Examples
    --------
    >>> from smoulder import definitions
    >>> "mueller-2025" in [definition.key for definition in definitions()]
    True
    """
    return tuple(entry(key).definition for key in keys())


def definition(key_or_path: str | Path) -> Definition:
    """Return a definition: `key_or_path` is its key in the catalogue or in a grid, or the path of a TOML file.

    Raises UsageError where there is no such key or it is that of a whole grid, DefinitionError where the file is not a valid definition.

    Examples
    --------
    >>> from smoulder import definition
    >>> definition("cdw-12w").confirmation.windows[0].from_day
    84
    >>> definition("portaccio-2025-grid.roving-48w-abs").confirmation.windows[0].from_day
    336
    """
    from smoulder.rulebook.grid import grid, grid_in, grids

    if isinstance(key_or_path, Path) or key_or_path.endswith(".toml"):
        found = grid_in(key_or_path)
        if found is None:
            return load_definition(key_or_path)
    elif key_or_path in grids():
        found = grid(key_or_path)
    else:
        home, dot, _ = key_or_path.partition(".")
        if dot and home in grids():
            return grid(home).definition(key_or_path)
        if key_or_path not in keys():
            raise UsageError(_no_such(key_or_path, grids()))
        return entry(key_or_path).definition
    raise UsageError(f"'{key_or_path}' is a grid of {len(found):,} definitions; name one of them, such as '{found.example()}'.")


def _no_such(key: str, grid_keys: Sequence[str]) -> str:
    """Return the sentence for a key that is neither that of a definition nor that of a grid; both kinds are counted."""
    names = (*keys(), *grid_keys)
    said = unknown("definition", key, names)
    many = f" among the {len(names):,} there are."
    if not said.endswith(many):
        return said
    return f"{said.removesuffix(many)} among the {counted(len(keys()), 'definition')} and {counted(len(grid_keys), 'grid')} there are."


def resolve(chosen: Definition | Grid | str | Path | Sequence[Definition | Grid | str | Path]) -> tuple[Definition, ...]:
    """Return definitions from definitions, keys or files; a grid gives all of its own.

    Raises UsageError where two have one key or none is given.
    """
    items = list(chosen) if isinstance(chosen, Sequence) and not isinstance(chosen, str) else [chosen]
    found = tuple(one for item in items for one in _expanded(item))
    if not found:
        raise UsageError("No definition is given; choose one of the catalogue (smoulder definitions list) or a TOML file.")
    names = [item.key for item in found]
    twice = sorted(name for name, n in Counter(names).items() if n > 1)
    if twice:
        raise UsageError(f"Two definitions have the key '{twice[0]}'; give each its own.")
    return found


def _expanded(item: Definition | Grid | str | Path) -> tuple[Definition, ...]:
    """Return the definition that was given or named, or all of a grid."""
    from smoulder.rulebook.grid import Grid, grid, grid_in, grids

    if isinstance(item, Definition):
        return (item,)
    if isinstance(item, Grid):
        return item.definitions()
    is_file = isinstance(item, Path) or item.endswith(".toml")
    found = grid_in(item) if is_file else grid(item) if item in grids() else None
    return (definition(item),) if found is None else found.definitions()
