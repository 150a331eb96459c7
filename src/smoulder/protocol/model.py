"""What a study is: who enters, from when to when, what is counted, computed and drawn, as one frozen object that explains itself."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from smoulder.errors import DefinitionError, UsageError, agreed, one_of
from smoulder.protocol import aims, analyses, entry, known, timing
from smoulder.protocol.aims import AnyAim, DisabilityAim, ReferenceCurve
from smoulder.protocol.analyses import AnyAnalysis, FigurePart
from smoulder.protocol.entry import AnyCriterion, FreeOfCriterion, NoActivityCriterion
from smoulder.protocol.known import Known
from smoulder.protocol.timing import Ending, TimeZero
from smoulder.rulebook import Definition, definition, keys, load_definition
from smoulder.rulebook.model import Source
from smoulder.rulebook.parts import AsTuple, Part, listed
from smoulder.terms import MEASURES

RESERVED = ("patient",)
"""What is known of a person becomes a column of its key; these names are taken."""
_WITH_KEYS = ("enter", "known", "outcome", "analysis")


class Study(Part):
    """A study as data. It says of itself in words what it does, and runs on any cohort that has the columns it needs."""

    key: entry.Key
    title: str
    question: str
    """What it asks, in a sentence."""
    enter: Annotated[tuple[AnyCriterion, ...], AsTuple] = ()
    """Criteria, applied in order; those that speak of time zero after it was found."""
    time_zero: TimeZero
    ending: Ending = Ending()
    known: Annotated[tuple[Known, ...], AsTuple] = ()
    outcome: Annotated[tuple[AnyAim, ...], AsTuple, Field(min_length=1)]
    reference: Annotated[tuple[ReferenceCurve, ...], AsTuple] = ()
    analysis: Annotated[tuple[AnyAnalysis, ...], AsTuple, Field(min_length=1)]
    figure: Annotated[tuple[FigurePart, ...], AsTuple] = ()
    definition: Annotated[tuple[Definition, ...], AsTuple] = ()
    """Definitions of one's own, in full; the others that a study names are those of the catalogue. In a study file the name of a
    definition may also be that of a file, such as "mine.toml" beside it."""
    if_missing_measure: Literal["refused", "left out"] = "refused"
    """Where no visit has one of several measures of a definition: the study does not run, or the definition goes on with the others and
    every result says so."""
    limits: Annotated[tuple[str, ...], AsTuple] = ()
    """What the design cannot answer, as sentences for the report."""
    source: Source = Source()

    @model_validator(mode="after")
    def _check(self) -> Self:
        wrong = []
        for name in ("enter", "known", "outcome", "reference", "analysis"):
            twice = [key for key, n in Counter(part.key for part in getattr(self, name)).items() if n > 1]
            wrong += [f"{name} has the key '{key}' twice" for key in twice]
        wrong += [f"known '{part.key}': the key has another meaning; choose another" for part in self.known if part.key in RESERVED]
        wrong += [*self._wrong_names(), *self._wrong_groups(), *self._wrong_figures(), *self._wrong_definitions(), *self._wrong_measures()]
        if not self.definition_keys():
            wrong.append("no outcome, analysis or figure names a definition of worsening, such as definition = 'mueller-2025'")
        unknown_marks = {*self.source.seen, *self.source.assumed, *self.source.code} - set(self.settings())
        if unknown_marks:
            wrong.append(f"source marks settings that do not exist: {listed(sorted(unknown_marks))}")
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _wrong_names(self) -> list[str]:
        """Return what analyses and criteria name that the study does not have."""
        have = {"known": {part.key for part in self.known}, "outcome": {part.key for part in self.outcome}}
        have["reference"] = {part.key for part in self.reference}
        asked: list[tuple[str, str, str]] = []
        for part in self.analysis:
            where = f"analysis '{part.key}'"
            for name in ("by", "terms", "variables"):
                asked += [(where, "known", key) for key in _as_keys(getattr(part, name, None))]
            for name in ("outcome", "outcomes"):
                asked += [(where, "outcome", key) for key in _as_keys(getattr(part, name, None))]
            asked += [(where, "reference", key) for key in _as_keys(getattr(part, "reference", None))]
        asked += [(f"figure of '{part.of or part.kind}'", "known", part.by) for part in self.figure if part.by]
        asked += [(f"enter '{part.key}'", "outcome", part.outcome) for part in self.enter if isinstance(part, FreeOfCriterion)]
        at_zero = [part for part in self.enter if getattr(part, "at_time_zero", False)]
        asked += [(f"enter '{part.key}'", "known", part.column) for part in at_zero if isinstance(part, entry.ColumnCriterion)]
        return [f"{where}: there is no {kind} '{key}'{_near(key, have[kind])}" for where, kind, key in asked if key not in have[kind]]

    def _wrong_groups(self) -> list[str]:
        """Return where a number is named as groups: each person would be a group of his or her own."""
        numbers = {part.key for part in self.known if part.is_number()}
        asked = [(f"analysis '{part.key}'", getattr(part, "by", None)) for part in self.analysis]
        asked += [(f"figure of '{part.of or part.kind}'", part.by) for part in self.figure]
        return [f"{where}: by = '{key}' is a number; cut it into groups, such as cut = [2, 4]" for where, key in asked if key in numbers]

    def _wrong_figures(self) -> list[str]:
        """Return what figures name that the study does not have."""
        kinds = {part.key: part.kind for part in self.analysis}
        drawable = {
            "curves": {"survival", "incidence", "recurrent", "interval", "against"},
            "stack": {"incidence"},
            "forest": {"cox", "fine gray", "changing", "recurrent", "logistic", "relapse rates", "interval"},
        }
        wrong = []
        for part in self.figure:
            if part.kind not in drawable:
                continue
            if not part.of:
                wrong.append(f"figure: '{part.kind}' needs of = the key of an analysis")
            elif part.of not in kinds:
                wrong.append(f"figure: there is no analysis '{part.of}'{_near(part.of, kinds)}")
            elif kinds[part.of] not in drawable[part.kind]:
                wrong.append(f"figure: '{part.kind}' cannot draw '{part.of}', which is of the kind '{kinds[part.of]}'")
        return wrong

    def _wrong_definitions(self) -> list[str]:
        """Return which definitions are named that the catalogue does not have."""
        asked = [(f"{name} '{part.key}'", getattr(part, "definition", None)) for name in _WITH_KEYS for part in getattr(self, name)]
        asked += [(f"figure '{part.kind}'", part.of) for part in self.figure if part.kind in ("strip", "timeline")]
        own = [one.key for one in self.definition]
        wrong = [f"definition '{key}': the key is given twice" for key, n in Counter(own).items() if n > 1]
        wrong += [f"definition '{key}': the catalogue has a definition of this key; choose another" for key in own if key in keys()]
        return wrong + [f"{where}: {why}" for where, key in asked if key and key not in own and (why := _why_no_definition(key))]

    def _wrong_measures(self) -> list[str]:
        """Return which measures are named that neither visits nor definitions can have."""
        have = {*MEASURES}
        for key in {*self.definition_keys(), *self.history_keys()}:
            if key in {one.key for one in self.definition} or not _why_no_definition(key):
                have |= {rule.measure for rule in self.definition_of(key).measures}
        asked = [(f"{name} '{part.key}'", getattr(part, "measure", None)) for name in _WITH_KEYS for part in getattr(self, name)]
        asked += [(f"figure '{part.kind}'", part.measure) for part in self.figure]
        return [f"{where}: there is no measure '{key}'{_near(key, have)}" for where, key in asked if key is not None and key not in have]

    def settings(self) -> tuple[str, ...]:
        """Return the paths of everything that the source may or may not state, such as "enter.course" and "time_zero"."""
        paths = [f"enter.{part.key}" for part in self.enter] + ["time_zero", "ending"]
        for name in ("known", "outcome", "reference", "analysis"):
            paths += [f"{name}.{part.key}" for part in getattr(self, name)]
        return tuple(paths)

    def evidence(self, setting: str) -> str:
        """Return how a setting is known: "seen", "assumed", or "" where the study does not say."""
        return "seen" if setting in self.source.seen else "assumed" if setting in self.source.assumed else ""

    def definition_keys(self) -> tuple[str, ...]:
        """Return the keys of all definitions that the study uses, in the order in which it names them."""
        keys = [part.definition for part in self.outcome if isinstance(part, DisabilityAim)]
        keys += [part.definition for part in self.analysis if hasattr(part, "definition")]  # type: ignore[union-attr]
        keys += [part.of for part in self.figure if part.kind in ("strip", "timeline") and part.of]
        return tuple(dict.fromkeys(keys))

    def definitions(self) -> tuple[Definition, ...]:
        """Return the definitions under which events are found from the starting visit on; UsageError for an unknown key."""
        return tuple(self.definition_of(key) for key in self.definition_keys())

    def definition_of(self, key: str) -> Definition:
        """Return a definition by its key: one of the study's own, else that of the catalogue; UsageError for an unknown key."""
        return next((one for one in self.definition if one.key == key), None) or definition(key)

    def on_measures(self, is_there: Callable[[str], bool]) -> tuple[Study, tuple[str, ...]]:
        """Return the study with definitions that go on without the measures that are not there, and sentences that say so.

        Nothing changes where `if_missing_measure` is "refused", and for definitions of which no measure is present.
        """
        if self.if_missing_measure == "refused":
            return self, ()
        reduced: dict[str, Definition] = {}
        alike: dict[tuple[str, str], list[str]] = {}
        for key in dict.fromkeys((*self.definition_keys(), *self.history_keys())):
            one = self.definition_of(key)
            kept = [rule for rule in one.measures if is_there(rule.measure)]
            if not kept or len(kept) == len(one.measures):
                continue
            names = listed([rule.spec().name for rule in kept])
            missing = listed([rule.spec().name for rule in one.measures if rule not in kept], "or")
            rules = [rule.model_dump(exclude_none=True, mode="json") for rule in kept]
            reduced[key] = one.changed(title=f"{one.title}, on the {names} only", measures=rules)
            alike.setdefault((names, missing), []).append(f"'{key}'")
        told = [
            f"No visit has a score of {missing}, so {listed(named)} {agreed(len(named), 'was', 'were')} counted on the {names} only: that "
            "is not the outcome that was published, and fewer people worsen on fewer measures."
            for (names, missing), named in alike.items()
        ]
        own = tuple(one for one in self.definition if one.key not in reduced)
        return self.model_copy(update={"definition": (*own, *reduced.values())}), tuple(told)

    def history_keys(self) -> tuple[str, ...]:
        """Return the keys of the definitions under which events before time zero are found, on all visits."""
        keys = [part.definition for part in self.known if part.definition is not None]
        keys += [part.definition for part in self.enter if isinstance(part, NoActivityCriterion)]
        wanted = {part.outcome for part in self.enter if isinstance(part, FreeOfCriterion)}
        keys += [part.definition for part in self.outcome if isinstance(part, DisabilityAim) and part.key in wanted]
        return tuple(dict.fromkeys(keys))

    def named(self, key: str) -> Known:
        """Return what is known by its key."""
        return next(part for part in self.known if part.key == key)

    def aim(self, key: str) -> AnyAim:
        """Return an outcome by its key."""
        return next(part for part in self.outcome if part.key == key)

    def prose(self) -> str:
        """Return the design as a methods paragraph."""
        entered = f"Entered were people who {'; who '.join(part.prose() for part in self.enter)}." if self.enter else "Everybody entered."
        sentences = [entered, self.time_zero.prose(), self.ending.prose()]
        sentences.append(f"Outcomes were {'; '.join(_lowered(part.prose()) for part in self.outcome)}.")
        if self.known:
            sentences.append(f"Known at time zero were {'; '.join(_lowered(part.prose()) for part in self.known)}.")
        if self.source.citation:
            sentences.append(f"The design follows {self.source.citation.removesuffix('.')}.")
        assumed = self.assumed_prose()
        return " ".join([*sentences, *([assumed] if assumed else [])])

    def assumed_prose(self) -> str:
        """Return in a sentence what of the design no source was seen to state; "" where there is nothing."""
        if not self.source.assumed:
            return ""
        if not self.source.citation and set(self.source.assumed) == set(self.settings()):
            return "All of the design is assumed: it is this program's own, and follows no published study."
        marks = set(self.source.assumed)
        if marks == set(self.settings()):
            return "All of the design is assumed: the source was not seen to state it."
        names = [path.replace("_", " ").replace(".", " ") for path in self.settings() if path in marks]
        return f"Assumed, as the source was not seen to state it: {'; '.join(names)}."

    def as_dict(self) -> dict[str, Any]:
        """Return the whole study as plain data, without what is not set."""
        return self.model_dump(exclude_none=True, mode="json")

    def toml(self) -> str:
        """Return the study as TOML that `load_study` reads back to an equal one."""
        import tomlkit

        return tomlkit.dumps(self.as_dict())


