"""Run a comparison over a folder and print the agreement table; exit code 1 while anything is unexplained.

    python -m tests.oracle msprog DIR [CONFIG-PREFIX]     msprog and pymsprog: every configuration in DIR/configs
    python -m tests.oracle counterexamples DIR            the shrunk disagreements in DIR/counterexamples
    python -m tests.oracle cross DIR                      MSoutcomes, msclinical, drstrupf: DIR/cross on DIR/cohorts/main
    python -m tests.oracle bern DIR                       drstrupf: the hand-made cases of DIR/cases.json, or DIR/cross
    python -m tests.oracle setools DIR                    Stata setools: its known answers and its classes, in DIR
    python -m tests.oracle msoutcomes DIR                 MSoutcomes: DIR/reference_outputs on DIR/SampleData.csv, or DIR/cross

With --list FILE last, every difference is written to FILE (CSV): configuration, patient, its name, and both answers.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.oracle import bern, counterexamples, cross, msoutcomes, msprog, setools
from tests.oracle.agreement import Agreement, difference_rows, table


def main(words: list[str]) -> int:
    """Run one comparison; return the exit code."""
    programs = {"msprog": msprog, "counterexamples": counterexamples, "cross": cross, "bern": bern, "setools": setools}
    programs |= {"msoutcomes": msoutcomes}
    kinds = {name: program.compare_folder for name, program in programs.items()}
    words, listing = (words[:-2], words[-1]) if words[-2:-1] == ["--list"] else (words, None)
    if len(words) not in (2, 3) or words[0] not in kinds or (len(words) == 3 and words[0] != "msprog"):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(words[1])
    if not folder.is_dir():
        print(f"There is no folder {folder}.", file=sys.stderr)
        return 2
    prefix = words[2:]
    agreements: list[Agreement] = list(run(kinds[words[0]](folder, *prefix)))
    print(table(agreements))
    if listing is not None:
        write_differences(Path(listing), agreements)
    if not agreements:
        print(f"There is nothing to compare in {folder}.", file=sys.stderr)
        return 2
    return 1 if any(agreement.unexplained or agreement.left_out for agreement in agreements) else 0


def write_differences(path: Path, agreements: list[Agreement]) -> None:
    """Write one line a patient whose answers differ."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["config", "patient", "names", "ours", "theirs"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(difference_rows(agreements))


def run(agreements: Iterable[Agreement]) -> Iterable[Agreement]:
    """Yield the comparisons one after the other, naming each on a terminal."""
    for agreement in agreements:
        if sys.stderr.isatty():
            print(f"\r{agreement.config:<60}", end="", file=sys.stderr)
        yield agreement


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
