"""How fast one process reads the same topics: stock Faust, bare aiokafka, and this pipeline's whole path."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.children import cpu_seconds, measured
from bench.figures import Sample, Throughput, throughput
from bench.owning import PORT_VARIABLE, owned
from bench.servers import Broker, running_broker, running_instance, running_worker, wait_until
from bench.workload import LedgerProgress, fill
from pipeline.embedded.tcp_ports import usable_port
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixName, MixOptions, mix_events
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from subprocess import Popen

    from pipeline.state.policy import CoreName

STOCK_FAUST: Final = "stock Faust doing nothing"
GETMANY: Final = "bare aiokafka getmany"
WHOLE_PATH: Final = "this pipeline, whole path"
PLAIN_PATH: Final = "the same with the plain core"
_PEERS: Final = {STOCK_FAUST: "bench.peers.stock_faust", GETMANY: "bench.peers.getmany"}
# stock Faust needs a minute and a half for a million; its rate does not depend on how many it sees
_SLOW_PEER_EVENTS: Final = 150_000
# a query costs the engine about 12 ms of processor time: asking more often would slow what is measured
_POLL_SECONDS: Final = 0.25
_NEARLY_ALL: Final = 0.9
_LAST_POLL_SECONDS: Final = 0.05
_STALL_SECONDS: Final = 60.0


def measure(broker: Broker, events: int, mix: MixName) -> dict[str, Throughput]:
    """Fill one broker's topics, let every process read them, one after the other, and return their speeds."""
    with running_broker(broker) as bootstrap:
        return _measured(bootstrap, events, mix)


def alone(broker: Broker, events: int, mix: MixName) -> Throughput:
    """Return the speed of this pipeline's whole path on a broker, without anything beside it."""
    with running_broker(broker) as bootstrap, running_instance(bootstrap) as data:
        count = fill(load_settings(data), mix_events(MixOptions(mix, events, customers=max(1000, events // 10))))
        return whole_path(data, count)


def _measured(bootstrap: str, events: int, mix: MixName) -> dict[str, Throughput]:
    with running_instance(bootstrap) as data:
        settings = load_settings(data)
        count = fill(settings, mix_events(MixOptions(mix, events, customers=max(1000, events // 10))))
        found = {
            name: peer(name, bootstrap, min(count, _SLOW_PEER_EVENTS) if name == STOCK_FAUST else count)
            for name in _PEERS
        }
        found[WHOLE_PATH] = whole_path(data, count)
    with running_instance(bootstrap) as data:  # another ledger: its worker reads the same topics from the beginning
        return found | {PLAIN_PATH: whole_path(data, count, "plain")}


def peer(name: str, bootstrap: str, events: int) -> Throughput:
    """Let `STOCK_FAUST` or `GETMANY` read the topics of a broker and return its speed."""
    topics = ",".join(EVENT_TOPICS)
    return Throughput(**measured(_PEERS[name], "--bootstrap", bootstrap, "--topics", topics, "--events", events))


def whole_path(
    data: Path, events: int, core: CoreName = "auto", environment: Mapping[str, str] | None = None
) -> Throughput:
    """Start one worker on an instance and return its speed until the ledger's positions cover all events.

    Decoding, duplicates, attribution, durable state and ClickHouse rows are all in it: an event counts when the block
    that holds it has been acknowledged. Time begins when the worker owns its shards and has read nothing yet. Beginning
    with the first visible block instead would leave out what was done by then for the blocks after it.

    Args:
        data: directory of a running instance without workers.
        events: how many records the topics hold.
        core: what counts in it.
        environment: further settings of the worker.

    Raises:
        UserError: the worker ended, or its positions stood still.
    """
    port = usable_port(0, PORT_VARIABLE)
    given = dict(environment or {}) | {PORT_VARIABLE: str(port)}
    with running_worker(data, core, given) as worker:
        wait_until(lambda: owned(port) > 0, worker, data.parent / "worker.log")
        begun = Sample(time.monotonic(), 0, cpu_seconds(worker.pid))
        return throughput([begun, *_observe(LedgerProgress(load_settings(data)), worker, events)])


def _observe(progress: LedgerProgress, worker: Popen[bytes], events: int) -> list[Sample]:
    samples: list[Sample] = []
    moved = time.monotonic()
    while not samples or samples[-1].done < events:
        at, positions = progress.positions()
        sample = Sample(at, sum(positions.values()), cpu_seconds(worker.pid))
        if not samples or sample.done > samples[-1].done:
            moved = at
        samples.append(sample)
        if worker.poll() is not None or at - moved > _STALL_SECONDS:
            raise UserError(f"the worker stopped at {sample.done:,} of {events:,} events", "run it alone: roi worker")
        time.sleep(_POLL_SECONDS if sample.done < events * _NEARLY_ALL else _LAST_POLL_SECONDS)
    return samples
