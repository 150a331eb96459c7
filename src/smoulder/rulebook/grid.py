"""Grids: many definitions of one paper as data, axes whose values combine (Kalincik 2015, Müller 2025, …)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from smoulder.errors import DefinitionError, UsageError, agreed, counted, unknown
from smoulder.rulebook.catalogue import Page, WorkedEvent, WorkedPatient, entry
from smoulder.rulebook.model import Definition, Source, definition_from
from smoulder.rulebook.parts import AsTuple, Part, listed

Evidence = Literal["assumed", "code", "seen"]
"""How something is known, the weakest first."""
_WEAKEST_FIRST: tuple[Evidence, ...] = get_args(Evidence)
_WORDS: dict[Evidence, str] = {"seen": "read in the source", "code": "from a program", "assumed": "assumed"}


class AxisValue(Part):
    """One value of an axis, and the settings that it stands for."""

    name: str = Field(pattern=r"^[a-z0-9]+(\.[a-z0-9]+)*$")
    """Short name without a dash; the names of the chosen values make the key of a definition."""
    title: str
    settings: dict[str, Any] = Field(default_factory=dict)
    """Dotted path, as in `Definition.settings()` or deeper -> what it becomes. None at all: as in the base."""
    adds: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    """Dotted path of a list -> what is added to its end, after the settings of all axes."""
    without: Annotated[tuple[str, ...], AsTuple] = ()
    """Dotted paths of the base that are taken out."""
    fills: dict[str, int] = Field(default_factory=dict)
    """Word -> the number that stands for it wherever a text of the settings has "{word}", also one of another axis."""
    evidence: Evidence
    """How it is known that the paper tried this value, and with these settings."""
    assumed: Annotated[tuple[str, ...], AsTuple] = ()
    """Paths of its settings that are assumed all the same."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        paths = self.paths()
        twice = sorted({path for path in paths if paths.count(path) > 1})
        if twice:
            raise ValueError(f"'{self.name}' says more than one thing of {listed(twice)}")
        stray = [path for path in self.assumed if path not in paths]
        if stray:
            raise ValueError(f"'{self.name}' marks {listed(stray)}, which it does not set")
        return self

    def paths(self) -> list[str]:
        """Return every path that it sets, adds to or takes out."""
        return [*self.settings, *self.adds, *self.without]

    def evidence_of(self, path: str) -> Evidence:
        """Return how one of its settings is known."""
        return "assumed" if path in self.assumed else self.evidence


class Axis(Part):
    """One thing on which the definitions of a grid differ."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    values: Annotated[tuple[AxisValue, ...], AsTuple, Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [value.name for value in self.values]
        if len(set(names)) != len(names):
            raise ValueError(f"two values of the axis '{self.name}' have one name: {listed(names)}")
        return self

    def value(self, name: str) -> AxisValue:
        """Return the value of a name; UsageError with the near ones where there is none."""
        found = next((value for value in self.values if value.name == name), None)
        if found is None:
            raise UsageError(unknown(f"value of the axis '{self.name}'", name, [value.name for value in self.values]))
        return found


class LeftOut(Part):
    """Combinations that a grid does not have."""

    values: dict[str, str] = Field(min_length=1)
    """Axis -> name of its value; every combination that has all of them is left out."""
    reason: str


class GridAnswer(Part):
    """What one definition of a grid finds in a worked patient."""

    definition: str
    """Its key without that of the grid: the names of its values, such as fixed-24w-90d."""
    events: Annotated[tuple[WorkedEvent, ...], AsTuple] = ()
    """What it finds; empty: nothing."""


class GridPatient(WorkedPatient):
    """A hand-worked patient who has a worsening under some definitions of a grid and none under others."""

    answers: Annotated[tuple[GridAnswer, ...], AsTuple, Field(min_length=2)]
    found_by: int = Field(ge=1)
    """How many definitions of the grid find a worsening."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.events:
            raise ValueError(f"'{self.title}' has events of its own; in a grid each answer has them")
        return self


def _base(value: Any) -> Any:
    return definition_from(value, where="the base of the grid") if isinstance(value, dict) else value


