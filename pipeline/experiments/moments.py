"""An arm's outcomes as sums: integers of any size, so that sums of days and tiers add up to the last digit. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over customers of an outcome y and of the same behaviour before the assignment, x.

    Attributes:
        customers: how many.
        nonzero: how many with y other than 0.
        y, yy: sums of y and of its squares.
        x, xx, xy: the same of x, and of the products.
    """

    customers: int = 0
    nonzero: int = 0
    y: int = 0
    yy: int = 0
    x: int = 0
    xx: int = 0
    xy: int = 0

    def __add__(self, other: Moments) -> Moments:
        """Return the sums over both groups of customers."""
        return Moments(
            self.customers + other.customers,
            self.nonzero + other.nonzero,
            self.y + other.y,
            self.yy + other.yy,
            self.x + other.x,
            self.xx + other.xx,
            self.xy + other.xy,
        )

    @property
    def mean(self) -> float | None:
        """The mean of y; None of nobody."""
        return self.y / self.customers if self.customers else None

    @property
    def covariate_mean(self) -> float:
        """The mean of x; 0 of nobody."""
        return self.x / self.customers if self.customers else 0.0

    @property
    def variance(self) -> float:
        """The sample variance of y; 0 of fewer than two customers."""
        return self._spread(self.yy, self.y, self.y)

    @property
    def covariate_variance(self) -> float:
        """The sample variance of x."""
        return self._spread(self.xx, self.x, self.x)

    @property
    def covariance(self) -> float:
        """The sample covariance of x and y."""
        return self._spread(self.xy, self.x, self.y)

    def _spread(self, products: int, left: int, right: int) -> float:
        n = self.customers
        # divided as integers at the end only: a difference of large floats would lose what is asked for
        return (n * products - left * right) / (n * (n - 1)) if n > 1 else 0.0


NOTHING = Moments()
