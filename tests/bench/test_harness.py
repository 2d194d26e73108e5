from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from bench import backtesting, cores, families, judging, measuring, memory, peering, recovery, throughput, whale
from bench.children import cpu_seconds, measured, own_module, parse_cpu_seconds, running
from bench.figures import Row, Throughput, family_rows
from bench.measuring import Measuring
from bench.options import parse
from bench.peers.report import Stopwatch
from bench.results import Results
from bench.servers import wait_until
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings
    from pipeline.state.policy import CoreName


def steps(words: list[str]) -> list[str]:
    return [name for name, _ in Measuring(parse(words), Results()).steps()]


def test_processor_time_is_read_behind_any_process_name() -> None:
    stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 100 200 300"
    assert parse_cpu_seconds(stat, 100) == 3.0


def test_processor_time_of_this_process_is_what_it_says_itself() -> None:
    assert cpu_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.5)


@pytest.mark.process
def test_a_failing_measurement_says_why_in_one_line() -> None:
    with pytest.raises(UserError, match="unrecognized arguments: --nonsense"):
        measured("bench.whale", "--nonsense")


@pytest.mark.process
def test_a_process_that_ends_while_starting_is_reported_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", "raise SystemExit('port taken')"]
    with running(command, log) as process, pytest.raises(UserError, match="port taken"):
        wait_until(lambda: False, process, log)


@pytest.mark.process
def test_a_running_process_ends_with_the_block(tmp_path: Path) -> None:
    with running(own_module("http.server", "0", "--bind", "127.0.0.1"), tmp_path / "log") as process:
        assert process.poll() is None
    assert process.returncode is not None


def test_the_stopwatch_does_not_count_a_first_batch_that_it_did_not_time(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Stopwatch(wanted=30)
    assert [watch.saw(10), watch.saw(10), watch.saw(10)] == [False, False, True]
    assert json.loads(capsys.readouterr().out)["events"] == 20


def test_a_started_stopwatch_counts_every_batch(capsys: pytest.CaptureFixture[str]) -> None:
    watch = Stopwatch(wanted=30)
    watch.start()
    assert [watch.saw(20), watch.saw(20)] == [False, True]
    assert json.loads(capsys.readouterr().out)["events"] == 40


def test_the_command_line_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--brokers", "redpanda"])
    assert ended.value.code == 2
    assert "must be of tansu, kafka" in capsys.readouterr().err


def test_every_part_is_measured_on_every_broker_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peering, "installed", lambda: False)
    assert steps([]) == [
        "throughput on tansu",
        "latency on tansu at 20,000/s",
        "replays on tansu",
        "one model and five on tansu, mix A",
        "one model and five on tansu, mix B",
        "two workers beside one on tansu",
        "throughput on kafka",
        "latency on kafka at 20,000/s",
        "replays on kafka",
        "one model and five on kafka, mix A",
        "one model and five on kafka, mix B",
        "two workers beside one on kafka",
        "a worker with many customers on tansu",
        "a worker with many campaigns on tansu",
        "a worker with many partitions on tansu",
        "starts, run 1 of 1",
        "late events of one large customer",
        "metric families",
        "memory",
        "take-over",
        "the stop rule",
        "the facts of campaigns",
        "a whole tick of the alerts",
        "from a breach to its notice",
        "the boards' queries",
        "a year of campaigns by the hour",
    ]
    assert steps(["--only", "latency", "--brokers", "kafka"]) == ["latency on kafka at 20,000/s"]


def test_each_rate_is_measured_as_often_as_asked_for_and_each_mix_once() -> None:
    asked = ["--only", "latency,throughput", "--brokers", "tansu", "--rate", "20000,50%", "--runs", "2", "--mix", "A,B"]
    assert steps(asked) == [
        "throughput on tansu, mix A",
        "throughput on tansu, mix B",
        "latency on tansu at 20,000/s, run 1 of 2",
        "latency on tansu at 20,000/s, run 2 of 2",
        "latency on tansu at 50% of the peak, run 1 of 2",
        "latency on tansu at 50% of the peak, run 2 of 2",
    ]


