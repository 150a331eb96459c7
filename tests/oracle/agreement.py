"""What a comparison with another program comes to: counts, and every difference with its name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class NamedDifference:
    """One patient whose answers differ, and why."""

    config: str
    patient: str
    names: tuple[str, ...]
    """Habits of the peer that give its answer; empty while unexplained."""
    ours: list[Row]
    theirs: list[Row]


@dataclass
class Agreement:
    """What the comparison of one configuration came to."""

    config: str
    group: str
    patients: int = 0
    identical: int = 0
    differences: list[NamedDifference] = field(default_factory=list)
    left_out: str = ""
    """Why the configuration cannot be compared; "" where it is."""
    left_out_code: int = 1
    """Exit code that leaving it out leads to: 0 by design, 1 where it is not understood, 2 where a file is missing."""
    set_aside: int = 0
    """Patients whom the configuration itself leaves out: a program fails there, or contradicts its own manual."""
    notes: list[str] = field(default_factory=list)
    """What is not compared of a configuration that is: columns, patients."""

    @property
    def unexplained(self) -> list[NamedDifference]:
        """The differences without a name."""
        return [difference for difference in self.differences if not difference.names]


def exit_code(agreements: list[Agreement]) -> int:
    """Return 1 where a difference is unexplained or something was not understood, 2 where something is missing or all is, else 0."""
    codes = {agreement.left_out_code for agreement in agreements if agreement.left_out}
    if 1 in codes or any(agreement.unexplained for agreement in agreements):
        return 1
    return 2 if 2 in codes or not any(agreement.patients for agreement in agreements) else 0


def table(agreements: list[Agreement]) -> str:
    """Return the agreement table: a line a group, and below it the named differences and what was not compared."""
    compared = [agreement for agreement in agreements if not agreement.left_out]
    width = max([8, *(len(agreement.group) + 2 for agreement in compared)])
    lines = [f"{'group':<{width}}{'configurations':>15}{'patients':>10}{'identical':>11}{'named':>8}{'unexplained':>13}"]
    for group in [*sorted({agreement.group for agreement in compared}), "all"]:
        some = [agreement for agreement in compared if group in ("all", agreement.group)]
        named = sum(len(agreement.differences) - len(agreement.unexplained) for agreement in some)
        unexplained = sum(len(agreement.unexplained) for agreement in some)
        lines.append(
            f"{group:<{width}}{len(some):>15,}{sum(a.patients for a in some):>10,}{sum(a.identical for a in some):>11,}"
            f"{named:>8,}{unexplained:>13,}"
        )
    names = Counter(" + ".join(d.names) for a in agreements for d in a.differences if d.names)
    lines += ["", "named differences"] + [f"  {n:>6,}  {name}" for name, n in names.most_common()]
    unexplained = [difference for agreement in agreements for difference in agreement.unexplained]
    if unexplained:
        lines += ["", "unexplained"]
        lines += [f"  {d.config} {d.patient}\n    ours   {d.ours}\n    theirs {d.theirs}" for d in unexplained[:20]]
    return "\n".join(lines + not_compared(agreements))


def not_compared(agreements: list[Agreement]) -> list[str]:
    """Return a line for each file or configuration left out, and one for each column or group of patients left out of some."""
    files = [f"not compared: {agreement.config} ({agreement.left_out})" for agreement in agreements if agreement.left_out]
    notes = Counter(note for agreement in agreements for note in agreement.notes)
    parts = [f"not compared: {note}" + (f", in {n:,} configurations" if n > 1 else "") for note, n in notes.items()]
    set_aside = sum(agreement.set_aside for agreement in agreements)
    if set_aside:
        parts.append(f"not compared: {set_aside:,} answers that the configurations leave out (a program fails there or breaks its manual)")
    return ["", *files, *parts] if files or parts else []


def difference_rows(agreements: list[Agreement]) -> list[Row]:
    """Return one row a patient whose answers differ: configuration, patient, names, and both answers where they part."""
    rows = []
    for agreement in agreements:
        for difference in agreement.differences:
            ours, theirs = parting(difference.ours, difference.theirs)
            rows.append(
                {
                    "config": difference.config,
                    "patient": difference.patient,
                    "names": " + ".join(difference.names),
                    "ours": ours,
                    "theirs": theirs,
                }
            )
    return rows


def parting(ours: list[Row], theirs: list[Row]) -> tuple[str, str]:
    """Return both answers in short: the cells that differ, event by event, or the events of the longer list that the other lacks."""
    mine_texts, their_texts = [], []
    for place in range(max(len(ours), len(theirs))):
        mine = ours[place] if place < len(ours) else {}
        yours = theirs[place] if place < len(theirs) else {}
        cells = [cell for cell in sorted({**mine, **yours}) if mine.get(cell) != yours.get(cell)]
        if mine and yours:
            cells = [cell for cell in cells if cell in mine and cell in yours]
        # A change follows from the two scores, and says nothing more where one of them differs.
        cells = [cell for cell in cells if cell != "change" or cells == ["change"]]
        if cells:
            mine_texts.append(short(mine, cells))
            their_texts.append(short(yours, cells))
    return "; ".join(mine_texts), "; ".join(their_texts)


def short(row: Row, cells: list[str]) -> str:
    """Return some cells of an event in one line; "no event" where there is none."""
    return ", ".join(f"{cell} {row[cell]}" for cell in cells if row.get(cell) is not None) or "no event" if row else "no event"
