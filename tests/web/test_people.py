"""People with tokens of their own: who may read, who may act, and what takes two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.alert_settings import ApiSettings, TokenSettings, digest_of
from tests.support.processes import starts_process
from tests.web.conftest import PATIENCE_MS, READ, Site, fired, open_site, visiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROLES: dict[str, Literal["viewer", "decider"]] = {"lin": "decider", "wu": "decider", "zhao": "viewer"}
REFUSED = ".notice.failed"


@pytest.fixture(scope="module")
@starts_process
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    known = {name: TokenSettings(hash=digest_of(f"token-of-{name}").hex(), role=role) for name, role in ROLES.items()}
    looks = [fired("proposed"), fired("read-only"), fired("typed")]
    place = tmp_path_factory.mktemp("people")
    with open_site(place, looks, has_bank=False, four_eyes=True, api=ApiSettings(tokens=known)) as opened:
        yield opened


def test_a_stop_is_proposed_by_one_and_approved_by_another(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as lins, visiting(browser, site) as wus:
        for visit, name in ((lins, "lin"), (wus, "wu")):
            visit.page.goto(f"{site.address}/?campaign=proposed")
            visit.give(f"token-of-{name}", f"{name}, may decide")
            visit.press("Open the alert")
        lins.page.get_by_label("Stop the campaign").press("Space")
        lins.page.locator("textarea[name=reason]").fill("it loses money")
        lins.press("Decide")
        lins.see(".advice", "lin proposes to stop: it loses money")
        lins.see(".headline", "Firing")
        approve = "Approve the stop that lin has proposed"
        lins.press(approve)
        lins.see(REFUSED, "lin has proposed it: another person must approve")
        wus.press(approve)
        for visit in (wus, lins):
            visit.see(".headline", "Stop, decided by lin")
            visit.see(".history li", "wu")
            visit.miss(f"button:text-is('{approve}')")
        wus.see(".actions", "Done.")
        assert wus.page.evaluate("document.activeElement.className") == "actions"


def test_a_board_with_tokens_shows_nothing_to_who_has_none_or_a_wrong_one(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.page.goto(f"{site.address}/?board=alerts")
        visit.give("not-a-token", "This token is not known here")
        assert "roi token" in visit.page.locator(REFUSED).inner_text()
        assert visit.page.evaluate("sessionStorage.length") == 0
        assert visit.page.locator(".panel").count() == 0
        visit.give("token-of-zhao", "zhao, may read")
        visit.see(".panel")
        assert "token" not in visit.page.url
        visit.page.reload()
        visit.see("header.top", "zhao, may read")
        visit.press("zhao, may read")
        visit.see("main", "can be read with a token only")
        assert visit.page.evaluate("sessionStorage.length") == 0
        visit.miss(".panel")


def test_a_viewer_reads_an_alert_and_is_told_that_acting_takes_more(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.page.goto(f"{site.address}/?campaign=read-only")
        visit.give("token-of-zhao", "zhao, may read")
        visit.press("Open the alert")
        visit.see(".actions", "Your token may read only")
        visit.press("I have seen it")
        visit.see(REFUSED, "the token zhao is a viewer's: it may read only")
        visit.page.locator(REFUSED).get_by_role("button", name="Sign in").press("Enter")
        visit.give("token-of-lin", "lin, may decide")
        visit.miss(REFUSED)
        visit.press("I have seen it")
        visit.see(".headline", "Acknowledged")


def test_who_must_sign_in_again_finds_what_was_typed(browser: Browser, site: Site) -> None:
    reason = "the budget goes to autumn"
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto(f"{site.address}/?campaign=typed")
        visit.give("token-of-lin", "lin, may decide")
        visit.press("Open the alert")
        page.locator("dialog input[value=optimise]").check(timeout=PATIENCE_MS)
        page.locator("dialog textarea[name=reason]").fill(reason)
        page.evaluate("sessionStorage.setItem('roi-token', 'taken-away')")
        visit.press("Decide")
        visit.see(REFUSED, "Sign in again")
        assert page.locator("dialog textarea[name=reason]").input_value() == reason
        page.locator(".choice-of select").first.select_option("7d", force=True)  # the stream is refused, too
        visit.see("main", "sign in again. What you had typed is kept")
        visit.miss(".panel")
        visit.give("token-of-wu", "wu, may decide")
        visit.see("dialog .actions")
        assert page.locator("dialog textarea[name=reason]").input_value() == reason
        assert page.locator("dialog input[value=optimise]").is_checked()
        visit.press("Decide")
        visit.see(".headline", "Decided")


def test_who_is_no_longer_known_is_shown_nothing_more(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as visit:
        visit.page.goto(f"{site.address}/?board=alerts")
        visit.give("token-of-zhao", "zhao, may read")
        visit.page.locator(READ).wait_for(timeout=PATIENCE_MS)
        visit.page.evaluate("sessionStorage.setItem('roi-token', 'taken-away')")
        visit.page.locator(".choice-of select").first.select_option("7d")  # asks anew
        visit.see("main", "can be read with a token only")
        visit.miss(".panel")
