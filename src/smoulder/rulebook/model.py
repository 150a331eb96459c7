"""What a published definition is: one frozen object that runs, explains itself in prose and saves to TOML."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, ValidationError, model_validator

from smoulder.errors import DefinitionError, one_of
from smoulder.rulebook.parts import AsTuple, Days, Part, days_text, listed, relapse_distance_text
from smoulder.rulebook.relapse import Interval, RawWindow, RelapseRule
from smoulder.rulebook.thresholds import CustomMeasure, MeasureRule, Step, Threshold

__all__ = [
    "Baseline",
    "Confirmation",
    "CustomMeasure",
    "Definition",
    "Interval",
    "LastVisit",
    "MeasureRule",
    "Onset",
    "RawWindow",
    "RelapseRule",
    "Source",
    "Step",
    "Sustained",
    "Threshold",
    "Window",
]

Move = Literal["worsening", "PIRA", "improvement", "relapse"]
_MOVE_ORDER: tuple[Move, ...] = get_args(Move)


def _in_order(moves: tuple[Move, ...]) -> tuple[Move, ...]:
    return tuple(sorted(moves, key=_MOVE_ORDER.index))


LookingFor = Literal["every event", "first event", "first worsening", "first improvement", "first PIRA", "first RAW"]


class Baseline(Part):
    """The visit compared with; its score is the reference."""

    start: Literal["first visit", "nearest time zero"] = "first visit"
    """Where it starts: the first visit with the measure, or the one nearest the patient's time zero (the earlier of two)."""
    days_after_relapse: Days = 0
    """How many days after a relapse a baseline visit must be; 0 switches the rule off."""
    days_before_relapse: Days = 0
    """How many days before a relapse a baseline visit must be; 0 switches the rule off."""
    moves_after: Annotated[tuple[Move, ...], AsTuple, AfterValidator(_in_order)] = ()
    """What moves it; empty: fixed. "PIRA" moves it on those worsenings only that are PIRA."""
    moves_to: Literal["confirmation", "onset", "lowest score"] = "confirmation"
    """Where a confirmed change moves it: the confirming visit, the onset visit, or the first visit with the best score
    from onset to the confirming visit."""
    sub_threshold: Literal["no", "improvement", "worsening", "both"] = "no"
    """Whether a confirmed change below the threshold moves it too; only in a direction in which it moves at all."""
    unsustained_moves: bool = False
    """Whether a confirmed change that is not sustained moves it as an event would."""
    relapse_move: Literal["every", "crossed"] = "every"
    """Where relapses move it: every relapse does, or only one that a candidate has crossed (msprog, MSoutcomes)."""
    crossed_days: Days | None = None
    """By how many days a relapse must lie before a candidate to move the baseline; None: the RAW window before onset."""
    may_fall: Literal["yes", "not after a relapse", "no"] = "yes"
    """Whether the reference may become better than the one before: always, not by a move after a relapse (Kappos 2020), never."""
    local_extrema: Literal["allowed", "not strict", "none"] = "allowed"
    """Whether a visit may serve whose two neighbours are both worse or both better: always, not if both by the threshold, never."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.moves_after)) != len(self.moves_after):
            raise ValueError("moves_after names something twice")
        if {"worsening", "PIRA"} <= set(self.moves_after):
            raise ValueError("moves_after has both 'worsening' and 'PIRA'; every PIRA is a worsening, so name one")
        directions = {
            "improvement": ("improvement",),
            "worsening": ("worsening",),
            "both": ("improvement", "worsening"),
            "no": (),
        }
        for direction in directions[self.sub_threshold]:
            if direction not in self.moves_after:
                raise ValueError(f"sub_threshold = '{self.sub_threshold}' has no effect unless moves_after has '{direction}'")
        if "relapse" not in self.moves_after and (self.relapse_move != "every" or self.crossed_days is not None):
            raise ValueError("relapse_move and crossed_days have no effect unless moves_after has 'relapse'")
        if self.may_fall != "yes" and not self.moves_after:
            raise ValueError("may_fall has no effect on a baseline that never moves")
        if self.may_fall == "not after a relapse" and "relapse" not in self.moves_after:
            raise ValueError("may_fall = 'not after a relapse' has no effect unless moves_after has 'relapse'")
        return self

    def prose(self) -> str:
        """Return the baseline in words."""
        distance = relapse_distance_text(self.days_after_relapse, self.days_before_relapse)
        start = f"the first visit{f' {distance}' if distance else ''}"
        if self.start == "nearest time zero":
            start = f"the visit nearest time zero{f', or the first one after it {distance}' if distance else ''}"
        sentences = [f"The reference was the score at {start}."]
        if not self.moves_after:
            sentences.append("It stayed fixed.")
        changes = [f"each confirmed {move}" if move != "PIRA" else "each PIRA" for move in self.moves_after if move != "relapse"]
        if changes:
            place = {"confirmation": "the confirming visit", "onset": "the onset visit"}.get(
                self.moves_to, "the best visit from onset to confirmation"
            )
            sentences.append(f"It moved to the score at {place} after {listed(changes)}.")
        if self.sub_threshold != "no":
            which = {"both": "changes"}.get(self.sub_threshold, f"{self.sub_threshold}s")
            sentences.append(f"Confirmed {which} smaller than the threshold moved it too.")
        if self.unsustained_moves:
            sentences.append("Changes that were confirmed but not sustained moved it as well.")
        if "relapse" in self.moves_after:
            sentences.append(self._relapse_prose())
        if self.moves_after and distance:
            sentences.append(f"Each new reference visit, too, had to be {distance}.")
        if self.may_fall != "yes":
            which = "A relapse" if self.may_fall == "not after a relapse" else "A move"
            sentences.append(f"{which} could not make the reference better: the worse of the old and the new score was kept.")
        if self.local_extrema != "allowed":
            by = " by at least the threshold" if self.local_extrema == "not strict" else ""
            sentences.append(f"A visit whose neighbours were both worse or both better{by} could not serve as baseline.")
        return " ".join(sentences)

    def _relapse_prose(self) -> str:
        near = "on the day of the relapse" if self.crossed_days == 0 else f"at most {days_text(self.crossed_days or 0)} after the relapse"
        if self.crossed_days is None:
            near = "no longer after the relapse than the RAW window before onset"
        anew = "it was set anew at the first visit on or after the relapse"
        kept = f"a change first seen {near} was still compared with the reference before it"
        if self.relapse_move == "every":
            return f"After every relapse {anew}; {kept}."
        return f"Where a change was first seen after a relapse, {anew}; {kept}."


class Onset(Part):
    """The first visit of a change."""

    days_after_relapse: Days = 0
    """How many days after a relapse it must be; 0 switches the rule off."""
    days_before_relapse: Days = 0
    """How many days before a relapse it must be; 0 switches the rule off."""

    def prose(self) -> str:
        """Return the rule in words; "" where there is none."""
        distance = relapse_distance_text(self.days_after_relapse, self.days_before_relapse)
        return f"The first visit of a change (its onset) had to be {distance}." if distance else ""


class Window(Part):
    """One named confirmation window: days from onset to the confirming visit, both ends included."""

    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    """Short name that becomes part of column names, such as 12w."""
    from_day: Days
    to_day: Days | None = None
    """None: open, "or later"."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.to_day is not None and self.to_day < self.from_day:
            raise ValueError(f"window '{self.name}' ends (day {self.to_day}) before it starts (day {self.from_day})")
        return self

    def prose(self) -> str:
        """Return the window in words, such as '84 days or more (12w)'."""
        span = f"{days_text(self.from_day)} or more" if self.to_day is None else f"{self.from_day} to {days_text(self.to_day)}"
        return f"{span} ({self.name})"


