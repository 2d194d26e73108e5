"""How long `roi backtest` takes for a year of campaigns, from a warehouse's files to the result."""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.alerts.statistics import HOUR_MS
from pipeline.alerts.warehouse import read_warehouse
from pipeline.backtest.backtest import backtest
from pipeline.backtest.export import past_of_export
from pipeline.backtest.past import Range
from pipeline.backtest.rules import rules_of_files
from pipeline.policies import policy_of
from pipeline.settings import Settings
from schemas.instants import instant_text, to_epoch_milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

HOURS: Final = 720
"""Of a campaign: 30 days."""
YEAR_HOURS: Final = 8_760
TOUCHES: Final = 25
"""An hour."""
UNIT_COST: Final = 100
CONVERSION: Final = 0.02
LAG_HOURS: Final = 36.0
WINDOW_HOURS: Final = 168.0
REVERSED: Final = 0.05
PRODUCTS: Final = ("cards", "deposits", "funds")
BEGIN: Final = to_epoch_milliseconds(datetime(2025, 1, 1, tzinfo=UTC))


def write_export(folder: Path, campaigns: int, touches: int = TOUCHES, seed: int = 1) -> tuple[Path, Path]:
    """Write a year of campaigns whose settled ratios scatter around 1:2; return the files of costs and credits."""
    random = np.random.default_rng(seed)
    costs: list[dict[str, Any]] = []
    credits_then: list[tuple[int, dict[str, Any]]] = []
    for number in range(campaigns):
        name, product = f"c{number:04}", PRODUCTS[number % len(PRODUCTS)]
        first = BEGIN + int((YEAR_HOURS - HOURS - WINDOW_HOURS) * number / campaigns) * HOUR_MS + 600_000
        common = {"campaign_id": name, "product": product, "cost_minor": touches * UNIT_COST}
        costs += [common | {"at": instant_text(first + hour * HOUR_MS)} for hour in range(HOURS)]
        touched = first + np.repeat(np.arange(HOURS), random.binomial(touches, CONVERSION, HOURS)) * HOUR_MS
        lags = np.minimum(random.exponential(LAG_HOURS, len(touched)), WINDOW_HOURS - 1)
        mean = UNIT_COST * 2.2 * np.exp(0.35 * random.standard_normal()) / CONVERSION
        amounts = np.maximum(1, mean * np.exp(random.standard_normal(len(touched)) - 0.5)).astype(np.int64)
        gone = np.where(random.random(len(touched)) < REVERSED, random.exponential(72.0, len(touched)), np.nan)
        for place, (at, lag, amount, back) in enumerate(
            zip(touched.tolist(), lags.tolist(), amounts.tolist(), gone.tolist(), strict=True)
        ):
            line = {"campaign_id": name, "customer": f"{name}-{place}", "touched_at": instant_text(at)}
            converted = at + round(lag * HOUR_MS)
            credits_then.append((converted, line | {"return_minor": amount}))
            if not math.isnan(back):
                credits_then.append((converted + round(back * HOUR_MS), line | {"return_minor": -amount}))
    credits_then.sort(key=lambda pair: pair[0])
    lines = (line | {"converted_at": instant_text(at)} for at, line in credits_then)
    return _written(folder / "costs.ndjson", costs), _written(folder / "credits.ndjson", lines)


def _written(file: Path, rows: Iterable[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def measure(campaigns: int, touches: int = TOUCHES) -> dict[str, float]:
    """Backtest a year of campaigns hour by hour, the plain rule beside the product's."""
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as folder:
        files = write_export(Path(folder), campaigns, touches)
        began = time.perf_counter()
        warehouse = read_warehouse(*files, policy_of(settings))
        read = time.perf_counter() - began
        past = past_of_export(warehouse, Range(None, None, HOUR_MS), "the bench's export")
        found = backtest(past, rules_of_files(settings.alerts, []))
        seconds = time.perf_counter() - began
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "campaigns": len(found.rules[0].campaigns),
        "conversions": sum(len(history.changes) for history in past.histories),
        "looks": found.looks,
        "fired": found.rules[1].money.fired,
        "read_seconds": read,
        "seconds": seconds,
        "memory_mb": (own.ru_maxrss + children.ru_maxrss) / 1024,
    }


def main() -> None:
    """Measure and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=300, help="of a year, 30 days each")
    parser.add_argument("--touches", type=int, default=TOUCHES, help="an hour; 2 %% convert: 208 are 3,000 conversions")
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(measure(arguments.campaigns, arguments.touches)) + "\n")


if __name__ == "__main__":
    main()
