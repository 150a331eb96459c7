"""Every fault and oddity of typed tables, as findings."""

from smoulder.checks.examine import examine

__all__ = ["examine"]
