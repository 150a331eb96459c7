"""Definitions of disability worsening as data: the model, the catalogue, and what tells two definitions apart."""

from smoulder.rulebook.catalogue import definition, definitions, entry, keys, resolve
from smoulder.rulebook.diff import Difference, diff
from smoulder.rulebook.grid import Grid, grid, grids, load_grid
from smoulder.rulebook.model import Definition, definition_from, load_definition
from smoulder.rulebook.traps import traps

__all__ = [
    "Definition",
    "Difference",
    "Grid",
    "definition",
    "definition_from",
    "definitions",
    "diff",
    "entry",
    "grid",
    "grids",
    "keys",
    "load_definition",
    "load_grid",
    "resolve",
    "traps",
]
