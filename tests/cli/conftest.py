from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from pipeline.cli import build_app
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typer.testing import Result

    from pipeline.settings import Settings


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class FakeClickHouse:
    """Answers by the first registered text that the query contains, and keeps what it was asked."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def answer_rows(self, text: str, rows: list[dict[str, Any]]) -> None:
        self.answers[text] = Answer("\n".join(json.dumps(row) for row in rows).encode())

    def answer_for(self, query: str) -> Answer:
        found = (answer for text, answer in self.answers.items() if text in query)
        return next(found, Answer(f"Code: 62. DB::Exception: no answer for {query}".encode(), 400))


@pytest.fixture
def clickhouse(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClickHouse]:
    fake = FakeClickHouse()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"])).decode()
            arguments = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            fake.asked.append((query, arguments, self.headers["Authorization"]))
            answer = fake.answer_for(query)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + (100 if answer.cut else 0)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("ROI_CLICKHOUSE_URL", fake.url)
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(clickhouse: FakeClickHouse) -> Settings:
    del clickhouse
    return load_settings()


@pytest.fixture(autouse=True)
def _away_from_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no roi.toml of whoever runs the tests
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def roi() -> Callable[..., Result]:
    """Run a command in this process."""
    return lambda *arguments: CliRunner().invoke(build_app(), list(arguments), prog_name="roi")
