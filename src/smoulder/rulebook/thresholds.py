"""Which change of a score counts: steps, a percentage, points, or two of them. Exact in whole numbers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smoulder.rulebook.parts import MOST_POINTS, AsTuple, Part, listed
from smoulder.terms import HUNDREDTHS, MEASURES, Measure, exact_units


class Step(Part):
    """The change needed from one range of references."""

    up_to: float | None = Field(default=None, le=MOST_POINTS)
    """Largest reference (points) of the range, included; None for all higher ones."""
    change: float | None = Field(default=None, le=MOST_POINTS)
    """Change needed, in points; None where no change from such a reference counts."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.change is not None:
            if self.change <= 0:
                raise ValueError(f"change must be more than 0; got {self.change:g}")
            exact_units(self.change)
        if self.up_to is not None:
            exact_units(self.up_to)
        return self


class Threshold(Part):
    """How much change from a reference counts.

    Exactly one of `steps`, `percent`, `points`; or `percent` and `points` together with `of_two`.
    "At least 20 % worse" is compared in whole numbers: 4.0 s -> 4.8 s is exactly 20 %.
    """

    steps: Annotated[tuple[Step, ...], AsTuple] = ()
    """Ranges of the reference in ascending order; the last may be open."""
    percent: float | None = Field(default=None, gt=0, le=MOST_POINTS)
    """Per cent of the reference."""
    points: float | None = Field(default=None, gt=0, le=MOST_POINTS)
    """Points, or seconds."""
    of_two: Literal["smaller", "larger"] | None = None
    """Where both `percent` and `points` are given: which of the two has to be reached."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        kinds = [name for name in ("steps", "percent", "points") if getattr(self, name)]
        if not kinds:
            raise ValueError("give steps, percent or points")
        if "steps" in kinds and len(kinds) > 1:
            raise ValueError(f"give steps alone; got {listed(kinds)}")
        if (len(kinds) == 2) != (self.of_two is not None):
            raise ValueError("percent and points together need of_two = 'smaller' or 'larger', and of_two needs both")
        for value in (self.percent, self.points):
            if value is not None:
                exact_units(value)
        bounds = [step.up_to for step in self.steps]
        if any(bound is None for bound in bounds[:-1]):
            raise ValueError("only the last step may leave out up_to")
        closed = [bound for bound in bounds if bound is not None]
        if closed != sorted(set(closed)):
            raise ValueError("steps must be in ascending order of up_to, each once")
        return self

    def needed(self, reference: int, units_per_point: int = HUNDREDTHS) -> int | None:
        """Return the smallest change (score units, > 0) from `reference` (score units) that counts.

        None where no change from this reference counts.
        """
        if self.steps:
            for step in self.steps:
                if step.up_to is None or reference <= exact_units(step.up_to, units_per_point):
                    return None if step.change is None else exact_units(step.change, units_per_point)
            return None
        candidates = []
        if self.percent is not None:
            # 100 * change >= percent * reference, solved for the smallest whole change; -(-a // b) rounds up.
            candidates.append(-(-exact_units(self.percent) * reference // (100 * HUNDREDTHS)))
        if self.points is not None:
            candidates.append(exact_units(self.points, units_per_point))
        return max(1, max(candidates) if self.of_two == "larger" else min(candidates))

    @property
    def counts_nothing(self) -> bool:
        """Whether no change counts, from whatever reference."""
        return bool(self.steps) and all(step.change is None for step in self.steps)

    def prose(self, measure: Measure) -> str:
        """Return the threshold in words, such as 'of at least 1.0 point from a reference up to 5.5'."""
        if self.steps:
            return self._steps_prose(measure)
        parts = []
        if self.percent is not None:
            parts.append(f"{self.percent:g} % of the reference")
        if self.points is not None:
            parts.append(_with_unit(self.points, measure))
        if len(parts) == 2:
            return f"of at least the {self.of_two} of {parts[0]} and {parts[1]}"
        return f"of at least {parts[0]}"

    def _steps_prose(self, measure: Measure) -> str:
        counting, none, above = [], [], None
        for step in (*self.steps, *([Step()] if self.steps[-1].up_to is not None else [])):
            where = _reference_prose(above, step.up_to, measure)
            if step.change is None:
                none.append(where)
            else:
                counting.append(f"{_with_unit(step.change, measure)} from {where}")
            above = step.up_to
        if not counting:
            return "of any size, none of which counted"
        nothing = f" (no change counted from {listed(none, 'or')})" if none else ""
        return f"of at least {listed(counting)}{nothing}"


def _points_text(points: float, measure: Measure) -> str:
    return measure.text(exact_units(points, measure.units_per_point))


def _with_unit(points: float, measure: Measure) -> str:
    unit = "point" if measure.unit == "points" and points == 1 else measure.unit
    return f"{_points_text(points, measure)} {unit}"


def _reference_prose(above: float | None, up_to: float | None, measure: Measure) -> str:
    """Return a range of references in words."""
    if up_to is None:
        return "any reference" if above is None else f"a reference {_bound_prose(above, measure, 'above', 'from')}"
    if above is None and up_to == measure.low:
        return f"a reference of {_points_text(up_to, measure)}"
    return f"a reference {_bound_prose(up_to, measure, 'up to', 'below')}"


def _bound_prose(bound: float, measure: Measure, on_scale: str, between: str) -> str:
    """Return a bound after its word; one between two steps of the scale (5.99) is told by the step above it (6.0)."""
    if measure.grid is None or bound % measure.grid == 0:
        return f"{on_scale} {_points_text(bound, measure)}"
    return f"{between} {_points_text((bound // measure.grid + 1) * measure.grid, measure)}{' on' if between == 'from' else ''}"


class CustomMeasure(Part):
    """A measure of the definition's own, with its column in `visits`."""

    name: str
    unit: str
    low: float
    """Smallest possible score; 0 or more where the threshold is a percentage."""
    high: float | None = None
    worse: Literal["higher", "lower"] = "higher"


