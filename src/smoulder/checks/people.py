"""Who is in the tables: ids that nearly match, people known to one table only, people with little to go by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from smoulder.errors import agreed, counted
from smoulder.findings import CASE_SCHEMA, Finding
from smoulder.loaded import INVISIBLE, Loaded, Table


def people_findings(loaded: Loaded) -> Iterator[Finding]:
    """Yield what is wrong or odd about who is in the tables."""
    visits = loaded.tables["visits"]
    yield from _near_within(visits)
    for name, table in loaded.tables.items():
        if name != "visits":
            yield from _strangers(table, visits)
    yield from _little_to_go_by(visits)
    if "patients" in loaded.tables:
        yield from _unlisted(loaded.tables["patients"], visits)


def near_form(ids: pl.Series) -> pl.Series:
    """Return ids as they are compared for near misses: lower case, no blanks, signs, leading zeros or '.0'.

    A sign between two digits stays, as '-': site and number 1-12 are not 11-2.

    >>> near_form(pl.Series(["P01", "p-1 ", "002", "2.0", "01/012"])).to_list()
    ['p1', 'p1', '2', '2', '1-12']
    """
    plain = ids.str.normalize("NFKC").str.to_lowercase().str.replace_all(f"[{INVISIBLE}]", "").str.replace(r"^(\d+)\.0+$", "$1")
    plain = plain.str.replace_all(r"(^|\D)0+(\d)", "${1}${2}")
    # Twice, as neighbours share a digit: 1-1-1.
    between = plain.str.replace_all(r"(\d)[\W_]+(\d)", "${1}\x00${2}").str.replace_all(r"(\d)[\W_&&[^\x00]]+(\d)", "${1}\x00${2}")
    return between.str.replace_all(r"[\W_&&[^\x00]]", "").str.replace_all("\x00", "-")


def _without_signs(ids: pl.Series) -> pl.Series:
    """Return ids without any sign, also between digits, so that 01-001 is 01001."""
    return near_form(ids.str.normalize("NFKC").str.replace_all(r"[\W_]", ""))


def _people(patients: pl.Series, found: pl.Series | None = None) -> pl.DataFrame:
    """Return cases that are about people, not rows."""
    return pl.DataFrame(
        {
            "row": pl.repeat(None, len(patients), dtype=pl.Int64, eager=True),
            "patient": patients,
            "found": pl.repeat("", len(patients), dtype=pl.String, eager=True) if found is None else found,
        },
        schema=CASE_SCHEMA,
    )


def _near_within(visits: Table) -> Iterator[Finding]:
    """Yield a warning where ids of the visits differ only by case, zeros or blanks."""
    ids = visits.ids
    near = near_form(ids)
    twins = pl.DataFrame({"id": ids, "near": near}).filter(near.is_duplicated())
    if not twins.height:
        return
    groups = twins.group_by("near").agg(pl.col("id").sort()).sort("near")
    found = groups.select(pl.format("'{}'", pl.col("id").list.join("', '")).alias("found"))["found"]
    yield Finding(
        level="warning",
        code="patient-near-twins",
        table="visits",
        column=visits.columns["patient"],
        problem=f"{counted(groups.height, 'id')} {agreed(groups.height, 'is', 'are')} written in several ways that differ only by "
        "capitals, signs, leading zeros or blanks; they are kept as different people.",
        advice="Write the id of one person in one way; where they are different people, nothing is to be done.",
        cases=_people(groups["id"].list.first(), found),
    )


def _strangers(table: Table, visits: Table) -> Iterator[Finding]:
    """Yield what is found about people of a table that the visits do not have."""
    ids = table.ids
    unknown = ids.filter(~ids.is_in(visits.ids.implode()))
    if not len(unknown):
        return
    if table.name == "relapses" and 2 * (len(ids) - len(unknown)) < len(ids) and visits.frame.height:
        yield _unmatched(table, unknown, visits)
    pairs = _near_pairs(unknown, visits.ids)
    yield from _near_misses(table, pairs)
    yield from _unknown(table, unknown.filter(~unknown.is_in(pairs["id"].implode())))


def _near_pairs(unknown: pl.Series, known: pl.Series) -> pl.DataFrame:
    """Return id, known: every id of the visits that is nearly an unknown one; more than one each where it is open which."""
    mine, theirs = _forms(unknown, "id"), _forms(known, "known")
    pairs = [mine.join(theirs, on="near").select("id", "known")]
    joined = mine.join(theirs, on="bare").filter(pl.col("near").str.contains("-") != pl.col("near_right").str.contains("-"))
    pairs.append(joined.select("id", "known"))
    numbered = mine.join(theirs, on="digits").filter(
        (pl.col("near") == pl.col("digits")) != (pl.col("near_right") == pl.col("digits")),
        ~pl.col("id").is_in(pl.concat(pairs)["id"].implode()),
    )
    # A number with letters before it on one side only is the same where nobody else has that number.
    alone = numbered.filter(~pl.col("id").is_duplicated() & ~pl.col("known").is_duplicated())
    pairs.append(alone.select("id", "known"))
    return pl.concat(pairs).unique().sort("id", "known")


def _forms(ids: pl.Series, name: str) -> pl.DataFrame:
    """Return the ids, and the forms in which they are compared; `digits` is null for an id that is not letters and a number."""
    near = near_form(ids)
    digits = near.str.extract(r"^\pL*(\d+)$").str.strip_chars_start("0")
    return pl.DataFrame({name: ids, "near": near, "bare": _without_signs(ids), "digits": digits}).filter(pl.col("near") != "")


def _unmatched(table: Table, unknown: pl.Series, visits: Table) -> Finding:
    """Return the error that most people of the relapses are not in the visits: then the relapses are of others, or the ids differ."""
    n_known = len(table.ids) - len(unknown)
    how_many = f"Only {n_known:,}" if n_known else "None"
    return Finding(
        level="error",
        code="relapses-not-matched",
        table=table.name,
        column=table.columns["patient"],
        problem=f"{how_many} of {counted(len(table.ids), 'id')} {agreed(max(n_known, 1), 'is', 'are')} known to the visits: here they are "
        f"written {_some(unknown)}, in the visits {_some(visits.ids)}. Without their relapses, people's worsenings would be called PIRA.",
        advice="Write the ids in one way in both tables; where the relapses are of more people than the visits, keep only those of the "
        "people with visits.",
    )


def _some(ids: pl.Series) -> str:
    return ", ".join(f"'{text}'" for text in ids.head(3))


def _rows_of(table: Table, ids: pl.Series) -> pl.Series:
    """Return (n_rows,) whether the row is of one of the `ids`."""
    return table.ids.is_in(ids.implode()).gather(table.frame["patient"].to_physical()).fill_null(False)


def _near_misses(table: Table, pairs: pl.DataFrame) -> Iterator[Finding]:
    """Yield the error about ids that the visits have in a slightly different form."""
    if not pairs.height:
        return
    cases = table.cases(_rows_of(table, pairs["id"])).drop("found")
    told = cases.join(pairs, left_on="patient", right_on="id", maintain_order="left_right")
    told = told.select("row", patient="known", found=pl.format("written '{}' here, '{}' in visits", pl.col("patient"), pl.col("known")))
    if not told.height:
        return
    n_ids = pairs["id"].n_unique()
    yield Finding(
        level="error",
        code="patient-near-miss",
        table=table.name,
        column=table.columns["patient"],
        problem=f"{counted(n_ids, 'id')} {agreed(n_ids, 'does', 'do')} not match the visits but nearly: only capitals, signs, "
        "leading zeros, blanks or letters before a number differ.",
        advice="Ids are text, so '002' and '2' are two people: write them in one way in all tables.",
        cases=told,
    )


_STRANGER_ADVICE = "Check the ids, and that the visits are complete; if they are, nothing is to be done."


def _unknown(table: Table, ids: pl.Series) -> Iterator[Finding]:
    """Yield the finding about people without any visit."""
    at = _rows_of(table, ids)
    if not at.any():
        return
    people = counted(len(ids), "patient")
    have = "has" if len(ids) == 1 else "have"
    if table.name == "patients":
        yield table.finding(
            "notice",
            code="patient-without-visits",
            problem=f"{people} {have} no visit; they are not in the cohort.",
            advice=_STRANGER_ADVICE,
            column="patient",
            at=at,
        )
        return
    yield table.finding(
        "warning",
        code="patient-unknown",
        problem=f"{counted(int(at.sum()), 'row')} of {people} who {have} no visit {agreed(int(at.sum()), 'is', 'are')} set aside."
        f"{_consequence(table)}",
        advice=_STRANGER_ADVICE,
        column="patient",
        at=at,
    )


def _consequence(table: Table) -> str:
    if table.name != "relapses":
        return ""
    return " If they are in the visits under another id, their worsenings may be called PIRA."


def _little_to_go_by(visits: Table) -> Iterator[Finding]:
    """Yield findings about people without a usable visit, and with one only."""
    if not visits.frame.height:
        yield visits.finding(
            "warning",
            code="visits-empty",
            problem="The table of visits has its columns but no row.",
            advice="Check that the right file was given; an empty cohort gives empty results.",
        )
        return
    starts = np.searchsorted(visits.keys.key, np.arange(len(visits.ids) + 1, dtype=np.int64) << 32)
    n_rows = np.diff(starts)
    fine = _every_row_fine(visits)
    none = visits.ids.filter(pl.Series((n_rows == 0) & fine))
    if len(none):
        yield Finding(
            level="warning",
            code="patient-without-score",
            table="visits",
            column=visits.columns["patient"],
            problem=f"{counted(len(none), 'patient')} {agreed(len(none), 'has', 'have')} visits but not one score; "
            "they are not in the cohort "
            "and not in any denominator.",
            advice="Check that their scores were not lost; say in the methods how many they were.",
            cases=_people(none),
        )
    single = visits.ids.filter(pl.Series(n_rows == 1))
    if len(single):
        yield Finding(
            level="notice",
            code="patient-one-visit",
            table="visits",
            column=visits.columns["patient"],
            problem=f"{counted(len(single), 'patient')} {agreed(len(single), 'has', 'have')} one visit with a score "
            "only; no change can be seen, and they are not among those who could be assessed.",
            advice="Nothing to do.",
            cases=_people(single),
        )


def _every_row_fine(visits: Table) -> np.ndarray:
    """Return (n_ids,) whether all rows of the patient could be read and have a day."""
    fine = np.ones(len(visits.ids), dtype=np.bool_)
    at_fault = visits.frame["date"].is_null() & visits.scored()
    if visits.faulty is not None:
        at_fault |= visits.faulty
    codes = visits.frame["patient"].to_physical().filter(at_fault).drop_nulls().to_numpy()
    fine[codes] = False
    return fine


def _unlisted(patients: Table, visits: Table) -> Iterator[Finding]:
    missing = visits.ids.filter(~visits.ids.is_in(patients.ids.implode()))
    if len(missing):
        yield Finding(
            level="notice",
            code="patient-not-listed",
            table="patients",
            column=patients.columns["patient"],
            problem=f"{counted(len(missing), 'patient')} with visits {agreed(len(missing), 'is', 'are')} not in the table of patients; "
            "nothing else is known of them.",
            advice="Add them if what the table says is needed.",
            cases=_people(missing),
        )
