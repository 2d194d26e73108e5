from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.replay.running import replay, roi
from tests.support.kafka import running_tansu

if TYPE_CHECKING:
    from tests.support.cluster import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--run", "live"), ("'live'", "choose another name")),
        (("--run", "alerts"), ("'alerts'", "in use", "another name")),
        (("--run", "Spring 2026"), ("'Spring 2026'", "a-z")),
        (("--run", "x", "--set", "worker.fetch_records=9"), ("worker.fetch_records", "attribution.window_days")),
        (("--run", "x", "--set", "attribution.window_days"), ("no value", "KEY=VALUE")),
        (("--run", "x", "--set", "attribution.window_days=1", "--set", "attribution.window_days=2"), ("given twice",)),
        (
            ("--run", "x", "--set", "attribution.half_life_days=2"),
            ("changes nothing", "last_touch", "--model time_decay"),
        ),
        (("--run", "x", "--input", "a.ndjson", "--input", "./a.ndjson"), ("--input", "given twice")),
        (("--run", "x", "--models", ","), ("--models", "names no model")),
        (("--run", "x", "--model", "foo"), ("MODEL", "last_touch")),
        (("--run", "x", "--set", "attribution.window_days=-1"), ("WINDOW_DAYS", "greater than 0")),
        (("--run", "x", "--from", "2026-03-09", "--to", "2026-03-09"), ("the range is empty", "later than --from")),
    ],
)
def test_what_can_mean_nothing_is_said_in_one_line_and_nothing_is_begun(
    counted: Cluster, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ended = roi(counted, "replay", *arguments)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert [word for word in words if word not in ended.stderr] == []
    assert counted.rows("SELECT count() FROM roi.replays WHERE run IN ('x', 'live', 'alerts', 'Spring 2026')") == [(0,)]


@pytest.mark.parametrize(("option", "file"), [("--campaigns", "nothing.yaml"), ("--customers", "nothing.ndjson")])
def test_a_file_that_is_not_there_is_told(counted: Cluster, option: str, file: str) -> None:
    ended = roi(counted, "replay", "--run", "x", option, file)
    assert (ended.returncode, ended.stderr.count("\n"), file in ended.stderr) == (1, 1, True)


def test_two_models_and_one_model_are_wrong_usage(counted: Cluster) -> None:
    assert roi(counted, "replay", "--run", "x", "--model", "linear", "--models", "linear,position").returncode == 2


@pytest.mark.parametrize("arguments", [("--topic", "bank.logins.v1"), ("--against", "live")])
def test_an_option_that_would_say_nothing_is_wrong_usage(counted: Cluster, arguments: tuple[str, ...]) -> None:
    ended = roi(counted, "replay", "--run", "x", *arguments)
    assert (ended.returncode, arguments[0] in ended.stderr) == (2, True)


def test_a_run_that_is_there_is_not_begun_again_nor_resumed_otherwise(counted: Cluster) -> None:
    replay(counted, "there", "--model", "linear")
    again = roi(counted, "replay", "--run", "there", "--model", "linear")
    assert (again.returncode, "roi runs drop there" in again.stderr) == (1, True)
    other = roi(counted, "replay", "--run", "there", "--model", "position", "--from", "2026-03-03", "--resume")
    assert other.returncode == 1
    assert [word for word in ("--from", "the settings", "position") if word not in other.stderr] == []
    same = roi(counted, "replay", "--run", "there", "--model", "linear", "--resume")
    assert (same.returncode, "complete already" in same.stdout) == (0, True)


def test_resuming_what_is_not_there_begins_it_and_says_so(counted: Cluster) -> None:
    ended = replay(counted, "resumed-from-nothing", "--resume")
    assert "begins anew" in ended.stderr


@pytest.mark.parametrize("command", [("explain", "spring"), ("forecast",), ("report", "spring", "--html", "-")])
def test_a_run_that_is_not_there_is_told_with_those_that_are(counted: Cluster, command: tuple[str, ...]) -> None:
    ended = roi(counted, *command, "--run", "nowhere")
    assert ended.returncode == 1
    assert "there is no run 'nowhere'; there are live" in ended.stderr


@pytest.mark.parametrize(("name", "words"), [("live", "is not dropped"), ("nowhere", "there is no run")])
def test_what_is_no_replay_is_not_dropped(counted: Cluster, name: str, words: str) -> None:
    ended = roi(counted, "runs", "drop", name)
    assert (ended.returncode, words in ended.stderr) == (1, True)


def test_a_broker_without_topics_is_told(counted: Cluster) -> None:
    with running_tansu() as empty:
        ended = roi(counted, "replay", "--run", "x", ROI_KAFKA_BOOTSTRAP_SERVERS=empty)
    assert ended.returncode == 1
    assert [word for word in ("has no topic bank.logins.v1", "--input") if word not in ended.stderr] == []
