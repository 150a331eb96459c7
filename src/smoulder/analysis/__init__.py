"""Statistics: outcomes and episodes into estimates, each with its limits, its method in words, and why something is missing."""

from smoulder.analysis.bootstrap import Bootstrapped, bootstrap, share_among
from smoulder.analysis.cox import cox, cox_time_varying, fine_gray
from smoulder.analysis.curves import cumulative_incidence, kaplan_meier
from smoulder.analysis.describe import table_one
from smoulder.analysis.intervals import interval_regression, interval_survival
from smoulder.analysis.models import logistic, relapse_rate_model
from smoulder.analysis.rates import incidence_rates, recurrent_rates, shares
from smoulder.analysis.recurrent import andersen_gill, mean_cumulative

__all__ = [
    "Bootstrapped",
    "andersen_gill",
    "bootstrap",
    "cox",
    "cox_time_varying",
    "cumulative_incidence",
    "fine_gray",
    "incidence_rates",
    "interval_regression",
    "interval_survival",
    "kaplan_meier",
    "logistic",
    "mean_cumulative",
    "recurrent_rates",
    "relapse_rate_model",
    "share_among",
    "shares",
    "table_one",
]
