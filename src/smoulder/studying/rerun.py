"""`rerun.json`: everything with which a study gives the same bytes again, and the running of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from smoulder._version import __version__
from smoulder.errors import DataError, SourceError, UsageError, counted
from smoulder.outputs import require_new
from smoulder.protocol import Study, study_from
from smoulder.reading import read
from smoulder.rulebook import Definition
from smoulder.sources.files import kind_of
from smoulder.sources.settings import FILE_NAME, Settings, read_settings
from smoulder.studying.methods import software
from smoulder.studying.result import StudyResult
from smoulder.studying.run import run_study
from smoulder.tables import Cohort, SameDay
from smoulder.terms import MEASURES

RERUN = "rerun.json"
MADE_ON = re.compile(rb'<p class="made-on">.*?</p>\n')
"""The one line of a report that may differ: the day on which it was made."""
IN_MEMORY = "The study was run on tables in memory, so there are no files to read again. Run it on files: smoulder study KEY DATA -o DIR."

FigureFormat = Literal["png", "pdf"]
"""What figures are written as besides SVG."""
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the tables of a study are read: the words of `smoulder.read`, and the files with their hashes."""

    data: str
    """Folder, workbook or file of visits, as it was given."""
    tables: Mapping[str, str] = field(default_factory=dict)
    """Table -> file that was given for it."""
    columns: Mapping[str, Any] | None = None
    date_format: str | Mapping[str, str] | None = None
    same_day: str = "error"
    nobody_relapsed: bool = False
    keep_going: bool = False
    inputs: tuple[tuple[str, str], ...] = ()
    """File, as it was given, and its SHA-256; of a folder every file that may be a table, and cohort.toml."""

    def hashed(self, base: Path = Path()) -> Recipe:
        """Return the recipe with the hashes of the files as they are now; `base` is the folder that names are relative to."""
        names = input_files(self.data, self.tables, base)
        return replace(self, inputs=tuple((name, sha256_of(base / name)) for name in names))

    def read(self, definitions: Sequence[Definition], base: Path = Path()) -> Cohort:
        """Return the cohort, with the measures that definitions bring along."""
        own = {rule.measure: rule.spec() for one in definitions for rule in one.measures if rule.measure not in MEASURES}
        options: dict[str, Any] = {name: getattr(self, name) for name in _OPTIONS}
        tables = {name: base / path for name, path in self.tables.items()}
        return read(base / self.data, **tables, **options, measures=tuple(own.values()))

    def used(self, cohort: Cohort, base: Path = Path()) -> dict[str, Any]:
        """Return how the tables were read, as a part of provenance: options, and how each column was understood."""
        settings = _settings(self.data, base)
        columns: dict[str, dict[str, str]] = {}
        for found in cohort.report.columns:
            if found.meaning:
                columns.setdefault(found.table, {})[found.meaning] = found.column
        return {
            "reading": {
                "data": self.data,
                "tables": dict(self.tables),
                "same_day": settings.same_day if self.same_day == "error" else self.same_day,
                "nobody_relapsed": self.nobody_relapsed or settings.nobody_relapsed,
                "keep_going": self.keep_going,
                "date_format": self.date_format,
                "columns": columns,
                "formats": {f"{c.table}.{c.meaning}": c.format for c in cohort.report.columns if c.meaning and c.format},
            }
        }


_OPTIONS = ("columns", "date_format", "same_day", "nobody_relapsed", "keep_going")


def _settings(data: str, base: Path) -> Settings:
    place = base / data
    beside = (place if place.is_dir() else place.parent) / FILE_NAME
    return read_settings(beside) if beside.is_file() else Settings()


def input_files(data: str, tables: Mapping[str, str], base: Path = Path()) -> tuple[str, ...]:
    """Return the files from which a cohort may be read, sorted, named as they were given.

    Of a folder that is every file that may hold a table, whether it is used or not: one more or one less may change what is read.
    """
    place = _file(base / data)
    folder = place if place.is_dir() else place.parent
    named = data if place.is_dir() else Path(data).parent.as_posix()
    found = {_name(path) for path in tables.values()}
    if place.is_dir():
        found |= {_joined(named, item.name) for item in place.iterdir() if item.is_file() and kind_of(item) and item.name[0] not in ".~"}
    else:
        found.add(_name(data))
    if (folder / FILE_NAME).is_file():
        found.add(_joined(named, FILE_NAME))
        found |= {_name(_joined(named, table)) for table in _settings(data, base).tables.values()}
    return tuple(sorted(found))


