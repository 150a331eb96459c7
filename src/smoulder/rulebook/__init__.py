"""Definitions of disability worsening as data: the model, the catalogue, and what tells two definitions apart."""

from smoulder.rulebook.catalogue import definition, definitions, entry, keys, resolve
from smoulder.rulebook.diff import Difference, diff
from smoulder.rulebook.model import Definition, definition_from, load_definition
from smoulder.rulebook.traps import traps

__all__ = [
    "Definition",
    "Difference",
    "definition",
    "definition_from",
    "definitions",
    "diff",
    "entry",
    "keys",
    "load_definition",
    "resolve",
    "traps",
]
