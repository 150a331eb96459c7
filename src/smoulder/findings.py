"""What is wrong or odd with tables: `Finding`, and the `Report` that holds them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from smoulder.errors import counted

Level = Literal["error", "warning", "notice"]
LEVELS: tuple[Level, ...] = ("error", "warning", "notice")

NOTE = "note"
"""Code of what the owner of the tables says of them (`cohort.toml`, note)."""

CASE_SCHEMA = {"row": pl.Int64, "patient": pl.String, "found": pl.String}
SHOWN_CASES = 5
"""Cases listed in a sentence; tables of a report list all."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One kind of fault in one column of one table, with every place where it was met."""

    level: Level
    """"error" stops an analysis; "warning" may change an answer; "notice" tells what was done."""
    code: str
    """Short stable name, such as "score-out-of-range"."""
    table: str
    column: str
    """Column as the file names it; "" where the fault is of the table."""
    problem: str
    """What was found, as one sentence."""
    advice: str
    """What to do, as one sentence."""
    cases: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CASE_SCHEMA))
    """(n_cases, 3) row (as a spreadsheet shows it: the header is row 1; null where no row is meant), patient, found text."""

    @property
    def patients(self) -> list[str]:
        """The patients concerned, sorted."""
        return self.cases["patient"].drop_nulls().unique().sort().to_list()

    def text(self) -> str:
        """Return the finding in words, with its first cases."""
        where = f"{self.table}.{self.column}" if self.column else self.table
        lines = [f"{where}: {self.problem} {self.advice}".strip()]
        for row, patient, found in self.cases.head(SHOWN_CASES).iter_rows():
            place = ", ".join(part for part in (f"row {row}" if row is not None else "", f"patient {patient}" if patient else "") if part)
            lines.append(f"    {place}: {found}" if found else f"    {place}")
        if self.cases.height > SHOWN_CASES:
            lines.append(f"    and {self.cases.height - SHOWN_CASES:,} more")
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where the rows of one table went: rows_read = rows_kept + everything set aside."""

    table: str
    rows_read: int
    rows_kept: int
    set_aside: tuple[tuple[str, int], ...] = ()
    """Reason and number of rows, such as ("no score on the row", 12)."""

    def text(self) -> str:
        """Return the account as one sentence."""
        kept = f"{self.table}: {counted(self.rows_read, 'row')} read = {self.rows_kept:,} kept"
        return " + ".join([kept, *(f"{n:,} set aside ({reason})" for reason, n in self.set_aside)])


@dataclass(frozen=True, kw_only=True)
class FoundColumn:
    """How one column of a file was understood."""

    table: str
    column: str
    """Name in the file."""
    meaning: str
    """Name in Smoulder; "" for a column that is not used."""
    format: str = ""
    """How its values are written, such as "ISO dates" or "decimal comma"."""
    decided_by: str = "name"
    """"name", "argument" or "cohort.toml"."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything found while reading and checking the tables of one cohort."""

    findings: tuple[Finding, ...] = ()
    accounts: tuple[Account, ...] = ()
    columns: tuple[FoundColumn, ...] = ()

    def of_level(self, level: Level) -> tuple[Finding, ...]:
        """Return the findings of one level, in the order found."""
        return tuple(finding for finding in self.findings if finding.level == level)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What stops an analysis."""
        return self.of_level("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What may change an answer."""
        return self.of_level("warning")

    @property
    def notices(self) -> tuple[Finding, ...]:
        """What was done and is worth knowing."""
        return self.of_level("notice")

    @property
    def notes(self) -> tuple[str, ...]:
        """What the owner of the tables says the reader of every result must know."""
        return tuple(finding.problem for finding in self.findings if finding.code == NOTE)

    def faulty_patients(self) -> dict[str, str]:
        """Return the patients with an error, each with the codes of their errors."""
        faulty: dict[str, list[str]] = {}
        for finding in self.errors:
            for patient in finding.patients:
                faulty.setdefault(patient, []).append(finding.code)
        return {patient: ", ".join(dict.fromkeys(faulty[patient])) for patient in sorted(faulty)}

    def rows_without_patient(self) -> tuple[tuple[str, int, str], ...]:
        """Return the rows with an error that name no patient: table, row, and the codes of their errors."""
        faulty: dict[tuple[str, int], list[str]] = {}
        for finding in self.errors:
            for row in finding.cases.filter(pl.col("patient").is_null() & pl.col("row").is_not_null())["row"]:
                faulty.setdefault((finding.table, row), []).append(finding.code)
        return tuple((table, row, ", ".join(dict.fromkeys(codes))) for (table, row), codes in sorted(faulty.items()))

    def errors_of_the_whole(self) -> tuple[Finding, ...]:
        """Return the errors that no set-aside of patients or rows mends: of a table or a whole column."""
        return tuple(f for f in self.errors if f.cases.height == 0)

    def extended(self, findings: Sequence[Finding], accounts: Sequence[Account] | None = None) -> Report:
        """Return a report with more findings, and with other accounts where given."""
        return Report(
            findings=(*self.findings, *findings),
            accounts=self.accounts if accounts is None else tuple(accounts),
            columns=self.columns,
        )

    def text(self) -> str:
        """Return the whole report in words."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (account.text() for account in self.accounts)
        for level in LEVELS:
            found = self.of_level(level)
            if found:
                yield ""
                yield counted(len(found), level)
                yield from (f"  - {finding.text().replace(chr(10), chr(10) + '  ')}" for finding in found)
        if not self.errors:
            yield ""
            yield "No errors: the tables can be analysed."

    def frame(self) -> pl.DataFrame:
        """Return one row a case: level, code, table, column, row, patient, found, problem, advice."""
        parts = []
        for finding in self.findings:
            cases = finding.cases if finding.cases.height else pl.DataFrame({k: [None] for k in CASE_SCHEMA}, schema=CASE_SCHEMA)
            parts.append(
                cases.select(
                    pl.lit(finding.level).alias("level"),
                    pl.lit(finding.code).alias("code"),
                    pl.lit(finding.table).alias("table"),
                    pl.lit(finding.column).alias("column"),
                    "row",
                    "patient",
                    "found",
                    pl.lit(finding.problem).alias("problem"),
                    pl.lit(finding.advice).alias("advice"),
                )
            )
        schema = {"level": pl.String, "code": pl.String, "table": pl.String, "column": pl.String, **CASE_SCHEMA}
        schema |= {"problem": pl.String, "advice": pl.String}
        return pl.concat(parts) if parts else pl.DataFrame(schema=schema)
