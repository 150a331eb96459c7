"""The compiled kernel alone: visits a second, from arrays in memory to the rows that it finds."""

from __future__ import annotations

import numpy as np
from cohorts import registry
from measuring import Line, script, seconds_of, spread

from smoulder import definition, read
from smoulder.engine.detect import scan
from smoulder.engine.encoding import Pack, Rules, encode
from smoulder.engine.pack import pack_measure

DEFINITION = "mueller-2025"
TARGET = 20e6
THREADS = 2


def prepared(n_patients: int, visits_each: int) -> tuple[Pack, Rules]:
    """Return what the kernel reads: the visits of a registry, and one definition."""
    cohort = read(registry(n_patients, visits_each))
    chosen = definition(DEFINITION)
    rule = chosen.measures[0]
    pack = pack_measure(cohort, rule.spec())
    return pack, encode([(chosen, rule)], int(pack.score.min()), int(pack.score.max()))


def measure(quick: bool) -> list[Line]:
    """Return the visits a second on two threads (the target) and on one."""
    pack, rules = prepared(2_000 if quick else 1_000_000, 20)
    n_visits, n_runs = len(pack.day), 3 if quick else 9
    assessable = np.zeros((len(pack.first) - 1, 1), dtype=np.bool_)
    scan(pack, rules, assessable, THREADS)
    speeds: dict[int, list[float]] = {THREADS: [], 1: []}
    for _ in range(n_runs):
        for threads, reached in speeds.items():
            reached.append(n_visits / seconds_of(lambda threads=threads: scan(pack, rules, assessable, threads)) / 1e6)
    lines = []
    for threads, reached in speeds.items():
        middle = sorted(reached)[n_runs // 2]
        lines.append(
            Line(
                what=f"a: kernel, {DEFINITION}, {n_visits:,} visits, {threads} thread{'s' if threads > 1 else ''}",
                target=f"at least {TARGET / 1e6:.0f} M visits/s" if threads == THREADS else "",
                reached=f"{spread(reached, '.1f', ' M visits/s')}",
                holds=middle * 1e6 >= TARGET if threads == THREADS else None,
                runs=n_runs,
                figures={"million_visits_a_second": middle},
            )
        )
    return lines


if __name__ == "__main__":
    script(measure)
