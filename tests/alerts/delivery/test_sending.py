"""What becomes of the others when one notice cannot be sent or takes long, by a channel that the test plays."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest

from pipeline.alerts.delivery.outcomes import SUCCESS, Outcome
from pipeline.alerts.delivery.planning import Policy
from pipeline.alerts.delivery.quiet import QuietHours
from pipeline.alerts.delivery.sending import Sending
from tests.alerts.delivery.office import Office, fires, recovers, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from pipeline.alerts.log import Notification

POLICY: Final = Policy(attempts=9)
PERSON: Final = "c4711"
DAY_MS: Final = 86_400_000
TEN_AT_NIGHT: Final = 30_000 * DAY_MS + 22 * 3_600_000
"""Of a day long after the notices were made, in UTC."""


class Post:
    """Takes what is sent, and can make no message about some campaigns.

    Args:
        is_grouped: whether a letter may have several notices.
        broken: the campaigns.
    """

    def __init__(self, *broken: str, is_grouped: bool = True) -> None:
        self.is_grouped = is_grouped
        self.broken = set(broken)
        self.letters: list[list[tuple[str, str]]] = []
        self.answer = SUCCESS

    async def deliver(self, notices: Sequence[Notification]) -> Outcome:
        if any(notice.campaign_id in self.broken for notice in notices):
            raise KeyError(PERSON)
        self.letters.append([(notice.campaign_id, notice.message_type) for notice in notices])
        return self.answer


@asynccontextmanager
async def sending(office: Office, post: Post) -> AsyncIterator[None]:
    task = asyncio.create_task(Sending({"chat": post}, {"chat": POLICY}, office).run(office.desk))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def sent_to(office: Office, post: Post, tried: int) -> dict[tuple[str, str], Notification]:
    """Send until so many notices were tried; return all notices by campaign and type."""
    news = office.desk.listener()
    async with sending(office, post), asyncio.timeout(30):
        while sum(notice.attempts > 0 for notice in office.notices("chat")) < tried:
            news.clear()
            await news.wait()
    return {(notice.campaign_id, notice.message_type): notice for notice in office.notices("chat")}


@pytest.fixture
def office() -> Office:
    return Office(settings_of({"chat": {"url": "json://127.0.0.1:9/x"}}))


async def test_a_notice_that_cannot_be_made_into_a_text_fails_alone_and_costs_the_others_a_few_texts(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await office.evaluator.turn([fires(f"c{number:02}") for number in range(64)])
    post = Post("c37")
    found = await sent_to(office, post, 64)
    (bad,) = (notice for notice in found.values() if notice.state != "sent")
    assert (bad.campaign_id, bad.state, bad.attempts) == ("c37", "waiting", 1)
    assert bad.last_error == "it could not be made into a message (KeyError)"
    told = [campaign for letter in post.letters for campaign, _ in letter]
    assert told == sorted({campaign for campaign, _ in found} - {"c37"})
    assert len(post.letters) == 6
    assert len(caplog.records) == 1
    assert PERSON not in caplog.text


@pytest.mark.parametrize("is_grouped", [True, False])
async def test_of_the_same_alert_nothing_overtakes_what_cannot_be_told(*, office: Office, is_grouped: bool) -> None:
    for look in (fires("a"), fires("b"), recovers("a"), recovers("b")):
        await office.evaluator.turn([look])
    post = Post("a", is_grouped=is_grouped)
    found = await sent_to(office, post, 3)
    assert post.letters == [[("b", "alert.firing")], [("b", "alert.resolved")]]
    assert {key: notice.attempts for key, notice in found.items()} == {
        ("a", "alert.firing"): 1,
        ("a", "alert.resolved"): 0,
        ("b", "alert.firing"): 1,
        ("b", "alert.resolved"): 1,
    }


async def test_a_letter_that_its_receiver_does_not_take_is_not_divided(office: Office) -> None:
    await office.evaluator.turn([fires("a"), fires("b")])
    post = Post()
    post.answer = Outcome("failed", "HTTP 500")
    found = await sent_to(office, post, 2)
    assert post.letters == [[("a", "alert.firing"), ("b", "alert.firing")]]
    assert {notice.state for notice in found.values()} == {"waiting"}


class SlowPost(Post):
    """Takes half a minute for each notice, on a clock of its own; does something before it answers."""

    def __init__(self, office: Office, now_ms: int) -> None:
        super().__init__(is_grouped=False)
        self.office = office
        self.now_ms = now_ms
        self.told_ms: list[int] = []
        self.silences = False

    async def deliver(self, notices: Sequence[Notification]) -> Outcome:
        self.told_ms.append(self.now_ms)
        self.now_ms += 30_000
        if self.silences:
            self.silences = False
            await self.office.ask("silence", campaign_id="c2", until="2100-01-01T00:00:00Z", reason="known")
        return await super().deliver(notices)


async def told_slowly(office: Office, post: SlowPost, policy: Policy, *states: str) -> None:
    """Send by the clock of the channel, which stands still where nothing is sent."""
    by_post = Sending({"chat": post}, {"chat": policy}, office, now_ms=lambda: post.now_ms)
    task = asyncio.create_task(by_post.run(office.desk))
    try:
        await office.until("chat", *states)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_quiet_hours_that_begin_while_a_receiver_takes_its_time_hold_back_the_rest(office: Office) -> None:
    await office.evaluator.turn([fires(f"c{number}") for number in range(6)])
    quiet = QuietHours.of("22:00-07:00", ZoneInfo("UTC"))
    post = SlowPost(office, TEN_AT_NIGHT - 60_000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await told_slowly(office, post, Policy(attempts=9, quiet=quiet), "sent")
    assert [told - TEN_AT_NIGHT for told in post.told_ms] == [-60_000, -30_000]
    assert [notice.state for notice in office.notices("chat")].count("waiting") == 4
    post.now_ms = TEN_AT_NIGHT + 9 * 3_600_000
    await told_slowly(office, post, Policy(attempts=9, quiet=quiet), "sent")
    assert sorted(post.letters) == [[(f"c{number}", "alert.firing")] for number in range(6)]


async def test_a_silence_that_is_made_while_a_receiver_takes_its_time_holds_for_the_rest(office: Office) -> None:
    await office.evaluator.turn([fires(f"c{number}") for number in range(4)])
    post = SlowPost(office, TEN_AT_NIGHT)
    post.silences = True
    await told_slowly(office, post, POLICY, "sent", "suppressed")
    assert post.letters == [[(name, "alert.firing")] for name in ("c0", "c1", "c3")]
    assert {notice.campaign_id for notice in office.notices("chat") if notice.state == "suppressed"} == {"c2"}
