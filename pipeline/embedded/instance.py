"""What `roi up` runs, in which order, and with which addresses and secrets."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from pipeline.embedded.broker import broker_part
from pipeline.embedded.child import Part, own_environment, own_module
from pipeline.embedded.clickhouse.access import DIGEST_VARIABLE, Role
from pipeline.embedded.tcp_ports import LOOPBACK, PortClaims, answers, usable_port
from pipeline.operations.continuing import check_settings
from pipeline.settings import environment_of

if TYPE_CHECKING:
    from pipeline.embedded.child import Child
    from pipeline.embedded.directory import InstanceDirectory, Secrets
    from pipeline.embedded.supervisor import Supervisor
    from pipeline.settings import Settings

# the secrets that each process needs, by module and first argument
_NEEDED: Final = {
    ("pipeline", "migrate"): frozenset({"clickhouse_writer_password", "kafka_sasl_password"}),
    ("pipeline", "worker"): frozenset({"clickhouse_writer_password", "kafka_sasl_password", "pseudonym_key"}),
    ("pipeline", "alerts"): frozenset(
        {"clickhouse_writer_password", "kafka_sasl_password", "grafana_token", "receivers"}
    ),
    ("pipeline.api", "--port"): frozenset(
        {"clickhouse_password", "clickhouse_actor_password", "kafka_sasl_password", "api_token"}
    ),
}
_READY_SECONDS: Final = 60.0
_ENDPOINT_STAGE: Final = 1  # the broker is stage 0
_CLIENT_STAGE: Final = 2
# once a minute it counts for a second of a core, which events would wait for; an alert may be late
_ALERTS_NICENESS: Final = 10


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen; 0 = any free port."""

    kafka: int
    clickhouse: int
    board: int


async def run_embedded(
    directory: InstanceDirectory, settings: Settings, ports: Ports, workers: int, supervisor: Supervisor
) -> None:
    """Run an instance until a signal ends it; the address file is there exactly while everything answers.

    What a person needs to know then is said through the supervisor.

    Raises:
        UserError: a part cannot be started, the ledger was begun under other settings, or the broker died.
    """
    with PortClaims() as claims:
        ports = _claimed(ports, frozenset(settings.model_fields_set), claims)
        if "kafka_bootstrap_servers" not in settings.model_fields_set:
            broker_part(ports.kafka)  # complains, before anything is made, where there is no broker to start
        with directory.locked(keeps=lambda: supervisor.has_started):  # a refused start leaves nothing behind
            try:
                await _run(directory, settings, ports, workers, supervisor)
            finally:
                directory.withdraw()


async def run_clients(settings: Settings, board_port: int, workers: int, supervisor: Supervisor) -> None:
    """Run workers, evaluator and board against the configured Kafka and ClickHouse until a signal ends it.

    Raises:
        UserError: a part cannot be started, or the ledger was begun under other settings.
    """
    with PortClaims() as claims:
        port = claims.take(board_port, "--board-port")
        settings = _with_board(settings, port)
        async with supervisor.running():
            if not supervisor.stopping:
                await supervisor.unless_stopping(asyncio.to_thread(check_settings, settings), None)
                board = await supervisor.keep(_board_part(settings, port))
                await _start_clients(settings, workers, board, port, supervisor)
            if not supervisor.stopping:
                supervisor.say(_ready(settings, workers))
            await supervisor.until_stopped()


async def _run(
    directory: InstanceDirectory, settings: Settings, ports: Ports, workers: int, supervisor: Supervisor
) -> None:
    async with supervisor.running():
        supervisor.changed = directory.publish_health
        ready = await _start(directory, settings, ports, workers, supervisor)
        if not supervisor.stopping:
            directory.publish(ready)
            supervisor.say(summary(ready, workers, directory.root))
        await supervisor.until_stopped()


