"""How long after a campaign's breach has become true a receiver is told, while events come in at a steady rate.

Each campaign of the trial has spent, two days ago and fully matured, and earned far too little, but its definition asks
for a little more cost before it is judged. One cost event passes that, and with it the breach is there: its hold is
none. The clock runs from the broker's acknowledgement of that event to the arrival of the signed webhook; on its way
are the worker, the ledger, the look at the campaigns, the write of the alert, and the sending.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import random
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.figures import percentile
from bench.servers import running_broker, running_instance
from bench.steady import prepared, produce
from bench.workload import LedgerProgress
from pipeline.clickhouse.reader import Reader
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixOptions, mix_events
from pipeline.transport.producer import EventProducer
from schemas.topics import CAMPAIGNS, COSTS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

_HOUR_MS: Final = 3_600_000
_TOUCHED_HOURS: Final = 60  # before now: within the lateness of three days, and long matured
_MIN_COST_MINOR: Final = 1_000_000
_CUSTOMERS: Final = 400
_CONVERTING: Final = 80
_PATIENCE_SECONDS: Final = 90.0
_SECRET: Final = "whsec_" + "YmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYmVuY2gtYjA="


class Receiver(http.server.BaseHTTPRequestHandler):
    """Notes when which campaign's alert came."""

    arrived: dict[str, float] = {}  # noqa: RUF012 - one receiver a process

    def do_POST(self) -> None:
        """Take one webhook."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if body["type"] == "alert.firing":
            self.arrived.setdefault(body["data"]["campaign_id"], time.monotonic())
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[str]:
    """Run the receiver; yield its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def measure(settings: Settings, campaigns: int, rate: int) -> dict[str, float]:
    """Return the percentiles in milliseconds from the acknowledged breach to the notice."""
    names = [f"breach-{number}" for number in range(campaigns)]
    now_ms = int(time.time() * 1000)
    write_history(settings, names, now_ms)
    seconds = campaigns + 10
    options = MixOptions("A", rate * seconds, customers=100_000, begin_ms=now_ms, span_ms=seconds * 1000)
    sendings = prepared(settings, mix_events(options), rate)
    await_watched(settings, names)
    background = threading.Thread(target=produce, args=(settings, sendings, rate), daemon=True)
    began = time.monotonic()
    background.start()
    accepted, accepted_wall = dict[str, float](), dict[str, float]()
    for number, name in enumerate(names):
        time.sleep(max(0.0, began + 5 + number - time.monotonic()))
        accepted[name] = breach(settings, name)
        accepted_wall[name] = time.time()
    background.join()
    reached = options.events / (time.monotonic() - began)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not accepted.keys() <= Receiver.arrived.keys():
        if time.monotonic() > deadline:
            missing = len(accepted.keys() - Receiver.arrived.keys())
            raise UserError(f"{missing} notices did not come within {_PATIENCE_SECONDS:.0f} s", "see the alerts' log")
        time.sleep(0.1)
    decided = decided_after(settings, accepted_wall)
    took = [Receiver.arrived[name] - at for name, at in accepted.items()]
    return {
        "wished_rate": rate,
        "rate": reached,
        "notices": len(took),
        "p50_ms": percentile(took, 0.5) * 1e3,
        "p99_ms": percentile(took, 0.99) * 1e3,
        "worst_ms": max(took) * 1e3,
        "decided_p50_ms": percentile(decided, 0.5) * 1e3,
        "decided_p99_ms": percentile(decided, 0.99) * 1e3,
        "turn_seconds": turn_seconds(settings),
    }


def decided_after(settings: Settings, accepted: dict[str, float]) -> list[float]:
    """Return the seconds from each acknowledged breach to the instant that its alert began to fire."""
    query = """
        SELECT campaign_id, toFloat64(min(changed_at)) AS at FROM alert_changes
        WHERE state = 'firing' AND startsWith(campaign_id, 'breach-') GROUP BY campaign_id
    """
    return [row["at"] - accepted[row["campaign_id"]] for row in Reader(settings).rows(query)]


