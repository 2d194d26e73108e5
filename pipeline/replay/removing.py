"""Taking a run out of the database: everything that is stored under its name, in whatever table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.ledger.rows import LIVE
from pipeline.replay.names import checked_name
from pipeline.replay.record import ReplayRecord, State, load_record, write_record

if TYPE_CHECKING:
    from pipeline.ledger.ledger import LedgerPort


def drop_run(ledger: LedgerPort, run: str) -> None:
    """Remove a run that nobody works on.

    Raises:
        UserError: it is live, is not there, or is being replayed now.
    """
    if run == LIVE:
        raise UserError("the live run is not dropped", "name a replay: roi runs list")
    checked_name(run)
    record = load_record(ledger)
    if record is not None and record.is_alive and record.state is State.RUNNING:
        raise UserError(f"run {run} is being replayed now", "end that replay first")
    if not any(ledger.fetch("run_traces")[0]):
        raise UserError(f"there is no run {run!r}", "roi runs list names those that are there")
    remove_run(ledger, record)


def remove_run(ledger: LedgerPort, record: ReplayRecord | None) -> None:
    """Remove everything of the ledger's run; interrupted, it can be repeated.

    Whoever still works on it is fenced first, and their blocks are waited for. The record goes last.
    """
    if record is not None:
        write_record(ledger, replace(record, state=State.DROPPING))
    shards = [shard for (shard,) in ledger.fetch("run_shards")]
    if shards:
        ledger.claim(shards)
    for (table,) in ledger.fetch("run_tables"):
        ((rows,),) = ledger.fetch("run_rows", table=table)
        if rows:
            ledger.execute("drop_run_rows", table=table)
