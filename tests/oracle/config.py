"""The settings the contract's numbers depend on, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Settings

Model = Literal["last_touch", "first_touch", "linear", "position", "time_decay"]
MODELS: Final[tuple[Model, ...]] = ("last_touch", "first_touch", "linear", "position", "time_decay")
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
END_MS: Final = int(datetime(2299, 12, 31, tzinfo=UTC).timestamp()) * 1000
EARLIEST_MS: Final = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1000


def whole_milliseconds(days: float) -> int:
    """Return the most whole milliseconds that fit into ``days``, read as the decimal number a person wrote.

    0.29 days is 25,056,000 ms; a product of binary doubles, cut off, would lose the last one.
    """
    return int(Decimal(repr(days)) * DAY_MS)


@dataclass(frozen=True, slots=True)
class OracleConfig:
    """Everything besides the log that the views depend on; there is no clock.

    ``now_ms`` switches on the live rule against events from the future; None is a replay, which has no such rule.
    """

    zone: str = "Asia/Shanghai"
    lateness_days: float = 3.0
    reversal_days: float = 30.0
    window_days: float = 7.0
    model: Model = "last_touch"
    half_life_days: float = 7.0
    margins_bps: Mapping[str, int] = field(default_factory=dict)
    default_goal_kinds: tuple[str, ...] | None = None
    engaged_seconds: float = 5.0
    currency: str = "CNY"
    earliest_ms: int = EARLIEST_MS
    hash_key: bytes = b"oracle"
    future_minutes: float = 10.0
    now_ms: int | None = None
    run: str = "live"

    @property
    def lateness_ms(self) -> int:
        """Allowed lateness behind the watermark of the event's own partition."""
        return whole_milliseconds(self.lateness_days)

    @property
    def reversal_ms(self) -> int:
        """Longest time by which a reversal may follow its original."""
        return whole_milliseconds(self.reversal_days)

    @property
    def window_ms(self) -> int:
        """Attribution window of a campaign without a definition."""
        return whole_milliseconds(self.window_days)

    @property
    def half_life_ms(self) -> float:
        """Half-life of ``time_decay`` as an IEEE double, which is what the contract's formula is evaluated in."""
        return self.half_life_days * DAY_MS

    @property
    def zone_info(self) -> ZoneInfo:
        """Zone of the business day."""
        return ZoneInfo(self.zone)


def config_from_settings(settings: Settings, *, model: Model | None = None, now_ms: int | None = None) -> OracleConfig:
    """Return the oracle's configuration for a deployment's settings; ``model`` replaces the one that decides."""
    return OracleConfig(
        zone=settings.time.zone,
        lateness_days=settings.time.lateness_days,
        reversal_days=settings.time.reversal_days,
        window_days=settings.attribution.window_days,
        model=model or settings.attribution.all_models[0],
        half_life_days=settings.attribution.half_life_days,
        margins_bps={str(kind): margin for kind, margin in settings.attribution.margins_bps.items()},
        default_goal_kinds=settings.default_goal_kinds,
        engaged_seconds=settings.time.engaged_seconds,
        currency=settings.reporting_currency,
        earliest_ms=round(settings.time.earliest.timestamp() * 1000),
        hash_key=settings.pseudonym_key.get_secret_value().encode(),
        future_minutes=settings.time.future_minutes,
        now_ms=now_ms,
    )
