"""A forecast under seal: what you and the law said is fixed before the outcome is known, and scored after.

A key is sealed once a session. Running the cell again is fine as long as nothing in it has changed.
"""

from dataclasses import dataclass

from minillm.classroom.markup import Columns
from minillm.classroom.predictions import Prediction
from minillm.errors import ConfigError
from minillm.scaling import Forecast

_sealed: dict[str, "Sealed"] = {}


@dataclass(frozen=True)
class Sealed:
    """A forecast with its seal, the learner's own number (None: skipped), and the best excess known by then."""

    forecast: Forecast
    yours: float | None
    best_so_far: float
    seal: str

    @property
    def content(self) -> str:
        """What is under seal, in words."""
        said = self.forecast
        you = "nothing" if self.yours is None else f"{self.yours:.4f}"
        return (
            f"the forecast says {said.excess_nats:.4f} nats, with {said.coverage:.0%} between {said.low:.4f} and "
            f"{said.high:.4f}; you say {you}; 'no change' says {self.best_so_far:.4f}."
        )

    def __repr__(self) -> str:
        return f"Under seal {self.seal}: {self.content}"

    def opened(self, outcome: float) -> Columns:
        """Return what each said and how far off it was, in percent of the outcome; ConfigError for a broken seal."""
        if self.forecast.seal != self.seal:
            raise ConfigError("The forecast is not the one that was sealed.", "Restart the kernel and begin again.")
        said = {"the law": self.forecast.excess_nats, "you": self.yours, "no change": self.best_so_far}
        off = {who: None if value is None else 100 * (value / outcome - 1) for who, value in said.items()}
        return {
            "who": list(said),
            "said, nats": ["-" if value is None else f"{value:.4f}" for value in said.values()],
            "came out, nats": [f"{outcome:.4f}"] * len(said),
            "off": ["-" if value is None else f"{value:+.0f}%" for value in off.values()],
        }


def seal(key: str, forecast: Forecast, prediction: Prediction, best_so_far: float) -> Sealed:
    """Seal a forecast beside the learner's prediction; ConfigError if another one was sealed under this key before."""
    made = Sealed(forecast, prediction.value, best_so_far, forecast.seal)
    if _sealed.setdefault(key, made) != made:
        raise ConfigError(
            f"'{key}' is under seal already, with other numbers.",
            "It stays as it was: a forecast that may be changed is none. Restart the kernel to begin again.",
        )
    return made
