"""How the kernel is compiled and kept: the only folder that imports numba.

numba keeps compiled code for the next process as long as the file of the function is unchanged; it does not look at the other
files that the function is made of. So only the outermost function is kept, and its key holds a stamp of all these files.
"""

from __future__ import annotations

import zlib
from importlib import resources
from typing import Any

from numba import njit

# _nrt=False: no reference counting. The kernel makes no arrays, only views of what it is handed, and counting references to
# them took seven eighths of its time (20 M visits on 2 threads: 2.8 s with, 0.53 s without; bench/run.py kernel).
_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False}
compiled = njit(**_OPTIONS)
compiled_and_kept = njit(**_OPTIONS, cache=True)

SOURCES: tuple[str, ...] = (
    "engine/encoding.py",
    "engine/record.py",
    "terms.py",
    *(f"engine/kernel/{name}.py" for name in ("compiling", "people", "baseline", "confirming", "labels", "rows", "walk", "scan")),
)


def stamp() -> int:
    """Return a checksum of every file that the compiled code is made of."""
    home = resources.files("smoulder")
    checksum = 0
    for source in SOURCES:
        checksum = zlib.crc32((home / source).read_bytes(), checksum)
    return checksum
