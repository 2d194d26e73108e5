"""The board in a real browser: Chromium before a running application, evaluator and ClickHouse with a bank in it."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import pytest
from pydantic import SecretStr

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.record import Campaign, Evidence
from pipeline.api import handing_in
from pipeline.api.server import build_board
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migrations import migrate
from tests.alerts.building import AT_ONCE, T0, look
from tests.dashboards.seeding import DAY_MS, HOSTILE, Bank, seed
from tests.support.endpoint import running_endpoint
from tests.support.evaluating import evaluating
from tests.support.processes import starts_process
from tests.support.serving import serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence

    from playwright.sync_api import Browser, BrowserContext, Page

    from pipeline.alerts.record import Look
    from pipeline.settings import Settings

CHROMIUM: Final = Path("/usr/bin/chromium")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
OWNERS: Final = "token-of-the-owner"
BELOW: Final = "below-limit"
"""A campaign whose alert fires."""
PATIENCE_MS: Final = 60_000
READ: Final = "[data-live=live], [data-live=quiet]"
"""The numbers on the page are read; of a bank in which nothing happens they are said to be old."""
_WATCHED: Final = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
document.addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(reason=f"there is no {CHROMIUM} (Debian: apt install chromium fonts-noto-cjk)")
    for item in items:
        if "tests/web/" in item.nodeid and not CHROMIUM.exists():
            item.add_marker(missing)


@dataclass
class Site:
    """A running board."""

    address: str
    writer: Any
    period: str
    """The days that have data, as a part of the page's address."""
    endpoint: subprocess.Popen[bytes]
    """ClickHouse."""
    evaluates: Callable[[bool], None]
    """Starts the evaluator (True) or ends it."""


