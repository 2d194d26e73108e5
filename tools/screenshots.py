"""`python -m tools.screenshots`: run the demo, wait for its numbers, and write the README's pictures of boards.

Needs Chromium (Debian: chromium, fonts-noto-cjk) and the development requirements; takes some minutes.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parents[1]
IMAGES: Final = ROOT / "docs" / "img"
MOST_BYTES: Final = 300_000
CHROMIUM: Final = "/usr/bin/chromium"
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
SHOTS: Final = (
    ("board-campaigns", "?board=campaigns&theme=light", 1440, 900),
    ("board-campaigns-zh", "?board=campaigns&lang=zh&theme=dark", 1440, 900),
    ("board-users", "?board=users&theme=light", 1440, 900),
    ("board-phone", "?board=campaigns&theme=light", 390, 844),
)
ALERT: Final = "board-alert"
_START_SECONDS: Final = 180.0
_NUMBERS_SECONDS: Final = 90.0
_WAITING: Final = """[...document.querySelectorAll('.panel')].some((panel) => {
  const { top, bottom } = panel.getBoundingClientRect();
  const isSeen = bottom > 0 && top < innerHeight;
  const isDone = ['shown', 'empty'].includes(panel.dataset.state) && !panel.querySelector('.chart:not([data-drawn])');
  return isSeen && !isDone;
})"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the demo runs before, default 120")
    parser.add_argument("--board", help="address of a running board instead of a demo of its own")
    options = parser.parse_args(arguments)
    if options.board:
        return _take(options.board)
    with tempfile.TemporaryDirectory() as directory:
        for address in _demo(Path(directory), options.seconds):
            return _take(address)
    return 1


def _demo(directory: Path, seconds: float) -> Iterator[str]:
    """Yield the address of a demo's board once it has run so long, and end the demo after."""
    command = [sys.executable, "-m", "pipeline", "demo", "--data", str(directory / "demo")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            environment = directory / "demo" / "roi.env"
            end = time.monotonic() + _START_SECONDS
            while not environment.exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit("error: the demo did not start; run it by hand: make demo")
                time.sleep(0.2)
            time.sleep(seconds)
            values = dict(line.split("=", 1) for line in environment.read_text().splitlines())
            yield values["ROI_BOARD_URL"]
        finally:
            process.send_signal(signal.SIGINT)


def _take(address: str) -> int:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name, query, width, height in SHOTS:
            _shoot(browser, name, f"{address}/{query}", width, height)
        alerts = browser.new_context().request.get(f"{address}/api/alerts?state=firing").json()
        if alerts:
            query = f"?campaign={alerts[0]['campaign_id']}&alert={alerts[0]['alert_id']}&theme=light"
            _shoot(browser, ALERT, f"{address}/{query}", 1440, 900)
        browser.close()
    return 0


def _shoot(browser: Browser, name: str, address: str, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    page = context.new_page()
    page.goto(address)
    page.locator(".panel[data-state=shown]").first.wait_for(timeout=60_000)
    if "alert=" in address:
        page.locator(".headline").wait_for(timeout=60_000)
    _wait_for_numbers(page)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    context.close()
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"error: {path} has {size} bytes, at most {MOST_BYTES} are wanted; take less of the board")
    print(f"{path.relative_to(ROOT)}: {size // 1000} kB")  # noqa: T201 - what a person waits for


def _wait_for_numbers(page: Page) -> None:
    """Wait until every panel in sight has its numbers and its chart; the page's policy bars Playwright's own way."""
    end = time.monotonic() + _NUMBERS_SECONDS
    while page.evaluate(_WAITING):
        if time.monotonic() > end:
            raise SystemExit(f"error: {page.url} shows no numbers after {_NUMBERS_SECONDS:g} s; see the board's log")
        page.wait_for_timeout(200)


if __name__ == "__main__":
    sys.exit(main())
