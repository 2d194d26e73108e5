"""`roi replay`: what the topics hold, counted anew into a run of its own."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pipeline.cli import options
from pipeline.cli.boundary import FAILED, INTERRUPTED
from pipeline.cli.instants import instant_ms
from pipeline.cli.terminal import printable
from pipeline.cli.verifying import check_run, verified
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from pipeline.replay.order import Order
    from pipeline.replay.process import Ended
    from pipeline.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        name="replay",
        epilog=options.example("roi replay --run window-3 --set attribution.window_days=3 --from 2026-03-01"),
    )(_replay)


def _replay(
    run: Annotated[str, typer.Option("--run", metavar="NAME", help="The run that is filled.", show_default=False)],
    begin: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Count events from this time or business day on.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="T", help="Count events before this time or business day.")
    ] = None,
    campaigns: Annotated[
        Path | None,
        typer.Option(
            "--campaigns", metavar="FILE", help="Definitions in place of the topic's, as `roi campaigns apply`."
        ),
    ] = None,
    customers: Annotated[
        Path | None,
        typer.Option("--customers", metavar="FILE", help="Profiles in place of the topic's, one JSON a line."),
    ] = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", metavar="FILE", help="Files in place of the topics: NDJSON, Parquet, an archive; repeatable."
        ),
    ] = None,
    topic: Annotated[
        str, typer.Option("--topic", metavar="T", help="Topic of every record of --input, as for `roi ingest`.")
    ] = "auto",
    model: Annotated[str | None, typer.Option("--model", metavar="M", help="The attribution model.")] = None,
    models: Annotated[
        str | None, typer.Option("--models", metavar="M,M…", help="Attribution models side by side, the first decides.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another setting for this run; repeatable.")
    ] = None,
    parallel: Annotated[
        int, typer.Option("--parallel", metavar="N", min=1, max=64, help="Processes; each takes some partitions.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a replay that has not finished.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Then compare every view row for row; exit code 1 for a difference.")
    ] = False,
    against: Annotated[
        str | None, typer.Option("--against", metavar="RUN", help="What --verify compares with; default: live.")
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Count what the topics hold into a run of its own; live numbers, positions and receivers stay as they are.

    Same settings, same numbers: every view shows the run's rows under its name. Ctrl-C takes them away again.
    """
    from pipeline.replay.order import Order
    from pipeline.replay.what_if import expect_effect, parse_overrides, settings_with
    from schemas.topics import INPUT_TOPICS

    if model is not None and models is not None:
        raise typer.BadParameter("give --model or --models, not both")
    if against is not None and not verify:
        raise typer.BadParameter("it says what --verify compares with", param_hint="--against")
    if topic not in {"auto", *INPUT_TOPICS}:
        raise typer.BadParameter(f"must be auto or one of {', '.join(INPUT_TOPICS)}", param_hint="--topic")
    if topic != "auto" and not inputs:
        raise typer.BadParameter("it says of which topic the records of --input are", param_hint="--topic")
    if len({path.resolve() for path in inputs or ()}) < len(inputs or ()):
        raise typer.BadParameter("a file is given twice", param_hint="--input")
    overrides = parse_overrides(changes or [], model, _names(models))
    settings = settings_with(overrides, data)
    expect_effect(overrides, settings)
    order = Order(
        run,
        None if begin is None else instant_ms(begin, "--from", settings.time.zone),
        None if end is None else instant_ms(end, "--to", settings.time.zone),
        overrides,
        campaigns,
        customers,
        tuple(inputs or ()),
        topic,
        is_resumed=resume,
        ends_with_live=verify and (against or LIVE) == LIVE,
    )
    if against is not None:
        check_run(settings, against)
    answer = _carry_out(settings, order, parallel, as_json=as_json)
    if verify:
        answer["verify"] = verified(settings, run, against or LIVE, parallel, is_quiet=as_json)
    if as_json:
        typer.echo(printable(json.dumps(answer, ensure_ascii=False, default=str)))
    if verify and not answer["verify"]["equal"]:
        raise typer.Exit(FAILED)


def _names(models: str | None) -> list[str]:
    names = [name.strip() for name in (models or "").split(",") if name.strip()]
    if models is not None and not names:
        raise typer.BadParameter("it names no model: write linear,last_touch", param_hint="--models")
    return names


def _carry_out(settings: Settings, order: Order, parallel: int, *, as_json: bool) -> dict[str, Any]:
    """Replay, tell people how it ended, and return it for programs."""
    import logging
    import time

    from pipeline.cli.progress import rated_progress
    from pipeline.replay.beginning import begin
    from pipeline.replay.process import quiet_clients, replay
    from pipeline.replay.record import State

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    quiet_clients()
    begun = begin(settings, order)
    if order.is_resumed and not begun.is_continued:
        typer.echo(f"there was nothing of run {order.run}: it begins anew", err=True)
    if begun.record.state is State.COMPLETE:
        if not as_json:
            typer.echo(f"run {order.run} is complete already")
        return {"run": order.run, "state": State.COMPLETE, "records": 0, "seconds": 0.0}
    started = time.monotonic()
    with rated_progress(f"replaying {order.run}", "records", begun.record.plan.records) as show:
        ended = replay(settings, begun, parallel, show)
    seconds = time.monotonic() - started
    answer = {"run": order.run, "state": ended.state, "records": ended.records, "seconds": round(seconds, 3)}
    if ended.state is not State.COMPLETE:
        _leave_unfinished(order.run, ended, json.dumps(answer) if as_json else "")
    if not as_json:
        rate = ended.records / max(seconds, 1e-9)
        typer.echo(f"run {order.run}: {ended.records:,} records replayed in {seconds:.1f} s ({rate:,.0f}/s)")
    return answer


def _leave_unfinished(run: str, ended: Ended, answer: str) -> NoReturn:
    from pipeline.ending import leave

    if answer:
        typer.echo(answer)
    if ended.problem is not None:
        typer.echo(f"error: {ended.problem}", err=True)
        leave(FAILED)
    if ended.state is None:
        typer.echo(f"cancelled: nothing of run {run} is left", err=True)
        leave(INTERRUPTED)
    typer.echo(f"stopped: what run {run} has counted stays; go on with it by --resume", err=True)
    leave(FAILED)
