"""What a made-up cohort is made from: frozen parts, and two ready-made plans.

Variants are made with `dataclasses.replace`. A part that cannot be is refused with UsageError.
Points are EDSS points. A rate is events per person-year. A factor multiplies a rate; 1 changes nothing.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from smoulder.errors import UsageError
from smoulder.terms import weeks

DAYS_A_YEAR = 365.25

Sizes = tuple[tuple[float, float], ...]
"""(points, share) pairs: how large a step is, and how often; the shares sum to 1."""
Span = tuple[float, float]
"""Shortest and longest; drawn evenly between."""


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise UsageError(f"The plan cannot be: {sentence}.")


def _require_share(name: str, value: float) -> None:
    _require(0 <= value <= 1, f"{name} must lie between 0 and 1, and is {value:g}")


def _require_amount(name: str, value: float) -> None:
    _require(value >= 0, f"{name} must not be negative, and is {value:g}")


def _require_span(name: str, span: Span) -> None:
    _require(0 <= span[0] <= span[1], f"{name} must be (shortest, longest) from 0 on, and is {span}")


def _require_sizes(name: str, sizes: Sizes) -> None:
    on_grid = all(points >= 0 and points * 2 == round(points * 2) for points, _ in sizes)
    _require(on_grid, f"{name} must be whole half points from 0 on, and are {sizes}")
    _require(abs(sum(share for _, share in sizes) - 1) < 1e-9, f"the shares of {name} must sum to 1, and are {sizes}")


@dataclass(frozen=True, kw_only=True)
class People:
    """Who enters, when, and how long they are followed."""

    prefix: str
    """First letter of the ids."""
    digits: int
    """Digits of the ids: 3 gives N001."""
    first_entry: datetime.date
    """First day somebody enters."""
    last_entry: datetime.date
    """Last day somebody enters."""
    follow_up_days: Span
    """Days from entry to the planned end."""
    yearly_dropout: float
    """Rate of leaving before the planned end, per person-year."""
    mean_age: float
    """Years at entry."""
    sd_age: float
    """Years."""
    age_limits: Span
    """Youngest and oldest at entry, years."""
    median_duration: float
    """Years from first symptom to entry; spread log-normally."""
    female: float
    """Share of women."""
    mean_edss: float
    """True EDSS at entry, points."""
    sd_edss: float
    """Points."""
    edss_limits: Span
    """Lowest and highest true EDSS at entry, points."""

    def __post_init__(self) -> None:
        _require_span("follow_up_days", self.follow_up_days)
        _require_span("age_limits", self.age_limits)
        _require_span("edss_limits", self.edss_limits)
        _require(self.edss_limits[1] <= 9.5, f"the highest EDSS at entry must not be above 9.5, and is {self.edss_limits[1]:g}")
        _require(self.first_entry <= self.last_entry, "the first entry must not come after the last")
        _require_share("female", self.female)
        _require_amount("yearly_dropout", self.yearly_dropout)


@dataclass(frozen=True, kw_only=True)
class RelapseProcess:
    """How often relapses come, what they do to the EDSS, and what stays."""

    yearly_rate: float
    """Relapses per person-year of an untreated person of `reference_age`, before the frailty."""
    frailty_shape: float
    """Shape of the gamma frailty (mean 1) on the rate: the smaller, the more people differ."""
    yearly_decline: float
    """Share by which the rate falls with each year of age (log scale): 0.03 is 3 % a year."""
    reference_age: float
    """Years."""
    least_gap_days: int
    """Days between two onsets; a nearer onset belongs to the attack before and is left out."""
    rises: Sizes
    """Rise of the true EDSS on the day of onset; 0 points is a relapse that the EDSS does not show."""
    residual: float
    """Share of rises that leave something behind: between half a point and the whole rise, evenly."""
    median_recovery_days: float
    """Days from onset to the day of recovery; spread log-normally."""
    spread_recovery: float
    """Standard deviation of the logarithm of the days to recovery."""
    least_recovery_days: int
    """Shortest time to recovery, days."""

    def __post_init__(self) -> None:
        _require_amount("yearly_rate of relapses", self.yearly_rate)
        _require(self.frailty_shape > 0, "frailty_shape of relapses must be above 0")
        _require(self.least_gap_days >= 1, "least_gap_days must be at least 1")
        _require(self.median_recovery_days > 0, "median_recovery_days must be above 0")
        _require(self.least_recovery_days >= 1, "least_recovery_days must be at least 1")
        _require_sizes("rises", self.rises)
        _require_share("residual", self.residual)


@dataclass(frozen=True, kw_only=True)
class Smouldering:
    """Steps up of the true EDSS that have nothing to do with relapses, and stay."""

    yearly_rate: float
    """Steps per person-year of an untreated person of `reference_age`, before the frailty."""
    frailty_shape: float
    """Shape of the gamma frailty (mean 1) on the rate."""
    yearly_rise: float
    """Share by which the rate rises with each year of age (log scale)."""
    reference_age: float
    """Years."""
    least_gap_days: int
    """Days between two steps."""
    steps: Sizes
    """Size of a step from a true EDSS up to 5.5."""
    steps_above: Sizes
    """Size of a step from a true EDSS above 5.5."""

    def __post_init__(self) -> None:
        _require_amount("yearly_rate of smouldering", self.yearly_rate)
        _require(self.frailty_shape > 0, "frailty_shape of smouldering must be above 0")
        _require(self.least_gap_days >= 1, "least_gap_days must be at least 1")
        _require_sizes("steps", self.steps)
        _require_sizes("steps_above", self.steps_above)


@dataclass(frozen=True, kw_only=True)
class RaterNoise:
    """How often the examiner writes down half a point more or less than is true."""

    probability: float
    """Share of visits; up and down are equally likely, and what the scale does not have (0.5, 10) is not written."""

    def __post_init__(self) -> None:
        _require_share("probability of rater noise", self.probability)


@dataclass(frozen=True, kw_only=True)
class VisitSchedule:
    """When people come."""

    interval_days: Span
    """Days between planned visits; each person has one habit, drawn evenly."""
    jitter_days: float
    """Standard deviation of the day of a planned visit about its plan, at most a third of the interval."""
    missed: float
    """Share of planned visits that do not take place; the first always does."""
    at_relapse: float
    """Share of relapses that lead to an unplanned visit."""
    relapse_delay_days: tuple[int, int]
    """Days from onset to that visit, earliest and latest."""

    def __post_init__(self) -> None:
        _require_span("interval_days", self.interval_days)
        _require(self.interval_days[0] >= 7, f"visits must be at least 7 days apart, not {self.interval_days[0]:g}")
        _require_span("relapse_delay_days", self.relapse_delay_days)
        _require_amount("jitter_days", self.jitter_days)
        _require_share("missed", self.missed)
        _require_share("at_relapse", self.at_relapse)


@dataclass(frozen=True, kw_only=True)
class TimedTest:
    """A test in seconds that follows the true EDSS: time = at_zero * exp(growth * EDSS) * person * visit."""

    at_zero: float
    """Seconds at EDSS 0."""
    growth: float
    """Rise of the logarithm of the time per EDSS point."""
    between_people: float
    """Standard deviation of the logarithm between people."""
    between_visits: float
    """Standard deviation of the logarithm between visits of a person (and between the hands)."""
    measured: float
    """Share of visits at which it is done."""
    longest: float
    """Seconds; a longer time is written as this."""
    possible_up_to: float = 9.5
    """Highest true EDSS at which it can be done."""

    def __post_init__(self) -> None:
        _require(self.at_zero > 0, "the time at EDSS 0 must be above 0 seconds")
        _require(self.longest > 0, "the longest time must be above 0 seconds")
        _require_share("measured", self.measured)


@dataclass(frozen=True, kw_only=True)
class SymbolDigit:
    """The SDMT, which follows the true EDSS downwards."""

    at_zero: float
    """Points right at EDSS 0."""
    loss: float
    """Points lost per EDSS point."""
    between_people: float
    """Standard deviation, points."""
    between_visits: float
    """Standard deviation, points."""
    measured: float
    """Share of visits at which it is done."""

    def __post_init__(self) -> None:
        _require_share("measured", self.measured)


@dataclass(frozen=True, kw_only=True)
class TimedTests:
    """What is measured beside the EDSS."""

    walk: TimedTest
    """T25FW."""
    hands: TimedTest
    """9HPT, dominant hand."""
    other_hand: float
    """Time of the other hand as a multiple of the dominant one's."""
    symbols: SymbolDigit
    """SDMT."""


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """What stopping a treatment does to relapses."""

    carry_over_days: int
    """Days after the last day for which it still works fully."""
    rebound_factor: float
    """Factor on the relapse rate after those."""
    rebound_days: int
    """Days for which that lasts."""

    def __post_init__(self) -> None:
        _require_amount("carry_over_days", self.carry_over_days)
        _require_amount("rebound_factor", self.rebound_factor)
        _require_amount("rebound_days", self.rebound_days)


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """A treatment and what it does."""

    name: str
    """As the table of treatments has it."""
    relapse_factor: float
    """Factor on the relapse rate."""
    smouldering_factor: float
    """Factor on the rate of smouldering steps."""
    withdrawal: Withdrawal | None = None
    """None where stopping does nothing but end the effect."""

    def __post_init__(self) -> None:
        _require_amount(f"relapse_factor of {self.name}", self.relapse_factor)
        _require_amount(f"smouldering_factor of {self.name}", self.smouldering_factor)


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """Platform therapy, then a stronger one when relapses come too often, then perhaps another."""

    platform: tuple[Treatment, ...]
    """First treatments, equally likely."""
    escalated: Treatment
    """The stronger one."""
    platform_days: Span
    """Days on platform therapy of a person whose relapses do not force the change; never less than the first."""
    relapses_within_days: int
    """Two relapses within so many days force the change."""
    delay_days: Span
    """Days from the second relapse to the change."""
    least_days: int
    """Days that everybody stays on the stronger one; follow-up lasts at least as long."""
    yearly_stop: float
    """Rate of stopping it after those, per person-year."""
    gap_days: Span
    """Days without treatment after stopping."""
    following: tuple[Treatment, ...]
    """Treatments after it, equally likely."""
    untreated: float
    """Share of those who stop and start nothing else."""

    def __post_init__(self) -> None:
        _require(bool(self.platform) and bool(self.following), "there must be a platform and a following treatment")
        _require_span("platform_days", self.platform_days)
        _require(self.platform_days[0] >= 1, "platform_days must be at least 1")
        _require_span("delay_days", self.delay_days)
        _require_span("gap_days", self.gap_days)
        _require_amount("yearly_stop", self.yearly_stop)
        _require_share("untreated", self.untreated)


