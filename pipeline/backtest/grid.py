"""The instants that a backtest looks at. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipeline.alerts.statistics import Integers


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of equal length; step k is the instant ``from_ms + k * every_ms``.

    Attributes:
        from_ms: the first step.
        every_ms: from one to the next.
        steps: how many.
    """

    from_ms: int
    every_ms: int
    steps: int

    def instants(self, steps: Integers) -> Integers:
        """Return the instants of steps."""
        return np.asarray(self.from_ms + steps * self.every_ms)

    def instant(self, step: int) -> int:
        """Return the instant of a step."""
        return self.from_ms + step * self.every_ms

    def first_seen(self, instants: Integers) -> Integers:
        """Return the first step as of which each instant has come; beyond the last step it goes on counting."""
        return np.maximum(-((self.from_ms - instants) // self.every_ms), 0)

    def step_at(self, instant: int) -> int | None:
        """Return the step at exactly this instant; None where there is none."""
        step, rest = divmod(instant - self.from_ms, self.every_ms)
        return step if rest == 0 and 0 <= step < self.steps else None

    @property
    def last_ms(self) -> int:
        """The instant of the last step."""
        return self.instant(self.steps - 1)


def grid_over(from_ms: int, to_ms: int, every_ms: int) -> Grid:
    """Return the grid from a begin to the last step that is not after an end; at least one step."""
    return Grid(from_ms, every_ms, max(0, (to_ms - from_ms) // every_ms) + 1)
