"""Starts a real endpoint process for a test."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.clickhouse.migrations import migrate
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
READER = "roi_reader"
WRITER = "roi_writer"
ACTOR = "roi_actor"
_START_SECONDS = 60
_STOP_SECONDS = 10


@dataclass(slots=True)
class EndpointHandle:
    """A running endpoint."""

    url: str
    reader_password: str
    writer_password: str
    process: subprocess.Popen[bytes]
    path: Path
    actor_password: str

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://").rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def settings(self) -> Settings:
        """What a program needs to speak to it, as reader, as writer and as actor."""
        return Settings(
            clickhouse_url=self.url,
            clickhouse_password=self.reader_password,
            clickhouse_writer_password=self.writer_password,
            clickhouse_actor_password=self.actor_password,
        )

    @property
    def reader(self) -> tuple[str, str]:
        return READER, self.reader_password

    @property
    def writer(self) -> tuple[str, str]:
        return WRITER, self.writer_password

    @property
    def actor(self) -> tuple[str, str]:
        return ACTOR, self.actor_password


@contextlib.contextmanager
def running_endpoint(
    tmp_path: Path,
    *,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = (),
    passwords: tuple[str, str] | None = None,
) -> Iterator[EndpointHandle]:
    """Yield an endpoint on ``tmp_path / "clickhouse"``; it is stopped at the end, also when the test has killed it.

    Calling it again with the same ``tmp_path`` (and ``port``, ``passwords``) reopens the data.
    """
    reader_password, writer_password = passwords or (secrets.token_urlsafe(12), secrets.token_urlsafe(12))
    actor_password = secrets.token_urlsafe(12)
    ready = tmp_path / "endpoint.ready"
    ready.unlink(missing_ok=True)
    path = tmp_path / "clickhouse"
    child = (
        dict(os.environ)
        | {
            "ROI_CLICKHOUSE_USER": READER,
            "ROI_CLICKHOUSE_PASSWORD": reader_password,
            "ROI_CLICKHOUSE_WRITER_USER": WRITER,
            "ROI_CLICKHOUSE_WRITER_PASSWORD": writer_password,
            "ROI_CLICKHOUSE_ACTOR_USER": ACTOR,
            "ROI_CLICKHOUSE_ACTOR_PASSWORD": actor_password,
        }
        | dict(environment or {})
    )
    command = [sys.executable, "-m", "pipeline.embedded.clickhouse", "--path", str(path), "--port", str(port)]
    with subprocess.Popen([*command, "--ready-file", str(ready), *arguments], cwd=ROOT, env=child) as process:
        try:
            _wait_ready(process, ready)
            yield EndpointHandle(
                ready.read_text().strip(), reader_password, writer_password, process, path, actor_password
            )
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@contextlib.contextmanager
def migrated_endpoint(tmp_path: Path) -> Iterator[Settings]:
    """Yield the settings of an endpoint that has every table and view."""
    with running_endpoint(tmp_path) as endpoint:
        migrate(endpoint.settings)
        yield endpoint.settings


def _wait_ready(process: subprocess.Popen[bytes], ready: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the endpoint did not start (exit code {process.poll()})")
        time.sleep(0.01)
