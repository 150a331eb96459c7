"""Tables that the test run prints at its end."""

from __future__ import annotations

import pytest


def keep_table(request: pytest.FixtureRequest, title: str, table: str) -> None:
    """Keep a table for the end of the run; a worker process hands it over with the report."""
    request.node.user_properties.append(("table", f"{title}\n\n{table}"))
