"""Every board in a real browser: complete, calm, within its page, in both languages, for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from dashboards.registry import BOARDS
from tests.web.conftest import HOSTILE, PATIENCE_MS, Site, Visit, visiting

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
        shown = [one.source == "clickhouse" for one in next(one for one in BOARDS if one.id == board).panels]
        assert len(states) == sum(shown)
        assert visit.page.locator(".elsewhere li").count() == len(shown) - sum(shown)
        assert "failed" not in dict(states).values(), states
        assert board not in {"campaigns", "campaign"} or "empty" not in dict(states).values(), states
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visit.shifts() < MOST_SHIFT
        assert visit.page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
        assert visit.troubles == []


def _serious(visit: Visit) -> list[tuple[str, str]]:
    """Return what axe-core finds serious or critical on the page as it stands: the rule, and the first element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(visit.page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("board", [board.id for board in BOARDS])
def test_axe_finds_nothing_serious_on_a_board(browser: Browser, site: Site, board: str, theme: str) -> None:
    with visiting(browser, site, 1280, bypass_csp=True) as visit:
        visit.open(f"?board={board}&theme={theme}&{site.period}")
        visit.see_everything()
        assert _serious(visit) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_beside_a_board(browser: Browser, site: Site, theme: str) -> None:
    with visiting(browser, site, 1280, bypass_csp=True) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&theme={theme}&{site.period}")
        page.locator("[data-explains=cost_minor]").first.click(timeout=PATIENCE_MS)
        visit.see("dialog .verdict")
        found = {"evidence": _serious(visit)}
        page.keyboard.press("Escape")
        page.locator("header.top .bell").click()
        visit.see("dialog .alerts li")
        found["alerts"] = _serious(visit)
        page.locator("dialog .alerts button").first.click()
        visit.see("dialog .actions")
        visit.press("I have seen it")
        visit.see("dialog .notice.failed")
        page.locator("dialog summary").click()
        found["alert"] = _serious(visit)
        page.locator("dialog .notice.failed button").click()
        visit.give("wrong", "This token is not known here")
        found["sign-in"] = _serious(visit)
    assert found == {"evidence": [], "alerts": [], "alert": [], "sign-in": []}


@pytest.mark.parametrize("board", [board.id for board in BOARDS])
def test_hostile_names_and_addresses_are_text_on_every_board(browser: Browser, site: Site, board: str) -> None:
    chosen = quote(HOSTILE[:190])
    with visiting(browser, site, 1280) as visit:
        visit.open(f"?board={board}&{site.period}")
        visit.see_everything()
        if board in {"campaigns", "campaign", "alerts"}:
            visit.wait_for(f"document.body.textContent.includes({HOSTILE[:24]!r})")
        assert visit.page.locator("img").count() == 0
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        visit.page.goto(f"{site.address}/?board={board}&{site.period}&campaign={chosen}&owner={chosen}&tier={chosen}")
        if {"campaign", "owner", "tier"} & set(next(one.variables for one in BOARDS if one.id == board)):
            visit.see(".unknown code", HOSTILE[:24])
            visit.miss(".panel")
        else:
            visit.see_everything()
        assert visit.page.locator("img").count() == 0
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visit.troubles == []


def test_hostile_names_are_text_beside_every_board(browser: Browser, site: Site) -> None:
    def is_text() -> bool:
        fits = visit.page.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth")
        return bool(fits) and visit.page.locator("img").count() == 0

    for width in (1280, 390):
        with visiting(browser, site, width) as visit:
            visit.open("?board=alerts&alerts=open")
            visit.see("dialog .alerts li", HOSTILE[:24])
            assert is_text()
            visit.page.locator("dialog .alerts button", has_text=HOSTILE[:24]).first.click()
            visit.see("dialog h2", HOSTILE[:24])
            visit.see("dialog section li", HOSTILE[:24])
            visit.see("dialog .advice", HOSTILE[:24])
            assert is_text()
            visit.page.keyboard.press("Escape")
            assert visit.troubles == []
            visit.open(f"?alert={quote(HOSTILE[:60])}")
            visit.see("dialog .notice.failed", "there is no alert")
            assert is_text()
            visit.open(f"?explain={quote(HOSTILE[:100])}&metric={quote(HOSTILE[:40])}")
            visit.see("dialog .notice.failed")
            assert is_text()


def test_the_theme_is_that_of_the_system_until_one_is_chosen(browser: Browser, site: Site) -> None:
    light, dark = "rgb(243, 245, 248)", "rgb(14, 19, 25)"
    with visiting(browser, site, color_scheme="dark") as visit:
        page = visit.page

        def is_on(ground: str) -> None:
            page.wait_for_function(
                "ground => getComputedStyle(document.body).backgroundColor === ground", arg=ground, timeout=PATIENCE_MS
            )

        visit.open("?board=alerts")
        is_on(dark)
        page.emulate_media(color_scheme="light")
        is_on(light)
        visit.press("Theme: as the system")
        visit.press("Theme: light")
        visit.see("button", "☾")
        is_on(dark)
        page.reload()
        visit.see("button", "☾")
        is_on(dark)
        visit.press("Theme: dark")
        visit.see("button", "◐")
        is_on(light)


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