def test_a_share_of_the_peak_is_taken_of_a_peak_measured_right_before_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([Throughput(260_000, 1.0, 1.0), Throughput(180_000, 1.0, 1.0)])
    asked: list[object] = []

    def told(_module: str, *options: object) -> dict[str, float]:
        asked.append(dict(zip(options[::2], options[1::2], strict=True))["--rate"])
        return defaultdict(float, wished_rate=0)

    monkeypatch.setattr(throughput, "alone", lambda *_: next(peaks))
    monkeypatch.setattr(measuring, "running_broker", lambda _: nullcontext("bootstrap"))
    monkeypatch.setattr(measuring, "running_instance", lambda *_, **__: nullcontext("data"))
    monkeypatch.setattr(measuring, "measured", told)
    words = parse(["--only", "latency", "--brokers", "tansu", "--rate", "20000,50%", "--runs", "2"])
    results = Results()
    for _, measure in Measuring(words, results).steps():
        measure()
    assert asked == [20_000, 20_000, 130_000, 90_000]


@pytest.mark.parametrize("rate", ["0", "0%", "-5", "fast", "50 percent"])
def test_a_rate_that_is_none_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([f"--rate={rate}"])
    assert "--rate" in capsys.readouterr().err


def test_results_are_kept_as_they_come_with_the_load_before_their_step(tmp_path: Path) -> None:
    results = Results(tmp_path / "new" / "found.json")
    results.begin("throughput on tansu")
    results.add("throughput", {"name": "ours"} | Throughput(1_000, 2.0, 0.5).as_json())
    first = json.loads((tmp_path / "new" / "found.json").read_text())
    assert first["throughput"][0]["events_per_second"] == 500
    assert first["throughput"][0]["cpu_microseconds_per_event"] == 500
    assert first["throughput"][0]["load_before"] >= 0
    results.add_rows([Row("ours", "tansu", "500 events/s")])
    found = json.loads((tmp_path / "new" / "found.json").read_text())
    assert [(row["step"], row["result"]) for row in found["table"]] == [("throughput on tansu", "500 events/s")]


@pytest.fixture(params=["plain", "native"])
def core(request: pytest.FixtureRequest) -> CoreName:
    if request.param == "native":
        request.getfixturevalue("native_core")
    name: CoreName = request.param
    return name


def test_what_a_core_takes_is_measured_of_each_that_is_built_and_its_row_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(_module: str, *options: object, **_limit: float) -> dict[str, Any]:
        given = dict(zip(options[::2], options[1::2], strict=True))
        return defaultdict(lambda: 1.0, {"core": given["--core"]})

    def rows() -> list[str]:
        words = parse(["--only", "whale,families,memory"])
        return [row.measured for _, measure in Measuring(words, Results()).steps() for row in measure()]

    monkeypatch.setattr(measuring, "measured", told)
    monkeypatch.setattr(cores, "is_built", lambda: True)
    both = rows()
    monkeypatch.setattr(cores, "is_built", lambda: False)
    alone = rows()
    assert all("plain core" in row for row in alone)
    assert sorted(both) == sorted(alone + [row.replace("plain core", "compiled core") for row in alone])


def test_a_small_whale_can_be_measured(core: CoreName) -> None:
    found = whale.measure(200, core)
    assert found["core"] == core
    assert found["touches"] == found["transactions"] == 200
    assert 0 < found["late_p50_us"] <= found["late_worst_us"]


def test_a_small_backtest_can_be_measured() -> None:
    found = backtesting.measure(2)
    assert found["campaigns"] == 2
    assert 0 < found["read_seconds"] < found["seconds"]


def test_the_stop_rule_can_be_measured_on_few_campaigns() -> None:
    found = judging.measure(30, 2)
    assert found["campaigns"] == 30
    assert 0 < found["p50_ms"] <= found["worst_ms"]


def test_a_small_take_over_can_be_measured(migrated: Settings) -> None:
    found = recovery.measure(migrated, 500)
    assert found["core"] == cores.built_cores()[0]
    assert 400 < found["customers"] <= 500
    assert found["rows"] > found["customers"]
    assert found["seconds"] > 0


def test_metric_families_can_be_measured(core: CoreName) -> None:
    one, five = (
        families.measure("B", 2_000, 300, models, core) for models in (families.ALL_MODELS[:1], families.ALL_MODELS)
    )
    assert one["core"] == five["core"] == core
    rows = family_rows("B", one, five)
    assert [row.result.endswith(("µs", "bytes a customer")) for row in rows] == [True] * len(rows)
    assert one.keys() == five.keys() >= {"bank.logins.v1", "bank.touches.v1", "decode", "block", "all"}


def test_the_memory_of_few_customers_can_be_measured(core: CoreName) -> None:
    found = memory.measure(1000, core)
    assert found["core"] == core
    assert 900 < found["customers"] <= 1000
    assert found["live_touches"] == pytest.approx(270, abs=60)
    assert found["live_transactions"] == pytest.approx(600, abs=80)
