"""What the board is told and must not lose: faults, names that nobody can see, all digits, units in narrow places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.registry import PANELS
from tests.web.conftest import PATIENCE_MS, Site, Visit, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = [pytest.mark.browser, pytest.mark.slow]
KAFKA = {"part": "Kafka", "cause": "it does not answer", "remedy": "start it", "severity": "failed"}
DISK = {"part": "disk", "cause": "nearly full", "remedy": "make room", "severity": "warning"}


def _show(visit: Visit, panel: str, **row: Any) -> None:
    """Have the stream answer one row of one panel."""
    columns = [{"name": one.name, "type": "", "unit": one.unit} for one in PANELS[panel].columns]
    rows = [[row.get(one["name"]) for one in columns]]
    body = {"id": panel, "columns": columns, "rows": rows, "tag": "1", "from": 0, "to": 1, "latest": 1}
    told = f"event: panel\ndata: {json.dumps(body)}\n\n"

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="text/event-stream", body=told)

    visit.page.route("**/api/stream**", answer)


@pytest.mark.parametrize("board", ["campaigns", "operations"])
def test_every_fault_is_told_in_words_on_every_board_until_it_is_mended(
    browser: Browser, site: Site, board: str
) -> None:
    faults = [KAFKA, DISK]
    with visiting(browser, site) as visit:
        visit.page.route("**/api/faults", lambda route: route.fulfill(status=200, body=json.dumps(faults)))
        visit.open(f"?board={board}&{site.period}")
        visit.see(".faults.failed", "Something is at fault")
        told = visit.page.locator(".faults li").all_inner_texts()
        assert told == ["Kafka: It does not answer. Start it.", "disk: Nearly full. Make room."]
        del faults[0]
        visit.miss(".faults.failed")
        visit.see(".faults", "Worth a look")
        faults.clear()
        visit.miss(".faults")
        assert visit.troubles == []


def test_a_name_that_nobody_can_see_gives_way_to_the_id(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        _show(visit, "campaigns-ranking", campaign_id="ghost", name="\u200b", standing="immature", owner=" ")
        visit.open("?board=campaigns")
        visit.see("#campaigns-ranking th a", "ghost")
        visit.see("#campaigns-ranking td", "(invisible characters)")


def test_a_sum_beyond_a_double_keeps_its_digits_in_its_title_and_its_file(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        _show(visit, "campaigns-figures", cost_minor=17_999_999_999_999_982, return_minor=9_007_199_254_740_993)
        visit.open("?board=campaigns")
        visit.see("#campaigns-figures .big", "¥180.00tn")
        titles = visit.page.eval_on_selector_all("#campaigns-figures [title^='¥']", "all => all.map(one => one.title)")
        assert titles == ["¥179,999,999,999,999.82", "¥90,071,992,547,409.93"]
        with visit.page.expect_download(timeout=PATIENCE_MS) as download:
            visit.page.locator("#campaigns-figures [data-tool=csv]").click(timeout=PATIENCE_MS)
        text = Path(download.value.path()).read_text(encoding="utf-8-sig")
        assert text.splitlines()[1].startswith("17999999999999982,,9007199254740993,")


@pytest.mark.parametrize(
    ("width", "language", "board", "panel", "row"),
    [
        (
            390,
            "zh",
            "campaigns",
            "campaigns-figures",
            {"cost_minor": 33_000_000_000_000_000, "return_minor": -(10**17)},
        ),
        (
            390,
            "en",
            "campaigns",
            "campaigns-figures",
            {"cost_minor": 33_000_000_000_000_000, "return_minor": -(10**17)},
        ),
        (1280, "en", "operations", "operations-headline", {"newest_block_at": "2026-11-28 11:59:59.123"}),
        (390, "zh", "operations", "operations-headline", {"newest_block_at": "2026-11-28 11:59:59.123"}),
    ],
)
def test_no_figure_is_cut(
    browser: Browser, site: Site, width: int, language: str, board: str, panel: str, row: dict[str, Any]
) -> None:
    with visiting(browser, site, width) as visit:
        _show(visit, panel, **row)
        visit.open(f"?board={board}&lang={language}")
        visit.page.locator(f"#{panel}[data-state=shown]").wait_for(timeout=PATIENCE_MS)
        cut = visit.page.eval_on_selector_all(
            f"#{panel} .big",
            "all => all.filter(one => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight)"
            ".map(one => one.innerText)",
        )
        assert cut == []
