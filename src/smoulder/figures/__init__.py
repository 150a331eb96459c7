"""Figures: one patient's timeline, and the figures of a study."""

from smoulder.figures.chart import Chart
from smoulder.figures.cohort_strip import plot_cohort
from smoulder.figures.curves import plot_curve
from smoulder.figures.figure import Figure
from smoulder.figures.flow import plot_flow
from smoulder.figures.forest import plot_forest
from smoulder.figures.spread import plot_spread
from smoulder.figures.stack import plot_stack
from smoulder.figures.timeline import plot_patient

__all__ = [
    "Chart",
    "Figure",
    "plot_cohort",
    "plot_curve",
    "plot_flow",
    "plot_forest",
    "plot_patient",
    "plot_spread",
    "plot_stack",
]
