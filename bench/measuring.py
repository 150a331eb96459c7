"""What every measurement shares: runs of whole processes, medians, ratios within a run, and the table.

Only the standard library is imported here. The peak memory of a process is never less than that of the one that starts it, so
whoever measures processes has to stay small itself.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GIB = 1024**3
MAC = sys.platform == "darwin"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table."""

    what: str
    target: str = ""
    reached: str
    holds: bool | None = None
    """Whether the target is reached; None where there is none, or where nothing could be measured."""
    runs: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    """The numbers behind it, for JSON."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """What the operating system says of one finished process."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    said: str
    """What it wrote to stdout and stderr."""


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a measured process: our sources, byte code kept."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT / "src")} | more


def process(command: Sequence[str], **more: str) -> Process:
    """Run a command to its end and return what it took; RuntimeError where it fails."""
    start = time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(**more))
    assert running.stdout is not None
    said = running.stdout.read()
    _, status, usage = os.wait4(running.pid, 0)
    seconds = time.perf_counter() - start
    running.stdout.close()
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{said[-2000:]}")
    peak = usage.ru_maxrss * (1 if MAC else 1024)
    return Process(seconds=seconds, cpu_seconds=usage.ru_utime + usage.ru_stime, peak_bytes=peak, said=said)


def python(*arguments: str) -> list[str]:
    """Return the command that runs this Python."""
    return [sys.executable, *arguments]


def smoulder(*arguments: str) -> list[str]:
    """Return the command that runs `smoulder`."""
    return python("-m", "smoulder", *arguments)


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spread(values: Iterable[float], form: str = ".2f", unit: str = "") -> str:
    """Return median and range in words, such as '0.31 s (0.30 to 0.35)'."""
    listed = sorted(values)
    return f"{statistics.median(listed):{form}}{unit} ({listed[0]:{form}} to {listed[-1]:{form}})"


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each pair of neighbouring runs."""
    return [one / other for one, other in zip(above, below, strict=True)]


def table(lines: Sequence[Line]) -> str:
    """Return the lines as one table in Markdown."""
    head = ("what", "target", "reached", "yes/no", "runs")
    marks = {True: "yes", False: "no", None: "-"}
    rows = [head, *((one.what, one.target or "-", one.reached, marks[one.holds], str(one.runs or "-")) for one in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


def script(measure: Callable[[bool], list[Line]]) -> None:
    """Run one measurement by itself: the table, or with --json its lines for `run.py`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small tables and few runs: shows that it works, says nothing about speed")
    parser.add_argument("--json", action="store_true", help="write the lines as JSON")
    arguments = parser.parse_args()
    lines = measure(arguments.quick)
    print(json.dumps([asdict(line) for line in lines]) if arguments.json else table(lines))
