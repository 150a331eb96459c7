"""Whether the compiled engine is in the cache of this machine, told without importing the compiler."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

PREPARING = "Preparing the engine for this machine (once, about 15 s)"
_INDEX = "scan*scan_chunk-*.nbi"


def is_prepared() -> bool:
    """Return whether the kernel has been compiled since it was last changed. A wrong answer costs a sentence, nothing else."""
    spec = find_spec("smoulder")
    if spec is None or spec.origin is None:
        return False
    engine = Path(spec.origin).parent / "engine"
    sources = [engine / "encoding.py", engine / "record.py", engine.parent / "terms.py", *(engine / "kernel").glob("*.py")]
    changed = max(source.stat().st_mtime for source in sources)
    return any(index.stat().st_mtime >= changed for folder in _caches(engine / "kernel") for index in folder.glob(f"**/{_INDEX}"))


def _caches(kernel: Path) -> Iterator[Path]:
    """Yield the folders in which numba may keep what it compiled."""
    stated = os.environ.get("NUMBA_CACHE_DIR")
    if stated:
        yield Path(stated)
        return
    yield kernel / "__pycache__"
    if sys.platform == "darwin":
        yield Path.home() / "Library" / "Caches" / "numba"
    elif sys.platform == "win32":
        yield Path(os.environ.get("LOCALAPPDATA", Path.home())) / "numba"
    else:
        yield Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "numba"
