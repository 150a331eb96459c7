"""The engine: `detect` by the compiled kernel, `explain` by the readable reference."""

from smoulder.engine.detect import detect
from smoulder.engine.explain import explain
from smoulder.engine.prepared import is_prepared

__all__ = ["detect", "explain", "is_prepared"]
