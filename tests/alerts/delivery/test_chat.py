"""What people read of notices that became one text, by postmen that the test plays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from pipeline.alerts.delivery.chat import ChatChannel
from pipeline.alerts.delivery.outcomes import SUCCESS, Outcome
from pipeline.alerts.delivery.texts import Wording
from tests.alerts.delivery.office import Office, fires, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.delivery.postmen import Postmen
    from pipeline.alerts.log import Notification


class ReadBack:
    """Keeps the lines of every text."""

    def __init__(self) -> None:
        self.texts: list[list[str]] = []

    async def send(self, url: str, title: str, body: str, *others: Any) -> Outcome:
        del url, others
        self.texts.append([title, *body.split("\n")])
        return SUCCESS


async def text_about(*notices: Notification) -> Sequence[str]:
    postmen = ReadBack()
    await ChatChannel("json://127.0.0.1:9/x", cast("Postmen", postmen), Wording()).deliver(notices)
    (text,) = postmen.texts
    return text


async def test_a_reminder_that_goes_out_with_what_it_repeats_is_no_reminder_to_who_reads_it() -> None:
    office = Office(settings_of({"chat": {"url": "json://127.0.0.1:9/x"}}))
    await office.evaluator.turn([fires()])
    (first,) = office.notices("chat")
    reminder = replace(first, notification_id="ntf_2", created_ms=first.created_ms + 3_600_000, is_reminder=True)
    assert (await text_about(first, reminder))[:2] == (await text_about(first))[:2]
    assert (await text_about(reminder))[:2] == ["Still below 1:2: Spring savings", "Nobody has acknowledged it yet."]
