from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from bench import peer_steps, peering
from bench.alone_figures import crossovers
from bench.children import last_words, measured
from bench.figures import Throughput
from bench.options import parse
from bench.peer_figures import Outcome
from bench.peer_plots import plots
from bench.peer_steps import Plan
from bench.peers.report import Stopwatch
from bench.results import Results
from pipeline.errors import UserError
from tests.bench.test_alone import window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAST = Outcome(Throughput(1000, 0.1, 0.005), (), 0.5)
STUCK = Outcome(None, ("was not done after 300 s",), 0.5)
PLAN = Plan(5_000, "A", 300.0, (1_000_000, 10_000_000), 60.0)


def test_each_result_is_in_the_file_as_soon_as_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "new" / "peers.json"
    seen = []

    def outcomes(*_: object) -> Iterator[tuple[str, Outcome]]:
        yield "fast", FAST
        seen.append(json.loads(path.read_text()))
        yield "stuck", STUCK

    monkeypatch.setattr(peering, "need_installed", lambda: None)
    monkeypatch.setattr(peering, "measure", outcomes)
    rows = peer_steps.jobs("tansu", "full", PLAN, Results(path))
    assert [row.result for row in rows] == ["no result", "5.00 µs CPU an event, 10,000 events/s"]
    assert [one["peer"] for one in seen[0]["jobs"]] == ["fast"]
    found = json.loads(path.read_text())
    assert [(one["peer"], one["equal"], one["given"]) for one in found["jobs"]] == [
        ("fast", True, 5_000),
        ("stuck", False, 5_000),
    ]


def test_a_window_that_fails_costs_its_row_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def child(*arguments: object, seconds: float) -> dict[str, Any]:
        assert seconds == 60.0
        if arguments[2] == 10_000_000:
            raise UserError("it was not done after 60 s", "wait")
        return window(1_000_000)

    monkeypatch.setattr(peer_steps, "measured", child)
    monkeypatch.setattr(peer_steps, "_own_us", lambda *_: 2.0)
    rows = peer_steps.alone(PLAN, Results(tmp_path / "found.json"))
    assert rows[1].result == "not measured: it was not done after 60 s"
    found = json.loads((tmp_path / "found.json").read_text())["alone"]
    assert [one.get("why") for one in found["windows"]] == [None, "it was not done after 60 s"]
    assert [entry["every_seconds"] for entry in found["crossovers"]] == [1, 10, 60]


def test_the_command_line_names_windows_and_limits() -> None:
    assert parse([]).windows == [1_000_000, 10_000_000, 100_000_000]
    assert parse(["--quick"]).windows == [200_000]
    assert parse(["--quick", "--windows", "5,6"]).windows == [5, 6]
    assert (parse([]).peer_seconds, parse([]).json) == (300.0, None)


def test_plots_show_every_peer_and_leave_out_what_was_not_measured() -> None:
    jobs = [
        {"broker": "tansu", "job": job, "peer": peer, **outcome.as_json()}
        for job in ("trivial", "full")
        for peer, outcome in (("fast", FAST), ("stuck", STUCK), ("off", Outcome(FAST.speed, ("reached 1 for 2",))))
    ]
    windows = [window(1_000_000), window(10_000_000, 1.0), {"window": 100_000_000, "why": "no room"}]
    drawn = plots({"jobs": jobs, "alone": {"windows": windows, "crossovers": crossovers(windows, 2.0)}})
    assert drawn.keys() == {"peers-cost.svg", "peers-crossover.svg"}
    for content in drawn.values():
        ET.fromstring(content)
    for words in ("fast (tansu)", "off (tansu), trivial WRONG, full WRONG", "stuck (tansu)", "trivial job", "full job"):
        assert f">{words}<" in drawn["peers-cost.svg"]
    # two dots of the legend, two of each peer that has a result
    assert drawn["peers-cost.svg"].count("<circle") == 2 + 4
    # the two windows, and the one period (1 s) whose crossover lies between them
    assert drawn["peers-crossover.svg"].count("<circle") == 2 + 1
    assert plots({"jobs": [], "alone": {"windows": windows[2:], "crossovers": []}}) == {}


def test_processor_time_counts_from_where_the_clients_threads_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    used = iter([1.0, 2.0, 5.0])
    monkeypatch.setattr(time, "process_time", lambda: next(used))
    watch = Stopwatch(wanted=10)
    watch.open()
    watch.begin()
    assert watch.saw(10)
    told = json.loads(capsys.readouterr().out)
    assert (told["events"], told["cpu_seconds"]) == (10, 1.0)


def test_why_a_process_ended_is_its_last_error_else_its_last_line() -> None:
    told = "warning: old\nValueError: two\nfaust.errors.OffsetError: gone\n[CRITICAL] crashed\n"
    assert last_words(told, 1) == "faust.errors.OffsetError: gone"
    assert last_words("usage: x\nx: error: no such option\n\n", 2) == "x: error: no such option"
    assert last_words(" \n", -9) == "it gave no reason, exit code -9"


@pytest.mark.process
def test_a_process_that_prints_no_result_has_failed() -> None:
    with pytest.raises(UserError, match=r"this failed: it gave no reason"):
        measured("this")


@pytest.mark.process
def test_at_its_limit_a_process_ends_with_all_that_it_started() -> None:
    # the process it starts holds the pipe open for five minutes: who waits for the pipe's end waits as long
    started = "import subprocess; subprocess.run(['sleep', '300'])"
    began = time.monotonic()
    with pytest.raises(UserError, match="timeit was not done after 1 s"):
        measured("timeit", "-n", 1, "-r", 1, started, seconds=1.0)
    assert time.monotonic() - began < 60