@contextmanager
def _running(settings: Settings, looks: Sequence[Look]) -> Iterator[tuple[str, Callable[[bool], None]]]:
    """Run application and evaluator in a thread; yield the address, and what starts (True) or ends the evaluator."""
    ready, addresses = threading.Event(), []
    loop, stop, evaluator = asyncio.new_event_loop(), asyncio.Event(), AsyncExitStack()

    async def turn(*, is_on: bool) -> None:
        await (evaluator.enter_async_context(evaluating(settings, looks)) if is_on else evaluator.aclose())

    async def run() -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(evaluator)
            await turn(is_on=True)
            addresses.append(await stack.enter_async_context(serving(build_board(settings))))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield addresses[0], lambda is_on: asyncio.run_coroutine_threadsafe(turn(is_on=is_on), loop).result(60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@contextmanager
def open_site(
    place: Path, looks: Sequence[Look], *, has_bank: bool, four_eyes: bool = False, **laid: Any
) -> Iterator[Site]:
    """Run everything in a directory; ``laid`` are settings beside those of alerts."""
    with running_endpoint(place) as endpoint:
        migrate(endpoint.settings)
        writer = connect(endpoint.settings, "writer")
        bank = seed(writer) if has_bank else Bank(end_ms=T0)
        quick = AlertSettings(tick_seconds=0.1, standby_seconds=1.1, four_eyes=four_eyes)
        settings = endpoint.settings.model_copy(update={"alerts": quick, **laid})
        # on a busy machine the evaluator takes its time: who waits is answered what became of it all the same
        patient = patch.object(handing_in, "WAIT_SECONDS", PATIENCE_MS / 2000)
        with patient, _running(settings, looks) as (address, evaluates):
            period = f"from={bank.end_ms - 60 * DAY_MS}&to={bank.end_ms}"
            yield Site(address, writer, period, endpoint.process, evaluates)
        writer.close()


def fired(
    campaign_id: str, name: str = "Spring savings", owner: str = "retail", reason: str = "it stays below"
) -> Look:
    """Return what the evaluator finds of a campaign whose alert fires at once."""
    advice = {"segment": "channel", "label": reason, "ratio_without": 2.25}
    evidence = Evidence((reason,), 480_000, advice, {"first_touch": True})
    campaign = Campaign(campaign_id, name, owner)
    return look("below", campaign_id=campaign_id, rule=AT_ONCE, campaign=campaign, evidence=evidence)


@pytest.fixture(scope="module")
@starts_process
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    looks = [fired(BELOW), fired("hostile", HOSTILE, HOSTILE[:64], HOSTILE)]
    place = tmp_path_factory.mktemp("web")
    with open_site(place, looks, has_bank=True, api_token=SecretStr(OWNERS)) as opened:
        yield opened


@pytest.fixture(scope="module")
@starts_process
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield started
        started.close()


@dataclass
class Visit:
    """One page in a browser, and whatever went wrong in it."""

    page: Page
    site: Site
    troubles: list[str] = field(default_factory=list)

    def open(self, query: str = "") -> None:
        self.page.goto(f"{self.site.address}/{query}")
        self.page.locator(".panel").first.wait_for(timeout=PATIENCE_MS)

    def open_alert(self, campaign_id: str, token: str = "") -> None:
        """Open a campaign's board and, beside it, its alert; signed in with a token."""
        self.open(f"?campaign={campaign_id}")
        if token:
            self.sign_in(token)
        self.press("Open the alert")
        self.see("dialog .actions")

    def sign_in(self, token: str, says: str = "may decide") -> None:
        """Sign in by the button at the top; wait for what it says then."""
        self.page.locator("header.top").get_by_role("button", name="Sign in").press("Enter", timeout=PATIENCE_MS)
        self.give(token, says)

    def give(self, token: str, says: str = "may decide") -> None:
        """Paste a token where one is asked for."""
        self.page.get_by_label("Token").fill(token, timeout=PATIENCE_MS)
        self.page.keyboard.press("Enter")
        self.see("body", says)

    def press(self, name: str) -> None:
        """Press a button by keys."""
        self.page.get_by_role("button", name=name, exact=True).press("Enter", timeout=PATIENCE_MS)

    def see(self, selector: str, text: str = "") -> None:
        """Wait until something with a text is seen."""
        self.page.locator(selector, has_text=text).first.wait_for(timeout=PATIENCE_MS)

    def miss(self, selector: str, text: str = "") -> None:
        """Wait until nothing with a text is seen any more."""
        self.page.locator(selector, has_text=text).first.wait_for(state="hidden", timeout=PATIENCE_MS)

    def wait_for(self, expression: str) -> None:
        """Wait for an expression of JavaScript; Playwright's own way evaluates in the page, which its policy bars."""
        wait_until(lambda: bool(self.page.evaluate(expression)), PATIENCE_MS / 1000)

    def see_everything(self) -> None:
        """Bring each panel to sight and wait for its numbers."""
        for panel in self.page.locator(".panel").all():
            panel.scroll_into_view_if_needed(timeout=PATIENCE_MS)
            name = panel.get_attribute("id")
            done = f"['shown', 'empty', 'failed'].includes(document.getElementById('{name}').dataset.state)"
            self.wait_for(f"{done} && !document.querySelector('#{name} .chart:not([data-drawn])')")

    def longest_task(self, does: Callable[[], None]) -> int:
        """Return how many milliseconds of processor time the page's longest task took while something was done.

        Processor time, as the browser's own tracing has it: what other programs on the machine take meanwhile is no
        property of the page.
        """
        chromium = self.page.context.browser
        assert chromium is not None
        chromium.start_tracing(page=self.page, categories=["__metadata", "toplevel"])
        try:
            does()
        finally:
            found = json.loads(chromium.stop_tracing())["traceEvents"]
        pages = {
            (told["pid"], told["tid"])
            for told in found
            if told["name"] == "thread_name" and told["args"]["name"] == "CrRendererMain"
        }
        tasks: list[float] = [told["tdur"] for told in found if "tdur" in told and (told["pid"], told["tid"]) in pages]
        assert tasks, "the browser traced no task of the page"
        return round(max(tasks) / 1000)

    def shifts(self) -> float:
        return float(self.page.evaluate("window.shifts"))


@contextmanager
def visiting(browser: Browser, site: Site, width: int = 1440, **options: Any) -> Iterator[Visit]:
    height = 844 if width < 600 else 900
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": height}, locale=options.pop("locale", "en-GB"), **options
    )
    page = context.new_page()
    visit = Visit(page, site)
    page.add_init_script(_WATCHED)
    page.on("console", lambda told: visit.troubles.append(told.text) if told.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: visit.troubles.append(str(error)))
    page.on("dialog", lambda dialog: visit.troubles.append(f"dialog {dialog.message}"))
    page.on("response", lambda got: visit.troubles.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    try:
        yield visit
    finally:
        context.close()


__all__ = ["HOSTILE", "Site", "Visit", "fired", "open_site", "visiting"]
