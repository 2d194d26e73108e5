"""The peers beside this pipeline: the same topics, the same job, in one run, and whether their numbers are right.

`python -m bench.peering` measures one job on one broker, as JSON; `python -m bench --only peers` all, as a table.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from bench.children import REPOSITORY, measured
from bench.figures import Throughput
from bench.peer_figures import STOCK_FAUST, Outcome
from bench.peers.report import PASSWORD_VARIABLE, USER_VARIABLE
from bench.peers.truth import Numbers, differences, numbers_from, numbers_of, spend_of
from bench.servers import Broker, running_broker, running_instance
from bench.throughput import WHOLE_PATH, whole_path
from bench.workload import fill
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.reader import Reader
from pipeline.clickhouse.sql import statements
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixName, MixOptions, mix_events
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.settings import Settings

PLAIN: Final = "a plain aiokafka loop"
_SQL: Final = Path(__file__).parent / "peers" / "sql"
PYTHON: Final = REPOSITORY / ".venv-peers" / "bin" / "python"
"""Interpreter with the other engines (`make peers`); they bring half of PyPI, so it is not this one."""
OWN: Final = {PLAIN: "bench.peers.plain_loop"}
"""Peers that run on what this project needs itself."""
FOREIGN: Final = {
    STOCK_FAUST: "bench.peers.faust_table",
    "Quix Streams": "bench.peers.quix_streams",
    "Bytewax": "bench.peers.bytewax_flow",
    "Pathway": "bench.peers.pathway_tables",
}
"""Peers of `PYTHON`."""
PEER_SECONDS: Final = 300.0
"""Longest time for one peer's job: one that has lost events waits for ever."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A filled broker and an instance without workers, on which every peer runs."""

    bootstrap: str
    data: Path
    settings: Settings
    events: int
    options: MixOptions
    seconds: float


def installed(python: Path = PYTHON) -> bool:
    """Return whether the environment of the other engines is there."""
    return python.exists()


def need_installed() -> None:
    """Raise the one line that says how to get the other engines.

    Raises:
        UserError: they are not there.
    """
    if not installed():
        raise UserError("the peers' own environment, .venv-peers, is not there", "get it with: make peers")


def measure(
    broker: Broker, events: int, mix: MixName, job: str, seconds: float = PEER_SECONDS
) -> Iterator[tuple[str, Outcome]]:
    """Let every peer, one after the other, do a job over the same topics; and this pipeline, in the full one.

    A peer that fails, or is not done after ``seconds``, is an outcome without a speed.
    """
    with running_broker(broker) as bootstrap, running_instance(bootstrap) as data:
        options = MixOptions(mix, events, customers=max(1000, events // 10))
        settings = load_settings(data)
        ground = Ground(bootstrap, data, settings, fill(settings, mix_events(options)), options, seconds)
        yield from (_trivial if job == "trivial" else _full)(ground)


def peers() -> dict[str, str]:
    """Return the module of every peer that can run here."""
    return OWN | (FOREIGN if installed() else {})


def _trivial(ground: Ground) -> Iterator[tuple[str, Outcome]]:
    right = spend_of(mix_events(ground.options))

    def judge(told: dict[str, Any]) -> list[str]:
        return [] if told["sums"] == right else [f"cost {sum(told['sums'].values()):,} for {sum(right.values()):,}"]

    for name, module in peers().items():
        yield name, outcome(ground, name, module, "trivial", judge)


def _full(ground: Ground) -> Iterator[tuple[str, Outcome]]:
    right = numbers_of(mix_events(ground.options))
    # first, while the engine holds nothing else
    yield WHOLE_PATH, _own_outcome(ground, right)
    _run_script(ground.settings, "tables")
    for name, module in peers().items():
        _run_script(ground.settings, "empty")
        yield name, outcome(ground, name, module, "full", lambda _: differences(_read(ground.settings, right), right))


def _own_outcome(ground: Ground, right: Numbers) -> Outcome:
    load = os.getloadavg()[0]
    try:
        speed = whole_path(ground.data, ground.events)
    except UserError as error:
        return Outcome(None, (str(error),), load)
    return Outcome(speed, _wrong_here(ground, right), load)


def outcome(ground: Ground, name: str, module: str, job: str, judge: Callable[[dict[str, Any]], list[str]]) -> Outcome:
    """Run one peer; one that fails, or never ends as it has lost events, is a result too."""
    settings = ground.settings
    environment = {
        USER_VARIABLE: settings.clickhouse_writer_user,
        PASSWORD_VARIABLE: settings.clickhouse_writer_password.get_secret_value(),
    }
    options: tuple[object, ...] = ("--bootstrap", ground.bootstrap, "--topics", ",".join(EVENT_TOPICS))
    options += ("--events", ground.events, "--job", job, "--partitions", settings.kafka_partitions)
    options += ("--clickhouse", settings.clickhouse_url)
    python = PYTHON if name in FOREIGN else None
    load = os.getloadavg()[0]
    try:
        told = measured(module, *options, seconds=ground.seconds, python=python, environment=environment)
    except UserError as error:
        return Outcome(None, (error.cause,), load)
    return Outcome(Throughput(told["events"], told["seconds"], told["cpu_seconds"]), tuple(judge(told)), load)


def _run_script(settings: Settings, name: str) -> None:
    client = connect(settings, "writer")
    try:
        for statement in statements((_SQL / f"{name}.sql").read_text()):
            client.command(statement)
    finally:
        client.close()


def _read(settings: Settings, right: Numbers) -> Numbers:
    reader = Reader(settings)
    campaigns, changes = (reader.rows((_SQL / f"{name}.sql").read_text()) for name in ("campaigns", "activity"))
    return numbers_from(campaigns, changes, right.active)


def _wrong_here(ground: Ground, right: Numbers) -> tuple[str, ...]:
    reader = Reader(ground.settings)
    campaigns = reader.rows((_SQL / "own_campaigns.sql").read_text())
    active = {int(row["day"]): int(row["mau"]) for row in reader.rows((_SQL / "own_activity.sql").read_text())}
    own = numbers_from(campaigns, (), ())
    return tuple(differences(Numbers(own.campaigns, active), right))


def main() -> None:
    """Measure one job on one broker and print a JSON object a peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", choices=get_args(Broker), default="tansu")
    parser.add_argument("--mix", choices=get_args(MixName), default="A")
    parser.add_argument("--job", choices=("trivial", "full"), default="full")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=PEER_SECONDS, help="longest time for one peer")
    arguments = parser.parse_args()
    for name, found in measure(arguments.broker, arguments.events, arguments.mix, arguments.job, arguments.seconds):
        told = {"broker": arguments.broker, "mix": arguments.mix, "job": arguments.job, "peer": name}
        sys.stdout.write(json.dumps(told | found.as_json()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
