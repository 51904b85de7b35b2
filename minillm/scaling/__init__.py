"""Scaling laws: fitted to runs, asked for the best size and length for a budget, and held to their forecasts.

runs -> points -> fit -> Law -> optimal(flops), loss(n, d), interval(n, d)

Numpy alone, so that planning needs no torch. `law` fits the form L(N, D); `approaches` has the two other ways of the
same paper; `forecast` says a larger run's loss before it is made; `published` holds the laws of others.
"""

from minillm.scaling.approaches import Curve, PowerLaw, Valley, by_budget, least_of_curves, power_law, valley, valleys
from minillm.scaling.forecast import Forecast, forecast
from minillm.scaling.law import Law, Point, fit

__all__ = [
    "Curve",
    "Forecast",
    "Law",
    "Point",
    "PowerLaw",
    "Valley",
    "by_budget",
    "fit",
    "forecast",
    "least_of_curves",
    "power_law",
    "valley",
    "valleys",
]