async def _start(
    directory: InstanceDirectory, settings: Settings, ports: Ports, workers: int, supervisor: Supervisor
) -> Settings:
    """Start the parts and return the settings with the addresses they answer on.

    Broker, endpoint and what makes topics and tables start side by side, as each takes about a second to load what it
    needs. The others follow once there are tables; but the board of a new instance loads while they are made, which
    takes longest. Over older tables it waits: nobody is to read numbers that a migration is counting again.
    """
    configured = frozenset(settings.model_fields_set)
    if supervisor.stopping:
        return settings
    settings = _with_board(_addressed(directory.load_secrets(settings), settings, ports), ports.board)
    directory.keep(_private_values(settings))
    options = []  # what is started here may not answer yet; who was configured does, or is missed at once
    if "kafka_bootstrap_servers" not in configured:
        options += ["--wait-for", "kafka"]
    if "clickhouse_url" not in configured:
        options += ["--wait-for", "clickhouse", "--tables", str(directory.clickhouse)]
    board: Child | None = None
    endpoint: Child | None = None
    board_options = ("--instance", str(directory.root))
    is_new = "clickhouse_url" not in configured and not any(directory.clickhouse.iterdir())
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(supervisor.run_to_end(_client_part("migrate", settings, "pipeline", "migrate", *options)))
            if "kafka_bootstrap_servers" not in configured:
                group.create_task(_start_broker(ports.kafka, supervisor))
            if "clickhouse_url" not in configured:
                endpoint = await _start_endpoint(directory, settings, ports.clickhouse, supervisor)
            if is_new:
                board = await supervisor.keep(_board_part(settings, ports.board, *board_options))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the first of them; the others were waiting for it
    if not is_new:
        await supervisor.unless_stopping(asyncio.to_thread(check_settings, settings), None)
    board = board or await supervisor.keep(_board_part(settings, ports.board, *board_options))
    await _start_clients(settings, workers, board, ports.board, supervisor)
    if endpoint is not None:  # it may have died since, and is started again
        await supervisor.until(partial(answers, ports.clickhouse), endpoint, _READY_SECONDS)
    return settings


def _with_board(settings: Settings, port: int) -> Settings:
    return settings.model_copy(update={"board_url": f"http://{LOOPBACK}:{port}"})


def _addressed(found: Secrets, settings: Settings, ports: Ports) -> Settings:
    """Return the settings with the addresses and passwords of the parts that are started here."""
    configured = frozenset(settings.model_fields_set)
    given: dict[str, Any] = {"pseudonym_key": SecretStr(found.pseudonym_key), "api_token": SecretStr(found.api_token)}
    if "kafka_bootstrap_servers" not in configured:
        # topics are empty after each start: positions of an earlier life must not be taken for positions in them
        given |= {"kafka_bootstrap_servers": f"{LOOPBACK}:{ports.kafka}", "kafka_incarnation": secrets.token_hex(8)}
    if "clickhouse_url" not in configured:
        # a server that is not ours has its own passwords, which the settings already hold
        given |= {
            "clickhouse_url": f"http://{LOOPBACK}:{ports.clickhouse}",
            "clickhouse_password": SecretStr(found.reader_password),
            "clickhouse_writer_password": SecretStr(found.writer_password),
            "clickhouse_actor_password": SecretStr(found.actor_password),
        }
    return settings.model_copy(update=given)


def _claimed(ports: Ports, configured: frozenset[str], claims: PortClaims) -> Ports:
    """Return the ports to use, found before anything is started; one that is not needed is not looked at."""
    return Ports(
        kafka=ports.kafka if "kafka_bootstrap_servers" in configured else claims.take(ports.kafka, "--kafka-port"),
        clickhouse=(
            ports.clickhouse if "clickhouse_url" in configured else claims.take(ports.clickhouse, "--clickhouse-port")
        ),
        board=claims.take(ports.board, "--board-port"),
    )


async def _start_broker(port: int, supervisor: Supervisor) -> None:
    child = await supervisor.keep_once(
        broker_part(port), "and its topics with it, which live in memory only: start again on the same --data"
    )
    await supervisor.until(partial(answers, port), child, _READY_SECONDS)


async def _start_endpoint(directory: InstanceDirectory, settings: Settings, port: int, supervisor: Supervisor) -> Child:
    ready = directory.scratch / "endpoint.ready"
    command = own_module(
        "pipeline.embedded.clickhouse",
        "--path",
        str(directory.clickhouse),
        "--host",
        LOOPBACK,
        "--port",
        str(port),
        "--ready-file",
        str(ready),
    )
    # chDB puts the rows of an INSERT into temporary files: they belong under the instance's own closed directory
    environment = own_environment(environment_of(settings, frozenset())) | _digests(settings)
    environment |= {"TMPDIR": str(directory.scratch)}
    child = await supervisor.keep(
        Part(
            "endpoint",
            command,
            environment,
            _ENDPOINT_STAGE,
            stop_seconds=2.5,
            health_url=f"{settings.clickhouse_url}/ping",
        )
    )
    await supervisor.until(ready.exists, child, _READY_SECONDS)
    return child


