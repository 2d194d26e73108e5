"""``python -m tests.support.faulty_worker``: a worker whose state core fails, half done, on every marked event."""

from __future__ import annotations

import sys
from typing import Any, Final

from pipeline.settings import load_settings
from pipeline.state.customers import CustomerShard
from pipeline.worker.main import run

MARK: Final = "poison"
QUOTED: Final = "customer ann"


class PoisonError(Exception):
    """What our code raises over a marked record; its text quotes a customer."""


class FaultyCore(CustomerShard):
    """Applies batches as the real core does, and fails when it has, if one of the events is marked."""

    def apply(self, topic: str, columns: Any, now_ms: int | None) -> Any:
        refusals = super().apply(topic, columns, now_ms)
        if any(event_id.startswith(MARK) for event_id in columns.event_id):
            raise PoisonError(QUOTED)
        return refusals


def main() -> int:
    from pipeline.worker import cores

    vars(cores)["CustomerShard"] = FaultyCore  # where a worker gets its plain cores
    settings = load_settings()
    return run(settings.model_copy(update={"worker": settings.worker.model_copy(update={"core": "plain"})}))


if __name__ == "__main__":
    sys.exit(main())
