"""`roi doctor`: what is set, what answers, and what to mend."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import typer

from pipeline.cli import options
from pipeline.cli.versions import versions
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from pipeline.settings import Settings

_PASSWORD: Final = re.compile(r"(://)[^/@\s]*@")  # in an address that is no secret otherwise
_UNKNOWN: Final = "not all of it could be looked at: what failed above, or below, comes first"
_CLOCK_SECONDS: Final = 5.0  # more than this apart, "from the future" starts to hit honest events


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    check: str
    state: Literal["ok", "warning", "failed"]
    detail: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="doctor", epilog=options.example("roi doctor --data data"))(_doctor)


def _doctor(as_json: options.Json = False, data: options.Data = None) -> None:
    """Print the settings, secrets masked, and check Kafka, ClickHouse, clock and files; exit code 1 if one fails."""
    from pipeline.cli.output import Column, print_rows

    settings = options.settings_for(data)
    findings = [
        *_attempt("data directory", lambda: check_directory(data)),
        *_attempt("ClickHouse", lambda: _check_clickhouse(settings)),
        *_attempt("Kafka", lambda: _check_kafka(settings)),
        *_attempt("health", lambda: _check_health(settings, data)),
        *_attempt("ledger", lambda: check_ledger(settings)),
        *check_variables(),
        check_pseudonym_key(settings),
        check_currency(settings),
        check_core(settings),
        *check_receivers(settings),
        *_check_named_receivers(settings),
        *_check_deliveries(settings),
    ]
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "versions": versions(),
                    "settings": masked(settings),
                    "checks": [asdict(finding) for finding in findings],
                },
                indent=2,
            )
        )
    else:
        named = [{"name": name, "value": value} for name, value in (masked(settings) | versions()).items()]
        print_rows(named, (Column("name", "Setting"), Column("value", "Value")), as_json=False, empty="")
        columns = (Column("check", "Check"), Column("state", "State"), Column("detail", "Detail"))
        print_rows([asdict(finding) for finding in findings], columns, as_json=False, empty="")
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)


def masked(settings: BaseModel, prefix: str = "ROI_") -> dict[str, str]:
    """Return every setting under the name of its environment variable; a secret shows only whether it is set."""
    from pydantic import BaseModel, SecretStr

    shown: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        variable = f"{prefix}{name.upper()}"
        if isinstance(value, BaseModel):
            shown |= masked(value, f"{variable}__")
        elif isinstance(value, dict) and any(isinstance(one, BaseModel) for one in value.values()):
            for key, one in value.items():
                shown |= masked(one, f"{variable}__{key}__")
        elif isinstance(value, SecretStr):
            shown[variable] = "***" if value.get_secret_value() else "(not set)"
        else:
            shown[variable] = _PASSWORD.sub(r"\1***@", str(value))
    return shown


def check_directory(data: Path | None) -> list[Finding]:
    """Check that nobody but the owner can read an instance's directory and its secrets."""
    if data is None:
        return []
    findings = []
    for path in (data, data / "roi.env", data / "private.env"):
        if path.exists():
            mode = path.stat().st_mode & 0o777
            owned = path.stat().st_uid == os.geteuid()
            good = owned and not mode & 0o077
            findings.append(
                Finding(
                    str(path),
                    "ok" if good else "failed",
                    f"mode {mode:04o}" + ("" if good else f", others can read it or own it: chmod go= {path}"),
                )
            )
    return findings


def check_variables() -> list[Finding]:
    """Check that every variable with the prefix of settings gives one; others may be meant for other programs."""
    from pipeline.settings import unknown_settings

    return [Finding("environment", "warning", told) for told in unknown_settings()]


def check_pseudonym_key(settings: Settings) -> Finding:
    """Check that customers' hashes have a key behind them."""
    if settings.pseudonym_key.get_secret_value():
        return Finding("pseudonym key", "ok", "set")
    return Finding("pseudonym key", "warning", "not set: workers need ROI_PSEUDONYM_KEY, or --data of an instance")


