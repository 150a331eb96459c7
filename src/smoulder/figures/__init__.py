"""Figures: one patient's timeline."""

from smoulder.figures.figure import Figure
from smoulder.figures.timeline import plot_patient

__all__ = ["Figure", "plot_patient"]
