"""The measurements run and print their table; how fast they are is no test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[1] / "bench"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BENCH / "run.py"), *arguments], capture_output=True, text=True, check=False)


def test_prints_one_table_and_keeps_the_numbers(tmp_path: Path) -> None:
    done = run("kernel", "startup", "--quick", "--json", str(tmp_path / "numbers.json"))
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in rows[0].strip("|").split("|")] == ["what", "target", "reached", "yes/no", "runs"]
    assert [row[2] for row in rows[2:]] == ["a", "a", "f", "f"]
    numbers = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert len(numbers["lines"]) == len(rows) - 2
    assert all(line["runs"] >= 3 for line in numbers["lines"])


def test_a_measurement_that_does_not_exist_is_wrong_use() -> None:
    done = run("kernal")
    assert done.returncode == 2
    assert "there is no measurement kernal" in done.stderr


def test_every_measurement_is_listed() -> None:
    listed = run("--help").stdout
    measurements = [path.stem for path in BENCH.glob("*.py") if "def measure(" in path.read_text(encoding="utf-8")]
    assert len(measurements) == 8
    assert all(name in listed for name in measurements)


def test_the_studies_that_are_measured_are_those_that_are_shipped() -> None:
    from smoulder.protocol import study_keys

    text = (BENCH / "studies.py").read_text(encoding="utf-8")
    assert all(f'"{key}": ' in text for key in study_keys())
