"""Who is told to be there: parts by their answer, workers by their group and their claims."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.operations import presence
from pipeline.operations.presence import WorkersSeen, silent_parts, workers_seen
from pipeline.settings import Settings
from pipeline.transport import reading
from pipeline.transport.reading import GroupSeen

if TYPE_CHECKING:
    from collections.abc import Iterator


class Failing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        del format, args


@pytest.fixture
def answering() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Failing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def part(name: str, port: int, *, is_running: bool = True) -> dict[str, Any]:
    return {"name": name, "is_running": is_running, "url": f"http://127.0.0.1:{port}/healthz"}


def test_a_part_that_takes_the_question_and_says_nothing_is_silent(answering: int) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as frozen, closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        silent = frozen.getsockname()[1]
        parts = [
            part("worker-1", silent),
            part("worker-2", answering),
            part("starting", unused.getsockname()[1]),
            part("dead", silent, is_running=False),
            {"name": "broker", "is_running": True, "url": ""},
            {"name": "of another version", "is_running": True},
        ]
        assert silent_parts(parts, 0.3) == ("worker-1",)


def test_nobody_is_asked_where_nothing_is_known() -> None:
    assert silent_parts([], 0.3) == ()


@pytest.mark.parametrize(
    ("incarnation", "owners", "members", "protocol", "expected"),
    [
        ("", 2, 2, "roi-lanes-1", WorkersSeen(2)),
        ("", 2, 2, "", WorkersSeen(2)),  # they share the partitions out anew just now
        ("", 2, 3, "roi-lanes-2", WorkersSeen(0, strangers_in="roi")),
        ("", 2, 3, "range", WorkersSeen(0, strangers_in="roi")),
        ("", 2, 0, "", WorkersSeen(0, are_gone=True)),
        ("", 0, 0, "", WorkersSeen(0)),  # none has been there yet: the tables are new
        ("one", 2, 0, "", WorkersSeen(2, are_claims=True)),  # the embedded broker tells no members
        ("", 2, None, "", WorkersSeen(2, are_claims=True)),  # nor does one whose group has no coordinator yet
    ],
)
def test_workers_are_gone_where_some_own_shards_and_none_is_in_the_group(
    monkeypatch: pytest.MonkeyPatch,
    incarnation: str,
    owners: int,
    members: int | None,
    protocol: str,
    expected: WorkersSeen,
) -> None:
    monkeypatch.setattr(presence, "shard_owners", lambda _: owners)
    monkeypatch.setattr(reading, "group_seen", lambda _: None if members is None else GroupSeen(members, protocol))
    monkeypatch.setattr(presence, "_installation", lambda *_: "1")
    reader: Any = None
    assert workers_seen(Settings(kafka_incarnation=incarnation), reader) == expected
