"""The second half of `roi replay --verify`: the run held against live, or against another run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.boundary import INTERRUPTED

if TYPE_CHECKING:
    from pipeline.settings import Settings


def check_run(settings: Settings, run: str) -> None:
    """Return if there is such a run; asked before a long replay.

    Raises:
        UserError: there is none; the message names those that are there.
    """
    from pipeline.clickhouse.reader import Reader
    from pipeline.comparison.grounds import check_runs

    check_runs(Reader(settings), settings.clickhouse_database, run)


def verified(settings: Settings, run: str, against: str, parallel: int, *, is_quiet: bool) -> dict[str, Any]:
    """Compare a complete run with another, print the answer unless that is left to the caller, and return it.

    What live goes on with meanwhile is replayed after.

    Args:
        settings: those that the run counts by.
        run: its name.
        against: what it is compared with.
        parallel: processes that replay what live has gone on with.
        is_quiet: print nothing.
    """
    from pipeline.cli.comparison_text import print_verification
    from pipeline.cli.progress import progress_bar
    from pipeline.clickhouse.reader import Reader
    from pipeline.comparison.erased import ErasedCustomers
    from pipeline.comparison.verifying import verify
    from pipeline.ending import leave
    from pipeline.replay.beginning import Begun, extended, ledger_of, policy_for
    from pipeline.replay.plan import FROM_TOPICS
    from pipeline.replay.process import replay
    from pipeline.replay.record import State, load_record
    from pipeline.replay.survey import live_positions

    ledger = ledger_of(settings, run)

    def ahead() -> int:
        record = load_record(ledger)
        if record is None or against != "live":
            return 0
        read = live_positions(ledger, against)
        ends = {log.tp: log.end for log in record.plan.logs if read.get(log.tp, (0, ""))[1] == log.topic_id}
        return sum(max(0, read[tp][0] - end) for tp, end in ends.items())

    def go_on() -> None:
        record = load_record(ledger)
        if record is None or record.plan.source != FROM_TOPICS:
            return
        more = extended(settings, Begun(record, policy_for(settings, record.plan), is_continued=True))
        if more is not None and replay(settings, more, parallel, lambda _done: None).state is not State.COMPLETE:
            typer.echo(f"the comparison was ended: what run {run} has counted may be gone (roi runs list)", err=True)
            leave(INTERRUPTED)

    with progress_bar(f"comparing {run} with {against}", "views") as show:
        reader = Reader(settings)
        found = verify(
            reader,
            settings.clickhouse_database,
            against,
            run,
            ahead=ahead,
            go_on=go_on,
            erased=lambda: ErasedCustomers(reader, settings, against),
            on_view=show,
        )
    if not is_quiet:
        print_verification(found)
    return found.answer()