@dataclass(frozen=True, kw_only=True)
class Randomised:
    """Trial arms in equal numbers, in permuted blocks of twice their number; on treatment to the end."""

    arms: tuple[Treatment, ...]
    """The name of the treatment is the name of the arm."""

    def __post_init__(self) -> None:
        _require(bool(self.arms), "there must be an arm")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything `simulate` needs to know."""

    people: People
    relapses: RelapseProcess
    smouldering: Smouldering
    rater: RaterNoise
    visits: VisitSchedule
    tests: TimedTests
    course: Escalation | Randomised

    def __post_init__(self) -> None:
        if isinstance(self.course, Escalation):
            longest = self.course.platform_days[1] + self.course.least_days
            _require(
                longest <= self.people.follow_up_days[1],
                f"platform therapy and the least days on {self.course.escalated.name} need up to {longest:g} days,"
                f" and follow-up has {self.people.follow_up_days[1]:g}",
            )


_RELAPSES = RelapseProcess(
    yearly_rate=1.45,
    frailty_shape=2.5,
    yearly_decline=0.02,
    reference_age=35,
    least_gap_days=30,
    rises=((0.0, 0.30), (0.5, 0.15), (1.0, 0.25), (1.5, 0.15), (2.0, 0.10), (3.0, 0.05)),
    residual=0.25,
    median_recovery_days=50,
    spread_recovery=0.45,
    least_recovery_days=14,
)

_SMOULDERING = Smouldering(
    yearly_rate=0.105,
    frailty_shape=0.6,
    yearly_rise=0.03,
    reference_age=40,
    least_gap_days=180,
    steps=((0.5, 0.55), (1.0, 0.40), (1.5, 0.05)),
    steps_above=((0.5, 0.90), (1.0, 0.10)),
)

_TESTS = TimedTests(
    walk=TimedTest(at_zero=4.0, growth=0.17, between_people=0.12, between_visits=0.07, measured=0.5, longest=180.0, possible_up_to=6.5),
    hands=TimedTest(at_zero=18.0, growth=0.06, between_people=0.10, between_visits=0.05, measured=0.5, longest=300.0),
    other_hand=1.06,
    symbols=SymbolDigit(at_zero=60.0, loss=3.0, between_people=9.0, between_visits=3.0, measured=0.35),
)

NATALIZUMAB = Plan(
    people=People(
        prefix="N",
        digits=3,
        first_entry=datetime.date(2005, 1, 1),
        last_entry=datetime.date(2010, 12, 31),
        follow_up_days=(3653, 5479),
        yearly_dropout=0.03,
        mean_age=34.5,
        sd_age=9.5,
        age_limits=(18, 60),
        median_duration=5.5,
        female=0.72,
        mean_edss=2.5,
        sd_edss=1.4,
        edss_limits=(0, 6),
    ),
    relapses=_RELAPSES,
    smouldering=_SMOULDERING,
    rater=RaterNoise(probability=0.15),
    visits=VisitSchedule(interval_days=(91, 182), jitter_days=18, missed=0.10, at_relapse=0.6, relapse_delay_days=(2, 21)),
    tests=_TESTS,
    course=Escalation(
        platform=(
            Treatment(name="interferon beta", relapse_factor=0.7, smouldering_factor=1.0),
            Treatment(name="glatiramer acetate", relapse_factor=0.7, smouldering_factor=1.0),
        ),
        escalated=Treatment(
            name="natalizumab",
            relapse_factor=0.15,
            smouldering_factor=0.85,
            withdrawal=Withdrawal(carry_over_days=60, rebound_factor=1.5, rebound_days=120),
        ),
        platform_days=(366, 1826),
        relapses_within_days=365,
        delay_days=(20, 90),
        least_days=731,
        yearly_stop=0.09,
        gap_days=(30, 180),
        following=(
            Treatment(name="ocrelizumab", relapse_factor=0.10, smouldering_factor=0.8),
            Treatment(name="fingolimod", relapse_factor=0.35, smouldering_factor=0.95),
        ),
        untreated=0.15,
    ),
)
"""A registry-like cohort for about 200 people: platform therapy, natalizumab for at least 2 years, some stop or switch."""

TRIAL = Plan(
    people=People(
        prefix="T",
        digits=4,
        first_entry=datetime.date(2011, 9, 1),
        last_entry=datetime.date(2013, 3, 31),
        follow_up_days=(weeks(96) + 7, weeks(120) + 7),
        yearly_dropout=0.06,
        mean_age=37.0,
        sd_age=9.0,
        age_limits=(18, 55),
        median_duration=5.0,
        female=0.66,
        mean_edss=2.8,
        sd_edss=1.3,
        edss_limits=(0, 5.5),
    ),
    relapses=RelapseProcess(
        yearly_rate=0.32,
        frailty_shape=1.5,
        yearly_decline=0.02,
        reference_age=37,
        least_gap_days=30,
        rises=_RELAPSES.rises,
        residual=0.25,
        median_recovery_days=50,
        spread_recovery=0.45,
        least_recovery_days=14,
    ),
    smouldering=Smouldering(
        yearly_rate=0.11,
        frailty_shape=0.8,
        yearly_rise=0.03,
        reference_age=37,
        least_gap_days=84,
        steps=_SMOULDERING.steps,
        steps_above=_SMOULDERING.steps_above,
    ),
    rater=RaterNoise(probability=0.10),
    visits=VisitSchedule(interval_days=(84, 84), jitter_days=3, missed=0.03, at_relapse=0.7, relapse_delay_days=(1, 7)),
    tests=TimedTests(
        walk=TimedTest(
            at_zero=4.0, growth=0.17, between_people=0.12, between_visits=0.06, measured=0.97, longest=180.0, possible_up_to=6.5
        ),
        hands=TimedTest(at_zero=18.0, growth=0.06, between_people=0.10, between_visits=0.04, measured=0.97, longest=300.0),
        other_hand=1.06,
        symbols=SymbolDigit(at_zero=58.0, loss=3.0, between_people=9.0, between_visits=3.0, measured=0.9),
    ),
    course=Randomised(
        arms=(
            Treatment(name="control", relapse_factor=1.0, smouldering_factor=1.0),
            Treatment(name="active", relapse_factor=0.5, smouldering_factor=0.75),
        )
    ),
)
"""A trial of two arms, 1:1, visits every 12 weeks for 96 to 120 weeks; the active arm halves relapses and slows smouldering."""
