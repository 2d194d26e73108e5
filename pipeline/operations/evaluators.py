"""Whether somebody decides about alerts, as commands and /healthz tell it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.clickhouse.reader import Reader

_LEASE: Final = """
    SELECT argMax(body, beat) AS last_body, toFloat64(now64(3)) - toFloat64(max(at)) AS age_seconds
    FROM alert_leases WHERE epoch = (SELECT max(epoch) FROM alert_leases) GROUP BY epoch
"""


@dataclass(frozen=True, slots=True)
class EvaluatorSeen:
    """The newest sign of life of the instance that decides about alerts.

    Attributes:
        age_seconds: of that sign; None = there has never been one.
        has_ended: whether it said that it ends.
        turn_age_seconds: how old its newest look at the campaigns was then.
        reasons: what kept it from its work, in its own words.
    """

    age_seconds: float | None = None
    has_ended: bool = False
    turn_age_seconds: float = 0.0
    reasons: tuple[str, ...] = ()


def evaluator_seen(reader: Reader) -> EvaluatorSeen:
    """Return what the deciding instance has left in ClickHouse."""
    for row in reader.rows(_LEASE):
        body = json.loads(row["last_body"])
        return EvaluatorSeen(
            age_seconds=max(0.0, row["age_seconds"]),
            has_ended=bool(body.get("ended")),
            turn_age_seconds=float(body.get("turn_age_seconds", 0.0)),
            reasons=tuple(body.get("reasons", ())),
        )
    return EvaluatorSeen()