def turn_seconds(settings: Settings) -> float:
    """Return how long the newest look at all campaigns took."""
    query = "SELECT argMax(JSONExtractFloat(body, 'turn_seconds'), beat) AS seconds FROM alert_leases"
    return float(Reader(settings).rows(query)[0]["seconds"])


def write_history(settings: Settings, names: list[str], now_ms: int) -> None:
    """Write definitions and what happened days ago; return when all of it is durable."""
    producer = EventProducer(settings)
    draw = random.Random(8)  # noqa: S311 - no secret
    for name in names:
        definition = {
            "campaign_id": name,
            "name": name,
            "starts_at": _instant(now_ms - 70 * _HOUR_MS),
            "ends_at": _instant(now_ms + 700 * _HOUR_MS),
            "goal": {"kinds": ["deposit"]},
            "attribution_window_days": 1,
            "hold_minutes": 0,
            "min_cost_minor": _MIN_COST_MINOR,
        }
        producer.send(CAMPAIGNS, name.encode(), json.dumps(definition).encode())
    producer.flush()
    for name in names:
        for customer in range(_CUSTOMERS):
            touched_ms = now_ms - _TOUCHED_HOURS * _HOUR_MS + customer * 60_000
            who = f"{name}-{customer}"
            touch = {"campaign_id": name, "channel": "app_push", "kind": "send", "cost_minor": 2_400}
            _send(producer, TOUCHES, who, touched_ms, touch)
            if customer < _CONVERTING:
                later_ms = touched_ms + int(draw.uniform(0.1, 6.0) * _HOUR_MS)
                amount = round(2_000 * draw.lognormvariate(0.0, 0.6))
                _send(
                    producer,
                    TRANSACTIONS,
                    who,
                    later_ms,
                    {
                        "kind": "deposit",
                        "amount_minor": amount,
                        "revenue_minor": amount,
                        "currency": "CNY",
                        "channel": "app",
                    },
                )
    producer.flush()


def breach(settings: Settings, name: str) -> float:
    """Write the cost event that completes a campaign's breach; return when the broker had it."""
    producer = EventProducer(settings)
    cost = {"campaign_id": name, "category": "media", "amount_minor": 100_000, "currency": "CNY"}
    now_ms = int(time.time() * 1000)
    _send(producer, COSTS, name, now_ms - (_TOUCHED_HOURS - 1) * _HOUR_MS, cost)
    producer.flush()
    return time.monotonic()


def await_watched(settings: Settings, names: list[str]) -> None:
    """Wait until everything is durable and has been looked at."""
    reader, progress = Reader(settings), LedgerProgress(settings)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    query = "SELECT count() AS seen FROM alerts WHERE startsWith(campaign_id, 'breach-') AND cost_minor >= 900000"
    query = query.replace("cost_minor", "JSONExtractInt(record, 'cost_minor')")
    while reader.rows(query)[0]["seen"] < len(names):
        if time.monotonic() > deadline:
            raise UserError(f"the campaigns were not looked at within {_PATIENCE_SECONDS:.0f} s", "see the alerts' log")
        progress.positions()
        time.sleep(0.2)


def _send(producer: EventProducer, topic: str, who: str, at_ms: int, values: dict[str, Any]) -> None:
    event = {"event_id": f"{who}-{at_ms}", "occurred_at": _instant(at_ms), **values}
    if topic != COSTS:
        event["customer_id"] = who
    producer.send(topic, who.encode(), json.dumps(event).encode())


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    """Measure on an instance of its own and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=30, help="one breaks every second")
    parser.add_argument("--rate", type=int, default=20_000, help="events per second beside")
    arguments = parser.parse_args()
    with receiving() as url:
        os.environ["ROI_RECEIVERS"] = json.dumps({"bench": {"url": f"webhook+{url}", "secret": _SECRET}})
        os.environ["ROI_ALERTS__RECEIVERS"] = '["bench"]'
        with running_broker("tansu") as bootstrap, running_instance(bootstrap, workers=1) as data:
            result = measure(load_settings(Path(data)), arguments.campaigns, arguments.rate)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
