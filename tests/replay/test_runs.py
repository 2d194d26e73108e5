from __future__ import annotations

import json
import signal
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.replay.comparing import differences, sizes
from tests.replay.running import replay, replaying, roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SHAPE = Shape(customers=40, campaigns=8, partitions=2, huge_share=0.0)


@pytest.fixture(scope="module")
@starts_process
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose worker has counted everything and is gone."""
    with (
        running_tansu() as bootstrap,
        running_cluster(bootstrap, tmp_path_factory.mktemp("replay"), "only-life", partitions=2) as running,
    ):
        worker = running.start_worker()
        running.produce(interleaved(random_log(4, 6_000, shape=SHAPE), Random(4)))
        running.drain()
        running.kill_worker(worker)
        yield running


def tables_with(cluster: Cluster, run: str) -> dict[str, int]:
    """Return how many rows of a run each table of the database has, of those that have a column for it."""
    tables = cluster.rows(
        "SELECT table FROM system.columns WHERE database = 'roi' AND name = 'run' AND table IN "
        "(SELECT name FROM system.tables WHERE database = 'roi' AND engine LIKE '%MergeTree')"
    )
    counts = {name: cluster.rows(f"SELECT count() FROM roi.`{name}` WHERE run = '{run}'")[0][0] for (name,) in tables}
    return {name: count for name, count in counts.items() if count}


def test_a_dropped_run_leaves_no_row_in_any_table(cluster: Cluster) -> None:
    replay(cluster, "dropped")
    assert {"ledger", "claims", "runs", "replays"} <= tables_with(cluster, "dropped").keys()
    before = sizes(cluster, "live")
    assert roi(cluster, "runs", "drop", "dropped").returncode == 0
    assert tables_with(cluster, "dropped") == {}
    assert sizes(cluster, "live") == before
    replay(cluster, "dropped")  # the name is free again
    assert differences(cluster, "dropped") == {}


def test_runs_are_listed_with_what_differs_from_live(cluster: Cluster) -> None:
    replay(cluster, "listed", "--set", "attribution.window_days=3", "--from", "2026-03-02")
    listed = roi(cluster, "runs", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = {row["run"]: row for row in json.loads(listed.stdout)}
    assert rows["live"]["state"] == "live"
    row = rows["listed"]
    assert (row["state"], row["settings"]) == ("complete", {"attribution.window_days": 3})
    assert (row["from_time"], row["to_time"]) == ("2026-03-01T16:00:00Z", None)
    assert row["events"] == row["total"] == rows["live"]["events"]
    assert row["rows"] > 0
    assert row["began_at"] <= row["ended_at"]
    assert "listed" in roi(cluster, "runs", "list").stdout


SLOWLY = {"ROI_WORKER__FETCH_RECORDS": "5"}


def state_of(cluster: Cluster, run: str) -> str:
    found = cluster.rows(f"SELECT state FROM roi.run_states WHERE run = '{run}'")
    return str(found[0][0]) if found else ""


def durable(cluster: Cluster, run: str) -> int:
    topics = "('bank.logins.v1', 'bank.transactions.v1', 'bank.touches.v1', 'bank.costs.v1')"
    found = cluster.rows(f"SELECT sum(next_offset) FROM roi.positions WHERE run = '{run}' AND topic IN {topics}")
    return int(found[0][0])


def begun(cluster: Cluster, run: str) -> None:
    """Return once some records of a run are durable, which is well before its end."""
    cluster.wait_until(lambda: durable(cluster, run) > 0, f"a block of {run}")


def test_ctrl_c_leaves_nothing_of_the_run_in_any_table(cluster: Cluster) -> None:
    with replaying(cluster, "cancelled", **SLOWLY) as process:
        begun(cluster, "cancelled")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert "nothing of run cancelled is left" in process.stderr.read()
    assert tables_with(cluster, "cancelled") == {}


@pytest.mark.parametrize("arguments", [(), ("--parallel", "2")], ids=["one", "two"])
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_a_replay_that_was_ended_is_resumed_and_equals_live(
    cluster: Cluster, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    run = f"ended-{number.name.lower()}-{len(arguments)}"
    with replaying(cluster, run, *arguments, **SLOWLY) as process:
        begun(cluster, run)
        process.send_signal(number)
        assert process.wait(30) == (1 if number is signal.SIGTERM else -signal.SIGKILL)
    if number is signal.SIGTERM:
        assert state_of(cluster, run) == "stopped"
    else:
        refused = roi(cluster, "replay", "--run", run, "--resume")
        assert (refused.returncode, "is being replayed now" in refused.stderr) == (1, True)
        cluster.wait_until(lambda: state_of(cluster, run) == "interrupted", "the silence of a killed replay")
    assert 0 < durable(cluster, run) < durable(cluster, "live"), "it must have been ended in the middle"
    again = roi(cluster, "replay", "--run", run)
    assert (again.returncode, "--resume" in again.stderr) == (1, True)
    replay(cluster, run, "--resume", *arguments)
    assert differences(cluster, run) == {}
    assert state_of(cluster, run) == "complete"
