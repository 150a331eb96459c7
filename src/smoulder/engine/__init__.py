"""The engine: `detect` by the compiled kernel, `explain` by the readable reference."""

from smoulder.engine.detect import detect
from smoulder.engine.explain import explain

__all__ = ["detect", "explain"]
