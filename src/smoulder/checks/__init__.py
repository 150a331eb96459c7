"""Every fault and oddity of typed tables, as findings; and what a definition meets in them."""

from smoulder.checks.definition import check_definition, met_in
from smoulder.checks.examine import examine

__all__ = ["check_definition", "examine", "met_in"]
