"""Asks Kafka now and then where the logs end, in a thread of its own: no look at campaigns waits for a broker."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from pipeline.errors import PipelineError
from pipeline.operations.lag import log_ends

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.alerts.fault_history import Ends
    from pipeline.operations.lag import LogEnds
    from pipeline.settings import Settings

_SHARE: Final = 1 / 30  # of the lag that is a fault
_SHORTEST_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 10.0
_log = logging.getLogger(__name__)


class LogWatch:
    """Implements `pipeline.alerts.ledger_faults.LogEndsSource`; the thread begins with the first question.

    Args:
        settings: the broker, and how much lag is a fault.
        ask: the question.
    """

    def __init__(self, settings: Settings, ask: Callable[[Settings], LogEnds] = log_ends) -> None:
        self._settings = settings
        self._ask = ask
        self._pause = min(max(_SHORTEST_SECONDS, _SHARE * settings.alerts.lag_seconds), _LONGEST_SECONDS)
        self._newest: tuple[float, Ends] | None = None
        self._thread: threading.Thread | None = None

    def newest(self) -> tuple[float, Ends] | None:
        """Return the newest answer of Kafka and when it came; None before the first."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="log-watch", daemon=True)
            self._thread.start()
        return self._newest

    def _run(self) -> None:
        is_told = False
        while True:
            try:
                found = self._ask(self._settings)
            except PipelineError as error:
                if not is_told:
                    _log.warning("lag not measured (%s), trying again", error)
                is_told = True
            else:
                ends: Ends = {
                    (topic, found.topic_ids[topic], number): end for (topic, number), end in found.ends.items()
                }
                self._newest, is_told = (time.monotonic(), ends), False
            time.sleep(self._pause)
