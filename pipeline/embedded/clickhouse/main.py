"""``python -m pipeline.embedded.clickhouse``: the ClickHouse endpoint as a process of its own."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.embedded.clickhouse.access import DIGEST_VARIABLE, Role, User
from pipeline.embedded.clickhouse.admission import Limits
from pipeline.embedded.clickhouse.server import EndpointConfig, serve
from pipeline.ending import LONGEST_SECONDS, Ending, run_until_ended
from pipeline.errors import UserError
from pipeline.settings import Settings, load_settings

_SWITCH_SECONDS: Final = 0.001  # how long reading a statement may keep the event loop from its turn


def main() -> int:
    """Run the endpoint; return the exit code."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    ending = Ending()
    arguments = _parser().parse_args()
    try:
        settings = load_settings()
        config = EndpointConfig(
            path=arguments.path.resolve(),
            host=arguments.host,
            port=arguments.port,
            users=_users(settings),
            database=settings.clickhouse_database,
            ready_file=arguments.ready_file,
            limits=Limits(
                body_bytes=arguments.max_body_bytes,
                statement_bytes=arguments.max_statement_bytes,
                read_seconds=arguments.max_read_seconds,
                memory_bytes=arguments.max_memory_bytes,
            ),
        )
        return run_until_ended(partial(serve, config), ending, LONGEST_SECONDS)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the one line a person reads
        return 1


def _parser() -> argparse.ArgumentParser:
    limits = Limits()
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.embedded.clickhouse",
        description="ClickHouse's HTTP interface in front of chDB",
        epilog="Users and passwords come from ROI_CLICKHOUSE_USER, …_PASSWORD, …_WRITER_USER, …_WRITER_PASSWORD, "
        "…_ACTOR_USER, …_ACTOR_PASSWORD; the last one need not be there.",
    )
    parser.add_argument("--path", type=Path, required=True, help="directory of the data")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    parser.add_argument("--port", type=int, default=18123, help="port to listen on, 0 = any free one (default: 18123)")
    parser.add_argument("--ready-file", type=Path, help="gets the URL as soon as queries are answered")
    parser.add_argument("--max-body-bytes", type=int, default=limits.body_bytes, help="largest decompressed body")
    parser.add_argument(
        "--max-statement-bytes",
        type=int,
        default=limits.statement_bytes,
        help="longest statement, an INSERT's data not counted",
    )
    parser.add_argument("--max-read-seconds", type=int, default=limits.read_seconds, help="longest query of the reader")
    parser.add_argument("--max-memory-bytes", type=int, default=limits.memory_bytes, help="most memory of one query")
    return parser


def _users(settings: Settings) -> tuple[User, ...]:
    """Return the users; a supervisor gives digests, for no process is to know more than it needs."""
    known = (
        (Role.READER, settings.clickhouse_user, settings.clickhouse_password, "ROI_CLICKHOUSE_PASSWORD"),
        (
            Role.WRITER,
            settings.clickhouse_writer_user,
            settings.clickhouse_writer_password,
            "ROI_CLICKHOUSE_WRITER_PASSWORD",
        ),
        (Role.ACTOR, settings.clickhouse_actor_user, settings.clickhouse_actor_password, ""),
    )
    users = []
    for role, name, password, variable in known:
        digest = os.environ.get(DIGEST_VARIABLE.format(role=role.name))
        if digest:
            users.append(User(name, role, bytes.fromhex(digest)))
        elif password.get_secret_value():
            users.append(User.of(name, role, password.get_secret_value()))
        elif variable:
            raise UserError(f"user {name} has no password", f"set {variable}")
    return tuple(users)
