"""The record of a replay: what it was asked for and how far it has come (table `replays`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import UserError
from pipeline.replay.plan import FROM_FILES, Plan

if TYPE_CHECKING:
    from pipeline.ledger.ledger import LedgerPort

BEAT_SECONDS: Final = 2.0
SILENT_MS: Final = 15_000
"""A run without a sign of life for so long is not being replayed any more."""


class OvertakenError(UserError):
    """The run is somebody else's now: its record is theirs to keep, too."""

    def __init__(self, run: str) -> None:
        super().__init__(f"run {run} was taken over by another replay, or dropped", "see: roi runs list")


class State(StrEnum):
    """How a replay stands."""

    RUNNING = "running"
    STOPPED = "stopped"  # asked to, what is durable stays
    COMPLETE = "complete"
    FAILED = "failed"
    DROPPING = "dropping"


@dataclass(frozen=True, slots=True)
class ReplayRecord:
    """One replay.

    Attributes:
        silent_ms: time since the last sign of life.
        events: records that are durable.
    """

    plan: Plan
    state: State
    began_ms: int
    events: int = 0
    cause: str = ""
    silent_ms: int = 0

    @property
    def is_alive(self) -> bool:
        """Whether somebody works on it now."""
        return self.state in {State.RUNNING, State.DROPPING} and self.silent_ms < SILENT_MS

    @property
    def standing(self) -> str:
        """How the run stands, in the words of `roi runs list` (the view ``run_states``)."""
        return "interrupted" if self.state is State.RUNNING and not self.is_alive else self.state


def load_record(ledger: LedgerPort) -> ReplayRecord | None:
    """Return the record of the ledger's run, None where there is none."""
    for state, plan, _, _, events, cause, began_ms, silent_ms in ledger.fetch("replay_record"):
        return ReplayRecord(Plan.decoded(plan), State(state), began_ms, events, cause, silent_ms)
    return None


def write_record(ledger: LedgerPort, record: ReplayRecord, *, is_new: bool = False) -> None:
    """Store a record as it is now, with a sign of life; one that is not new must still be there."""
    plan = record.plan
    ledger.execute(
        "write_replay",
        state=str(record.state),
        plan=plan.encoded(),
        settings=json.dumps(changed(plan), ensure_ascii=False),
        from_ms="" if plan.begin_ms is None else str(plan.begin_ms),
        to_ms="" if plan.end_ms is None else str(plan.end_ms),
        total=plan.records,
        events=record.events,
        cause=record.cause,
        began_ms=record.began_ms,
        is_new=int(is_new),
    )


def changed(plan: Plan) -> dict[str, Any]:
    """Return what a run counts with that differs from the installation."""
    found: dict[str, Any] = dict(plan.overrides)
    if plan.campaigns:
        found["campaigns"] = plan.campaigns
    if plan.customers:
        found["customers"] = plan.customers
    if plan.source == FROM_FILES:
        found["input"] = list(plan.inputs)
    return found
