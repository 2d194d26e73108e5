"""`roi ab --assign`: customers in, `assign` touches out."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer

from pipeline.cli.instants import instant_ms
from pipeline.errors import UserError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.experiments.assignment import AssignmentPlan
    from pipeline.settings import Settings

_LONGEST_ID: Final = 64
_BYTE_ORDER_MARK: Final = "\ufeff"
_SHARES: Final = "write control=0.1,A=0.9"


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        shares: ``V=W,…``; None = the definition's.
        control: None = the definition's, or ``control`` with ``shares``.
        at: the touches' time; None = now.
    """

    campaign_id: str
    run: str
    shares: str | None
    salt: str
    control: str | None
    at: str | None


def assign_customers(settings: Settings, order: Order, path: Path) -> None:
    """Print one `assign` touch a customer, as NDJSON for `roi ingest --topic bank.touches.v1`.

    The touch of a customer has the same event_id whenever it is made: what is handed in twice counts once.

    Raises:
        typer.BadParameter: the shares or the campaign's id are none.
        UserError: the shares are not known, the control has none, or a line is no customer id.
    """
    import time

    from schemas.instants import instant_text

    plan = _plan(settings, order)
    now = time.time_ns() // 1_000_000
    occurred_at = instant_text(now if order.at is None else instant_ms(order.at, "--at", settings.time.zone))
    for customer_id in _customers(path):
        touch = {
            "event_id": _event_id(plan, customer_id),
            "occurred_at": occurred_at,
            "customer_id": customer_id,
            "campaign_id": plan.campaign_id,
            "variant": plan.variant_of(customer_id),
            "channel": "assignment",
            "kind": "assign",
        }
        typer.echo(json.dumps(touch, ensure_ascii=False))


def _plan(settings: Settings, order: Order) -> AssignmentPlan:
    from pipeline.experiments.assignment import AssignmentPlan

    if not _is_name(order.campaign_id):
        raise typer.BadParameter(f"{order.campaign_id[:80]!r} is no id that touches may have", param_hint="CAMPAIGN")
    if order.shares is not None:
        weights, control = parse_shares(order.shares), order.control or "control"
    else:
        from pipeline.clickhouse.connection import connect
        from pipeline.clickhouse.reader import Reader
        from pipeline.experiments.asking import planned_weights
        from pipeline.ledger.ledger import ClickHouseLedger
        from pipeline.operations.runs import check_run

        check_run(Reader(settings), settings.clickhouse_database, order.run)
        port = ClickHouseLedger(connect(settings, "reader"), settings.clickhouse_database, order.run, "")
        weights, known = planned_weights(port, order.campaign_id)
        control = order.control or known
    if order.control is not None and order.control not in weights:
        error = UserError if order.shares is None else WrongUsageError
        raise error(f"--control {order.control!r} is none of the variants", f"name one of {', '.join(sorted(weights))}")
    experiments = settings.experiments
    return AssignmentPlan(
        order.campaign_id,
        weights,
        control,
        order.salt,
        standing_share=experiments.standing_share,
        standing_salt=experiments.standing_salt,
    )


def parse_shares(text: str) -> dict[str, float]:
    """Return weights by variant from ``V=W,…``.

    Raises:
        typer.BadParameter: they are not of that form, or nobody can be assigned by them.
    """
    from pipeline.experiments.assignment import can_assign

    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, weight = part.strip().partition("=")
        if equals and not _is_name(name):
            raise _wrong_shares(f"{name[:80]!r} is no name that a variant may have")
        if name in weights:
            raise _wrong_shares(f"{name!r} has two weights")
        try:
            weights[name] = float(weight)
        except ValueError as error:
            raise _wrong_shares(f"{part.strip()[:80]!r} is not VARIANT=WEIGHT") from error
    if not can_assign(weights):
        raise _wrong_shares(f"{text[:80]!r} does not name two variants with weights above 0")
    return weights


def _wrong_shares(cause: str) -> typer.BadParameter:
    return typer.BadParameter(f"{cause}: {_SHARES}", param_hint="--shares")


def _is_name(text: str) -> bool:
    """Tell whether touches may have it as a campaign's id, or as a variant: ingestion refuses others."""
    from schemas.common import CASED_TOKEN_PATTERN

    return re.fullmatch(CASED_TOKEN_PATTERN, text) is not None


def _event_id(plan: AssignmentPlan, customer_id: str) -> str:
    import hashlib

    text = f"{plan.campaign_id}\0{plan.salt}\0{customer_id}"
    return f"assign-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _customers(path: Path) -> Iterator[str]:
    try:
        source = sys.stdin if str(path) == "-" else path.open(encoding="utf-8")
        with source:
            for number, line in enumerate(source, start=1):
                customer_id = line.strip().removeprefix(_BYTE_ORDER_MARK).lstrip()
                customer_id.encode()  # in stdin other bytes may come as halves of characters
                if not customer_id:
                    continue
                if len(customer_id) > _LONGEST_ID:
                    raise UserError(f"{path}:{number}: a customer id has 1 to {_LONGEST_ID} characters", "correct it")
                yield customer_id
    except (OSError, UnicodeError) as error:
        raise UserError(f"{path} cannot be read as UTF-8 text", "name a file with one customer id a line") from error
