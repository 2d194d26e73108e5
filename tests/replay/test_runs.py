from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.replay.comparing import differences, sizes
from tests.replay.running import frozen_in_the_middle, replay, replaying, roi, signal_all

if TYPE_CHECKING:
    from subprocess import Popen

    from tests.support.cluster import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


def tables_with(counted: Cluster, run: str) -> dict[str, int]:
    """Return how many rows of a run each table of the database has, of those that have a column for it."""
    tables = counted.rows(
        "SELECT table FROM system.columns WHERE database = 'roi' AND name = 'run' AND table IN "
        "(SELECT name FROM system.tables WHERE database = 'roi' AND engine LIKE '%MergeTree')"
    )
    counts = {name: counted.rows(f"SELECT count() FROM roi.`{name}` WHERE run = '{run}'")[0][0] for (name,) in tables}
    return {name: count for name, count in counts.items() if count}


def test_a_dropped_run_leaves_no_row_in_any_table(counted: Cluster) -> None:
    replay(counted, "dropped")
    assert {"ledger", "claims", "runs", "replays"} <= tables_with(counted, "dropped").keys()
    before = sizes(counted, "live")
    assert roi(counted, "runs", "drop", "dropped").returncode == 0
    assert tables_with(counted, "dropped") == {}
    assert sizes(counted, "live") == before
    replay(counted, "dropped")  # the name is free again
    assert differences(counted, "dropped") == {}


def test_runs_are_listed_with_what_differs_from_live(counted: Cluster) -> None:
    replay(counted, "listed", "--set", "attribution.window_days=3", "--from", "2026-03-02")
    listed = roi(counted, "runs", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = {row["run"]: row for row in json.loads(listed.stdout)}
    assert rows["live"]["state"] == "live"
    row = rows["listed"]
    assert (row["state"], row["settings"]) == ("complete", {"attribution.window_days": 3})
    assert (row["from_time"], row["to_time"]) == ("2026-03-01T16:00:00Z", None)
    assert row["events"] == row["total"] == rows["live"]["events"]
    assert row["rows"] > 0
    assert row["began_at"] <= row["ended_at"]
    assert "listed" in roi(counted, "runs", "list").stdout


def test_a_run_is_listed_with_what_its_shell_was_set_to(counted: Cluster) -> None:
    margins = {"ROI_ATTRIBUTION__MARGINS_BPS": '{"payment": 777}'}
    replay(counted, "other-margins", "--set", "attribution.window_days=3", **margins)
    rows = {row["run"]: row for row in json.loads(roi(counted, "runs", "list", "--json").stdout)}
    assert rows["live"]["settings"] == {}
    assert rows["other-margins"]["settings"] == {
        "attribution.window_days": 3,
        "attribution.margins_bps": {"payment": 777},
    }


SLOWLY = {"ROI_WORKER__FETCH_RECORDS": "1"}


def state_of(counted: Cluster, run: str) -> str:
    found = counted.rows(f"SELECT state FROM roi.run_states WHERE run = '{run}'")
    return str(found[0][0]) if found else ""


def durable(counted: Cluster, run: str) -> int:
    topics = "('bank.logins.v1', 'bank.transactions.v1', 'bank.touches.v1', 'bank.costs.v1')"
    found = counted.rows(f"SELECT sum(next_offset) FROM roi.positions WHERE run = '{run}' AND topic IN {topics}")
    return int(found[0][0])


def begun(counted: Cluster, run: str, process: Popen[str]) -> None:
    """Return once some records of a run are durable, with the replay frozen."""
    frozen_in_the_middle(counted, run, process, lambda: durable(counted, run))


def test_ctrl_c_leaves_nothing_of_the_run_in_any_table(counted: Cluster) -> None:
    with replaying(counted, "cancelled", **SLOWLY) as process:
        begun(counted, "cancelled", process)
        signal_all(process, signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert "nothing of run cancelled is left" in process.stderr.read()
    assert tables_with(counted, "cancelled") == {}


@pytest.mark.parametrize("arguments", [(), ("--parallel", "2")], ids=["one", "two"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_replay_that_was_ended_is_resumed_and_equals_live(
    counted: Cluster, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    run = f"ended-{number.name.lower()}-{len(arguments)}"
    with replaying(counted, run, *arguments, **SLOWLY) as process:
        begun(counted, run, process)
        signal_all(process, signal.SIGCONT)
        process.send_signal(number)
        assert process.wait(30) == (1 if number is signal.SIGTERM else -signal.SIGKILL)
    if number is signal.SIGTERM:
        assert state_of(counted, run) == "stopped"
    else:
        refused = roi(counted, "replay", "--run", run, "--resume")
        assert (refused.returncode, "is being replayed now" in refused.stderr) == (1, True)
        counted.wait_until(lambda: state_of(counted, run) == "interrupted", "the silence of a killed replay")
    assert 0 < durable(counted, run) < durable(counted, "live"), "it must have been ended in the middle"
    again = roi(counted, "replay", "--run", run)
    assert (again.returncode, "--resume" in again.stderr) == (1, True)
    assert f"there is a run {run} already ({state_of(counted, run)})" in again.stderr
    replay(counted, run, "--resume", *arguments)
    assert differences(counted, run) == {}
    assert state_of(counted, run) == "complete"


def test_a_replay_that_sleeps_while_its_run_is_dropped_brings_nothing_back(counted: Cluster) -> None:
    with replaying(counted, "asleep", **SLOWLY) as process:
        begun(counted, "asleep", process)
        counted.wait_until(lambda: state_of(counted, "asleep") == "interrupted", "the silence of a frozen replay")
        assert roi(counted, "runs", "drop", "asleep").returncode == 0
        signal_all(process, signal.SIGCONT)
        assert process.wait(30) == 1
        assert process.stderr is not None
        assert "was taken over by another replay, or dropped" in process.stderr.read()
    assert tables_with(counted, "asleep") == {}
