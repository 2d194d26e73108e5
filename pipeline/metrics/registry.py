"""The registry: every metric once. Docs are generated from it; views, boards and Prometheus metrics are held to it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pipeline.metrics.alert_metrics import ALERT_METRICS
from pipeline.metrics.backtest_metrics import BACKTEST_METRICS
from pipeline.metrics.bank_metrics import BANK_METRICS
from pipeline.metrics.campaign_metrics import ACTIVITY_METRICS, CAMPAIGN_METRICS, MATURITY_METRICS
from pipeline.metrics.dimensions import DIMENSIONS
from pipeline.metrics.experiment_metrics import EXPERIMENT_METRICS
from pipeline.metrics.operational_metrics import (
    ALERT_PROMETHEUS_METRICS,
    ERASURE_METRICS,
    POSITION_METRICS,
    PROMETHEUS_METRICS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.metrics.definitions import MetricDefinition

METRICS: Final = (
    *CAMPAIGN_METRICS,
    *ACTIVITY_METRICS,
    *MATURITY_METRICS,
    *BANK_METRICS,
    *ALERT_METRICS,
    *BACKTEST_METRICS,
    *EXPERIMENT_METRICS,
    *POSITION_METRICS,
    *ERASURE_METRICS,
    *PROMETHEUS_METRICS,
    *ALERT_PROMETHEUS_METRICS,
)
_BY_NAME: Final[Mapping[str, MetricDefinition]] = MappingProxyType({found.name: found for found in METRICS})
_DIMENSION_NAMES: Final = frozenset(dimension.name for dimension in DIMENSIONS)


def metric(name: str) -> MetricDefinition:
    """Return the definition of a metric.

    Raises:
        KeyError: there is no such metric.
    """
    return _BY_NAME[name]


def defined_columns() -> frozenset[str]:
    """Return every ``view.column`` that a definition says it stands in."""
    return frozenset(column for found in METRICS for column in found.columns)


def undefined(view_columns: Iterable[str]) -> list[str]:
    """Return those ``view.column`` that are neither a metric nor a dimension."""
    defined = defined_columns()
    return sorted(
        column for column in view_columns if column not in defined and column.partition(".")[2] not in _DIMENSION_NAMES
    )


def headings() -> frozenset[str]:
    """Return every heading that a board may show."""
    of_metrics = {heading for found in METRICS for heading in (found.label, found.short) if heading}
    return frozenset(of_metrics | {dimension.label for dimension in DIMENSIONS})
