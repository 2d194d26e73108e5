from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from pipeline.cli.demo_table import Pace, live_table
from pipeline.cli.output import Column, table_of
from pipeline.cli.terminal import fitting, printable
from tests.cli.test_boundary import ROOT
from tests.cli.test_demo_table import row

if TYPE_CHECKING:
    from pathlib import Path

PACE = Pace(events=12_345, events_per_second=2_000.4, lag=17, freshness_seconds=0.26)
HOSTILE = "\x1b[2J\x07\x00name\r\u202egnp\x9b31m\ud800"


def drawn(renderable: Any, width: int) -> str:
    output = io.StringIO()
    Console(file=output, width=width, color_system=None).print(renderable)
    return output.getvalue()


def test_what_steers_a_terminal_is_shown_escaped() -> None:
    assert printable(HOSTILE) == r"\u001b[2J\u0007\u0000name\u000d\u202egnp\u009b31m\ud800"
    assert printable("春季 été\n", keep="\n") == "春季 été\n"
    assert json.loads(printable(json.dumps({"name": HOSTILE}, ensure_ascii=False))) == {"name": HOSTILE}


@pytest.mark.parametrize(
    ("minor", "shown"),
    [
        (17_999_999_999_999_982, "179,999,999,999,999.82"),
        (-17_999_999_999_999_981, "-179,999,999,999,999.81"),
        (5, "0.05"),
        (0, "0.00"),
        (1234.5, "12.35"),
        (None, "-"),
    ],
)
def test_money_is_written_to_its_last_unit_however_much_it_is(minor: float | None, shown: str) -> None:
    assert Column("cost_minor", "Cost", "money").cell(minor) == shown


def test_hostile_names_reach_no_table_raw() -> None:
    table = table_of([{"name": HOSTILE}], (Column("name", "Name"),), 200)
    live = live_table([row(name=HOSTILE)], PACE, "", 24, 200)
    for text in (drawn(table, 200), drawn(live, 200)):
        assert r"\u001b[2J" in text
        assert not set(text) & set("\x1b\x07\x00\r\u202e\x9b")


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_every_figure_of_the_demo_is_whole_at_any_width(width: int) -> None:
    rows = [
        row(name=f"A campaign with a long name {n}", cost_minor=123_456_789_00, reached=2_345_678) for n in range(9)
    ]
    text = drawn(live_table(rows, PACE, "", 24, width), width)
    assert max(map(len, text.splitlines())) <= width
    table = "".join(text.partition("Campaign")[1:])
    assert "1.50" in table
    assert "123,456,789" in table
    for cut in ("123,…", "2…", "2,345…", "1,5…"):
        assert cut not in table


def test_columns_that_do_not_fit_are_named() -> None:
    columns = [Column("name", "Name")] + [Column(f"n{at}", f"Figure {at}", "number") for at in range(8)]
    rows = [{"name": "campaign " * 5} | {f"n{at}": 10**9 + at for at in range(8)}]
    text = drawn(table_of(rows, columns, 80), 80)
    assert "1,000,000,000" in text
    assert "…" not in text
    assert "not shown for want of width: " in text
    assert "Figure 7" in text
    assert "not shown" not in drawn(table_of(rows, columns, 200), 200)


def test_details_go_before_figures() -> None:
    columns = (Column("a", "Name"), Column("b", "Goal", is_detail=True), Column("c", "Ratio", "ratio"))
    text = drawn(table_of([{"a": "spring", "b": "deposits of everyone", "c": 1.5}], columns, 24), 24)
    assert "1.500" in text
    assert "not shown for want of" in text
    assert "deposits" not in text


def test_the_first_column_always_stays() -> None:
    assert fitting([50, 10, 10], [True, False, False], 32) == [0, 1]
    assert fitting([50], [False], 30) == [0]


def roi(arguments: list[str], *, shell: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *arguments]
    words = ["bash", "-c", f'"$@" {shell}; exit ${{PIPESTATUS[0]}}', "bash", *command] if shell else command
    return subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, env={**os.environ, **environment}
    )


@pytest.mark.e2e
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["schema", "export"], ["sql", "--help"]])
@pytest.mark.parametrize(
    ("shell", "code"), [(">&-", 1), (">/dev/full", 1), ("| head -c 1", 0)], ids=["closed", "full", "pipe"]
)
def test_lost_output_is_one_line_at_most(
    arguments: list[str], shell: str, code: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    del request
    command = [*arguments, "--output", str(tmp_path)] if arguments[0] == "schema" else arguments
    done = roi(command, shell=shell)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1
    assert done.returncode == code
    assert ("cannot be written" in done.stderr) == bool(code)


@pytest.mark.e2e
def test_a_directory_that_cannot_be_made_is_one_line() -> None:
    done = roi(["schema", "export", "--output", "/proc/x"])
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "/proc/x" in done.stderr


@pytest.mark.e2e
def test_narrow_encodings_get_replacement_characters(tmp_path: Path) -> None:
    named = tmp_path / "春季"
    done = roi(["ingest", str(named)], PYTHONIOENCODING="latin-1")
    assert done.stderr.endswith("?? is not there; correct the name\n")
    narrow = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = roi(["sql", "select 'é'"], ROI_CLICKHOUSE_URL="http://127.0.0.1:9", **narrow)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "does not answer" in done.stderr


@pytest.mark.e2e
def test_a_terminal_of_80_columns_cuts_no_line() -> None:
    leader, follower = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--help"],
        stdout=follower,
        stderr=subprocess.PIPE,
        check=False,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80", "TERM": "dumb"},
        timeout=60,
    )
    os.close(follower)
    text = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert done.returncode == 0
    assert max(map(len, text.splitlines())) <= 80
