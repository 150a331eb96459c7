"""Measure the speed and the memory of Smoulder and print one table: `python bench/run.py [--quick] [--json FILE] [NAME ...]`.

Every measurement runs in a process of its own; `python bench/NAME.py` runs one alone. Nothing here decides whether a test passes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from measuring import ROOT, Line, process, python, table

MEASUREMENTS = ("kernel", "file_to_file", "beside_pymsprog", "definitions_together", "scaling", "startup", "first_call", "studies")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the speed and the memory of Smoulder and print one table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which measurements: {', '.join(MEASUREMENTS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="small tables and few runs: shows that it works, says nothing about speed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE too")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"there is no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    lines = [line for name in arguments.names or MEASUREMENTS for line in measured(name, quick=arguments.quick)]
    print(machine())
    print(table(lines))
    if arguments.json:
        numbers = [{"what": line.what, "holds": line.holds, "runs": line.runs, **line.figures} for line in lines]
        arguments.json.write_text(json.dumps({"machine": machine(), "lines": numbers}, indent=1) + "\n", encoding="utf-8")


def measured(name: str, *, quick: bool) -> list[Line]:
    """Return the lines of one measurement, made in a process of its own."""
    print(f"measuring {name} …", file=sys.stderr, flush=True)
    command = python("-W", "ignore", str(ROOT / "bench" / f"{name}.py"), "--json", *(["--quick"] if quick else []))
    return [Line(**line) for line in json.loads(process(command).said.splitlines()[-1])]


def machine() -> str:
    """Return what the numbers were measured on, in a few words."""
    size = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB" if hasattr(os, "sysconf") else ""
    return f"{os.cpu_count()} cores{size}, {platform.system()}, Python {platform.python_version()}\n"


if __name__ == "__main__":
    main()
