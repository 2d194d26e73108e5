"""``python -m pipeline.endpoint``: the ClickHouse endpoint as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from pipeline.endpoint.access import Role, User
from pipeline.endpoint.server import EndpointConfig, serve
from pipeline.errors import UserError
from pipeline.settings import Settings, load_settings


def main() -> int:
    """Run the endpoint; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.endpoint", description="ClickHouse HTTP endpoint in front of chDB")
    parser.add_argument("--path", type=Path, required=True, help="directory of the data")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    parser.add_argument("--port", type=int, default=18123, help="port to listen on, 0 = any free one")
    parser.add_argument("--ready-file", type=Path, help="written with the URL as soon as queries are answered")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        config = EndpointConfig(arguments.path.resolve(), arguments.host, arguments.port, _users(settings),
                                settings.clickhouse_database, arguments.ready_file)
        asyncio.run(serve(config))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the one line a person reads
        return 1
    return 0


def _users(settings: Settings) -> tuple[User, ...]:
    users = (
        User.of(settings.clickhouse_user, Role.READER, settings.clickhouse_password.get_secret_value()),
        User.of(settings.clickhouse_writer_user, Role.WRITER, settings.clickhouse_writer_password.get_secret_value()),
    )
    return users


if __name__ == "__main__":
    sys.exit(main())