def check_currency(settings: Settings) -> Finding:
    """Check that the currency of all money is one."""
    from pipeline.currencies import CURRENCIES, PUBLISHED

    code = settings.reporting_currency
    if code in CURRENCIES:
        return Finding("currency", "ok", code)
    remedy = "set ROI_REPORTING_CURRENCY to the one that all amounts are in, before anything is counted"
    return Finding("currency", "warning", f"{code} is no currency of ISO 4217 of {PUBLISHED}; {remedy}")


def check_core(settings: Settings) -> Finding:
    """Say which core workers count with on this machine."""
    from pipeline.worker.cores import described_core

    try:
        return Finding("core", "ok", described_core(settings.worker.core))
    except UserError as error:
        return Finding("core", "failed", str(error))


def check_receivers(settings: Settings) -> list[Finding]:
    """Check each receiver of alerts, and the names that settings use; addresses are shown without their keys."""
    from pipeline.alerts.delivery.receivers import receiver_of

    findings = []
    for name, given in settings.receivers.items():
        try:
            receiver = receiver_of(name, given, settings)
        except UserError as error:
            findings.append(Finding(f"receiver {name}", "failed", str(error)))
        else:
            detail = "; ".join((receiver.shown, *receiver.remarks))
            findings.append(Finding(f"receiver {name}", "warning" if receiver.remarks else "ok", detail))
    unknown = [name for name in settings.alerts.receivers if name not in settings.receivers]
    if unknown:
        named = ", ".join(repr(name) for name in unknown)
        detail = f"alerts.receivers names {named}, which is not among the receivers; add [receivers.{unknown[0]}]"
        findings.append(Finding("alerts.receivers", "failed", detail))
    elif settings.receivers and not settings.alerts.receivers:
        findings.append(
            Finding("alerts.receivers", "warning", "empty: nobody is told of campaigns that name no receivers")
        )
    return findings


def _check_named_receivers(settings: Settings) -> list[Finding]:
    """Check the names that definitions of campaigns use; that ClickHouse does not answer is told elsewhere."""
    from pipeline.alerts.delivery.receivers import unknown_names
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.observing import QUESTION_SECONDS

    reader = Reader(settings, timeout_seconds=QUESTION_SECONDS)
    with suppress(UserError):
        rows = reader.rows("SELECT campaign_id, definition FROM campaign_definitions")
        named = {row["campaign_id"]: json.loads(row["definition"]).get("receivers") for row in rows}
        return [
            unknown_finding(name, campaigns) for name, campaigns in unknown_names(settings.receivers, named).items()
        ]
    return []


