"""Make the cohorts that the R scripts beside this file and tests/test_analysis_*.py both read. Nobody in them exists.

To make everything anew, from the root of the repository, with R (4.2 or later) and its packages survival, MASS, cmprsk, npsurv and mets
(Debian: r-base-core r-recommended r-cran-cmprsk r-cran-npsurv r-cran-mets):

    python tests/golden/make_data.py
    for script in curves cox rates recurrent intervals models random; do Rscript tests/golden/$script.R; done

Seeds are fixed, so with the versions that the first line of each table names nothing changes, to the last digit; other versions may change
the last few. The tables are what R says; nothing in them comes from Smoulder.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
N_PEOPLE, N_RECURRENT, N_COUNTS = 240, 120, 200
VISIT_EVERY = 91


def write(name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(["" if value is None else value for value in row] for row in rows)


def survival() -> None:
    """First worsening at visits, with a competing event and missing covariates; many ties, because people come to visits."""
    random = np.random.default_rng(20260101)
    arms, sexes = ("placebo", "low", "high"), ("female", "male")
    rows = []
    for k in range(N_PEOPLE):
        arm, sex = arms[k % 3], sexes[int(random.random() < 0.3)]
        age, edss = round(float(random.normal(40, 9)), 1), float(random.choice([1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6]))
        risk = np.exp({"placebo": 0.0, "low": -0.3, "high": -0.7}[arm] + 0.02 * (age - 40) + 0.12 * (edss - 3))
        worsens, stops = random.exponential(900 / risk), random.exponential(2500)
        visits = [0]
        last = int(random.integers(200, 1300))
        while visits[-1] < last:
            visits.append(visits[-1] + VISIT_EVERY + int(random.integers(-1, 2)) * 7)
        end = visits[-1]
        seen = [day for day in visits if day >= worsens]
        if seen and worsens < stops:
            before = [day for day in visits if day < worsens]
            time, cause, free = seen[0], 1, before[-1]
        elif stops < end:
            time, cause = max(int(np.ceil(stops / 30)) * 30, 30), 2
            free = time
        else:
            time, cause, free = end, 0, end
        worse = bool(random.random() < 1 / (1 + np.exp(1.2 - 0.25 * (edss - 3) - 0.5 * (sex == "male"))))
        rows.append(
            [
                f"p{k:03}",
                arm,
                sex if random.random() > 0.05 else None,
                age if random.random() > 0.04 else None,
                edss,
                time,
                cause,
                free,
                str(worse).lower(),
            ]
        )
    write("survival.csv", ["patient", "arm", "sex", "age", "edss", "time", "cause", "free", "worse"], rows)


def recurrent() -> None:
    """Relapses that come again, in episodes cut at relapses and where treatment starts."""
    random = np.random.default_rng(20260102)
    rows = []
    for k in range(N_RECURRENT):
        arm, age = ("old", "new")[k % 2], round(float(random.normal(38, 8)), 1)
        own = random.gamma(1.5, 1 / 1.5)
        end, treated_from = int(random.integers(150, 900)), int(random.integers(30, 600))
        day, events = 0.0, []
        while True:
            rate = own / 300 * (0.6 if arm == "new" else 1.0) * (0.7 if day >= treated_from else 1.0)
            day += random.exponential(1 / rate)
            if day >= end:
                break
            events.append(int(np.ceil(day / 7)) * 7)
        cuts = sorted({day for day in [*events, treated_from, end] if 0 < day <= end})
        start = 0
        for cut in cuts:
            rows.append([f"r{k:03}", start, cut, int(cut in events), arm, age, int(start >= treated_from)])
            start = cut
    write("recurrent.csv", ["patient", "start", "stop", "event", "arm", "age", "treated"], rows)


def counts() -> None:
    """Relapses a person over unequal follow-up, more scattered than a Poisson law says."""
    random = np.random.default_rng(20260103)
    rows = []
    for k in range(N_COUNTS):
        arm, age = ("interferon", "natalizumab", "none")[k % 3], round(float(random.normal(39, 10)), 1)
        before, days = int(random.poisson(1.2)), int(random.integers(60, 1500))
        mean = days / 365.25 * 0.5 * np.exp({"interferon": -0.2, "natalizumab": -0.9, "none": 0.0}[arm] + 0.2 * before - 0.01 * (age - 40))
        relapses = int(random.poisson(mean * random.gamma(1.2, 1 / 1.2)))
        rows.append([f"c{k:03}", arm, age if random.random() > 0.04 else None, before, relapses, days])
    write("counts.csv", ["patient", "arm", "age", "before", "relapses", "days"], rows)


KINDS: dict[str, tuple[int, int, float, float]] = {
    "weekly": (90, 7, 800, 1500),
    "heavy ties": (120, 180, 800, 1500),
    "a few days": (60, 1, 3, 6),
    "tiny": (14, 30, 600, 2000),
    "few events": (90, 7, 6000, 3000),
    "nobody censored": (70, 7, 500, 1200),
    "late": (80, 7, 900, 4000),
}
"""Cohorts at the edge: people, days between possible times, mean days to the event and to the competing one."""


def random_cohorts() -> None:
    """The cohorts of KINDS; and episodes of them that start late, have gaps, and cut where a number changes."""
    random = np.random.default_rng(20260104)
    people, episodes = [], []
    for kind, (n, unit, event_days, competing_days) in KINDS.items():
        last = 5 if kind == "a few days" else 40_000 if kind == "nobody censored" else 1500
        for k in range(n):
            arm, age = ("a", "b", "c")[int(random.choice(3, p=[0.5, 0.3, 0.2]))], round(float(random.normal(40, 9)), 1)
            edss = float(random.choice([0, 1, 1.5, 2, 3.5, 6]))
            risk = np.exp({"a": 0.0, "b": 0.5, "c": -0.2}[arm] + 0.03 * (age - 40) + 0.1 * edss)
            ends = [random.exponential(event_days / risk), random.exponential(competing_days), random.uniform(last / 20, last)]
            ends[0] += 700 if kind == "late" else 0
            cause = (1, 2, 0)[int(np.argmin(ends))]
            time = min(int(np.ceil(min(ends) / unit)) * unit, last if kind == "a few days" else 10**6)
            free = max(0, time - int(random.integers(0, 200))) if cause == 1 else time
            people.append([kind, f"p{k:03}", arm, age, edss, time, cause, free])
            start = 0 if random.random() < 0.6 else int(random.integers(0, 20)) * unit
            for _ in range(int(random.integers(1, 6))):
                stop = start + unit * int(random.integers(1, 12))
                if random.random() < 0.85:
                    happened = int(random.random() < (0.1 if kind == "few events" else 0.4))
                    episodes.append([kind, f"p{k:03}", start, stop, happened, arm, age, round(float(random.normal()), 2)])
                start = stop
    write("random.csv", ["cohort", "patient", "arm", "age", "edss", "time", "cause", "free"], people)
    write("random_episodes.csv", ["cohort", "patient", "start", "stop", "event", "arm", "age", "changing"], episodes)


if __name__ == "__main__":
    random_cohorts()
    survival()
    recurrent()
    counts()
