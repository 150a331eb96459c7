"""Whole processes that do next to nothing: `import smoulder`, and `smoulder --help`."""

from __future__ import annotations

import statistics

from measuring import Line, process, python, script, smoulder, spread

MOST_IMPORT, MOST_HELP = 0.35, 0.4


def measure(quick: bool) -> list[Line]:
    """Return the time of both, from the start of the process to its end."""
    commands = {
        "f: import smoulder": (python("-c", "import smoulder"), MOST_IMPORT),
        "f: smoulder --help": (smoulder("--help"), MOST_HELP),
    }
    n_runs = 3 if quick else 15
    spans: dict[str, list[float]] = {what: [] for what in commands}
    for run in range(n_runs + 1):
        for what, (command, _) in commands.items():
            seconds = process(command).seconds
            if run:
                spans[what].append(seconds)
    bare = [process(python("-c", "pass")).seconds for _ in range(n_runs)]
    return [
        Line(
            what=what,
            target=f"under {most:g} s",
            reached=f"{spread(spans[what], '.3f', ' s')}; Python alone {statistics.median(bare):.3f} s",
            holds=statistics.median(spans[what]) < most,
            runs=n_runs,
            figures={"seconds": statistics.median(spans[what]), "python_seconds": statistics.median(bare)},
        )
        for what, (_, most) in commands.items()
    ]


if __name__ == "__main__":
    script(measure)