def _why_no_definition(key: str) -> str:
    """Return why a key names no definition of the catalogue; "" where it does."""
    if key.endswith(".toml"):
        return f"only a study file can name a file; give the definition in full under [[definition]] (found '{key}')"
    try:
        definition(key)
    except UsageError as error:
        return str(error)
    return ""


def _as_keys(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def _lowered(text: str) -> str:
    """Return text whose first word starts small, unless it is an abbreviation such as EDSS."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _near(name: str, known_names: Any) -> str:
    near = difflib.get_close_matches(name, sorted(known_names), n=2, cutoff=0.5)
    if near:
        return f"; did you mean {one_of(near)}?"
    return f"; there are {listed(sorted(known_names))}" if known_names else ""


def load_study(path: str | Path) -> Study:
    """Return the study that the TOML file at `path` holds; DefinitionError with every fault, its place and the reason."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DefinitionError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DefinitionError(f"{path}: is not a text file in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{path}: not valid TOML: {error}.") from error
    return study_from(_with_files(data, path), where=str(path))


def _with_files(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the content of a study file, where definitions that are named by a file stand in full and are named by their keys.

    Raises DefinitionError where such a file cannot be read or is not valid.
    """
    keys_of: dict[str, str] = {}
    own = data.get("definition", [])
    for name in ("enter", "known", "outcome", "analysis", "figure"):
        for part in data.get(name, []) if isinstance(data.get(name), list) else []:
            for setting in ("definition", "of") if isinstance(part, dict) else ():
                file = part.get(setting)
                if not isinstance(file, str) or not file.endswith(".toml"):
                    continue
                if file not in keys_of:
                    found = load_definition(path.parent / file)
                    keys_of[file] = found.key
                    if isinstance(own, list):
                        own = [*own, found.as_dict()]
                part[setting] = keys_of[file]
    return {**data, "definition": own} if keys_of else data


def study_from(data: Mapping[str, Any], *, where: str) -> Study:
    """Return the study that plain data describe; DefinitionError with every fault, its place and the reason."""
    try:
        return Study.model_validate(dict(data))
    except ValidationError as error:
        raise DefinitionError(_sentences(error, where)) from error


def _sentences(error: ValidationError, where: str) -> str:
    """Return all faults, one a line, each with its place."""
    lines = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        if place:
            lines.append(f"  - {place}: {_reason(fault)}")
        else:  # of the whole study: each has its own place in its words
            lines += [f"  - {text}" for text in _reason(fault).split("\n")]
    n = len(lines)
    return "\n".join([f"{where}: {n} fault{'' if n == 1 else 's'} in the study", *lines])


def _reason(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return f"there is no such setting{_near(str(fault['loc'][-1]), field_names())}"
    if fault["type"] == "missing":
        return "must be given"
    if fault["type"] == "union_tag_not_found":
        return "kind must be given"
    if fault["type"] == "union_tag_invalid":
        kinds = re.findall(r"'([^']*)'", fault["ctx"]["expected_tags"])
        return f"there is no kind '{fault['ctx']['tag']}'{_near(str(fault['ctx']['tag']), kinds)}"
    if fault["type"] == "tuple_type":
        return f"must be a list, such as [...] (found {fault.get('input')!r})"
    reason = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return reason if fault["type"] == "value_error" else f"{reason} (found {fault.get('input')!r})"


def field_names() -> list[str]:
    """Return the names of all settings of a study."""
    rooms: Sequence[Any] = (entry, timing, known, aims, analyses)
    parts = [item for room in rooms for item in vars(room).values() if isinstance(item, type) and issubclass(item, Part)]
    return sorted({name for part in (*parts, Study) for name in part.model_fields})
