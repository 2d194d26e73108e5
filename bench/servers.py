"""What is measured on: a broker of either kind, and an instance without workers beside it."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from bench.children import REPOSITORY, is_running, own_module, running
from pipeline.embedded.broker import broker_part
from pipeline.embedded.ports import LOOPBACK, answers, usable_port
from pipeline.errors import UserError
from pipeline.settings import PUBLIC_ENV, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Broker = Literal["tansu", "kafka"]
_START_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 0.05


@contextmanager
def running_broker(kind: Broker) -> Iterator[str]:
    """Run an empty broker and yield its address."""
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as directory:
        folder = Path(directory)
        port, controller = usable_port(0, "--port"), usable_port(0, "--controller-port")
        if kind == "tansu":
            command = list(broker_part(port).command)
        else:
            command = [str(REPOSITORY / "deploy" / "kafka" / "run"), "--port", str(port),
                       "--controller-port", str(controller), "--data", str(folder / "data")]
        log = folder / "log"
        with running(command, log) as pid:
            wait_until(lambda: answers(port), pid, log)
            yield f"{LOOPBACK}:{port}"


@contextmanager
def running_instance(bootstrap: str, *, workers: int = 0) -> Iterator[Path]:
    """Run the embedded ClickHouse with topics and tables on this broker; yield the instance's directory."""
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as directory:
        data, log = Path(directory, "instance"), Path(directory, "log")
        command = own_module("pipeline", "up", "--embedded", "--data", data, "--workers", workers,
                             "--clickhouse-port", 0, "--board-port", 0)
        with running(command, log, os.environ | {"ROI_KAFKA_BOOTSTRAP_SERVERS": bootstrap}) as pid:
            wait_until((data / PUBLIC_ENV).exists, pid, log)
            yield data


@contextmanager
def running_worker(data: Path) -> Iterator[int]:
    """Run one worker of an instance and yield its process id."""
    with running(own_module("pipeline", "worker", "--data", data), data.parent / "worker.log") as pid:
        yield pid


def wait_until(condition: Callable[[], bool], pid: int, log: Path, seconds: float = _START_SECONDS) -> None:
    """Wait for a starting process.

    Raises:
        UserError: it ended, or time ran out; the message ends with its last words.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if not is_running(pid) or time.monotonic() > deadline:
            words = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"a process to measure on did not start: {words}", "mend that, then measure again")
        time.sleep(_POLL_SECONDS)


def bootstrap_of(data: Path) -> str:
    """Return the address of an instance's broker."""
    return load_settings(data).kafka_bootstrap_servers
