"""What results of the bench say of the targets of speed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from bench import targets
from bench.children import REPOSITORY
from bench.targets import Verdict, markdown, verdicts
from bench.throughput import GETMANY, STOCK_FAUST, WHOLE_PATH

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


DOCS = REPOSITORY / "docs"


def latency(p99_ms: float, rate: int, share: float | None = None) -> dict[str, Any]:
    return {"broker": "tansu", "share_of_peak": share, "wished_rate": rate, "p99_ms": p99_ms}


def speed(name: str, rate: float, **more: object) -> dict[str, Any]:
    return {"broker": "tansu", "mix": "A", "name": name, "events_per_second": rate} | more


def judged(**parts: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    return [(it.found, it.is_met) for it in verdicts([parts])]


def test_throughput_is_judged_by_itself_and_beside_others_of_its_step() -> None:
    found = [speed(WHOLE_PATH, 240_000), speed(GETMANY, 500_000), speed(STOCK_FAUST, 9_600)]
    assert judged(throughput=found) == [("240,000", False), ("0.48", False), ("25.0", True)]
    of_money = [speed(WHOLE_PATH, 240_000, mix="B"), speed(GETMANY, 500_000, mix="B")]
    assert list(verdicts([{"throughput": of_money}])) == [
        Verdict("whole path, mix B on tansu, events/s", "≥ 120,000", "240,000", is_met=True)
    ]


def test_of_several_runs_the_median_is_a_speed() -> None:
    runs = [speed("ceiling", 400_000), *(speed("1 processes", rate) for rate in (100_000, 300_000, 290_000))]
    assert judged(replay=runs) == [("0.72", True)]
    shares = [
        {"broker": "kafka", "mix": "B", "models": how, "events_per_second": rate}
        for how, rate in (("one", 200_000), ("five", 130_000), ("five", 90_000), ("five", 110_000))
    ]
    assert judged(models=shares) == [("0.55", False)]


def test_every_run_has_to_keep_a_latency_and_each_rate_is_judged_by_itself() -> None:
    runs = [latency(620, 20_000), latency(640.4, 20_000), latency(990, 150_000, 0.5), latency(1_001, 180_000, 0.5)]
    kept, missed = verdicts([{"latency": runs[:2]}, {"latency": runs[2:]}])
    assert kept.found == "620 to 640, 2 of 2 within"
    assert kept.is_met
    assert "at 150,000 to 180,000/s, 50% of the peak before each, on tansu" in missed.what
    assert missed.found == "990 to 1,001, 1 of 2 within"
    assert not missed.is_met


def test_an_axis_is_judged_by_its_dearest_point_and_one_point_is_none() -> None:
    def point(partitions: int, cost: float) -> dict[str, Any]:
        where = {"broker": "tansu", "axis": "partitions", "partitions": partitions}
        return where | {"cpu_microseconds_per_event": cost}

    assert judged(flatness=[point(4, 2.0), point(64, 2.4), point(64, 2.2), point(64, 9.0)]) == [("1.20", False)]
    assert judged(flatness=[point(4, 2.0), point(4, 2.5)]) == []


def test_two_workers_are_judged_by_the_slower_ones_processor_time() -> None:
    def run(*cpu_seconds: float) -> dict[str, Any]:
        return {"broker": "tansu", "workers": len(cpu_seconds), "events": 1_000_000, "cpu_seconds": list(cpu_seconds)}

    assert judged(processes=[run(1.8), run(0.7, 1.0)]) == [("1.80", True)]
    assert judged(processes=[run(1.7), run(0.7, 1.0)]) == [("1.70", False)]


def test_the_page_has_what_the_kept_results_say() -> None:
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    files = [DOCS / "throughput.json", *sorted((DOCS / "results").glob("*.json"))]
    assert len(files) >= 3
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert f"<!-- targets: begin -->\n{markdown(verdicts(found))}\n<!-- targets: end -->" in page


def test_memory_is_judged_by_what_lives_and_of_the_compiled_core() -> None:
    run = {"customers": 1_000, "live_touches": 300, "live_transactions": 600, "bytes_each": 222.4}
    found = [run | {"core": "native"}, run | {"core": "plain", "bytes_each": 900}]
    (verdict,) = verdicts([{"memory": found}])
    assert (verdict.target, verdict.found, verdict.is_met) == ("≤ 222", "222", False)


def test_what_somebody_waits_for_is_judged_in_every_run() -> None:
    starts = [{"directory": "new", "seconds": {"page": page, "worker counts": 8.0}} for page in (1.7, 3.2)]
    assert judged(start=starts) == [("1.7 to 3.2, 1 of 2 within", False)]
    tick = {"campaigns": 10_000, "within_seconds": 0.8, "minute_seconds": 1.1}
    assert judged(tick=[tick]) == [("0.80", True), ("1.10", False)]
    boards = {"a": {"panels": {"x": 20.0, "y": 190.0}}, "b": {"panels": {"z": 150.0}}}
    assert judged(boards=[{"boards": boards}]) == [("20 to 190, 3 of 3 within", True)]
    assert judged(recovery=[{"customers": 9, "customers_per_second": 500_000.0}]) == [("500,000", True)]


def test_the_command_judges_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for file, run in zip(files, (latency(900, 20_000), latency(1_100, 20_000)), strict=True):
        file.write_text(json.dumps({"begun": "now", "table": [], "latency": [run]}))
    monkeypatch.setattr(sys, "argv", ["bench.targets", *map(str, files)])
    targets.main()
    printed = capsys.readouterr().out
    assert printed == markdown(verdicts(json.loads(file.read_text()) for file in files)) + "\n"
    assert printed.endswith("| ≤ 1,000 | 900 to 1,100, 1 of 2 within | **missed** |\n")