def _joined(folder: str, name: str) -> str:
    return name if folder in ("", ".") else f"{folder.rstrip('/')}/{name}"


def _name(path: str) -> str:
    """Return the workbook of "export.xlsx#sheet", and any other name as it is."""
    file, mark, _ = path.rpartition("#")
    return file if mark and not Path(path).exists() and kind_of(Path(file)) == "sheets" else path


def _file(path: Path) -> Path:
    return path if path.exists() else Path(_name(str(path)))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file. Raises SourceError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror or error}.") from error


def rerun_text(result: StudyResult, recipe: Recipe | None, *, adam: bool, figures_as: Sequence[FigureFormat] = ()) -> str:
    """Return the content of `rerun.json`."""
    reading: dict[str, Any] = {}
    if recipe is not None:
        reading = {"data": recipe.data, "tables": dict(recipe.tables), **{name: getattr(recipe, name) for name in _OPTIONS}}
    content = {
        "software": software(),
        "study": result.study.as_dict(),
        "reading": reading,
        "inputs": [{"file": name, "sha256": digest} for name, digest in (recipe.inputs if recipe else ())],
        "adam": adam,
        "figures_as": list(dict.fromkeys(figures_as)),
    }
    body = json.dumps(content, indent=1, ensure_ascii=False)
    return f'{{"smoulder": {json.dumps(__version__)},{body[1:]}\n'


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What a `rerun.json` holds."""

    study: Study
    recipe: Recipe
    adam: bool
    figures_as: tuple[FigureFormat, ...]
    software: Mapping[str, str]


def load_rerun(path: str | Path) -> Saved:
    """Return what a `rerun.json` holds; SourceError where it cannot be read, UsageError where it is none or has no files to read."""
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise UsageError(f"'{path}' is no {RERUN} of Smoulder: {error}.") from error
    if not isinstance(content, dict) or not {"smoulder", "study", "reading", "inputs"} <= content.keys():
        raise UsageError(f"'{path}' is no {RERUN} of Smoulder; 'smoulder study KEY DATA -o DIR' writes one into its folder.")
    if not content["reading"]:
        raise UsageError(IN_MEMORY)
    wrong = _wrong_parts(content)
    if wrong:
        raise UsageError(f"'{path}' was changed or is of another version: {', '.join(wrong)} cannot be understood.")
    inputs = tuple((one["file"], one["sha256"]) for one in content["inputs"])
    recipe = Recipe(**content["reading"], inputs=inputs)
    study = study_from(content["study"], where=str(path))
    figures_as = tuple(content.get("figures_as", ()))
    return Saved(study=study, recipe=recipe, adam=content.get("adam") is True, figures_as=figures_as, software=content.get("software", {}))


def _wrong_parts(content: Mapping[str, Any]) -> list[str]:
    """Return the parts of a `rerun.json` that are not what this version writes, such as "reading.data"."""
    reading, inputs = content["reading"], content["inputs"]
    if not isinstance(reading, dict):
        return ["reading"]
    wrong = [f"reading.{name}" for name in reading if name not in _READING]
    wrong += [f"reading.{name}" for name, fits in _READING.items() if name in reading and not fits(reading[name])]
    wrong += ["reading.data"] if "data" not in reading else []
    if not isinstance(inputs, list) or not all(_is_texts(one) and {"file", "sha256"} <= one.keys() for one in inputs):
        wrong.append("inputs")
    wrong += [] if isinstance(content["study"], dict) else ["study"]
    figures_as = content.get("figures_as", [])
    wrong += [] if isinstance(figures_as, list) and all(one in get_args(FigureFormat) for one in figures_as) else ["figures_as"]
    return wrong + ([] if _is_texts(content.get("software", {})) else ["software"])


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    """Return whether a value is a mapping of texts to texts."""
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


_READING: dict[str, Callable[[Any], bool]] = {
    "data": _is_text,
    "tables": _is_texts,
    "columns": lambda value: value is None or (isinstance(value, dict) and all(_is_text(one) or _is_texts(one) for one in value.values())),
    "date_format": lambda value: value is None or _is_text(value) or _is_texts(value),
    "same_day": lambda value: value in get_args(SameDay),
    "nobody_relapsed": lambda value: isinstance(value, bool),
    "keep_going": lambda value: isinstance(value, bool),
}
"""What `rerun.json` says of how the tables were read, and whether a value is one of its kind."""


def base_of(recipe: Recipe, path: Path) -> Path:
    """Return the folder from which the files of a recipe are found unchanged.

    Tried are the folder in which the program runs, then that of `rerun.json` and the folders above it: so data and results may be moved
    together. Raises DataError where a file has changed, one is new or one is missing; SourceError where none of them is anywhere.
    """
    home = path.absolute().parent
    tried = [Path(), home, *home.parents]
    wrong: list[str] = []
    for base in tried:
        if not all((base / name).is_file() for name, _ in recipe.inputs):
            continue
        faults = changed(recipe, base)
        if not faults:
            return base
        wrong = wrong or faults
    if wrong:
        lines = [f"  - {fault}" for fault in wrong]
        said = "The tables are not those that the study was run on, so nothing was run:"
        raise DataError("\n".join([said, *lines, "Put the old files back, or run 'smoulder study' on the new ones."]))
    missing = next((name for name, _ in recipe.inputs if not Path(name).is_file()), recipe.data)
    raise SourceError(
        f"There is no file '{missing}', which the study read; looked for from here, from the folder of '{path.name}' and the folders above "
        "it. Run the command where the data are found under the name that was given then."
    )


def changed(recipe: Recipe, base: Path) -> list[str]:
    """Return a sentence for each file that is not as it was."""
    now = dict(recipe.hashed(base).inputs)
    then = dict(recipe.inputs)
    faults = [f"'{name}' has changed." for name, digest in then.items() if name in now and now[name] != digest]
    faults += [f"'{name}' was read then and would not be now." for name in then if name not in now]
    return faults + [f"'{name}' is new, and may be read as a table." for name in now if name not in then]


@dataclass(frozen=True, eq=False, kw_only=True)
class Rerun:
    """What a rerun gave."""

    result: StudyResult
    names: tuple[str, ...]
    """Files that were written."""
    notes: tuple[str, ...]
    """What is not as it was then, such as the version of the program, as sentences."""
    differences: tuple[str, ...] | None
    """Names of the files that differ from those beside `rerun.json`, the day of making apart; None: there are none beside it."""


def rerun(path: str | Path, folder: str | Path, *, made_on: str | None = None, progress: Progress | None = None) -> Rerun:
    """Run a study again from the `rerun.json` of its folder, into a new folder.

    `made_on` is the day that the report tells in one line (None: it tells none); `progress` is told each step before it begins. Raises
    DataError where a file that was read has changed, SourceError where it is not there, UsageError where `path` is no `rerun.json` or the
    folder is not new.
    """
    from smoulder.studying.write import write_study

    path = Path(path)
    saved = load_rerun(path)
    require_new(Path(folder))
    base = base_of(saved.recipe, path)
    cohort = saved.recipe.read(saved.study.definitions(), base)
    result = run_study(saved.study, cohort, progress)
    extra = saved.recipe.used(cohort, base)
    asked: dict[str, Any] = {"adam": saved.adam, "figures_as": saved.figures_as, "recipe": saved.recipe}
    names = write_study(result, folder, **asked, made_on=made_on, extra=extra, progress=progress)
    return Rerun(
        result=result, names=names, notes=_versions_then(saved.software), differences=differences(path.parent, Path(folder), names)
    )


def _versions_then(then: Mapping[str, str]) -> tuple[str, ...]:
    now = software()
    found = [f"{name} was {then[name]} and is {now[name]} now" for name in now if name in then and then[name] != now[name]]
    return tuple(f"{text}: numbers may differ." for text in found)


def differences(before: Path, after: Path, names: Sequence[str]) -> tuple[str, ...] | None:
    """Return the names of files that are not the same bytes in two folders, the day of making apart; None: there is no report before."""
    if not (before / "report.html").is_file():
        return None
    return tuple(name for name in names if _content(before / name) != _content(after / name))


def _content(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    return MADE_ON.sub(b"", content) if path.name == "report.html" else content


def difference_sentence(found: Rerun) -> str:
    """Return how the new files compare with the old ones, as a sentence."""
    if found.differences is None:
        return "There is no earlier report beside the file to compare with."
    if not found.differences:
        return f"All {counted(len(found.names), 'file')} are the same bytes as before."
    return f"{counted(len(found.differences), 'file')} of {len(found.names):,} differ from before: {', '.join(found.differences)}."
