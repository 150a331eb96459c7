"""Numbers as people publish them: the readable table of each estimate, from its numeric one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from smoulder.analysis.counts import AMONG
from smoulder.estimates import DAYS_A_YEAR, Curve, Effects, Estimate, Rates, Shares, TableOne
from smoulder.events import Proportion

NONE = "–"
"""A cell in which there is nothing to show."""

MONTHS_FROM, YEARS_FROM = 92, 731
"""Days from which a time is shown in months, and in years."""
DAYS_A_MONTH = DAYS_A_YEAR / 12
EACH_ALONE, WHOLE_MODEL = "each alone", "GLOBAL"
"""Names that the analysis gives to the models of one term each, and to the test of a whole model."""
MOST_BESIDE = 4
"""Groups that stand side by side; more stand below each other."""

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """A table for people: texts in cells."""

    title: str
    """ "" where the heading above it says enough."""
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()
    """Columns of numbers."""
    notes: tuple[str, ...] = ()
    """Sentences below it."""


def percent(share: float | None) -> str:
    """Return a share in per cent.

    >>> percent(0.24444), percent(None)
    ('24.4 %', '–')
    """
    return NONE if share is None else f"{100 * share:.1f} %"


def proportion(n: int, out_of: int) -> str:
    """Return n/N with its Wilson interval.

    >>> proportion(44, 180)
    '44/180 (24.4 %, 95 % interval 18.7 to 31.2 %)'
    """
    return Proportion(numerator=n, denominator=out_of).text()


def ratio(value: float | None) -> str:
    """Return a ratio with as many decimals as papers print.

    >>> ratio(0.6701), ratio(0.0421), ratio(12.34), ratio(1234.5), ratio(0.0000123)
    ('0.67', '0.042', '12.3', '1,234', '0.000012')
    """
    if value is None:
        return NONE
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 0.1 or value <= 0:
        return f"{value:.2f}"
    if value >= 0.01:
        return f"{value:.3f}"
    places = 1 - int(f"{value:.1e}".partition("e")[2])
    return f"{value:.{places}f}" if places < 12 else f"{value:.1e}"


def p_value(p: float | None) -> str:
    """Return a p value; a small one by its bound, never as 0.

    >>> p_value(0.0341), p_value(0.00099), p_value(0.9999), p_value(None)
    ('0.034', '< 0.001', '> 0.999', '–')
    """
    if p is None:
        return NONE
    return "< 0.001" if p < 0.001 else "> 0.999" if p > 0.999 else f"{p:.3f}"


def p_sentence(p: float | None) -> str:
    """Return a p value with its letter: 'p = 0.034', 'p < 0.001'."""
    text = p_value(p)
    return f"p {text}" if text[0] in "<>" else f"p = {text}"


def limits(lower: float | None, upper: float | None, shown: Callable[[float | None], str]) -> str:
    """Return limits in brackets; a limit that does not exist is a dash.

    >>> limits(0.52, 0.86, ratio), limits(None, None, ratio)
    ('(0.52 to 0.86)', '(no limits)')
    """
    if lower is None and upper is None:
        return "(no limits)"
    return f"({shown(lower).removesuffix(' %')} to {shown(upper)})"


def with_limits(row: Row, shown: Callable[[float | None], str], names: tuple[str, str, str] = ("estimate", "lower", "upper")) -> str:
    """Return the estimate of a row with its limits, '0.67 (0.52 to 0.86)'; a dash where there is none."""
    value, lower, upper = (row[name] for name in names)
    return NONE if value is None else f"{shown(value)} {limits(lower, upper, shown)}"


def years(person_years: float | None) -> str:
    """Return person-years, with a decimal where they are few.

    >>> years(812.4), years(12.34)
    ('812', '12.3')
    """
    return NONE if person_years is None else f"{person_years:,.{0 if person_years >= 100 else 1}f}"


def number(value: float | None) -> str:
    """Return a count, or a number with at most two decimals.

    >>> number(1234), number(3.14159), number(None)
    ('1,234', '3.14', '–')
    """
    if value is None:
        return NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def time(days: float | None) -> str:
    """Return a time in the unit in which people speak of it; the files have the days.

    >>> time(45), time(183), time(1461), time(None)
    ('45 days', '6.0 months', '4.0 years', '–')
    """
    if days is None:
        return NONE
    if days < MONTHS_FROM:
        return f"{days:,.0f} day" if days == 1 else f"{days:,.0f} days"
    if days < YEARS_FROM:
        return f"{days / DAYS_A_MONTH:.1f} months"
    return f"{days / DAYS_A_YEAR:.1f} years"


def sentence(text: str) -> str:
    """Return text that starts with a capital and ends with a full stop."""
    text = text.strip()
    return text if not text else f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.!?:' else '.'}"


def shown_tables(estimate: Estimate, group: str = "group") -> tuple[ShownTable, ...]:
    """Return the readable tables of an estimate, the most important first; `group` is what the groups are groups of."""
    if isinstance(estimate, Curve):
        return _curve(estimate, group)
    if isinstance(estimate, Effects):
        return _effects(estimate)
    if isinstance(estimate, Rates):
        return (_rates(estimate, group),)
    if isinstance(estimate, Shares):
        return _shares(estimate, group)
    if isinstance(estimate, TableOne):
        return (_table_one(estimate, group),)
    return (shown_frame(estimate.table),)


def table_of(rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]], *, right: Sequence[str] = (), title: str = "") -> ShownTable:
    """Return a table with one text a row and column; columns without anything in them are left out."""
    made = {name: [text(row) for row in rows] for name, text in columns.items()}
    kept = {name: texts for name, texts in made.items() if not rows or any(text not in ("", NONE) for text in texts)}
    cells = tuple(zip(*kept.values(), strict=True)) if rows else ()
    return ShownTable(title=title, head=tuple(kept), rows=cells, right=frozenset(right))


def several(frame: pl.DataFrame, column: str) -> bool:
    """Return whether a column tells rows apart."""
    return frame[column].n_unique() > 1


def _of(name: str) -> Callable[[Row], str]:
    return lambda row: str(row[name]) if row[name] is not None else NONE


def _count(name: str) -> Callable[[Row], str]:
    return lambda row: number(row[name])


def _group(frame: pl.DataFrame, name: str = "group", title: str = "") -> dict[str, Callable[[Row], str]]:
    """Return the column of the groups, where there are several."""
    return {title or name: _of(name)} if several(frame, name) else {}


def _effects(estimate: Effects) -> tuple[ShownTable, ...]:
    frame = estimate.table
    rows = frame.rows(named=True)
    columns: dict[str, Callable[[Row], str]] = {**_group(frame, "outcome")}
    models = frame["model"].unique(maintain_order=True).to_list()
    beside = _beside(rows, models)
    if beside is not None:
        rows = list(beside[models[0]].values())
    else:
        columns |= _group(frame, "model")
    columns |= {"term": _term, "people": _count("n"), "events": _count("events")}
    for model in models if beside is not None else ("",):
        named = f", {model}" if len(models) > 1 and model else ""
        same = beside[model] if beside is not None else {}
        columns[f"{estimate.scale} (95 % limits){named}"] = lambda row, same=same: with_limits(same.get(_place(row), row), ratio)
        columns[f"p{named}"] = lambda row, same=same: p_value(same.get(_place(row), row)["p"])
    checked = _checked(estimate, models[-1] if beside is not None else None)
    columns["proportional hazards, p"] = lambda row: p_value(checked.get((row["outcome"], row["model"], row["term"])))
    right = [name for name in columns if name not in ("outcome", "model", "term")]
    missing = tuple(sentence(f"No estimate for {_term(row)}: {why}") for row in rows if (why := _why(row, beside)))
    return (replace(table_of(rows, columns, right=right), notes=(*missing, *_hazards_notes(estimate))),)


def _why(row: Row, beside: Mapping[str, Mapping[tuple[str, ...], Row]] | None) -> str:
    """Return why there is no estimate; of models side by side, of which."""
    if beside is None:
        return row["why"]
    reasons = {model: same[_place(row)]["why"] for model, same in beside.items()}
    if len(set(reasons.values())) == 1:
        return row["why"]
    return " ".join(f"{model}: {why}" for model, why in reasons.items() if why)


def _place(row: Row) -> tuple[str, ...]:
    return row["outcome"], row["term"], row["level"], row["against"]


def _beside(rows: Sequence[Row], models: Sequence[str]) -> dict[str, dict[tuple[str, ...], Row]] | None:
    """Return the rows of each model by their term, where all models have the same terms, people and events: they stand side by side."""
    by_model = {model: {_place(row): row for row in rows if row["model"] == model} for model in models}
    first = by_model[models[0]] if models else {}
    for other in by_model.values():
        if other.keys() != first.keys() or any(
            (other[at]["n"], other[at]["events"]) != (first[at]["n"], first[at]["events"]) for at in first
        ):
            return None
    if sum(map(len, by_model.values())) != len(rows) or any(row["why"] and row["estimate"] is not None for row in rows):
        return None
    return by_model if models else None


def _checked(estimate: Effects, model: str | None) -> dict[tuple[str, str, str], float | None]:
    """Return the p of the test of proportional hazards by outcome, model and term; for every model that of `model` where it is given."""
    models: list[str] = estimate.table["model"].unique(maintain_order=True).to_list()
    found: dict[tuple[str, str, str], float | None] = {}
    for row in estimate.checks.iter_rows(named=True):
        if model is None:
            found[row["outcome"], row["model"], row["term"]] = row["p"]
        elif row["model"] == model:
            found |= {(row["outcome"], each, row["term"]): row["p"] for each in models}
    return found


def _hazards_notes(estimate: Effects) -> tuple[str, ...]:
    """Return what the test of proportional hazards says of a model as a whole; of one with a single term it says nothing more."""
    checks = estimate.checks
    rows = [row for row in checks.filter(pl.col("term") == WHOLE_MODEL).iter_rows(named=True) if row["model"] != EACH_ALONE]
    if not rows:
        return ()
    told = "; ".join(f"{_model(row, checks)}{p_sentence(row['p'])}" for row in rows)
    return (f"Test of proportional hazards, all terms together: {told}. A small p speaks against them.",)


def _model(row: Row, checks: pl.DataFrame) -> str:
    names = [row[name] for name in ("outcome", "model") if several(checks, name)]
    return f"{', '.join(names)} " if names else ""


def _term(row: Row) -> str:
    """Return a term as 'arm: B against A', or 'age, 10 years more'."""
    if row["level"]:
        return f"{row['term']}: {row['level']}" + (f" against {row['against']}" if row["against"] else "")
    return f"{row['term']}, {row['against']}" if row["against"] else str(row["term"])


def _rates(estimate: Rates, group: str) -> ShownTable:
    rate = "events per 100 person-years (95 % limits)"
    columns: dict[str, Callable[[Row], str]] = {"what": _of("what"), **_group(estimate.table, title=group), "people": _count("people")}
    columns |= {"events": _count("events"), "person-years": lambda row: years(row["person_years"])}
    columns |= {rate: lambda row: with_limits(row, ratio, ("rate", "lower", "upper")), "why there is none": _of("why")}
    return table_of(estimate.table.rows(named=True), columns, right=("people", "events", "person-years", rate))


def _shares(estimate: Shares, group: str) -> tuple[ShownTable, ...]:
    """Return the shares, and the numbers that are out of nothing in a table of their own; groups stand side by side where they can."""
    share = "n/N (share, 95 % interval)"
    numbers = estimate.table.filter(pl.col("out_of").is_null())
    known = estimate.table.filter(pl.col("out_of").is_not_null())
    among = known.filter(pl.col("what").str.starts_with(AMONG)).with_columns(pl.col("what").str.strip_prefix(AMONG))
    of_people = known.filter(~pl.col("what").str.starts_with(AMONG))
    parts = (
        (of_people, share, _share, ""),
        (among, share, _share, "People with any worsening, by what they had"),
        (numbers, "number", _count("n"), "Events, and worsenings that are no event"),
    )
    return tuple(_side_by_side(part, value, shown, group, title) for part, value, shown, title in parts if part.height)


def _side_by_side(frame: pl.DataFrame, value: str, shown: Callable[[Row], str], group: str, title: str) -> ShownTable:
    """Return a column a group, with its person-years in the head, where each group has one number of them; else a row a group."""
    groups = frame["group"].unique(maintain_order=True).to_list()
    known = {name: frame.filter(pl.col("group") == name)["person_years"].drop_nulls().unique().to_list() for name in groups}
    places = {(row["what"], row["group"]): row for row in frame.iter_rows(named=True)}
    if not 1 < len(groups) <= MOST_BESIDE or any(len(one) > 1 for one in known.values()) or len(places) < frame.height:
        columns: dict[str, Callable[[Row], str]] = {"": _of("what"), **_group(frame, title=group), value: shown}
        columns |= {"person-years": lambda row: years(row["person_years"])}
        return table_of(frame.rows(named=True), columns, right=(value, "person-years"), title=title)
    heads = [f"{group} {name}" + (f" ({years(known[name][0])} person-years)" if known[name] else "") for name in groups]
    rows = []
    for what in frame["what"].unique(maintain_order=True):
        mine = [places.get((what, name)) for name in groups]
        rows.append((what, *(NONE if row is None else shown(row) for row in mine)))
    return ShownTable(title=title, head=("", *heads), rows=tuple(rows), right=frozenset(heads))


def _share(row: Row) -> str:
    if row["share"] is None:
        return f"{number(row['n'])}/{number(row['out_of'])} (no share)"
    return (
        f"{number(row['n'])}/{number(row['out_of'])} ({percent(row['share'])}, {limits(row['lower'], row['upper'], percent).strip('()')})"
    )


def _plain_share(n: int, out_of: int) -> str:
    """Return n/N with its Wilson interval, where the head of the column says what is what."""
    return proportion(n, out_of).replace("95 % interval ", "") if out_of else NONE


def _table_one(estimate: TableOne, group: str) -> ShownTable:
    """Return Table 1; the name of a variable stands in its first row only."""
    frame = estimate.table
    groups = [name for name in frame.columns if name not in ("variable", "level", "statistic")]
    rows, before = [], None
    for row in frame.iter_rows(named=True):
        variable = row["variable"] if row["variable"] != before else ""
        before = row["variable"]
        what = f"{row['level']}, {row['statistic']}" if row["level"] else row["statistic"]
        rows.append((variable, what, *(row[name] if row[name] is not None else NONE for name in groups)))
    heads = [name if name == "all" else f"{group} {name}" for name in groups]
    return ShownTable(title="", head=("", "statistic", *heads), rows=tuple(rows), right=frozenset(heads))


def people_without_event(curve: Curve, row: Row) -> int | None:
    """Return how many people were in the group of a row of `Curve.at_days` if none of them had the event by then, else None.

    The curve is still where it began then, which is no estimate of a share.
    """
    begins = {"survival": 1.0, "incidence": 0.0, "mean count": 0.0}[curve.kind]
    if row["estimate"] != begins or row["lower"] is not None:
        return None
    return next(
        n for group, cause, n in curve.quantiles.select("group", "cause", "n").iter_rows() if (group, cause) == (row["group"], row["cause"])
    )


def _no_event(curve: Curve, row: Row) -> str:
    n = people_without_event(curve, row)
    return "" if n is None else f"no event by then (0/{number(n)})"


def _curve(estimate: Curve, group: str) -> tuple[ShownTable, ...]:
    shown = percent if estimate.kind != "mean count" else ratio
    found = [_curve_summary(estimate, group)]
    if estimate.at_days.height:
        what = {"survival": f"free of {estimate.outcome}", "incidence": "with the event", "mean count": "events a person"}[estimate.kind]
        value = f"{what} (95 % limits)"
        columns: dict[str, Callable[[Row], str]] = {"time": lambda row: f"{time(row['day'])} (day {number(row['day'])})"}
        columns |= {**_group(estimate.at_days, title=group), **_group(estimate.at_days, "cause"), "at risk": _count("at_risk")}
        columns |= {value: lambda row: _no_event(estimate, row) or with_limits(row, shown)}
        found.append(table_of(estimate.at_days.rows(named=True), columns, right=("at risk", value)))
    differences = estimate.differences.filter(pl.col("difference").is_not_null())
    if differences.height:
        value = "difference in days (95 % limits)"
        columns = {"what": lambda row: f"{row['what']} to {time(row['day'])}", group: _of("group"), "against": _of("against")}
        columns |= {value: lambda row: with_limits(row, _days, ("difference", "lower", "upper")), "p": lambda row: p_value(row["p"])}
        found.append(table_of(differences.rows(named=True), columns, right=(value, "p")))
    tests = tuple(sentence_of_test(row) for row in estimate.tests.iter_rows(named=True))
    if tests:
        found[0] = replace(found[0], notes=tests)
    return tuple(table for table in found if table.rows)


def _days(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def _curve_summary(estimate: Curve, group: str) -> ShownTable:
    """Return one row a group and cause: people, events, person-years, median and restricted mean."""
    frame = estimate.quantiles
    known = person_years(estimate)
    horizons = frame["restricted_to_days"].drop_nulls().unique().to_list()
    horizon = f" of the first {time(horizons[0])}" if len(horizons) == 1 else ""
    median, mean = "median (95 % limits)", f"restricted mean{horizon} (standard error)"
    columns: dict[str, Callable[[Row], str]] = {**_group(frame, title=group), **_group(frame, "cause")}
    share = "n/N with the event (share, 95 % interval)"
    if estimate.kind == "mean count":
        columns |= {"people": _count("n"), "events": _count("events")}
    else:
        columns |= {share: lambda row: _plain_share(row["events"], row["n"])}
    columns |= {"person-years": lambda row: years(known.get(row["group"]))}
    if estimate.kind == "survival":
        columns |= {median: _median, mean: _restricted_mean}
    right = ("people", "events", share, "person-years", median, mean)
    return table_of(frame.rows(named=True), columns, right=right)


def _median(row: Row) -> str:
    if row["median_days"] is None:
        return "not reached" if row["lower_days"] is None else f"not reached ({time(row['lower_days'])} to not reached)"
    return with_limits(row, time, ("median_days", "lower_days", "upper_days")).replace(f" to {NONE})", " to not reached)")


def _restricted_mean(row: Row) -> str:
    """Return '9.9 years (0.42)': the mean and its standard error in one unit."""
    mean, error = row["restricted_mean_days"], row["standard_error_days"]
    if mean is None:
        return NONE
    step = 1 if mean < MONTHS_FROM else DAYS_A_MONTH if mean < YEARS_FROM else DAYS_A_YEAR
    return f"{time(mean)}{'' if error is None else f' ({error / step:.2f})'}"


def person_years(curve: Curve) -> dict[str, float]:
    """Return the person-years of each group, from the numbers at risk between the days of the curve.

    Only where the curve has a row for every day on which somebody was followed to; where it has not, the group is left out.
    """
    found = {}
    for group in curve.table["group"].unique(maintain_order=True):
        rows = curve.table.filter(pl.col("group") == group)
        of_one = rows.filter(pl.col("cause") == rows["cause"][0])
        day, at_risk = of_one["day"].to_list(), of_one["at_risk"].to_list()
        left = int(rows["events"].sum()) + int(of_one["censored"].sum())
        if curve.kind != "mean count" and day and None not in at_risk and left == at_risk[0]:
            spans = zip(day, day[1:], at_risk[1:], strict=False)
            found[group] = sum((stop - start) * n for start, stop, n in spans) / DAYS_A_YEAR
    return found


def sentence_of_test(row: Row) -> str:
    """Return a test as a sentence: 'Log-rank test: statistic 4.49 with 1 degree of freedom, p = 0.034.'"""
    if row["statistic"] is None:
        return sentence(f"{row['test']}: {p_sentence(row['p'])}")
    freedom = f" with {row['df']:g} degree{'' if row['df'] == 1 else 's'} of freedom" if row["df"] is not None else ""
    return sentence(f"{row['test']}: statistic {number(row['statistic'])}{freedom}, {p_sentence(row['p'])}")


_SHOWN: tuple[tuple[str, Callable[[Any], str]], ...] = (
    (r"p", p_value),
    (r"person_years", years),
    (r"(.*_)?share", percent),
    (r"(.*_)?days?", time),
)
"""How a number is shown, by the name of its column."""


def shown_frame(frame: pl.DataFrame, title: str = "") -> ShownTable:
    """Return a numeric table as it is, each number by what its column is; limits stand beside what they are limits of."""
    value = next((name for name in ("estimate", "share", "rate", "difference", "ratio", "mean") if name in frame.columns), None)
    joined = value is not None and {"lower", "upper"} <= set(frame.columns)
    columns: dict[str, Callable[[Row], str]] = {}
    for name, dtype in frame.schema.items():
        if joined and name in ("lower", "upper"):
            continue
        shown = _shown_by_name(name)
        if joined and name == value and value is not None:
            columns[f"{_plain(name)} (95 % limits)"] = lambda row, shown=shown: with_limits(row, shown, (value, "lower", "upper"))
        elif dtype.is_numeric():
            columns[_plain(name)] = lambda row, name=name, shown=shown: shown(row[name])
        else:
            columns[_plain(name)] = lambda row, name=name: _text(row[name])
    numbers = [_plain(name) for name, dtype in frame.schema.items() if dtype.is_numeric()]
    right = [name for name in columns if name.removesuffix(" (95 % limits)") in numbers]
    return table_of(frame.rows(named=True), columns, right=right, title=title)


def _shown_by_name(name: str) -> Callable[[Any], str]:
    found = next((shown for pattern, shown in _SHOWN if re.fullmatch(pattern, name)), None)
    return found or (ratio if name in ("estimate", "rate", "ratio") else number)


def _plain(name: str) -> str:
    return name.removesuffix("_days").replace("_", " ")


def _text(value: object) -> str:
    if value is None:
        return NONE
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else str(value)
