"""What a client is told when the disk of the endpoint is full: run on a small file system of its own, by a test."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.embedded.clickhouse.client import Client
from tests.support.endpoint import running_endpoint

_ROWS = b"".join(b"%d\t%s\n" % (number, b"%020d" % (number * 7919) * 50) for number in range(6_000))


def main(directory: Path) -> None:
    """Fill the disk, expect ClickHouse's own error, an endpoint that lives, and writes that go on with room."""
    with running_endpoint(directory) as endpoint:
        writer = Client(endpoint.url, endpoint.writer)
        writer.query("CREATE DATABASE roi")
        writer.query("CREATE TABLE roi.t (a UInt64, s String CODEC(NONE)) ENGINE = MergeTree ORDER BY a")
        writer.query("INSERT INTO roi.t FORMAT TSV", _ROWS)
        stuffing = directory / "stuffing"
        with stuffing.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(2**16)):
                    pass
            except OSError:
                pass
        for sql, body in (("INSERT INTO roi.t FORMAT TSV", _ROWS), ("INSERT INTO roi.t VALUES (1, 'x')", b"")):
            reply = writer.send(sql, body)
            print(reply.code, reply.status, reply.text)  # noqa: T201 - read by the test
        assert writer.query("SELECT count() FROM roi.t") == "6000\n"
        stuffing.unlink()
        writer.query("INSERT INTO roi.t FORMAT TSV", _ROWS)
        assert writer.query("SELECT count() FROM roi.t") == "12000\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
