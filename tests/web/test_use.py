"""What people do on the board: choose, sort, follow, look behind numbers, act on alerts; by mouse and by keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.web.conftest import BELOW, OWNERS, PATIENCE_MS, READ, Site, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RANKING = "#campaigns-ranking"


def test_choices_and_drill_down_stand_in_the_address_and_back_undoes_them(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&{site.period}")
        page.locator(f"{RANKING} tbody a").first.wait_for(timeout=PATIENCE_MS)
        page.locator(".choice-of select").first.select_option("7d")
        page.wait_for_url("**from=latest-7d*")
        page.locator("[data-variable=owner] summary").click()
        page.locator("[data-variable=owner] input[type=checkbox]").first.check()
        page.wait_for_url("**owner=*")
        page.go_back()
        visit.wait_for("!location.search.includes('owner')")
        page.locator(f"{RANKING} tbody a").first.click(timeout=PATIENCE_MS)
        page.wait_for_url("**board=campaign&campaign=*")
        page.locator("#campaign-figures[data-state=shown]").wait_for(timeout=PATIENCE_MS)
        page.go_back()
        page.locator(RANKING).wait_for()
        page.get_by_role("button", name="Switch to Chinese").click()
        assert page.locator("h1").inner_text() == "营销活动"
        page.go_back()
        page.get_by_role("heading", level=1, name="Campaigns").wait_for()
        page.locator("button", has_text="◐").click()
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        assert visit.troubles == []


def test_a_number_opens_its_evidence_and_escape_closes_it(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&{site.period}")
        number = page.locator(f"{RANKING} [data-explains=cost_minor]").first
        number.click(timeout=PATIENCE_MS)
        page.locator(".verdict.good").wait_for(timeout=PATIENCE_MS)
        assert "explain=" in page.url
        assert page.locator("dialog table tbody tr").count() > 0
        assert "What all contacts cost" in page.locator("dialog .formula").inner_text()
        raw = page.locator("dialog details.raw")
        raw.locator("summary").click()
        assert "cost_minor" in raw.inner_text()
        assert "roi explain" in raw.inner_text()
        page.keyboard.press("Escape")
        visit.wait_for("!document.querySelector('dialog')")
        assert "explain=" not in page.url
        assert visit.troubles == []


def test_numbers_change_while_one_looks(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.open(f"?board=campaign&campaign={BELOW}")
        visit.page.locator(READ).wait_for(timeout=PATIENCE_MS)
        visit.page.locator("#campaign-figures[data-state=empty], #campaign-figures[data-state=shown]").wait_for(
            timeout=PATIENCE_MS
        )
        site.writer.command(
            "INSERT INTO roi.ledger (run, kind, shard, campaign_id, label, measures, version) VALUES "
            f"('live', 'tier', 0, '{BELOW}', 'growth', [1, 1, 0, 0, 765432100, 90, 0], 1)"
        )
        site.writer.command(
            "INSERT INTO roi.ledger (run, kind, shard, id, measures, version) VALUES "
            "('live', 'position', 0, 'stamp', [1, 0, 0, 0, 0, 9000000000000, 3], 1)"
        )
        visit.wait_for("document.querySelector('#campaign-figures').textContent.includes('7.65M')")


def test_the_focus_stays_on_a_row_that_a_live_update_moves(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&{site.period}")
        page.locator(f"{RANKING} thead button").first.click(timeout=PATIENCE_MS)
        rows = page.locator(f"{RANKING} tbody a")
        row = rows.filter(has_text="Name of").first
        campaign_id = row.inner_text().removeprefix("Name of ")
        row.focus()
        name = "zzz moved to the end"
        definition = json.dumps({"campaign_id": campaign_id, "name": name, "starts_at": "2026-03-01T00:00:00Z"})
        changed = json.dumps({"campaign_id": campaign_id, "definition": definition, "version": 2})
        site.writer.command(
            "INSERT INTO roi.campaign_log (campaign_id, definition, version) FORMAT JSONEachRow", data=changed
        )
        rows.filter(has_text=name).wait_for(timeout=PATIENCE_MS)
        assert page.evaluate("document.activeElement.textContent") == name
        assert rows.last.inner_text() == name


def test_escape_gives_the_focus_back_to_where_it_was(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&{site.period}")
        openers = (
            f"{RANKING} [data-explains=cost_minor]",
            f"{RANKING} [data-alert]",
            "header.top .bell",
            "header.top .tools button >> nth=-1",
        )
        for opener in openers:
            page.locator(opener).first.press("Enter", timeout=PATIENCE_MS)
            visit.see("dialog h2")
            assert page.evaluate("document.activeElement.closest('dialog') !== null")
            page.keyboard.press("Escape")
            visit.miss("dialog")
            assert page.locator(opener).first.evaluate("(one) => one === document.activeElement"), opener


def test_an_alert_is_acknowledged_and_decided_by_keys_alone(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?campaign={BELOW}")
        page.get_by_role("button", name="Open the alert").press("Enter", timeout=PATIENCE_MS)
        page.get_by_role("button", name="I have seen it").press("Enter", timeout=PATIENCE_MS)
        page.get_by_text("this needs a token").wait_for(timeout=PATIENCE_MS)
        page.get_by_role("dialog").get_by_role("button", name="Sign in").press("Enter")
        page.get_by_label("Token").fill(OWNERS)
        page.keyboard.press("Enter")
        page.get_by_text("owner, may decide").wait_for(timeout=PATIENCE_MS)
        assert OWNERS not in page.url
        page.get_by_role("button", name="I have seen it").press("Enter", timeout=PATIENCE_MS)
        page.locator(".headline", has_text="Acknowledged").wait_for(timeout=PATIENCE_MS)
        page.get_by_text("Done.").wait_for(timeout=PATIENCE_MS)
        page.get_by_label("Optimise it").press("Space")
        page.locator("textarea[name=reason]").fill("drop the worst channel <b>")
        page.get_by_role("button", name="Decide", exact=True).press("Enter")
        page.locator(".headline", has_text="Decided").wait_for(timeout=PATIENCE_MS)
        page.locator(".history", has_text="drop the worst channel <b>").wait_for(timeout=PATIENCE_MS)
        assert "alert=" in page.url
        assert [one for one in visit.troubles if "401" not in one] == []


def test_a_table_is_downloaded_with_all_its_digits(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.open(f"?board=campaigns&{site.period}")
        visit.page.locator(f"{RANKING} tbody tr").first.wait_for(timeout=PATIENCE_MS)
        with visit.page.expect_download() as got:
            visit.page.locator(f"{RANKING} [data-tool=csv]").click()
        lines = got.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert got.value.suggested_filename == "campaigns-ranking.csv"
        assert lines[0].startswith("campaign_id,name,")
        assert len(lines) > visit.page.locator(f"{RANKING} tbody tr").count()


def test_a_chart_is_a_table_for_who_wants_one(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.open(f"?board=campaigns&{site.period}")
        button = visit.page.locator("#campaigns-money [data-tool=table]")
        button.scroll_into_view_if_needed()
        visit.page.locator("#campaigns-money[data-state=shown]").wait_for(timeout=PATIENCE_MS)
        button.press("Enter")
        assert visit.page.locator("#campaigns-money tbody tr").count() > 0


def test_a_board_that_does_not_answer_says_so_and_comes_back(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&{site.period}")
        page.locator(f"{RANKING}[data-state=shown]").wait_for(timeout=PATIENCE_MS)
        rows = page.locator(f"{RANKING} tbody tr").count()
        page.route("**/api/stream**", lambda route: route.abort())
        page.locator(".choice-of select").first.select_option("365d")
        page.locator("[data-live=stale]").wait_for(timeout=PATIENCE_MS)
        page.locator("[data-live=unreachable]").wait_for(timeout=PATIENCE_MS)
        page.get_by_text("The numbers below are as they stood then").wait_for()
        assert page.locator(f"{RANKING}[data-state=old] tbody tr").count() == rows
        page.unroute("**/api/stream**")
        page.locator(READ).wait_for(timeout=PATIENCE_MS)
        page.locator(f"{RANKING}[data-state=shown]").wait_for(timeout=PATIENCE_MS)


@pytest.mark.parametrize("period", ["from=banana", "from=2026-11-26T00:00:00Z&to=2026-11-01T00:00:00Z"])
def test_an_address_that_asks_for_nonsense_is_told_so_and_led_back(browser: Browser, site: Site, period: str) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&{period}")
        page.locator("[data-live=refused]").wait_for(timeout=PATIENCE_MS)
        assert "not reachable" not in page.locator("body").inner_text()
        page.get_by_role("button", name="Show the usual view").click()
        page.locator(READ).wait_for(timeout=PATIENCE_MS)
        assert "from=" not in page.url


def test_a_pasted_text_that_is_no_token_is_called_that(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        visit.open(f"?board=campaigns&{site.period}")
        page.get_by_role("button", name="Sign in").click()
        for pasted in ("令牌 with “quotes”", "nobodys-token"):
            page.locator("dialog input[name=token]").fill(pasted)
            page.locator("dialog input[name=token]").press("Enter")
            page.locator("dialog [role=alert]", has_text="This token is not known here").wait_for(timeout=PATIENCE_MS)