class MeasureRule(Part):
    """One measure with the change that counts on it."""

    measure: str
    """Key of a known measure, or the column of a custom one."""
    worsening: Threshold
    improvement: Threshold | None = None
    """None: mirrors `worsening`."""
    custom: CustomMeasure | None = None
    """Declares a measure that is not known by itself."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.custom is None and self.measure not in MEASURES:
            raise ValueError(f"'{self.measure}' is no known measure ({', '.join(MEASURES)}); declare it under custom")
        if self.custom is not None and self.measure in MEASURES:
            raise ValueError(f"'{self.measure}' is a known measure; leave custom out, or give another name")
        thresholds = (self.worsening, self.improvement)
        if self.custom is not None and self.custom.low < 0 and any(t is not None and t.percent is not None for t in thresholds):
            raise ValueError("a percentage needs a measure that cannot be negative")
        if self.custom is not None and self.custom.high is not None and self.custom.high <= self.custom.low:
            raise ValueError(f"custom.high ({self.custom.high:g}) must be more than custom.low ({self.custom.low:g})")
        return self

    def spec(self) -> Measure:
        """Return the measure itself."""
        if self.custom is None:
            return MEASURES[self.measure]
        own = self.custom
        return Measure(key=self.measure, name=own.name, unit=own.unit, low=own.low, high=own.high, higher_is_worse=own.worse == "higher")

    def needed(self, reference: int, *, worsening: bool) -> int | None:
        """Return the smallest change (score units) from `reference` that counts in one direction; None where none does."""
        threshold = self.worsening if worsening or self.improvement is None else self.improvement
        return threshold.needed(reference, self.spec().units_per_point)

    def prose(self, *, improvement: bool = True) -> str:
        """Return the rule of this measure as one or two sentences; `improvement` False where improvements play no part."""
        measure = self.spec()
        way, back = ("rise", "fall") if measure.higher_is_worse else ("fall", "rise")
        if self.worsening.counts_nothing and self.improvement is not None:
            better = f"On the {measure.name}, improvement was a {back} {self.improvement.prose(measure)}."
            return f"{better} Worsening was not looked for."
        sentence = f"On the {measure.name}, worsening was a {way} {self.worsening.prose(measure)}"
        if self.improvement is not None and self.improvement.counts_nothing:
            return f"{sentence}. Improvement was not looked for."
        if not improvement:
            return f"{sentence}."
        if self.improvement is None:
            return f"{sentence}, and improvement a {back} by as much."
        return f"{sentence}, and improvement a {back} {self.improvement.prose(measure)}."