class Confirmation(Part):
    """When a change counts as confirmed."""

    windows: Annotated[tuple[Window, ...], AsTuple, Field(min_length=1)]
    """One or more; the earliest eligible visit of their union confirms, and each window has its own confirming visit."""
    every_visit: bool = True
    """Whether the change must hold at every visit up to the confirming one, or only there."""
    level: Literal["threshold", "onset"] = "threshold"
    """What "holds" means: still past the threshold, or at least as bad as at onset."""
    days_after_relapse: Days = 0
    """How many days after a relapse the confirming visit must be; 0 switches the rule off."""
    days_before_relapse: Days = 0
    """How many days before a relapse the confirming visit must be; 0 switches the rule off."""
    visits: Literal["any", "scheduled"] = "any"
    """Which visits may confirm."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [window.name for window in self.windows]
        if len(set(names)) != len(names):
            raise ValueError(f"two windows have one name: {listed(names)}")
        return self

    def prose(self) -> str:
        """Return the confirmation in words."""
        windows = listed([window.prose() for window in self.windows], "or")
        over = ", and at every visit from onset to it" if self.every_visit else ", whatever the scores between"
        which = "scheduled visit" if self.visits == "scheduled" else "visit"
        distance = relapse_distance_text(self.days_after_relapse, self.days_before_relapse)
        where = f" that was {distance}" if distance else ""
        held = "past the threshold" if self.level == "threshold" else "at least as far from the reference as at onset"
        sentence = f"A change was confirmed if the score was still {held} at the first {which} {windows} after onset{where}{over}."
        if len(self.windows) > 1:
            sentence += " Each of these windows had its own confirmation: the first such visit in it, while the change held."
        return sentence


class Sustained(Part):
    """How long a confirmed change must last."""

    days: Days | Literal["to the end"] = 0
    """0: not required; N days after onset; or "to the end" of follow-up."""
    kinds: Literal["both", "worsening", "improvement"] = "both"
    """Which changes the rule is for."""

    def prose(self) -> str:
        """Return the rule in words; "" where there is none."""
        if self.days == 0:
            return ""
        which = {"both": "A confirmed change"}.get(self.kinds, f"A confirmed {self.kinds}")
        span = "to the end of follow-up" if self.days == "to the end" else f"for {days_text(self.days)} from onset, or to the last visit"
        return f"{which} counted only if it was sustained {span}."


class LastVisit(Part):
    """A worsening that no later visit could confirm."""

    worsening: Literal["unconfirmed", "counted"] = "unconfirmed"
    within_days: Days | None = None
    """Counted only if onset is at most this many days after the patient's first visit; None: always."""
    when: Literal["first seen at the last visit", "no eligible visit left"] = "first seen at the last visit"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.worsening == "unconfirmed" and self.within_days is not None:
            raise ValueError("within_days has no effect unless worsening = 'counted'")
        return self

    def prose(self) -> str:
        """Return the rule in words."""
        if self.worsening == "unconfirmed":
            return "A worsening that no later visit could confirm was not an event."
        within = f" within {days_text(self.within_days)} of the first visit" if self.within_days is not None else ""
        when = self.when if self.when == "first seen at the last visit" else "with no eligible visit left to confirm it"
        return f"A worsening {when}{within} was counted without confirmation."


