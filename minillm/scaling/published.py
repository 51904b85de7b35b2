"""Laws as others printed them, from the tables of facts, and what text is worth when it is read again."""

import math

from minillm import facts
from minillm.errors import ConfigError
from minillm.scaling.law import Law


def constant(law: str, quantity: str) -> float:
    """Return one printed number of a law; ConfigError if it is none."""
    value = facts.find(facts.scaling_laws(), f"{law}: {quantity}").value
    if value is None:
        raise ConfigError(f"'{law}: {quantity}' is no single number.", "Look at its text in facts.scaling_laws().")
    return value


def hoffmann() -> Law:
    """Return the law with the constants printed in Hoffmann et al. 2022, two digits for the powers."""
    return Law(*(constant("Hoffmann 2022", name) for name in ("E", "A", "B", "alpha", "beta")))


def hoffmann_unrounded() -> Law:
    """Return the same law with more digits than the paper prints; see the table for where they come from."""
    e, a, b = (math.exp(constant("Hoffmann 2022", f"{name} unrounded (log)")) for name in "EAB")
    return Law(e, a, b, *(constant("Hoffmann 2022", f"{name} unrounded") for name in ("alpha", "beta")))


def besiroglu() -> Law:
    """Return the law that Besiroglu et al. 2024 fitted to runs read off a figure of the first paper."""
    return Law(*(constant("Besiroglu 2024", name) for name in ("E", "A", "B", "alpha", "beta")))


def worth(epochs: float) -> float:
    """Return how many epochs of new text so many epochs of the same text are worth.

    1 + R* (1 - exp(-R / R*)) with R = epochs - 1 repetitions (Muennighoff et al. 2023); R* is fitted there.
    """
    if not epochs >= 1:
        raise ConfigError(f"{epochs} epochs are less than one reading.", "Use 1 or more.")
    lasting = constant("Muennighoff 2023 (data-constrained)", "R_D*")
    return 1 + lasting * (1 - math.exp(-(epochs - 1) / lasting))
