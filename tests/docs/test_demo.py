from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

import pytest

from pipeline.settings import read_env_file
from tests.docs.page import ROOT
from tests.embedded.waiting import alive
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

FIRST_NUMBERS_SECONDS: Final = 60
BOARDS_SECONDS: Final = 400  # on a busy machine; half a minute after the past has come on an idle one
END_SECONDS: Final = 10
# a campaign's line: its name, reached customers and converters above 0, cost, return, ratio and what that means
CAMPAIGN: Final = re.compile(r"^\S.* +[1-9][\d,]* +[1-9][\d,]* +[\d,]+ +[\d,]+ +\d+\.\d\d  \w.*$", re.MULTILINE)


def descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from descendants(child)


def rows_of(address: str, panel: str) -> list[list[Any]]:
    """Return what a board shows; nothing while it does not answer."""
    try:
        with urlopen(f"{address}/api/panels/{panel}?from=latest-90d&to=latest", timeout=30) as answer:
            found: list[list[Any]] = json.load(answer)["rows"]
    except OSError:
        return []
    return found


def is_filled(address: str, panel: str, demo: subprocess.Popen[str]) -> bool:
    """Tell whether a panel has rows, or never will."""
    return bool(rows_of(address, panel)) or demo.poll() is not None


def test_the_demo_shows_numbers_within_a_minute_fills_its_boards_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROI_")}
    demo = subprocess.Popen(
        [sys.executable, "-u", "-m", "pipeline", "demo", "--rate", "500", "--data", str(tmp_path / "demo")],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed: list[str] = []
    assert demo.stdout is not None
    reading = threading.Thread(target=printed.extend, args=(demo.stdout,))
    reading.start()
    try:
        wait_until(
            lambda: CAMPAIGN.search("".join(printed)) is not None or demo.poll() is not None, FIRST_NUMBERS_SECONDS
        )
        assert demo.poll() is None, "".join(printed)
        everything = list(descendants(demo.pid))
        assert len(everything) > 5
        address = read_env_file(tmp_path / "demo" / "roi.env")["ROI_BOARD_URL"]
        for panel in ("backtest-rules", "backtest-campaigns", "experiments-verdicts"):
            wait_until(partial(is_filled, address, panel, demo), BOARDS_SECONDS)
        assert demo.poll() is None, "".join(printed)
        assert [row[0] for row in rows_of(address, "backtest-rules")] == ["plain", "default"]
        asked = time.monotonic()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=END_SECONDS) in {0, 128 + signal.SIGINT}
        assert time.monotonic() - asked < END_SECONDS
        assert not [pid for pid in everything if alive(pid)]
        assert not (tmp_path / "demo" / "roi.env").exists()
    finally:
        demo.kill()
        demo.wait()
        reading.join()
        demo.stdout.close()
    output = "".join(printed)
    assert "Traceback" not in output
    assert "board       http://127.0.0.1:" in output