async def _start_clients(
    settings: Settings, workers: int, board: Child, board_port: int, supervisor: Supervisor
) -> None:
    """Start what needs tables, and wait for the board, which has been started."""
    if supervisor.stopping:
        return
    for number in range(1, workers + 1):
        await supervisor.keep(_worker_part(number, settings))
    await supervisor.keep(_alerts_part(settings))
    await supervisor.until(partial(answers, board_port), board, _READY_SECONDS)


def _board_part(settings: Settings, port: int, *options: str) -> Part:
    part = _client_part("board", settings, "pipeline.api", "--port", str(port), *options)
    return replace(part, health_url=f"{settings.board_url}/livez")


def _worker_part(number: int, settings: Settings) -> Part:
    part = _client_part(f"worker-{number}", settings, "pipeline", "worker")
    return _asked(part, "WORKER", settings.worker.metrics_host, settings.worker.metrics_port)


def _alerts_part(settings: Settings) -> Part:
    part = replace(_client_part("alerts", settings, "pipeline", "alerts", "run"), niceness=_ALERTS_NICENESS)
    return _asked(part, "ALERTS", settings.alerts.metrics_host, settings.alerts.metrics_port)


def _asked(part: Part, group: str, host: str, configured_port: int) -> Part:
    """Return a part whose port is known, so that it can be asked how it is; one chosen here is chosen anew each time.

    Between the choice and the part's start another program may take it, and keep it.
    """
    port = configured_port or usable_port(0, f"ROI_{group}__METRICS_PORT")
    reached = host if host not in {"0.0.0.0", "::"} else LOOPBACK  # noqa: S104 - compared, not bound
    reached = f"[{reached}]" if ":" in reached else reached
    environment = dict(part.environment) | {f"ROI_{group}__METRICS_PORT": str(port)}
    asked = replace(part, environment=environment, health_url=f"http://{reached}:{port}/healthz")
    return asked if configured_port else replace(asked, renewed=partial(_asked, part, group, host, 0))


def _digests(settings: Settings) -> dict[str, str]:
    passwords = {
        Role.READER: settings.clickhouse_password,
        Role.WRITER: settings.clickhouse_writer_password,
        Role.ACTOR: settings.clickhouse_actor_password,
    }
    return {
        DIGEST_VARIABLE.format(role=role.name): hashlib.sha256(password.get_secret_value().encode()).hexdigest()
        for role, password in passwords.items()
    }


def _client_part(name: str, settings: Settings, module: str, *arguments: str) -> Part:
    return Part(
        name,
        own_module(module, *arguments),
        own_environment(environment_of(settings, _NEEDED[module, arguments[0]])),
        _CLIENT_STAGE,
        stop_seconds=4.2,
    )


def _private_values(settings: Settings) -> dict[str, str]:
    """Return what commands of the same owner need beyond the public addresses (`roi worker --data DIR`)."""
    return {
        "ROI_KAFKA_GROUP": settings.kafka_group,
        "ROI_KAFKA_SECURITY_PROTOCOL": settings.kafka_security_protocol,
        "ROI_KAFKA_SASL_MECHANISM": settings.kafka_sasl_mechanism,
        "ROI_KAFKA_SASL_USERNAME": settings.kafka_sasl_username,
        "ROI_KAFKA_SASL_PASSWORD": settings.kafka_sasl_password.get_secret_value(),
        "ROI_KAFKA_SSL_CAFILE": settings.kafka_ssl_cafile,
        "ROI_KAFKA_INCARNATION": settings.kafka_incarnation,
        "ROI_CLICKHOUSE_WRITER_USER": settings.clickhouse_writer_user,
        "ROI_CLICKHOUSE_WRITER_PASSWORD": settings.clickhouse_writer_password.get_secret_value(),
    }


def _ready(settings: Settings, workers: int) -> str:
    return f"ready: {workers} worker{'' if workers == 1 else 's'}, board {settings.board_url}"


def summary(settings: Settings, workers: int, root: Path) -> str:
    """Return the lines that tell where everything answers."""
    shown = root
    with suppress(ValueError):
        shown = root.relative_to(Path.cwd())
    user = settings.clickhouse_user
    return "\n".join(
        (
            _ready(settings, workers),
            f"  Kafka       {settings.kafka_bootstrap_servers}",
            f"  ClickHouse  {settings.clickhouse_url} (user {user}, password in {shown / 'roi.env'})",
            f"  query it    roi sql 'SHOW TABLES' --data {shown}",
            f"  logs        {shown / 'logs'}",
        )
    )
