"""Writes what a bank's warehouse may export of last year's campaigns, for `roi backtest`: costs, credits, definitions.

    python examples/warehouse_export.py build/export

Drawn, not real: 24 campaigns of three products, each of three weeks, one after another through a year; a third of them
settles clearly below 1:2. The same files each time.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CAMPAIGNS: Final = 24
DAYS: Final = 21
SENDS: Final = (9, 12, 17, 20)
"""Hours of a day, in UTC, at which messages go out: a line of cost each."""
TOUCHES: Final = 90
UNIT_COST: Final = 120
"""Minor units a touch."""
CONVERSION: Final = 0.03
MEAN_LAG_HOURS: Final = 40.0
WINDOW_HOURS: Final = 168.0
REVERSED: Final = 0.05
PRODUCTS: Final = ("cards", "deposits", "funds")
RATIOS: Final = (2.9, 1.1, 2.3, 3.4, 1.4, 2.1)
BEGIN: Final = datetime(2025, 1, 6, tzinfo=UTC)
Rows = list[dict[str, Any]]


def export(seed: int = 2025) -> tuple[Rows, Rows, Rows]:
    """Return costs, credits and definitions."""
    random = Random(seed)  # noqa: S311 - nothing here is a secret
    costs: Rows = []
    credits_then: list[tuple[datetime, dict[str, Any]]] = []
    definitions: Rows = []
    for number in range(CAMPAIGNS):
        product, ratio = PRODUCTS[number % len(PRODUCTS)], RATIOS[number % len(RATIOS)]
        name, begin = f"{product}-{number + 1:02}", BEGIN + timedelta(days=14 * number)
        definitions.append(_definition(name, product, begin))
        for day in range(DAYS):
            for hour in SENDS:
                sent = begin + timedelta(days=day, hours=hour)
                line = {"campaign_id": name, "product": product, "at": _text(sent), "cost_minor": TOUCHES * UNIT_COST}
                costs.append(line)
                for _ in range(TOUCHES):
                    if random.random() < CONVERSION:
                        credits_then += _conversion(random, name, sent, ratio)
    return costs, [line for _, line in sorted(credits_then, key=lambda pair: pair[0])], definitions


def _conversion(random: Random, name: str, sent: datetime, ratio: float) -> list[tuple[datetime, dict[str, Any]]]:
    customer = f"{random.getrandbits(48):012x}"
    lag = min(random.expovariate(1 / MEAN_LAG_HOURS), WINDOW_HOURS)
    converted = sent + timedelta(seconds=round(lag * 3600))
    mean = UNIT_COST * ratio / CONVERSION / (1 - REVERSED)
    amount = max(1, round(mean * math.exp(random.gauss(-0.5, 1.0))))
    line = {"campaign_id": name, "customer": customer, "touched_at": _text(sent)}
    found = [(converted, line | {"converted_at": _text(converted), "return_minor": amount})]
    if random.random() < REVERSED:
        back = converted + timedelta(hours=1 + round(random.expovariate(1 / 72)))
        found.append((back, line | {"converted_at": _text(back), "return_minor": -amount}))
    return found


def _definition(name: str, product: str, begin: datetime) -> dict[str, Any]:
    return {
        "campaign_id": name,
        "name": name,
        "product": product,
        "starts_at": _text(begin),
        "ends_at": _text(begin + timedelta(days=DAYS)),
        "goal": {"kinds": ["other"]},
    }


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def write(folder: Path) -> list[Path]:
    """Write the three files, NDJSON, the first two compressed; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    costs, credits_then, definitions = export()
    files = [folder / "costs.ndjson.gz", folder / "credits.ndjson.gz", folder / "campaigns.ndjson"]
    for file, rows in zip(files[:2], (costs, credits_then), strict=True):
        file.write_bytes(_compressed(rows))
    files[2].write_text("".join(json.dumps(row) + "\n" for row in definitions))
    return files


def _compressed(rows: Iterable[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as stream:  # the same bytes each time
        stream.write("".join(json.dumps(row) + "\n" for row in rows).encode())
    return buffer.getvalue()


if __name__ == "__main__":
    for written in write(Path(sys.argv[1] if len(sys.argv) > 1 else "build/export")):
        print(written)
