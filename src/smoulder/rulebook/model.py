"""What a published definition is: one frozen object that runs, explains itself in prose and saves to TOML."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, model_validator

from smoulder.errors import DefinitionError, one_of
from smoulder.rulebook.baseline import Baseline
from smoulder.rulebook.carried import CarriedReference, Merging
from smoulder.rulebook.confirming import AnchoredVisit, Confirmation, LastVisit, Onset, Sustained, Window
from smoulder.rulebook.mri import MriRule
from smoulder.rulebook.parts import AsTuple, Part, listed
from smoulder.rulebook.relapse import Interval, RawWindow, RelapseRule
from smoulder.rulebook.thresholds import CustomMeasure, MeasureRule, Step, Threshold

__all__ = [
    "AnchoredVisit",
    "Baseline",
    "CarriedReference",
    "Confirmation",
    "CustomMeasure",
    "Definition",
    "Interval",
    "LastVisit",
    "MeasureRule",
    "Merging",
    "MriRule",
    "Onset",
    "RawWindow",
    "RelapseRule",
    "Source",
    "Step",
    "Sustained",
    "Threshold",
    "Window",
]

LookingFor = Literal["every event", "first event", "first worsening", "first improvement", "first PIRA", "first RAW"]


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

    extras: ClassVar[frozenset[str]] = frozenset({"carried", "mri", "days_a_month"})

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    """Short name, lower case with dashes, such as kappos-2020-12w."""
    title: str
    measures: Annotated[tuple[MeasureRule, ...], AsTuple, Field(min_length=1)]
    """One measure, or several for a composite: each is confirmed on itself, and the earliest worsening is the patient's."""
    baseline: Baseline = Baseline()
    carried: CarriedReference | None = None
    """A reference that is carried from visit to visit, from the starting visit of `baseline` on; None: the baseline visit moves."""
    onset: Onset = Onset()
    confirmation: Confirmation
    sustained: Sustained = Sustained()
    last_visit: LastVisit = LastVisit()
    relapses: RelapseRule | None = None
    """None: events are not labelled RAW or PIRA."""
    mri: MriRule | None = None
    """None: PIRA are not told apart by their MRI."""
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
            if self.mri is not None:
                raise ValueError("mri tells PIRA apart, which need a relapse rule under relapses")
        if self.carried is not None:
            self._check_carried(self.carried)
        self._check_looking_for()
        self._check_sought_visits()
        if self.confirmation.leading_system and "edss" not in keys:
            raise ValueError("confirmation.leading_system is about the EDSS, which is not among the measures")
        if not self.confirmation.windows and self.last_visit.worsening == "counted":
            raise ValueError("last_visit has no effect where a change needs no confirmation")
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

    def _check_looking_for(self) -> None:
        """Raise ValueError where what is looked for can never be found, or a part is about something else."""
        rule = self.relapses
        if self.looking_for == "first RAW" and rule is not None and rule.raw is None and not rule.raw_in and rule.otherwise != "RAW":
            raise ValueError("looking_for = 'first RAW' finds nothing: relapses says of no worsening that it is RAW")
        improving = self.looking_for == "first improvement"
        if improving and all(one.improvement is not None and one.improvement.counts_nothing for one in self.measures):
            raise ValueError("looking_for = 'first improvement' finds nothing: no improvement counts")
        if self.looking_for in ("first worsening", "first PIRA", "first RAW") and all(
            one.worsening.counts_nothing for one in self.measures
        ):
            raise ValueError(f"looking_for = '{self.looking_for}' finds nothing: no worsening counts")
        if improving and "PIRA" in self.baseline.moves_after:
            raise ValueError("moves_after has 'PIRA', and looking_for = 'first improvement' tells no PIRA; say 'worsening'")
        if improving and (self.mri is not None or self.confirmation.leading_system):
            raise ValueError("mri and confirmation.leading_system are about worsening; looking_for = 'first improvement' finds none")

    def _check_sought_visits(self) -> None:
        """Raise ValueError where visits at a set time leave nothing that could be confirmed."""
        confirm = self.confirmation
        for name, anchor in (("at", confirm.at), ("as_well", confirm.as_well)):
            if anchor is not None and self.onset.at is not None and anchor.to_day < self.onset.at.from_day:
                raise ValueError(f"confirmation.{name} lies before onset.at, so nothing can be confirmed")
        if confirm.as_well is not None and self.last_visit.worsening == "counted":
            raise ValueError("a worsening that is counted without confirmation cannot be asked to hold at confirmation.as_well")

    def _check_carried(self, carried: CarriedReference) -> None:
        """Raise ValueError where other parts would have no effect beside a carried reference."""
        idle = {"moves_after": (), "moves_to": "confirmation", "may_fall": "yes", "local_extrema": "allowed", "sub_threshold": "no"}
        for name, value in idle.items():
            if getattr(self.baseline, name) != value:
                raise ValueError(f"baseline.{name} has no effect where the reference is carried from visit to visit")
        if self.baseline.start == "previous visit":
            raise ValueError("baseline.start = 'previous visit' leaves no reference to be carried")
        if any(rule.improvement is not None for rule in self.measures):
            raise ValueError("a carried reference looks for worsening only, so a measure needs no threshold of improvement")
        if self.looking_for == "first improvement":
            raise ValueError("a carried reference looks for worsening only, never for the first improvement")
        if carried.second_reference == "after the last event" and self.looking_for != "every event":
            raise ValueError("second_reference = 'after the last event' needs looking_for = 'every event'")
        has_raw = self.relapses is not None and self.relapses.raw is not None
        if not has_raw and (carried.after_relapse != "stays" or carried.second_reference not in ("no", "at every visit")):
            raise ValueError("carried.after_relapse and carried.second_reference need the RAW window of a relapse rule (relapses.raw)")
        if carried.earlier_reference and (self.onset.min_days == 0 or self.onset.min_days_from != "baseline"):
            raise ValueError("carried.earlier_reference has no effect unless onset.min_days keeps a distance from the baseline")

    @property
    def labelled(self) -> bool:
        """Whether events are labelled RAW, PIRA or neither."""
        return self.relapses is not None

    @property
    def is_composite(self) -> bool:
        """Whether several measures take part."""
        return len(self.measures) > 1

    @property
    def improvement_matters(self) -> bool:
        """Whether an improvement can be an event or move the baseline."""
        looked_for = self.looking_for in ("every event", "first event", "first improvement")
        return self.carried is None and (looked_for or "improvement" in self.baseline.moves_after)

    @property
    def finds_improvement(self) -> bool:
        """Whether an improvement can be an event."""
        looked_for = self.looking_for in ("every event", "first event", "first improvement")
        some_count = any(rule.improvement is None or not rule.improvement.counts_nothing for rule in self.measures)
        return self.carried is None and looked_for and some_count

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
        for name in ("baseline", "carried", "onset", "confirmation", "sustained", "last_visit", "relapses", "mri"):
            part = getattr(self, name)
            if part is None:
                found |= {} if name in self.extras else {name: None}
                continue
            for field, value in part.model_dump(mode="json").items():
                found[f"{name}.{field}"] = value
        months = {} if self.days_a_month is None else {"days_a_month": self.days_a_month}
        return found | {"coverage": self.coverage, "looking_for": self.looking_for} | months

    def prose(self) -> str:
        """Return the methods paragraph, made from the parts that decide."""
        names = listed([rule.spec().name for rule in self.measures])
        sentences = [f"Disability was measured with the {names}."]
        sentences += [rule.prose(improvement=self.improvement_matters) for rule in self.measures]
        if self.is_composite:
            sentences.append(
                f"Each measure was compared{', confirmed and labelled' if self.labelled else ' and confirmed'} by itself; the earliest "
                "worsening on any of them was the patient's."
            )
        parts = (self.baseline, self.carried, self.onset, self.confirmation, self.sustained, self.last_visit)
        sentences += [prose for prose in (self._part_prose(part) for part in parts if part is not None) if prose]
        if self.days_a_month is not None:
            sentences.append(f"A month was taken as {self.days_a_month:g} days.")
        if self.relapses is not None:
            sentences.append(self.relapses.prose())
            sentences += [self.mri.prose()] if self.mri is not None else []
            sentences.append(
                "Where no relapse was recorded, none was taken to have happened, also before the first and after the last visit, unless "
                "the tables state from when to when relapses were recorded."
                if self.coverage == "assumed"
                else "Relapses were taken to be recorded from the first to the last visit only; a relapse-free window that reached outside "
                "left the label undetermined."
            )
        looking = _LOOKING_PROSE[self.looking_for]
        sentences.append(looking if self.confirmation.windows else looking.replace("confirmed ", ""))
        if self.source.assumed:
            sentences.append(f"Assumed, as the source was not seen to state it: {self._marked(self.source.assumed)}.")
        if self.source.code:
            sentences.append(f"Taken from a program that implements it: {self._marked(self.source.code)}.")
        return " ".join(sentences)

    def _part_prose(self, part: Any) -> str:
        """Return one part in words; what a carried reference or no confirmation makes idle is left out."""
        if part is self.baseline and self.carried is not None:
            return self.baseline.starting_prose()
        if part is self.last_visit and not self.confirmation.windows:
            return ""
        if part is self.last_visit and (
            self.looking_for == "first improvement" or all(rule.worsening.counts_nothing for rule in self.measures)
        ):
            return "An improvement that no later visit could confirm was not an event."
        if part is self.confirmation:
            return self.confirmation.prose(self.onset)
        if part is self.sustained:
            return self.sustained.prose(at_every_visit=self.confirmation.every_visit)
        return part.prose()

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
            name = names.get(part, {"carried": "reference carried", "mri": "MRI"}.get(part, part.replace("_", " ")))
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
    """Return the definition in the TOML file at `path`; DefinitionError where it is not valid or cannot be read."""
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
        CarriedReference,
        Merging,
        MriRule,
        AnchoredVisit,
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
