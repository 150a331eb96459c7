"""Compiled code is kept for the next process, and never used with other sources than its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from smoulder.engine.kernel import compiling

PACKAGE = Path(compiling.__file__).parents[2]
KERNEL = PACKAGE / "engine" / "kernel"


def test_the_stamp_covers_every_file_that_the_kernel_is_made_of() -> None:
    needed = {f"engine/kernel/{path.name}" for path in KERNEL.glob("*.py")} - {"engine/kernel/__init__.py"}
    for path in KERNEL.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("smoulder."):
                needed.add((node.module or "").removeprefix("smoulder.").replace(".", "/") + ".py")
    assert set(compiling.SOURCES) == needed


def test_the_stamp_follows_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiling.stamp()
    monkeypatch.setattr(compiling, "SOURCES", compiling.SOURCES[1:])
    assert compiling.stamp() != before


def test_the_next_process_finds_the_compiled_code() -> None:
    program = (
        "from smoulder import detect, read\n"
        "visits = {'patient': ['A'] * 3, 'date': ['2020-01-01', '2020-04-01', '2020-10-01'], 'edss': [2.0, 3.0, 3.0]}\n"
        "detect(read(visits, nobody_relapsed=True), 'cdw-12w')\n"
        "from smoulder.engine import is_prepared\n"
        "from smoulder.engine.kernel.scan import scan_chunk\n"
        "assert is_prepared()\n"
        "print(sum(scan_chunk.stats.cache_misses.values()), sum(scan_chunk.stats.cache_hits.values()))\n"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[1].split() == ["0", "1"]
