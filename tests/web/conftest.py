"""The board in a real browser: Chromium before a running application, evaluator and ClickHouse with a bank in it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import SecretStr

from pipeline.alert_settings import AlertSettings
from pipeline.api.server import build_board
from pipeline.clickhouse.connection import connect
from tests.alerts.building import AT_ONCE, look
from tests.dashboards.seeding import DAY_MS, HOSTILE, seed
from tests.support.endpoint import migrated_endpoint
from tests.support.evaluating import evaluating
from tests.support.processes import starts_process
from tests.support.serving import serving
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

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
_SHIFTS: Final = """
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


@contextmanager
def _running(settings: Settings) -> Iterator[str]:
    """Run application and evaluator in a thread of their own; yield the address."""
    ready, addresses = threading.Event(), []

    async def run(stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(evaluating(settings, [look("below", campaign_id=BELOW, rule=AT_ONCE)]))
            addresses.append(await stack.enter_async_context(serving(build_board(settings))))
            ready.set()
            await stop.wait()

    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(stop)), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@pytest.fixture(scope="module")
@starts_process
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with migrated_endpoint(tmp_path_factory.mktemp("web")) as settings:
        writer = connect(settings, "writer")
        bank = seed(writer)
        quick = AlertSettings(tick_seconds=0.1, standby_seconds=1.1)
        laid = settings.model_copy(update={"alerts": quick, "api_token": SecretStr(OWNERS)})
        with _running(laid) as address:
            yield Site(address, writer, f"from={bank.end_ms - 60 * DAY_MS}&to={bank.end_ms}")
        writer.close()


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

    def wait_for(self, expression: str) -> None:
        """Wait for an expression of JavaScript; Playwright's own way evaluates in the page, which its policy bars."""
        wait_until(lambda: bool(self.page.evaluate(expression)), PATIENCE_MS / 1000)

    def see_everything(self) -> None:
        """Bring each panel to sight and wait for its numbers."""
        for panel in self.page.locator(".panel:not([data-state=elsewhere])").all():
            panel.scroll_into_view_if_needed(timeout=PATIENCE_MS)
            name = panel.get_attribute("id")
            done = f"['shown', 'empty', 'failed'].includes(document.getElementById('{name}').dataset.state)"
            self.wait_for(f"{done} && !document.querySelector('#{name} .chart:not([data-drawn])')")

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
    page.add_init_script(_SHIFTS)
    page.on("console", lambda told: visit.troubles.append(told.text) if told.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: visit.troubles.append(str(error)))
    page.on("dialog", lambda dialog: visit.troubles.append(f"dialog {dialog.message}"))
    page.on("response", lambda got: visit.troubles.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    try:
        yield visit
    finally:
        context.close()


__all__ = ["HOSTILE", "Site", "Visit", "visiting"]
