"""The second half of `roi replay --verify`: the run held against live, or against another run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def verified(settings: Settings, run: str, against: str, *, is_quiet: bool) -> dict[str, Any]:
    """Compare a complete run with another, print the answer unless that is left to the caller, and return it."""
    from pipeline.cli.comparison_text import print_verification
    from pipeline.cli.progress import progress_bar
    from pipeline.clickhouse.reader import Reader
    from pipeline.comparison.verifying import verify
    from pipeline.replay.beginning import ledger_of
    from pipeline.replay.record import load_record
    from pipeline.replay.survey import live_positions

    ledger = ledger_of(settings, run)

    def ahead() -> int:
        record = load_record(ledger)
        if record is None or against != "live":
            return 0
        read = live_positions(ledger, against)
        ends = {log.tp: log.end for log in record.plan.logs if read.get(log.tp, (0, ""))[1] == log.topic_id}
        return sum(max(0, read[tp][0] - end) for tp, end in ends.items())

    with progress_bar(f"comparing {run} with {against}", "views") as show:
        found = verify(Reader(settings), settings.clickhouse_database, against, run, ahead=ahead, on_view=show)
    if not is_quiet:
        print_verification(found)
    return found.answer()
