"""What a run may be set to, said twice: to the core and to the oracle."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, settings, strategies

from pipeline.state.calendar import DAY_MS
from pipeline.state.policy import Policy
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import logs, random_log
from tests.oracle.story import START_MS, Shape
from tests.support.depth import depth
from tests.support.fakes_player import MemoryPlayer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.log import Log

KEY: Final = b"oracle"
# few customers and ids: events of one id meet in one window, before the id is forgotten and after it
RETURNING: Final = Shape(customers=2, campaigns=2, partitions=2, span_days=60, bad_share=0.02, returning_share=0.5)
ZONES: Final = ("Asia/Shanghai", "America/New_York", "UTC", "Asia/Kathmandu", "Pacific/Apia")
CAMPAIGN_VIEWS: Final = (
    "campaign_totals",
    "campaign_variant_totals",
    "campaign_tier_totals",
    "campaign_minutes",
    "campaign_hours",
    "campaign_days",
    "campaign_cohorts",
    "active_users",
    "credits",
)
# examples are whole logs: they take long to draw and to play, and how long says nothing about the core
PROPERTY: Final = settings(
    max_examples=int(os.environ.get("ROI_PROPERTY_EXAMPLES", depth(40))),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@dataclass(frozen=True)
class Rules:
    """One setting of a run for both sides."""

    config: OracleConfig = field(default_factory=OracleConfig)
    models: tuple[str, ...] = ("last_touch",)

    @property
    def policy(self) -> Policy:
        config = self.config
        kinds = config.default_goal_kinds
        return Policy(
            models=self.models,
            half_life_ms=config.half_life_ms,
            window_ms=config.window_ms,
            margins_bps=config.margins_bps,
            default_kinds=None if kinds is None else frozenset(kinds),
            lateness_ms=config.lateness_ms,
            future_ms=round(config.future_minutes * 60_000),
            reversal_ms=config.reversal_ms,
            engaged_seconds=config.engaged_seconds,
            zone=config.zone,
            pseudonym_key=KEY,
        )


def player_of(log: Log, rules: Rules) -> MemoryPlayer:
    return MemoryPlayer(rules.policy, log, now_ms=rules.config.now_ms)


def under_model(views: Mapping[str, list[dict[str, Any]]], model: str) -> dict[str, list[dict[str, Any]]]:
    """Return the views with the credits of a model, whether it decides or informs."""
    return {**views, "credits": [row for row in views["model_credits"] if row["model"] == model]}


def faults(log: Log, rules: Rules, player: MemoryPlayer) -> list[str]:
    """Return where a played log's views differ from the oracle's."""
    return differences(evaluate(log, rules.config), player.views())


def any_logs(size: int = 250) -> strategies.SearchStrategy[Log]:
    """Return small logs that shrink well, and larger ones in which more collides."""
    seeds = strategies.integers(0, 2**32)
    return strategies.one_of(logs(40), strategies.builds(random_log, seeds, strategies.integers(size // 5, size)))


def returning_logs(size: int = 150) -> strategies.SearchStrategy[Log]:
    """Return logs in which ids come again with other times, sizes as of `any_logs`."""
    seeds, sizes = strategies.integers(0, 2**32), strategies.integers(size // 5, size)
    drawn = strategies.builds(lambda seed, count: random_log(seed, count, shape=RETURNING), seeds, sizes)
    return strategies.one_of(logs(40, RETURNING), drawn)


def any_rules() -> strategies.SearchStrategy[Rules]:
    """Return settings far apart; the logs are made for a lateness of 3 days, but any other must hold too."""
    nows = strategies.none() | strategies.integers(0, 180).map(lambda day: START_MS + day * DAY_MS)
    configs = strategies.builds(
        OracleConfig,
        zone=strategies.sampled_from(ZONES),
        lateness_days=strategies.sampled_from((3.0, 0.5, 10.0)),
        reversal_days=strategies.sampled_from((30.0, 1.5)),
        window_days=strategies.sampled_from((7.0, 0.29, 40.0)),
        half_life_days=strategies.sampled_from((7.0, 0.001, 90.0)),
        margins_bps=strategies.sampled_from(
            ({}, {"deposit": 33, "payment": 150}, {"deposit": -33, "payment": -100_000})
        ),
        default_goal_kinds=strategies.sampled_from((None, ("deposit", "account_open"))),
        engaged_seconds=strategies.sampled_from((5.0, 0.0)),
        now_ms=nows,
        model=strategies.sampled_from(MODELS),
    )
    return configs.map(lambda config: Rules(config, (config.model,)))


SEEDS: Final = strategies.integers(0, 2**32)
DEFAULT: Final = Rules()
