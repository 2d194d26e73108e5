"""What people do about alerts on the board, and what they are told when it cannot be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from pipeline.api import handing_in
from tests.support.freezing import frozen
from tests.support.processes import starts_process
from tests.web.conftest import OWNERS, PATIENCE_MS, Site, Visit, fired, open_site, visiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Route

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SEEN = "I have seen it"
SILENCE = "Silence its messages"
REFUSED = "dialog .notice.failed"


@pytest.fixture(scope="module")
@starts_process
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    names = ("tried-again", "quiet", "quiet-owner", "raced", "kept", "away")
    looks = [fired(name, f"Campaign {name}", f"owner of {name}") for name in names]
    place = tmp_path_factory.mktemp("acting")
    with open_site(place, looks, has_bank=False, api_token=SecretStr(OWNERS)) as opened:
        yield opened


def _ask(visit: Visit, path: str, method: str = "GET", body: Any = None) -> Any:
    """Ask the API as somebody else does, beside the page."""
    headers = {"Authorization": f"Bearer {OWNERS}"}
    answer = visit.page.request.fetch(
        f"{visit.site.address}/api/{path}", method=method, headers=headers, data=body, timeout=PATIENCE_MS
    )
    assert answer.ok, answer.text()
    return answer.json()


def _alert_of(visit: Visit, campaign_id: str) -> str:
    return str(_ask(visit, f"alerts?campaign={campaign_id}")[0]["alert_id"])


def _silences(visit: Visit) -> dict[str, Any]:
    return {one["campaign_id"] or one["owner"]: one for one in _ask(visit, "silences?state=active")}


def test_who_was_refused_acts_as_soon_as_signed_in_and_no_late_answer_undoes_it(browser: Browser, site: Site) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with visiting(browser, site) as visit:
        page = visit.page
        visit.open_alert("tried-again")
        before = _ask(visit, f"alerts/{_alert_of(visit, 'tried-again')}")
        page.route("**/api/alerts/alr_*", hold)  # reading it again takes for ever
        visit.press(SEEN)
        visit.see(REFUSED, "this needs a token")
        page.locator(REFUSED).get_by_role("button", name="Sign in").press("Enter")
        visit.give(OWNERS)
        visit.miss(REFUSED)
        visit.press(SEEN)
        visit.see(".headline", "Acknowledged")
        visit.see(".actions", "Done.")
        assert held
        for route in held:
            route.fulfill(json=before)
        visit.wait_for("document.querySelector('.headline').textContent.includes('Acknowledged')")
        assert page.evaluate("document.activeElement.className") == "actions"


def test_a_campaign_is_silenced_for_a_while_and_told_of_again(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.open_alert("quiet", OWNERS)
        visit.page.locator("dialog summary").press("Enter")
        visit.page.locator("[name=silence-length]").select_option("8h")
        visit.page.locator("[name=silence-reason]").fill("a fair <i>")
        visit.page.keyboard.press("Enter")
        visit.see(".silence", "by owner: a fair <i>")
        until = datetime.fromisoformat(_silences(visit)["quiet"]["until"])
        assert timedelta(hours=7, minutes=50) < until - datetime.now(until.tzinfo) <= timedelta(hours=8, minutes=1)
        visit.press("End the silence")
        visit.miss(".silence")
        assert "quiet" not in _silences(visit)
        assert visit.page.evaluate("document.activeElement.className") == "actions"
        assert visit.troubles == []


def test_all_that_an_owner_has_is_silenced_until_a_time_of_the_banks_clock(browser: Browser, site: Site) -> None:
    shown = (datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    with visiting(browser, site, timezone_id="America/New_York") as visit:
        visit.open_alert("quiet-owner", OWNERS)
        visit.page.locator("dialog summary").press("Enter")
        visit.page.locator("[name=silence-what]").select_option("owner")
        visit.page.locator("[name=silence-length]").select_option("own")
        visit.page.locator("[name=silence-until]").fill(shown)
        visit.page.locator("[name=silence-reason]").fill("all hands away")
        visit.page.keyboard.press("Enter")
        visit.see(".silence", "Everything of owner of quiet-owner is silenced until")
        until = datetime.fromisoformat(_silences(visit)["owner of quiet-owner"]["until"])
        assert until == datetime.fromisoformat(f"{shown}+08:00")
        visit.page.locator("[name=silence-until]").fill("2020-01-01T00:00")
        visit.page.locator("[name=silence-reason]").fill("too late")
        visit.page.keyboard.press("Enter")
        visit.see(REFUSED, "until: must be in the future")
        assert visit.page.locator("[name=silence-reason]").input_value() == "too late", "what was written is kept"


def test_who_decides_after_somebody_else_did_is_told_so_and_shown_what_was_decided(
    browser: Browser, site: Site
) -> None:
    with visiting(browser, site) as visit:
        visit.open_alert("raced", OWNERS)
        visit.page.route("**/api/alerts/alr_*", lambda route: route.abort())  # the page hears of nothing
        path = f"alerts/{_alert_of(visit, 'raced')}/decide"
        _ask(visit, path, "POST", {"decision": "stop", "reason": "it loses money"})
        visit.page.get_by_label("Optimise it").press("Space")
        visit.page.locator("textarea[name=reason]").fill("a better channel")
        visit.page.unroute("**/api/alerts/alr_*")
        visit.press("Decide")
        visit.see(REFUSED, "a request to stop is open")
        visit.see(REFUSED, "what is shown now is the newest")
        visit.see(".headline", "Stop, decided by owner")
        visit.see(".history", "it loses money")
        assert visit.page.locator("textarea[name=reason]").input_value() == "a better channel"
        assert [one for one in visit.troubles if "409" in one]


def test_what_is_done_while_no_evaluator_runs_is_kept_and_shown_once_it_counts(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_in, "WAIT_SECONDS", 0.3)
    with visiting(browser, site) as visit:
        visit.open(f"?board=operations&alert={_alert_of(visit, 'kept')}")
        visit.page.keyboard.press("Escape")
        visit.sign_in(OWNERS)
        visit.page.go_back()
        site.evaluates(False)
        try:
            visit.press(SEEN)
            visit.see(REFUSED, "is kept and counts as soon as it is applied")
            assert "roi alerts run" in visit.page.locator(REFUSED).inner_text()
            assert visit.page.locator(".headline").inner_text().startswith("Firing")
        finally:
            site.evaluates(True)
        visit.see(".headline", "Acknowledged")
        visit.miss(REFUSED)
        assert len(_ask(visit, f"alerts/{_alert_of(visit, 'kept')}")["actions"]) == 1


def test_while_clickhouse_is_away_nothing_is_lost_and_the_remedy_is_told(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.open_alert("away", OWNERS)
        visit.page.locator(".row [name=note]").fill("call the branch")
        with frozen(site.endpoint.pid):
            visit.page.keyboard.press("Enter")
            visit.see(REFUSED, "ClickHouse does not answer")
            assert "See roi status" in visit.page.locator(REFUSED).first.inner_text()
            assert visit.page.locator(".headline").inner_text().startswith("Firing")
            assert visit.page.locator(".row [name=note]").input_value() == "call the branch"
        visit.miss("dialog > .sheet > .notice.failed")
        visit.page.locator(".row [name=note]").press("Enter")
        visit.see(".history", "call the branch")
        notes = [one for one in _ask(visit, f"alerts/{_alert_of(visit, 'away')}")["history"] if one["event"] == "note"]
        assert len(notes) == 1