class Source(Part):
    """Where a definition was published."""

    citation: str = ""
    doi: str = ""
    year: int | None = None
    seen: Annotated[tuple[str, ...], AsTuple] = ()
    """Settings that were read in the source, such as "confirmation.every_visit"."""
    assumed: Annotated[tuple[str, ...], AsTuple] = ()
    """Settings that the source, as far as it could be seen, does not state."""
    code: Annotated[tuple[str, ...], AsTuple] = ()
    """Settings taken from a program that implements it."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        marks = [*self.seen, *self.assumed, *self.code]
        twice = sorted({mark for mark in marks if marks.count(mark) > 1})
        if twice:
            raise ValueError(f"marked more than once: {listed(twice)}")
        return self

    def of_the_same(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> Source:
        """Return the source with the marks of those settings only that are the same in two definitions."""
        same = {path for path, value in before.items() if path in after and after[path] == value}
        kept = {name: tuple(mark for mark in getattr(self, name) if mark in same) for name in ("seen", "assumed", "code")}
        return self.model_copy(update=kept)


class Definition(Part):
    """What counts as disability worsening, as one object.

    A definition is a function from one patient's visits and relapses to a list of dated, confirmed,
    labelled events. Two definitions with the same content are equal and have the same hash.
    """

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    """Short name, lower case with dashes, such as kappos-2020-12w."""
    title: str
    measures: Annotated[tuple[MeasureRule, ...], AsTuple, Field(min_length=1)]
    """One measure, or several for a composite: each is confirmed on itself, and the earliest worsening is the patient's."""
    baseline: Baseline = Baseline()
    onset: Onset = Onset()
    confirmation: Confirmation
    sustained: Sustained = Sustained()
    last_visit: LastVisit = LastVisit()
    relapses: RelapseRule | None = None
    """None: events are not labelled RAW or PIRA."""
    coverage: Literal["assumed", "observed"] = "assumed"
    """When relapses were recorded where the tables do not say: always, or from first to last visit only."""
    looking_for: LookingFor = "every event"
    days_a_month: float | None = Field(default=None, gt=28, lt=31)
    """The month of a definition that speaks of months (windows named 6m, 12m); the field uses 30, 30.25, 30.4375 and 30.5 days."""
    source: Source = Source()

    @model_validator(mode="after")
    def _check(self) -> Self:
        keys = [rule.measure for rule in self.measures]
        if len(set(keys)) != len(keys):
            raise ValueError(f"measures names one twice: {listed(keys)}")
        if self.relapses is None:
            if self.looking_for in ("first PIRA", "first RAW"):
                raise ValueError(f"looking_for = '{self.looking_for}' needs a relapse rule under relapses")
            if "PIRA" in self.baseline.moves_after:
                raise ValueError("moves_after has 'PIRA', which needs a relapse rule under relapses")
        if self.baseline.unsustained_moves and self.sustained.days == 0:
            raise ValueError("baseline.unsustained_moves has no effect unless sustained.days is set")
        has_raw = self.relapses is not None and self.relapses.raw is not None
        if "relapse" in self.baseline.moves_after and self.baseline.crossed_days is None and not has_raw:
            raise ValueError("baseline.crossed_days must be given where relapses move the baseline and there is no RAW window")
        in_months = [window.name for window in self.confirmation.windows if re.fullmatch(r"\d+m", window.name)]
        if in_months and self.days_a_month is None:
            raise ValueError(f"the window '{in_months[0]}' speaks of months; state days_a_month, such as 30.4375")
        unknown_marks = set(self.source.seen + self.source.assumed + self.source.code) - self.settings().keys()
        if unknown_marks:
            raise ValueError(f"source marks settings that do not exist: {listed(sorted(unknown_marks))}")
        return self

    @property
    def labelled(self) -> bool:
        """Whether events are labelled RAW, PIRA or neither."""
        return self.relapses is not None

    @property
    def is_composite(self) -> bool:
        """Whether several measures take part."""
        return len(self.measures) > 1

    @property
    def crossed_days(self) -> int:
        """By how many days a relapse must lie before a candidate to move the baseline."""
        if self.baseline.crossed_days is not None:
            return self.baseline.crossed_days
        raw = self.relapses.raw if self.relapses is not None else None
        return raw.days_before_onset if raw is not None else 0

    def settings(self) -> dict[str, Any]:
        """Return every setting that decides an answer, by its dotted path, in the order of the parts."""
        found: dict[str, Any] = {"measures": [rule.measure for rule in self.measures]}
        for rule in self.measures:
            found[f"{rule.measure}.worsening"] = rule.worsening.model_dump(exclude_none=True, mode="json")
            mirrored = rule.improvement is None
            found[f"{rule.measure}.improvement"] = (
                "mirrors worsening" if mirrored else rule.improvement.model_dump(exclude_none=True, mode="json")  # type: ignore[union-attr]
            )
        for name in ("baseline", "onset", "confirmation", "sustained", "last_visit", "relapses"):
            part = getattr(self, name)
            if part is None:
                found[name] = None
                continue
            for field, value in part.model_dump(mode="json").items():
                found[f"{name}.{field}"] = value
        months = {} if self.days_a_month is None else {"days_a_month": self.days_a_month}
        return found | {"coverage": self.coverage, "looking_for": self.looking_for} | months

    def prose(self) -> str:
        """Return the methods paragraph, made from the parts that decide."""
        names = listed([rule.spec().name for rule in self.measures])
        sentences = [f"Disability was measured with the {names}."]
        sentences += [rule.prose() for rule in self.measures]
        if self.is_composite:
            sentences.append(
                "Each measure was compared, confirmed and labelled by itself; the earliest worsening on any of them was the patient's."
            )
        parts = (self.baseline, self.onset, self.confirmation, self.sustained, self.last_visit)
        sentences += [part.prose() for part in parts if part.prose()]
        if self.days_a_month is not None:
            sentences.append(f"A month was taken as {self.days_a_month:g} days.")
        if self.relapses is not None:
            sentences.append(self.relapses.prose())
            sentences.append(
                "Where no relapse was recorded, none was taken to have happened, also before the first and after the last visit."
                if self.coverage == "assumed"
                else "Relapses were taken to be recorded from the first to the last visit only; a relapse-free window that reached outside "
                "left the label undetermined."
            )
        sentences.append(_LOOKING_PROSE[self.looking_for])
        if self.source.assumed:
            sentences.append(f"Assumed, as the source was not seen to state it: {self._marked(self.source.assumed)}.")
        if self.source.code:
            sentences.append(f"Taken from a program that implements it: {self._marked(self.source.code)}.")
        return " ".join(sentences)

    def _marked(self, marks: tuple[str, ...]) -> str:
        """Return settings by their parts: "baseline (start, moves to); coverage"; "all settings" where it is all of them."""
        paths = list(self.settings())
        if set(marks) == set(paths):
            return "all settings"
        names = {rule.measure: rule.spec().name for rule in self.measures}
        parts = []
        for part in dict.fromkeys(path.partition(".")[0] for path in paths):
            all_of_it = [path for path in paths if path.partition(".")[0] == part]
            marked = [path.partition(".")[2].replace("_", " ") for path in all_of_it if path in marks]
            name = names.get(part, part.replace("_", " "))
            if marked and len(marked) == len(all_of_it):
                parts.append(name)
            elif marked:
                parts.append(f"{name} ({', '.join(marked)})")
        return "; ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """Return the whole definition as plain data, without what is not set."""
        return self.model_dump(exclude_none=True, mode="json")

    def toml(self) -> str:
        """Return the definition as TOML text that `load_definition` reads back to an equal one."""
        import tomlkit

        return tomlkit.dumps(self.as_dict())

    def changed(self, settings: Mapping[str, Any] | None = None, /, **fields: Any) -> Definition:
        """Return a definition with other settings, checked anew.

        `settings` maps the dotted paths of `settings()` to values ("baseline.moves_after": ["improvement"]); keywords are top-level
        fields; None takes a setting out. What is changed loses its mark of being seen, assumed or taken from a program, because the
        source says nothing of it. Raises DefinitionError naming the field and the reason.
        """
        data = self.as_dict()
        changes = {**(settings or {}), **fields}
        for path, value in changes.items():
            self._put(data, path, value)
        where = f"definition '{self.key}'"
        if any(path.partition(".")[0] == "source" for path in changes):
            return definition_from(data, where=where)
        data.pop("source", None)
        new = definition_from(data, where=where)
        return new.model_copy(update={"source": self.source.of_the_same(self.settings(), new.settings())})

    def _put(self, data: dict[str, Any], path: str, value: Any) -> None:
        """Set one dotted path in plain data; None takes it out. A first part that is a measure means its rule."""
        *parents, leaf = path.split(".")
        place: Any = data
        for number, parent in enumerate(parents):
            rules = {rule["measure"]: rule for rule in data["measures"] if isinstance(rule, dict)}
            place = rules[parent] if number == 0 and parent in rules else place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise DefinitionError(f"definition '{self.key}': there is no setting '{path}'; '{parent}' has no parts.")
        if value is None:
            place.pop(leaf, None)
        else:
            place[leaf] = value.model_dump(exclude_none=True, mode="json") if isinstance(value, Part) else value


_LOOKING_PROSE: dict[str, str] = {
    "every event": "All events of a patient were counted, one after the other.",
    "first event": "Only the first event of a patient was counted, worsening or improvement.",
    "first worsening": "Only the first confirmed worsening of a patient was counted.",
    "first improvement": "Only the first confirmed improvement of a patient was counted.",
    "first PIRA": "Only the first PIRA of a patient was counted.",
    "first RAW": "Only the first RAW of a patient was counted.",
}


def definition_from(data: Mapping[str, Any], *, where: str) -> Definition:
    """Return the definition that plain data describe; DefinitionError with every field at fault and the reason."""
    try:
        return Definition.model_validate(dict(data))
    except ValidationError as error:
        raise DefinitionError(_sentences(error, where)) from error


def load_definition(path: str | Path) -> Definition:
    """Return the definition in a TOML file; DefinitionError where it is not valid or cannot be read."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DefinitionError(f"{path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: not valid TOML: {error}.") from error
    data.pop("page", None)
    data.pop("patients", None)
    return definition_from(data, where=str(path))


def _sentences(error: ValidationError, where: str) -> str:
    reasons: dict[str, str] = {}
    for fault in error.errors():
        # A field with two kinds of value, such as days or "to the end", gives a fault for each kind.
        path = ".".join(str(part) for part in fault["loc"] if not re.match(r"(constrained-|literal\[|function-)", str(part)))
        reasons[path] = f"{reasons[path]}, or: {_reason(fault)}" if path in reasons else _reason(fault)
    n = len(reasons)
    lines = [f"{where}: {n} fault{'' if n == 1 else 's'} in the definition"]
    return "\n".join([*lines, *(f"  - {path or 'the definition'}: {reason}" for path, reason in reasons.items())])


def _reason(fault: Any) -> str:
    """Return what is wrong with one field, in words."""
    found = fault.get("input")
    if fault["type"] == "extra_forbidden":
        name = str(fault["loc"][-1])
        near = difflib.get_close_matches(name, field_names(), n=2, cutoff=0.6)
        return f"there is no such setting{f'; did you mean {one_of(near)}?' if near else ''}"
    if fault["type"] == "missing":
        return "must be given"
    if fault["type"] == "tuple_type":
        return f"must be a list, such as [...] (found {found!r})"
    reason = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return reason if fault["type"] == "value_error" else f"{reason} (found {found!r})"


def field_names() -> list[str]:
    """Return the names of all settings of a definition."""
    parts = (
        Definition,
        Baseline,
        Onset,
        Window,
        Confirmation,
        Sustained,
        LastVisit,
        Source,
        RelapseRule,
        RawWindow,
        MeasureRule,
        Threshold,
    )
    return sorted({name for part in (*parts, Step, CustomMeasure) for name in part.model_fields})