class Grid(Part):
    """Definitions that are every combination of the values of some axes. Made and named from data; the model checks each."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Short name without a dot, such as mueller-2025-grid; its definitions are named KEY.VALUE-VALUE-…, one value an axis."""
    title: str
    base: Annotated[str | Definition, BeforeValidator(_base)]
    """What no axis says: a definition, or the key of one in the catalogue."""
    axes: Annotated[tuple[Axis, ...], AsTuple, Field(min_length=1)]
    axes_evidence: Evidence
    """How it is known that these axes make up the definitions of the source."""
    published: int | None = Field(default=None, ge=1)
    """How many definitions the source says there are; the grid must have as many. None: no source says."""
    left_out: Annotated[tuple[LeftOut, ...], AsTuple] = ()
    source: Source = Source()
    """Where the grid was published; the marks of its settings stand at the values and the base."""
    page: Page
    patients: Annotated[tuple[GridPatient, ...], AsTuple] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [axis.name for axis in self.axes]
        if len(set(names)) != len(names):
            raise ValueError(f"two axes have one name: {listed(names)}")
        if self.source.seen or self.source.code or self.source.assumed:
            raise ValueError("source marks settings; in a grid the values and the base have the marks")
        self._check_paths()
        by_name = {axis.name: [value.name for value in axis.values] for axis in self.axes}
        for out in self.left_out:
            wrong = [f"{axis} = '{value}'" for axis, value in out.values.items() if value not in by_name.get(axis, ())]
            if wrong:
                raise ValueError(f"left_out names {listed(wrong)}, which the grid does not have")
        if self.published is not None and len(self) != self.published:
            raise ValueError(f"the axes make {len(self):,} definitions, and the source says {self.published:,}")
        return self

    def _check_paths(self) -> None:
        """Raise ValueError where two axes say what one path is."""
        said: dict[str, str] = {}
        for axis in self.axes:
            for path in {path for value in axis.values for path in (*value.settings, *value.without)}:
                for other, by in said.items():
                    if by != axis.name and (f"{path}.".startswith(f"{other}.") or f"{other}.".startswith(f"{path}.")):
                        raise ValueError(f"the axes '{by}' and '{axis.name}' both set {path}")
                said[path] = axis.name

    def __len__(self) -> int:
        """Return the number of definitions."""
        if not self.left_out:
            return prod(len(axis.values) for axis in self.axes)
        return sum(1 for _ in self._chosen())

    def definitions(self) -> tuple[Definition, ...]:
        """Return every definition, the last axis changing fastest; DefinitionError where a combination cannot be."""
        base = self.base_definition()
        return tuple(self._made(base, chosen) for chosen in self._chosen())

    def definition(self, key: str) -> Definition:
        """Return the definition of a key; UsageError where the grid has none such, and why."""
        names = key.removeprefix(f"{self.key}.").split("-")
        if len(names) != len(self.axes):
            scheme = "-".join(axis.name.upper() for axis in self.axes)
            raise UsageError(
                f"There is no definition '{key}': those of the grid '{self.key}' are named {self.key}.{scheme}, such as '{self.example()}'."
            )
        chosen = tuple(axis.value(name) for axis, name in zip(self.axes, names, strict=True))
        reason = self._reason_left_out(chosen)
        if reason:
            raise UsageError(f"The grid '{self.key}' leaves '{key}' out: {reason}")
        return self._made(self.base_definition(), chosen)

    def choices(self) -> dict[str, dict[str, str]]:
        """Return, for the key of every definition, the name of its value on each axis."""
        axes = [axis.name for axis in self.axes]
        return {self._key(chosen): dict(zip(axes, (value.name for value in chosen), strict=True)) for chosen in self._chosen()}

    def example(self) -> str:
        """Return the key of its first definition."""
        return self._key(next(self._chosen()))

    def base_definition(self) -> Definition:
        """Return what no axis says."""
        return entry(self.base).definition if isinstance(self.base, str) else self.base

    def prose(self) -> str:
        """Return the axes, and what of them is assumed, as a paragraph."""
        axes = counted(len(self.axes), "axis", "axes")
        sentences = [f"The grid has {counted(len(self), 'definition')}: every combination of the values of {axes}."]
        sentences += [f"{axis.title} ({len(axis.values)}): {'; '.join(value.title for value in axis.values)}." for axis in self.axes]
        for out in self.left_out:
            which = listed([f"{axis} = {value}" for axis, value in out.values.items()])
            sentences.append(f"Left out: {which}, because {out.reason}")
        same = f"as in {self.base}" if isinstance(self.base, str) else "the same in all of them"
        sentences.append(f"What no axis says is {same}.")
        if self.axes_evidence == "assumed":
            sentences.append("That these axes make up the definitions of the source is assumed.")
        assumed = self._titles_of("assumed")
        if assumed:
            them = agreed(len(assumed), "it", "them")
            sentences.append(f"Assumed, as the source was not seen to state {them}: {listed(assumed)}.")
        partly = {axis.title: dict.fromkeys(path for value in axis.values for path in value.assumed) for axis in self.axes}
        also = [f"{listed(list(paths))} under '{title}'" for title, paths in partly.items() if paths]
        if also:
            sentences.append(f"Assumed in values that are known: {'; '.join(also)}.")
        code = self._titles_of("code")
        if code:
            sentences.append(f"Taken from a program: {listed(code)}.")
        return " ".join(sentences)

    def as_dict(self) -> dict[str, Any]:
        """Return the whole grid as plain data, without what is not set."""
        return self.model_dump(exclude_defaults=True, exclude_none=True, mode="json")

    def toml(self) -> str:
        """Return the grid as TOML text that `load_grid` reads back to an equal one."""
        import tomlkit

        return tomlkit.dumps(self.as_dict())

    def _titles_of(self, evidence: Evidence) -> list[str]:
        """Return the axes with those of their values that are known in one way."""
        found = []
        for axis in self.axes:
            titles = [value.title for value in axis.values if value.evidence == evidence]
            all_of_them = len(titles) == len(axis.values)
            found += [f"'{axis.title}'" if all_of_them else f"'{axis.title}' ({'; '.join(titles)})"] if titles else []
        return found

    def _chosen(self) -> Iterator[tuple[AxisValue, ...]]:
        combinations = product(*(axis.values for axis in self.axes))
        return (chosen for chosen in combinations if not self._reason_left_out(chosen))

    def _reason_left_out(self, chosen: Sequence[AxisValue]) -> str:
        """Return why a combination is left out; "" where it is not."""
        names = {axis.name: value.name for axis, value in zip(self.axes, chosen, strict=True)}
        return next((out.reason for out in self.left_out if out.values.items() <= names.items()), "")

    def _key(self, chosen: Sequence[AxisValue]) -> str:
        return f"{self.key}.{'-'.join(value.name for value in chosen)}"

    def _made(self, base: Definition, chosen: Sequence[AxisValue]) -> Definition:
        """Return the base with the settings of one value an axis, and with the marks of both."""
        key = self._key(chosen)
        changes: dict[str, Any] = {path: value for one in chosen for path, value in one.settings.items()}
        changes |= {path: None for one in chosen for path in one.without}
        before = base.settings()
        for one in chosen:
            for path, items in one.adds.items():
                changes[path] = [*(changes.get(path) or before.get(path) or []), *items]
        fills = {word: number for one in chosen for word, number in one.fills.items()}
        try:
            filled = {path: _filled(value, fills) for path, value in changes.items()}
            title = f"{'; '.join(value.title for value in chosen)} ({self.key})"
            new = base.changed({**filled, "key": key, "title": title})
        except DefinitionError as error:
            raise DefinitionError(f"'{key}' cannot be: {error}") from error
        return new.model_copy(update={"source": self._source_of(new, chosen)})

    def _source_of(self, new: Definition, chosen: Sequence[AxisValue]) -> Source:
        """Return the source of the grid with the marks of one definition: those of the base where no chosen value says anything."""
        paths = list(new.settings())
        marks: dict[str, list[Evidence]] = {}
        for one in chosen:
            for path in one.paths():
                setting = next((known for known in paths if f"{path}.".startswith(f"{known}.")), None)
                if setting is not None:
                    marks.setdefault(setting, []).append(one.evidence_of(path))
        told = {setting: min(found, key=_WEAKEST_FIRST.index) for setting, found in marks.items()}
        told |= {path: mark for mark in _WEAKEST_FIRST for path in getattr(new.source, mark) if path not in told}
        by_mark = {mark: tuple(path for path in paths if told.get(path) == mark) for mark in _WEAKEST_FIRST}
        return self.source.model_copy(update=by_mark)


