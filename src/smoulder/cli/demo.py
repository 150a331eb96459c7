"""`smoulder demo`: the whole way on made-up people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from smoulder.cli.common import PREPARING
from smoulder.cli.events import give_events
from smoulder.cli.say import doing, give, give_table, give_wrapped, say

if TYPE_CHECKING:
    from smoulder.demo import Demo

EXAMPLES = """Examples:
  smoulder demo
  smoulder demo -o demo/    also writes the tables and all results there"""


def demo(
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="A new folder for the tables and all results.")] = None,
) -> None:
    """Go the whole way on 200 made-up people: check, events, one explained, a study.

    Everything shown is what the other commands show, in the same words. The
    people are the same each time, and none of them is real.
    """
    from smoulder.engine import is_prepared

    ready = is_prepared()
    with doing("Making people up and looking for their events" if ready else PREPARING, tell=not ready):
        from smoulder.demo import demonstrate, made_up, write_demo
        from smoulder.outputs import require_new

        if output is not None:
            require_new(output)
        found = demonstrate(made_up())
    _give_people(found)
    _give_check(found)
    _give_found(found)
    _give_patient(found)
    _give_counts(found)
    _give_study(found, output)
    if output is not None:
        with doing("Writing"):
            names = write_demo(found, output)
        apart = [name for name in names if not name.startswith("study/")]
        n = len(names) - len(apart)
        say(
            f"Wrote {len(names)} files to {output}: {', '.join(apart)}, and {n} in study/; the report is {output / 'study' / 'report.html'}"
        )


def _heading(text: str) -> None:
    give(f"\n{text}\n{'-' * len(text)}")


def _give_people(found: Demo) -> None:
    from smoulder.demo import MADE_UP

    give(f"*** {MADE_UP} ***\n\n")
    cohort = found.cohort
    treated = found.made.tables["treatments"].filter(treatment="natalizumab")["patient"].n_unique()
    give_wrapped(
        f"A registry as it might be: {cohort.n_patients:,} people, {cohort.n_visits:,} visits, {cohort.n_relapses:,} relapses, up to 15 "
        f"years; {treated:,} of {cohort.n_patients:,} had natalizumab at some time."
    )


def _give_check(found: Demo) -> None:
    _heading("1. What is in the tables      (smoulder check DATA)")
    give(found.cohort.report.text())


def _give_found(found: Demo) -> None:
    definition = found.events.definitions[0]
    _heading(f"2. The events      (smoulder events DATA -d {definition.key})")
    give_wrapped(definition.prose())
    give("")
    give_events(found.events, found.cohort, most=8)
    give("")
    give(found.events.summaries()[0].text())


def _give_patient(found: Demo) -> None:
    told = found.explanation
    _heading(f"3. Why: one made-up patient      (smoulder explain DATA -d {told.definition.key} -p {told.patient})")
    give(told.text())


def _give_counts(found: Demo) -> None:
    from smoulder.demo import comparison_frame

    _heading("4. The same people under other definitions      (smoulder events DATA -d KEY -d KEY ...)")
    rows = []
    for row in comparison_frame(found.compared).iter_rows(named=True):
        shares = [_share(row[f"{name}_patients"], row[f"{name}_out_of"]) for name in ("worsening", "pira", "raw")]
        rows.append((row["definition"], row["looking_for"], *shares, f"{row['person_years']:,.0f}"))
    numbers = ("any worsening", "PIRA", "RAW", "person-years")
    give_table(("definition", "looks for", *numbers), rows, right=numbers)
    give("")
    give_wrapped(
        "Patients with at least one such event, out of those who could be assessed. The people did not change: the definition alone did. "
        "A definition that looks for the first worsening only cannot see a PIRA after a RAW; one without a RAW rule has '-'."
    )


def _give_study(found: Demo, output: Path | None) -> None:
    from smoulder.studying.methods import main_sentences

    chosen = found.study.study
    _heading(f"5. A published study on the same people      (smoulder study {chosen.key} DATA -o DIR)")
    give_wrapped(f"{chosen.title}. {chosen.question}")
    give("")
    for text in main_sentences(found.study):
        give_wrapped(text)
    give("")
    told = "Curves, tables, figures and methods are in one report" + ("." if output else ": smoulder demo -o demo/ writes it.")
    give_wrapped(told)
    give("\nNow your own tables: smoulder check my-data/")
    give("*** Remember: everybody above is made up. ***")


def _share(numerator: int | None, denominator: int) -> str:
    if numerator is None:
        return "-"
    return f"{numerator:,}/{denominator:,} ({100 * numerator / denominator:.1f} %)" if denominator else f"{numerator}/0"
