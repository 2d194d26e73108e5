"""Beginning a run, or going on with one: all that can be wrong is found here, before the first record is read."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from pipeline.clickhouse.connection import connect
from pipeline.errors import UserError, WrongUsageError
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.ledger.rows import LIVE
from pipeline.policies import describe_policy, policy_of
from pipeline.replay.files import read_campaigns, read_profiles
from pipeline.replay.from_files import plan_files
from pipeline.replay.names import checked_name
from pipeline.replay.plan import FROM_FILES, FROM_TOPICS, Plan, differences
from pipeline.replay.record import OvertakenError, ReplayRecord, State, load_record, write_record
from pipeline.replay.survey import check_lives, check_range, live_positions, survey_topics
from pipeline.replay.what_if import settings_with
from pipeline.settings import load_settings
from schemas.instants import instant_text

if TYPE_CHECKING:
    from pipeline.ledger.ledger import LedgerPort
    from pipeline.replay.order import Order
    from pipeline.replay.plan import LogPart
    from pipeline.settings import Settings
    from pipeline.state.policy import Policy

OpenLedger = "Callable[[str], LedgerPort]"


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that is to be replayed now.

    Attributes:
        is_continued: whether some of it is durable already.
    """

    record: ReplayRecord
    policy: Policy
    is_continued: bool


def ledger_of(settings: Settings, run: str, owner: str = "") -> ClickHouseLedger:
    """Return a connection of its own to a run's ledger."""
    return ClickHouseLedger(connect(settings, "writer"), settings.clickhouse_database, run, owner)


def begin(settings: Settings, order: Order) -> Begun:
    """Begin the run that is asked for, or take up one that was begun.

    Args:
        settings: the installation's, with the order's overrides laid over them.
        order: what is asked for.

    Raises:
        UserError: the run cannot be begun or continued as asked; nothing was changed.
    """
    checked_name(order.run)
    if order.begin_ms is not None and order.end_ms is not None and order.begin_ms >= order.end_ms:
        raise WrongUsageError(
            f"the range is empty: it begins at {instant_text(order.begin_ms)} and ends at {instant_text(order.end_ms)}",
            "give a --to that is later than --from",
        )
    ledger, live = ledger_of(settings, order.run), ledger_of(settings, LIVE)
    known = load_record(ledger)
    if any(ledger.fetch("run_traces")[0]):
        return _continue(settings, order, ledger, known)
    definitions = None if order.campaigns is None else read_campaigns(order.campaigns)
    if order.customers is not None:
        read_profiles(order.customers)
    plan = make_plan(settings, order, live)
    policy = policy_for(settings, plan)
    record = ReplayRecord(plan, State.RUNNING, time.time_ns() // 1_000_000)
    write_record(ledger, record, is_new=True)
    ledger.begin(policy, describe_policy(settings))
    if definitions is None:
        if not plan.has_definitions:
            ledger.execute("copy_campaigns")
    else:
        texts = [text.decode() for text in definitions.values()]
        ledger.execute("write_run_campaigns", campaigns=list(definitions), definitions=texts)
    return Begun(record, policy, is_continued=False)


def extended(settings: Settings, begun: Begun) -> Begun | None:
    """Return a complete run to be replayed on up to where live has come by now, None where nothing is new."""
    plan = begun.record.plan
    logs = _up_to_live(plan.logs, ledger_of(settings, LIVE))
    if logs == plan.logs:
        return None
    record = replace(begun.record, plan=msgspec.structs.replace(plan, logs=logs), state=State.RUNNING, cause="")
    write_record(ledger_of(settings, plan.run), record)
    return Begun(record, begun.policy, is_continued=True)


def _up_to_live(logs: tuple[LogPart, ...], live: LedgerPort) -> tuple[LogPart, ...]:
    """Return logs that end where live has durably read to; those of another life of their topic stay as they are."""
    read = live_positions(live, LIVE)
    found = []
    for log in logs:
        position, topic_id = read.get(log.tp, (log.start, log.topic_id))
        found.append(msgspec.structs.replace(log, end=max(log.start, position)) if topic_id == log.topic_id else log)
    return tuple(found)


def resumed(run: str, began_ms: int) -> tuple[Settings, Begun]:
    """Return a run that another process has begun, and the settings it counts by.

    Raises:
        OvertakenError: it was dropped; what has its name now, if anything, is another one.
    """
    known = load_record(ledger_of(load_settings(), run))
    if known is None or known.began_ms != began_ms:
        raise OvertakenError(run)
    settings = settings_with(known.plan.overrides)
    return settings, Begun(known, policy_for(settings, known.plan), is_continued=True)


def policy_for(settings: Settings, plan: Plan) -> Policy:
    """Return how a plan's run counts."""
    return replace(policy_of(settings), span=plan.span, ids_are_pseudonyms=plan.has_pseudonyms)


def make_plan(settings: Settings, order: Order, live: LedgerPort) -> Plan:
    """Return what is to be done for an order.

    Raises:
        UserError: the topics do not hold what was asked for.
    """
    if order.inputs:
        return _ordered(plan_files(settings, order, live), order)
    survey = survey_topics(settings, live)
    check_range(settings, survey, order.begin_ms, live)
    logs = _up_to_live(survey.logs, live) if order.ends_with_live else survey.logs
    return _ordered(Plan(order.run, FROM_TOPICS, logs, survey.tables, survey.partition_counts), order)


def _ordered(plan: Plan, order: Order) -> Plan:
    """Return a plan with what an order asks for."""
    return msgspec.structs.replace(
        plan,
        source=FROM_FILES if order.inputs else FROM_TOPICS,
        begin_ms=order.begin_ms,
        end_ms=order.end_ms,
        overrides=order.overrides,
        campaigns=str(order.campaigns or ""),
        customers=str(order.customers or ""),
        inputs=tuple(str(path.absolute()) for path in order.inputs),
        topic=order.topic,
    )


def _continue(settings: Settings, order: Order, ledger: LedgerPort, known: ReplayRecord | None) -> Begun:
    run = order.run
    if known is None:
        raise UserError(f"{run!r} is a run that no replay has begun", "choose another name")
    if known.is_alive:
        raise UserError(f"run {run} is being replayed now", "wait for its end (roi runs list), or choose another name")
    if known.state is State.DROPPING:
        raise UserError(f"run {run} is half removed", f"roi runs drop {run} removes the rest")
    if not order.is_resumed:
        remedy = f"remove it (roi runs drop {run}) or choose another name"
        if known.state is not State.COMPLETE:
            remedy = f"go on with it (--resume), {remedy}"
        raise UserError(f"there is a run {run} already ({known.standing})", remedy)
    asked = _ordered(known.plan, order)
    if found := differences(known.plan, asked):
        raise UserError(
            f"run {run} was begun otherwise: {'; '.join(found)}", "resume it as it was begun, or choose another name"
        )
    policy = policy_for(settings, known.plan)
    if known.state is not State.COMPLETE and known.plan.source == FROM_TOPICS:
        check_lives(settings, known.plan)
    ledger.begin(policy, describe_policy(settings))
    record = known if known.state is State.COMPLETE else replace(known, state=State.RUNNING, cause="", silent_ms=0)
    if record.state is State.RUNNING:
        write_record(ledger, record)
    return Begun(record, policy, is_continued=True)
