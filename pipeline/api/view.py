"""What is looked at on a board: a time range and the values of the variables, from the query string."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Query

from dashboards.definitions.macros import TimeRange
from dashboards.definitions.variables import VARIABLES
from pipeline.api.answers import ApiError
from pipeline.api.ranges import instant

if TYPE_CHECKING:
    from collections.abc import Hashable

_QUANTUM_MS: Final = 10_000  # visitors of the same moment share a query
Words = Annotated[list[str], Query(max_length=200)]
Moment = Annotated[str, Query(max_length=40)]


class View:
    """What is looked at."""

    def __init__(  # noqa: PLR0913, PLR0917 - a parameter each
        self,
        start: Annotated[Moment, Query(alias="from")] = "latest-30d",
        to: Moment = "latest",
        run: Moment = "live",
        campaign: Words = [],  # noqa: B006 - FastAPI makes a new one for each request
        tier: Words = [],  # noqa: B006 - likewise
        owner: Words = [],  # noqa: B006 - likewise
        outcome: Moment = VARIABLES["outcome"].default,
        backtest: Annotated[str, Query(max_length=200)] = VARIABLES["backtest"].default,
    ) -> None:
        self._start, self._to = start, to
        several = {"campaign": campaign, "tier": tier, "owner": owner}
        self.values = {"run": [run], **several, "outcome": [outcome], "backtest": [backtest]}

    @property
    def run(self) -> str:
        """The run that is shown."""
        return self.values["run"][0]

    @property
    def key(self) -> Hashable:
        """Equal for all who look at the same."""
        return self._start, self._to, tuple((name, tuple(values)) for name, values in self.values.items())

    def times(self, latest_ms: int) -> TimeRange:
        """Return the time range.

        Raises:
            ApiError: 422.
        """
        now = time.time_ns() // 1_000_000 // _QUANTUM_MS * _QUANTUM_MS
        latest = -(-latest_ms // _QUANTUM_MS) * _QUANTUM_MS
        start, end = instant(self._start, "from", now, latest), instant(self._to, "to", now, latest)
        if start > end:
            raise ApiError(422, "from is after to", "ask for a range that begins before it ends")
        return TimeRange.between(start, end)
