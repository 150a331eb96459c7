"""Whether the compiled kernel is kept on this machine already, told without importing the compiler."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

KERNEL = Path(__file__).parent / "kernel"
INDEX = "scan*scan_chunk-*.nbi"
"""Where numba lists what it keeps of `kernel.scan.scan_chunk`."""


def is_prepared() -> bool:
    """Return whether the kernel has been compiled since its sources were last changed.

    Told from the times of files: where it is wrong, the first call takes longer, or a sentence too many is said.
    """
    changed = max(path.stat().st_mtime for path in (*KERNEL.glob("*.py"), KERNEL.parent / "encoding.py"))
    kept = (index for folder in _folders() if folder.is_dir() for index in folder.glob(f"**/{INDEX}"))
    return any(index.stat().st_mtime >= changed for index in kept)


def _folders() -> Iterator[Path]:
    """Yield the folders in which numba may keep what it compiled."""
    stated = os.environ.get("NUMBA_CACHE_DIR")
    if stated:
        yield Path(stated)
        return
    yield KERNEL / "__pycache__"
    if sys.platform == "darwin":
        yield Path.home() / "Library" / "Caches" / "numba"
    elif sys.platform == "win32":
        yield Path(os.environ.get("LOCALAPPDATA", Path.home())) / "numba"
    else:
        yield Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "numba"
