"""What all tests share: how many random cohorts are tried, and where the common example data are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the first call of a compiled function takes seconds, the others microseconds.
settings.register_profile("dev", max_examples=200, deadline=None)
settings.register_profile("ci", max_examples=2000, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of cohorts and of other programs' answers that lies beside the repository; skip where it is not there."""
    if not SHARED.is_dir():
        pytest.skip("the folder 'shared' with example cohorts is not beside this repository")
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that tests kept (tests/oracle_tables.py)."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "table":
                    terminalreporter.section("agreement")
                    terminalreporter.write_line(text)