def _check_deliveries(settings: Settings) -> list[Finding]:
    """Check that no notice was given up; that ClickHouse does not answer is told elsewhere."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.observing import QUESTION_SECONDS

    reader = Reader(settings, timeout_seconds=QUESTION_SECONDS)
    with suppress(UserError):
        rows = reader.rows(
            "SELECT receiver, count() AS dead FROM notifications WHERE state = 'dead' AND message_type != 'test' "
            "GROUP BY receiver ORDER BY receiver"
        )
        return [given_up_finding(row["receiver"], row["dead"]) for row in rows]
    return []


def given_up_finding(receiver: str, dead: int) -> Finding:
    """Tell that notices to a receiver were given up."""
    said = f"{dead:,} notices were given up; roi alerts deliveries --state dead says why, --retry-dead sends them again"
    return Finding(f"receiver {receiver}", "warning", said)


def unknown_finding(name: str, campaigns: Sequence[str]) -> Finding:
    """Tell that definitions name a receiver which the settings do not hold."""
    listed = ", ".join(campaigns[:3]) + (", …" if len(campaigns) > 3 else "")
    return Finding(
        f"receiver {name}", "warning", f"not among the receivers of the settings, but named by campaigns: {listed}"
    )


def clock_finding(server_epoch: float, own_epoch: float) -> Finding:
    """Compare ClickHouse's clock with this machine's."""
    apart = server_epoch - own_epoch
    state: Literal["ok", "warning"] = "ok" if abs(apart) <= _CLOCK_SECONDS else "warning"
    return Finding("clock", state, f"ClickHouse's clock is {apart:+.1f} s from this machine's")


def topic_findings(
    partitions: Mapping[str, int], wanted: int, co_partitioned: tuple[str, ...], every: tuple[str, ...]
) -> list[Finding]:
    """Judge the topics that are there: all of them, and the customer-keyed ones with equally many partitions."""
    missing = [topic for topic in every if topic not in partitions]
    counts = {partitions[topic] for topic in co_partitioned if topic in partitions}
    findings = [
        Finding("topics", "failed", f"missing: {', '.join(missing)}; run roi migrate")
        if missing
        else Finding("topics", "ok", f"{len(every)} there")
    ]
    if len(counts) > 1:
        each = ", ".join(f"{topic} {partitions[topic]}" for topic in co_partitioned if topic in partitions)
        findings.append(Finding("partitions", "failed", f"customer-keyed topics differ ({each}): recreate them alike"))
    elif counts:
        have = counts.pop()
        differs = "" if have == wanted else f", ROI_KAFKA_PARTITIONS is {wanted}: that is for new topics only"
        findings.append(Finding("partitions", "ok", f"{have} in each customer-keyed topic{differs}"))
    return findings


def _check_clickhouse(settings: Settings) -> list[Finding]:
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.observing import QUESTION_SECONDS

    reader = Reader(settings, timeout_seconds=QUESTION_SECONDS, in_database=False)
    before = time.time()
    row = reader.rows("SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS now_ms")[0]
    findings = [
        Finding("ClickHouse", "ok", f"{settings.clickhouse_url}, version {row['version']}"),
        clock_finding(row["now_ms"] / 1000, (before + time.time()) / 2),
    ]
    views = reader.rows(
        "SELECT count() AS tables FROM system.tables WHERE database = {database:String}",
        {"database": settings.clickhouse_database},
    )[0]["tables"]
    findings.append(
        Finding("tables", "ok", f"{views} in {settings.clickhouse_database}")
        if views
        else Finding("tables", "failed", f"none in {settings.clickhouse_database}; run roi migrate")
    )
    return findings


def _check_health(settings: Settings, data: Path | None) -> list[Finding]:
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.health import faults
    from pipeline.operations.lag import looked_again, waiting
    from pipeline.operations.observing import QUESTION_SECONDS, observe
    from pipeline.operations.presence import workers_seen

    workers, lag, age = None, None, None
    reader = Reader(settings, timeout_seconds=QUESTION_SECONDS)
    with suppress(UserError):  # the checks of ClickHouse and Kafka tell that
        workers = workers_seen(settings, reader)
        found = waiting(settings, reader)
        lag, age = found.lag, found.age_seconds
    observed = observe(settings, data, asks_parts=True, workers=workers, lag=lag, block_age_seconds=age)
    seen = looked_again(replace(observed, unreachable=()), lambda: waiting(settings, reader))
    told = [Finding(fault.part, fault.severity, f"{fault.cause}; {fault.remedy}") for fault in faults(seen)]
    if lag is None or observed.unreachable:
        return [*told, Finding("health", "failed", _UNKNOWN)]
    return told or [Finding("health", "ok", "no halted topic, no part that dies again and again, room on the disk")]


def check_ledger(settings: Settings) -> list[Finding]:
    """Check that a worker would go on with the live run under these settings."""
    from pipeline.operations.continuing import check_settings

    is_begun = check_settings(settings)
    if is_begun is None:
        return [Finding("ledger", "failed", "ClickHouse does not tell under which settings the live run was begun")]
    return [
        Finding(
            "ledger", "ok", "the live run was begun under these settings" if is_begun else "no live run is known yet"
        )
    ]


def _check_kafka(settings: Settings) -> list[Finding]:
    from pipeline.transport.reading import partition_counts
    from schemas.topics import ALL_TOPICS, CUSTOMER_KEYED_TOPICS

    partitions = partition_counts(settings)
    return [
        Finding("Kafka", "ok", f"{settings.kafka_bootstrap_servers}, {settings.kafka_security_protocol}"),
        *topic_findings(partitions, settings.kafka_partitions, CUSTOMER_KEYED_TOPICS, ALL_TOPICS),
    ]


def _attempt(check: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except UserError as error:
        return [Finding(check, "failed", str(error))]
