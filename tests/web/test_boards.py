"""Every board in a real browser: complete, calm, within its page, in both languages, for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dashboards.registry import BOARDS
from tests.web.conftest import HOSTILE, PATIENCE_MS, Site, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MOST_SHIFT = 0.05


@pytest.mark.parametrize("board", [board.id for board in BOARDS])
@pytest.mark.parametrize(("width", "language"), [(1440, "en"), (1280, "zh"), (390, "zh"), (390, "en")])
def test_every_board_is_whole_calm_and_within_its_page(
    browser: Browser, site: Site, board: str, width: int, language: str
) -> None:
    with visiting(browser, site, width, color_scheme="dark" if language == "zh" else "light") as visit:
        visit.open(f"?board={board}&lang={language}&{site.period}")
        visit.see_everything()
        states = visit.page.eval_on_selector_all(".panel", "all => all.map(one => [one.id, one.dataset.state])")
        assert len(states) == len(next(one for one in BOARDS if one.id == board).panels)
        assert "failed" not in dict(states).values(), states
        assert board not in {"campaigns", "campaign"} or "empty" not in dict(states).values(), states
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visit.shifts() < MOST_SHIFT
        assert visit.page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
        assert visit.troubles == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("board", ["campaigns", "campaign", "alerts"])
def test_axe_finds_nothing_serious(browser: Browser, site: Site, board: str, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with visiting(browser, site, 1280, bypass_csp=True) as visit:
        visit.open(f"?board={board}&theme={theme}&{site.period}")
        visit.see_everything()
        found = Axe().run(visit.page).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in {"serious", "critical"}]
    assert serious == []


def test_hostile_names_are_text(browser: Browser, site: Site) -> None:
    with visiting(browser, site, 1280) as visit:
        visit.open(f"?board=campaigns&{site.period}")
        visit.see_everything()
        visit.wait_for(f"document.body.textContent.includes({HOSTILE[:24]!r})")
        assert visit.page.locator("main img").count() == 0
        assert visit.troubles == []


def test_the_first_view_is_there_soon(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.open()
        visit.page.locator(".panel[data-state=shown]").first.wait_for(timeout=PATIENCE_MS)
        print(  # noqa: T201 - a figure for people
            visit.page.evaluate(
                "({interactive: Math.round(performance.getEntriesByType('navigation')[0].domInteractive), "
                "board: Math.round(performance.getEntriesByName('board')[0].startTime), "
                "numbers: Math.round(performance.getEntriesByName('numbers')[0].startTime)})"
            )
        )
