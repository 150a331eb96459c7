"""Made-up people with known causes: a plan, the people it gives, and what is true of each."""

from smoulder.simulation.people import Simulated, simulate
from smoulder.simulation.plan import NATALIZUMAB, TRIAL, Plan
from smoulder.simulation.registry import fast_registry

__all__ = ["NATALIZUMAB", "TRIAL", "Plan", "Simulated", "fast_registry", "simulate"]
