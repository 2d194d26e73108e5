"""How fast a replay reads the same topics as a worker, alone and in two processes, and how much memory it needs."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.children import REPOSITORY, own_module
from bench.figures import Throughput
from bench.servers import Broker, running_broker, running_instance
from bench.throughput import GETMANY, peer, whole_path
from bench.workload import fill
from pipeline.clickhouse.connection import connect
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixName, MixOptions, mix_events

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

PROCESSES: Final = (1, 2)
_DAY_MS: Final = 86_400_000
_SETTLE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.2
# the alert service rests nine times as long as a question took it: two seconds without one are no end yet
_CALM_LOOKS: Final = 30
_AT_WORK: Final = (
    "SELECT (SELECT count() FROM system.merges) + (SELECT count() FROM system.processes WHERE query_id != queryID())"
)


class Replayed(NamedTuple):
    """One replay: its speed, and the most memory that one of its processes held."""

    speed: Throughput
    peak_mib: float


class Replays(NamedTuple):
    """What was measured over the same topics in one run: the worker, the client that only fetches, and replays."""

    live: Throughput
    ceiling: Throughput
    replayed: dict[int, Replayed]


def measure(broker: Broker, events: int, mix: MixName) -> Replays:
    """Return the speed of a worker, of bare aiokafka getmany, and of replays by their number of processes.

    Worker and replays count with the compiled core where it is built, as they do everywhere.
    """
    with running_broker(broker) as bootstrap, running_instance(bootstrap) as data:
        options = MixOptions(mix, events, customers=max(1000, events // 10), span_ms=28 * _DAY_MS)
        count = fill(load_settings(data), mix_events(options))
        ceiling = peer(GETMANY, bootstrap, count)
        live = whole_path(data, count)
        replayed = {}
        for processes in PROCESSES:
            _settle(load_settings(data))  # what was written before is not this one's work
            replayed[processes] = _replay(data, processes)
        return Replays(live, ceiling, replayed)


def _settle(settings: Settings) -> None:
    """Wait until the engine has merged what was written and nobody asks it about that, no longer than a minute."""
    client = connect(settings, "writer")
    deadline = time.monotonic() + _SETTLE_SECONDS
    with closing(client):
        calm = 0
        while calm < _CALM_LOOKS and time.monotonic() < deadline:
            calm = 0 if int(client.command(_AT_WORK)) else calm + 1
            time.sleep(_LOOK_SECONDS)


def _replay(data: Path, processes: int) -> Replayed:
    command = own_module("pipeline", "replay", "--run", f"bench-{processes}", "--parallel", processes, "--json")
    command += ["--data", str(data)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        output = process.stdout.read() if process.stdout is not None else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise UserError(f"the replay ended with exit code {process.returncode}", "run it alone: roi replay")
    told: dict[str, Any] = json.loads(output)
    cpu = usage.ru_utime + usage.ru_stime  # of its children too, which it has waited for
    return Replayed(Throughput(told["records"], told["seconds"], cpu), usage.ru_maxrss / 1024)
