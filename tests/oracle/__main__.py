"""Run a comparison and print the agreement table.

    python -m tests.oracle msprog DIR [CONFIG-PREFIX]     msprog and pymsprog: DIR/configs, DIR/expected, DIR/cohorts
    python -m tests.oracle counterexamples DIR            the shrunk disagreements of the two: DIR/counterexamples, or DIR itself
    python -m tests.oracle cross DIR                      msprog, MSoutcomes, msclinical, drstrupf: DIR/cross, or DIR itself
    python -m tests.oracle bern PATH                      drstrupf: the hand-made cases in cases.json or the folder it is in; or as cross
    python -m tests.oracle setools PATH                   Stata setools: setools_known_answers.json or the folder it is in
    python -m tests.oracle msoutcomes DIR                 MSoutcomes: a folder with its visits and DIR/reference_outputs; or as cross

Beside the answers in `cross` there has to be a folder cohorts/main with visits.csv and relapses.csv: in, beside or above the folder given.

With --list FILE last, every difference is written to FILE (CSV): configuration, patient, its name, and both answers.

The exit code is 0 where everything is identical or named, 1 where a difference is unexplained or something was not understood and left
out, and 2 where the call or its files are wrong or a file is missing; a sentence says which. What is not compared is always said.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from smoulder.errors import SmoulderError, SourceError
from tests.oracle import bern, counterexamples, cross, msoutcomes, msprog, setools
from tests.oracle.agreement import Agreement, difference_rows, exit_code, table

PROGRAMS = {
    "msprog": msprog.compare_folder,
    "counterexamples": counterexamples.compare_folder,
    "cross": cross.compare_folder,
    "bern": bern.compare_folder,
    "setools": setools.compare_folder,
    "msoutcomes": msoutcomes.compare_folder,
}
FILES = ("bern", "setools")
"""Programs whose answers may be given as one file."""


def main(words: list[str]) -> int:
    """Run one comparison; return the exit code."""
    words, listing = (words[:-2], Path(words[-1])) if words[-2:-1] == ["--list"] else (words, None)
    if len(words) not in (2, 3) or words[0] not in PROGRAMS or (len(words) == 3 and words[0] != "msprog"):
        print(__doc__, file=sys.stderr)
        return 2
    name, path = words[0], Path(words[1])
    try:
        check_paths(name, path, listing)
        agreements = list(run(PROGRAMS[name](path, *words[2:])))
        if listing is not None:
            write_differences(listing, agreements)
    except SmoulderError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(agreements))
    code = exit_code(agreements)
    if not any(agreement.patients for agreement in agreements):
        print(f"There is nothing to compare in {path}.", file=sys.stderr)
    elif code == 2:
        print(f"Files are missing in {path}; the lines 'not compared' name them.", file=sys.stderr)
    return code


def check_paths(name: str, path: Path, listing: Path | None) -> None:
    """Raise SourceError where there is nothing at the path given, or no folder for the list of differences."""
    if not path.exists() or (path.is_file() and name not in FILES):
        raise SourceError(f"There is no folder {path}." if name not in FILES else f"There is no file or folder {path}.")
    if listing is not None and not listing.parent.is_dir():
        raise SourceError(f"There is no folder {listing.parent} to write {listing.name} into.")


def write_differences(path: Path, agreements: list[Agreement]) -> None:
    """Write one line a patient whose answers differ."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["config", "patient", "names", "ours", "theirs"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(difference_rows(agreements))
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror}.") from error


def run(agreements: Iterable[Agreement]) -> Iterable[Agreement]:
    """Yield the comparisons one after the other, naming each on a terminal."""
    for agreement in agreements:
        if sys.stderr.isatty():
            print(f"\r{agreement.config:<60}", end="", file=sys.stderr)
        yield agreement


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
