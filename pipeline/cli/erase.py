"""`roi erase`: everything about one customer goes, and stays away."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from pipeline.clickhouse.reader import Reader

_POLL_SECONDS: Final = 0.1
_ERASURE: Final = """
    SELECT customer_hash, state, touches, transactions, logins, credits, adjustments, profiles, requests[1] AS first
    FROM erasures WHERE run = 'live' AND has(requests, {request:String})
"""
_STAGES: Final = ("", "begun", "subtracted", "done")
_KINDS: Final = ("touches", "transactions", "logins", "credits", "adjustments", "profiles")
_REPLAYED: Final = "SELECT run FROM run_states WHERE state != 'live' ORDER BY run"
_NOTE: Final = (
    "The records themselves are Kafka's to expire: those in the input topics and their dead-letter topics go after the "
    "topics' retention, the id in bank.customers.v1 goes with compaction."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="erase", epilog=options.example("roi erase c-1029 --data data"))(_erase)


def _erase(
    customer: Annotated[
        str,
        typer.Argument(
            metavar="CUSTOMER",
            show_default=False,
            help="The customer's id; - reads it from standard input, so that it stays out of the shell's history.",
        ),
    ],
    timeout: Annotated[float, typer.Option("--timeout", min=0, metavar="S", help="Give up after S seconds.")] = 300,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Remove a customer: state, rows and share of every number. Later events are left out until a new profile comes.

    Exit code 0 also when nothing was known of the customer, or when an earlier erasure holds.
    """
    from pipeline.clickhouse.reader import Reader

    key = _key(customer)
    settings = options.settings_for(data)
    reader = Reader(settings)
    started = time.monotonic()
    request = _send(settings, key)
    row = _wait(reader, request, started + timeout)
    counts = {kind: row[kind] for kind in _KINDS}
    again = row["first"] != request
    # of one who is erased already, runs that were replayed since hold nothing
    replayed = [] if again else [found["run"] for found in reader.rows(_REPLAYED)]
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "customer_hash": row["customer_hash"],
                    "erased_before": again,
                    "removed": counts,
                    "replayed_runs": replayed,
                    "note": _NOTE,
                    "seconds": round(time.monotonic() - started, 3),
                }
            )
        )
    else:
        typer.echo("\n".join([_said(counts, again=again), _NOTE, *_kept_in(replayed)]))


def _key(customer_id: str) -> bytes:
    """Return the key of the customer's records; ``-`` reads the id from stdin.

    Raises:
        UserError: no customer can have this id.
    """
    from pipeline.errors import UserError
    from schemas.decode import decode_customer
    from schemas.judge import RejectedError

    try:
        key = (sys.stdin.readline().rstrip("\r\n") if customer_id == "-" else customer_id).encode()
        decode_customer(key, None)
    except (UnicodeError, RejectedError) as error:
        # the id is never repeated: error lines are logged
        raise UserError("this is no customer's id", "an id has 1 to 64 characters") from error
    return key


def _send(settings: Any, key: bytes) -> str:
    """Ask for the erasure; return the request's name once Kafka has it."""
    import uuid

    from pipeline.transport.dimensions import ERASE_HEADER
    from pipeline.transport.producer import EventProducer
    from schemas.topics import CUSTOMERS

    request = uuid.uuid4().hex
    producer = EventProducer(settings)
    producer.send(CUSTOMERS, key, None, headers=[(ERASE_HEADER, request.encode())])
    producer.flush()
    return request


def _wait(reader: Reader, request: str, deadline: float) -> dict[str, Any]:
    """Return the erasure's row once it is done.

    Raises:
        UserError: ``deadline`` (monotonic seconds) has passed.
    """
    from pipeline.cli.progress import progress_bar
    from pipeline.errors import UserError

    with progress_bar("erasing", "stages") as show:
        while True:
            rows = reader.rows(_ERASURE, {"request": request})
            state = rows[0]["state"] if rows else ""
            if state in {"done", "revived"}:
                return rows[0]
            show(_STAGES.index(state), len(_STAGES) - 1)
            if time.monotonic() >= deadline:
                raise UserError(
                    f"not erased in time: the request is {state or 'not yet read by a worker'}",
                    "see that workers run (roi status); the request holds, and asking again does no harm",
                )
            time.sleep(_POLL_SECONDS)


def _said(counts: dict[str, int], *, again: bool) -> str:
    if again:
        return "this customer is erased already; later events stay left out until a new profile comes"
    removed = [f"{count:,} {kind if count != 1 else _singular(kind)}" for kind, count in counts.items() if count]
    done = f"erased: {', '.join(removed)}" if removed else "nothing was known of this customer"
    return f"{done}; later events are left out until a new profile comes"


def _kept_in(runs: list[str]) -> list[str]:
    """Return what has to be said of runs that replays have filled: nobody counts in them any more."""
    if not runs:
        return []
    drops = "; ".join(f"roi runs drop {run}" for run in runs)
    return [f"Runs that were replayed before keep what they counted of this customer, under the hash: {drops}"]


def _singular(kind: str) -> str:
    return "touch" if kind == "touches" else kind.removesuffix("s")
