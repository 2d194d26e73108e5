"""What the board says where it cannot tell: choices that are not there, and campaigns that nobody can judge yet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.registry import PANELS
from tests.web.conftest import PATIENCE_MS, Site, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_campaign_that_is_not_there_is_named_with_what_may_be_meant(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        choices = page.request.get(f"{site.address}/api/variables/campaign").json()
        known = next(one["value"] for one in choices if one["value"].isascii() and len(one["value"]) > 4)
        page.goto(f"{site.address}/?board=campaign&{site.period}&campaign={known}x")
        visit.see(".unknown", f"{known}x")
        visit.see(".unknown", "check the spelling")
        visit.miss(".panel")
        page.locator(".unknown button", has_text="Did you mean").first.click()
        page.wait_for_url(f"**campaign={known}&**")
        visit.miss(".unknown")
        page.locator("#campaign-figures[data-state=shown]").wait_for(timeout=PATIENCE_MS)
        page.goto(f"{site.address}/?board=campaigns&{site.period}&campaign={known}&campaign=nothing-like-it&lang=zh")
        visit.see(".unknown", "没有此活动")
        page.locator("#campaigns-ranking[data-state=shown]").wait_for(timeout=PATIENCE_MS)
        page.get_by_role("button", name="忽略并继续").click()
        visit.miss(".unknown")
        assert visit.troubles == []


def _answer(panel: str, row: dict[str, Any]) -> str:
    columns = [{"name": one.name, "type": "", "unit": one.unit} for one in PANELS[panel].columns]
    body = {"id": panel, "columns": columns, "rows": [[row.get(one["name"]) for one in columns]], "tag": str(row)}
    return f"event: panel\ndata: {json.dumps(body | {'from': 0, 'to': 1, 'latest': 1})}\n\n"


@pytest.mark.parametrize(("blocked", "early"), [(3, 12), (0, 0)])
def test_no_alert_is_no_all_clear_while_campaigns_are_not_judged(
    browser: Browser, site: Site, blocked: int, early: int
) -> None:
    row = {"open_alerts": 0, "unanswered_alerts": 0, "pending_alerts": 0}
    told = _answer("campaigns-risk", row | {"blocked_campaigns": blocked, "immature_campaigns": early})

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="text/event-stream", body=told)

    with visiting(browser, site) as visit:
        visit.page.route("**/api/stream**", answer)
        visit.open("?board=campaigns")
        figure = visit.page.locator("#campaigns-risk .figure", has_text="Open alerts")
        figure.locator(".signal").wait_for(timeout=PATIENCE_MS)
        shown = figure.inner_text()
        assert ("15 not judged" in shown) is (blocked > 0)
        assert figure.locator(".signal.grey").count() == (1 if blocked else 0)
        assert figure.locator(".signal.green").count() == (0 if blocked else 1)
