"""What is measured on: a broker of either kind, and an instance without workers beside it."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from uuid import uuid4

from bench.children import REPOSITORY, own_module, running
from pipeline.embedded.broker import broker_part
from pipeline.embedded.tcp_ports import LOOPBACK, answers, usable_port
from pipeline.errors import UserError
from pipeline.settings import PUBLIC_ENV

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from subprocess import Popen

    from pipeline.state.policy import CoreName

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
            command = [
                str(REPOSITORY / "deploy" / "kafka" / "run"),
                "--port",
                str(port),
                "--controller-port",
                str(controller),
                "--data",
                str(folder / "data"),
            ]
        log = folder / "log"
        with running(command, log) as process:
            wait_until(lambda: answers(port), process, log)
            yield f"{LOOPBACK}:{port}"


@contextmanager
def running_instance(
    bootstrap: str, *, workers: int = 0, environment: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """Run the embedded ClickHouse with topics and tables on this broker; yield the instance's directory.

    Args:
        bootstrap: the broker's address.
        workers: how many it runs.
        environment: further settings of all its parts.
    """
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as directory:
        data, log = Path(directory, "instance"), Path(directory, "log")
        command = own_module(
            "pipeline",
            "up",
            "--embedded",
            "--data",
            data,
            "--workers",
            workers,
            "--clickhouse-port",
            0,
            "--board-port",
            0,
        )
        # a group of its own: another instance's workers are not let into one that the broker knows
        own = {"ROI_KAFKA_BOOTSTRAP_SERVERS": bootstrap, "ROI_KAFKA_GROUP": f"roi-{uuid4().hex[:8]}"}
        given = os.environ | dict(environment or {}) | own
        with running(command, log, given) as process:
            wait_until((data / PUBLIC_ENV).exists, process, log)
            yield data


@contextmanager
def running_worker(
    data: Path, core: CoreName = "auto", environment: Mapping[str, str] | None = None
) -> Iterator[Popen[bytes]]:
    """Run one worker of an instance, with the compiled core where it is built unless another is asked for.

    Args:
        data: the instance's directory.
        core: what counts in it.
        environment: further settings of the worker.
    """
    given = os.environ | dict(environment or {}) | {"ROI_WORKER__CORE": core}
    with running(own_module("pipeline", "worker", "--data", data), data.parent / "worker.log", given) as process:
        yield process


def wait_until(
    condition: Callable[[], bool], process: Popen[bytes], log: Path, seconds: float = _START_SECONDS
) -> None:
    """Wait for a starting process.

    Raises:
        UserError: it ended, or time ran out; the message ends with its last words.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            words = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(f"a process to measure on did not start: {words}", "mend that, then measure again")
        time.sleep(_POLL_SECONDS)