_BRACES = re.compile(r"\{(\w+)\}")


def _filled(value: Any, fills: dict[str, int]) -> Any:
    """Return plain data with the numbers for the words in braces; DefinitionError where no value gives one."""
    if isinstance(value, list):
        return [_filled(item, fills) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item, fills) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    missing = [word for word in _BRACES.findall(value) if word not in fills]
    if missing:
        raise DefinitionError(f"no value fills {listed([f'{{{word}}}' for word in missing])} in '{value}'.")
    return _BRACES.sub(lambda match: str(fills[match[1]]), value)


def settings_text(value: AxisValue) -> str:
    """Return what a value sets, as text; "as in the base" where it sets nothing."""
    parts = [f"{path} = {_plain(said)}" for path, said in value.settings.items()]
    parts += [f"{path} has {_plain(items)} as well" for path, items in value.adds.items()]
    parts += [f"no {path}" for path in value.without]
    return "; ".join(parts) or "as in the base"


def _plain(value: Any) -> str:
    """Return plain data as it would be written in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {_plain(item)}' for name, item in value.items())} }}" if value else "{}"
    return f'"{value}"' if isinstance(value, str) else str(value)


def evidence_words(value: AxisValue) -> str:
    """Return how a value is known, in words."""
    known = _WORDS[value.evidence]
    return f"{known}; assumed: {', '.join(value.assumed)}" if value.assumed else known


# -- the shipped ones, and one's own --------------------------------------------------------------

_HOME = resources.files("smoulder.rulebook") / "grids"


def grids() -> tuple[str, ...]:
    """Return the keys of the grids, in alphabetical order.

    Examples
    --------
    >>> from smoulder.rulebook import grids
    >>> "mueller-2025-grid" in grids()
    True
    """
    return tuple(sorted(item.name.removesuffix(".toml") for item in _HOME.iterdir() if item.name.endswith(".toml")))


@cache
def grid(key: str) -> Grid:
    """Return a grid by its key; UsageError with the near keys where there is none.

    Examples
    --------
    >>> from smoulder.rulebook import grid
    >>> len(grid("portaccio-2025-grid"))
    18
    >>> grid("portaccio-2025-grid").definitions()[0].key
    'portaccio-2025-grid.fixed-24w-90d'
    """
    if key not in grids():
        raise UsageError(unknown("grid", key, grids()))
    data = tomllib.loads((_HOME / f"{key}.toml").read_text(encoding="utf-8"))
    return _grid_from(data, f"grids/{key}.toml")


def load_grid(path: str | Path) -> Grid:
    """Return the grid in the TOML file at `path`; DefinitionError with every reason where it is not valid or cannot be read."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DefinitionError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: not valid TOML: {error}.") from error
    return _grid_from(data, str(path))


def _grid_from(data: dict[str, Any], where: str) -> Grid:
    """Return the grid that plain data describe; DefinitionError with every field at fault and the reason."""
    try:
        return Grid.model_validate(data)
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"]) or "the grid"
            lines.append(f"  - {place}: {fault['msg'].removeprefix('Value error, ').removeprefix('Input ')}")
        raise DefinitionError("\n".join([f"{where}: {counted(len(lines), 'fault')} in the grid", *lines])) from error


def grid_in(path: str | Path) -> Grid | None:
    """Return the grid in a TOML file; None where the file cannot be read or has no axes, as that of a single definition."""
    try:
        is_grid = "axes" in tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    return load_grid(path) if is_grid else None
