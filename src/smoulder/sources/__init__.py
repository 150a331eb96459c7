"""Files and frames to a cohort: `load` reads and types the tables, `assemble` packs them."""

from smoulder.sources.assemble import assemble
from smoulder.sources.columns import cohort_toml, write_cohort_toml
from smoulder.sources.load import load

__all__ = ["assemble", "cohort_toml", "load", "write_cohort_toml"]
