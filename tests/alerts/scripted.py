"""The service as a process that a test scripts and stops: `python -m tests.alerts.scripted DIRECTORY`.

The store, the broker, the service and delivery are real. Looks come from DIRECTORY/looks.json, read anew at every turn.
ROI_TEST_HALT=STEP:WHEN:N kills the process (SIGKILL) before or after the N-th time of a step.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.alerts.delivery.senders import open_senders
from pipeline.alerts.delivery.webhooks import WebhookChannel
from pipeline.alerts.publishing import KafkaPublisher
from pipeline.alerts.service import Parts, serve
from pipeline.alerts.store import ClickHouseAlertStore
from pipeline.alerts.telemetry import AlertTelemetry
from pipeline.clickhouse.connection import connect
from pipeline.ending import Ending, run_until_ended
from pipeline.settings import load_settings
from tests.alerts.building import AT_ONCE, RULE, T0, look

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.alerts.delivery.outcomes import Outcome
    from pipeline.alerts.log import Notification
    from pipeline.alerts.record import AlertRecord, Look
    from pipeline.alerts.store import AlertStore
    from pipeline.settings import Settings

STEPS = ("lease", "claim", "load", "look", "write", "beat", "actions", "publish", "send")


class Halting:
    """Kills this process at the step that ROI_TEST_HALT names."""

    def __init__(self, where: str) -> None:
        self._step, self._when, number = (where or "never:before:0").split(":")
        self._number = int(number)
        self._passed: Counter[str] = Counter()

    def around(self, step: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def halting(*arguments: Any, **named: Any) -> Any:
            is_here = self._begin(step)
            answer = call(*arguments, **named)
            if is_here:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return halting

    def around_delivery(self) -> None:
        """Halt at sending too: before a receiver has got a message, or after it has and before that is written."""
        deliver = WebhookChannel.deliver

        async def halting(channel: WebhookChannel, notices: Sequence[Notification]) -> Outcome:
            is_here = self._begin("send")
            outcome = await deliver(channel, notices)
            if is_here:
                os.kill(os.getpid(), signal.SIGKILL)
            return outcome

        channels: Any = WebhookChannel
        channels.deliver = halting

    def _begin(self, step: str) -> bool:
        self._passed[step] += 1
        is_here = step == self._step and self._passed[step] == self._number
        if is_here and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        return is_here


class ScriptedLooks:
    """Looks as a file says: campaign → [outcome, minutes after T0, whether it fires at once]."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.noted: dict[str, Any] = {}

    def go_on_from(self, noted: Mapping[str, Any]) -> None:
        self.noted = dict(noted)

    def look(self, records: Mapping[str, AlertRecord]) -> Sequence[Look]:
        del records
        script: dict[str, tuple[Any, int, bool]] = json.loads(self._path.read_text())
        return [
            look(outcome, T0 + minutes * 60_000, held_hours=2, campaign_id=name, rule=AT_ONCE if at_once else RULE)
            for name, (outcome, minutes, at_once) in script.items()
        ]


async def _run(settings: Settings, directory: Path, stop: asyncio.Event) -> None:
    halting = Halting(os.environ.get("ROI_TEST_HALT", ""))

    async def open_store(owner: str) -> AlertStore:
        store = ClickHouseAlertStore(connect(settings, "writer"), settings.clickhouse_database, owner)
        for step in ("lease", "claim", "load", "write", "beat", "actions"):
            setattr(store, step, halting.around(step, getattr(store, step)))
        return store

    looks, publisher = ScriptedLooks(directory / "looks.json"), KafkaPublisher(settings)
    looks.look = halting.around("look", looks.look)  # type: ignore[method-assign] # stopped there
    publisher.publish = halting.around("publish", publisher.publish)  # type: ignore[method-assign] # likewise
    telemetry = AlertTelemetry()
    halting.around_delivery()
    await serve(settings, Parts(open_store, looks, publisher, open_senders(settings, telemetry), telemetry), stop)


def main() -> int:
    faulthandler.register(signal.SIGUSR1)  # tells where a process that hangs hangs
    ending = Ending()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return run_until_ended(partial(_run, load_settings(), Path(sys.argv[1])), ending, 2.0)


if __name__ == "__main__":
    sys.exit(main())
