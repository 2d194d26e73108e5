"""From a change of state to what receivers get, over real sockets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks.webhooks import Webhook

from pipeline.alerts.delivery.senders import open_senders
from pipeline.backoff import Backoff
from pipeline.errors import FencedError
from schemas.alerts import AlertMessage, StopMessage, TestMessage
from tests.alerts.delivery.listening import MOVED, OK, answer, listening
from tests.alerts.delivery.office import SECRET, Office, fires, recovers, settings_of, webhook
from tests.support.fakes_alerts import FakeAlertStore

if TYPE_CHECKING:
    from tests.alerts.delivery.listening import Request


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(Backoff, "delay", lambda *_: 0.01)


def verified(request: Request) -> Any:
    return Webhook(SECRET).verify(request.body, request.headers)


async def test_a_webhook_gets_each_message_alone_signed_and_under_the_id_it_has_in_kafka() -> None:
    async with listening() as receiver:
        office = Office(settings_of({"floor": webhook(receiver.port)}))
        async with office.delivering():
            await office.evaluator.turn([fires(f"c{number}") for number in range(3)])
            notices = await office.until("floor", "sent")
    assert receiver.ids == office.messages() == [notice.message_id for notice in notices]
    assert [AlertMessage.model_validate(verified(one)).type for one in receiver.requests] == ["alert.firing"] * 3
    assert {one.headers["content-type"] for one in receiver.requests} == {"application/json"}


@pytest.mark.process
async def test_chat_gets_one_text_about_all_that_happens_at_a_time() -> None:
    async with listening() as receiver:
        office = Office(settings_of({"chat": {"url": f"json://127.0.0.1:{receiver.port}/x"}}))
        async with office.delivering():
            await office.evaluator.turn([fires(f"c{number}") for number in range(3)])
            await office.until("chat", "sent")
    (one,) = receiver.requests
    assert one.json()["title"] == "3 campaigns below 1:2"


@pytest.mark.usefixtures("_soon")
@pytest.mark.parametrize(
    "first",
    [answer(500), answer(429, b"", "retry-after: 0"), MOVED, answer(404), b"nonsense\r\n\r\n", b""],
    ids=["500", "429", "redirect", "404", "nonsense", "closed"],
)
async def test_whatever_is_not_success_is_tried_again_under_the_same_id(first: bytes) -> None:
    async with listening(answers=[first, first, OK]) as receiver:
        office = Office(settings_of({"floor": webhook(receiver.port)}))
        async with office.delivering():
            await office.evaluator.turn([fires()])
            (notice,) = await office.until("floor", "sent")
    assert receiver.ids == office.messages() * 3
    assert notice.attempts == 3
    assert office.counted["failed"] == 2
    assert all(verified(one) for one in receiver.requests)


@pytest.mark.usefixtures("_soon")
async def test_order_is_kept_while_a_receiver_is_down() -> None:
    async with listening(answers=[answer(503)] * 4 + [OK]) as receiver:
        office = Office(settings_of({"floor": webhook(receiver.port)}))
        async with office.delivering():
            await office.evaluator.turn([fires()])
            await receiver.heard(1)
            await office.evaluator.turn([recovers()])
            await office.until("floor", "sent")
    assert list(dict.fromkeys(receiver.ids)) == office.messages()
    assert [verified(one)["type"] for one in receiver.requests] == ["alert.firing"] * 5 + ["alert.resolved"]


async def test_a_receiver_that_wants_nothing_any_more_is_a_dead_letter_with_the_reason() -> None:
    async with listening(answers=[answer(410)]) as receiver:
        office = Office(settings_of({"floor": webhook(receiver.port)}))
        async with office.delivering():
            await office.evaluator.turn([fires()])
            (dead,) = await office.until("floor", "dead")
            receiver.answers = [OK]
            await office.ask("retry", notification_id=dead.notification_id)
            (sent,) = await office.until("floor", "sent")
    assert dead.last_error == "HTTP 410: the receiver wants nothing any more"
    assert receiver.ids == [dead.message_id] * 2
    assert sent.attempts == 1


@pytest.mark.usefixtures("_soon")
async def test_after_the_last_attempt_a_notice_is_dead_and_the_next_one_goes_its_way() -> None:
    async with listening(answers=[answer(500)] * 3 + [OK]) as receiver:
        # so many hours are two attempts, of which the waits are a hundredth of a second here
        office = Office(settings_of({"floor": webhook(receiver.port)}, retry_hours=0.02 / 3600))
        async with office.delivering():
            await office.evaluator.turn([fires()])
            (dead,) = await office.until("floor", "dead")
            await office.evaluator.turn([recovers()])
            await office.until("floor", "sent", "dead")
    assert dead.attempts == 3
    assert dead.last_error == "HTTP 500"
    assert receiver.ids == [office.messages()[0]] * 3 + [office.messages()[1]]


@pytest.mark.parametrize(
    "how", [{"hangs": True}, {"drips": b"x" * 4096, "answers": [b"HTTP/1.1 200 OK\r\n\r\n"]}], ids=["hangs", "endless"]
)
async def test_a_receiver_that_hangs_or_never_ends_delays_no_other(how: dict[str, Any]) -> None:
    async with listening(**how) as bad, listening() as good:
        office = Office(settings_of({"bad": webhook(bad.port), "good": webhook(good.port)}))
        async with office.delivering():
            await office.evaluator.turn([fires()])
            await office.until("good", "sent")
            await bad.heard(1)
            if bad.drips:
                await office.until("bad", "sent")  # the status has said all
            else:
                assert [one.state for one in office.notices("bad")] == ["waiting"]


async def test_after_a_crash_between_sending_and_the_mark_it_is_sent_again_under_the_same_id() -> None:
    async with listening() as receiver:
        settings = settings_of({"floor": webhook(receiver.port)})
        office = Office(settings)
        await office.evaluator.turn([fires()])
        receiver.at_request = lambda: setattr(office.store, "is_away", True)
        async with office.delivering():
            await receiver.heard(1)
        heir = Office(settings, office.tables, "second")
        async with heir.delivering():
            (notice,) = await heir.until("floor", "sent")
    assert receiver.ids == [notice.message_id] * 2


async def test_a_zombie_sends_nothing_and_marks_nothing() -> None:
    async with listening() as receiver:
        office = Office(settings_of({"floor": webhook(receiver.port)}))
        await office.evaluator.turn([fires()])
        FakeAlertStore(office.tables, "second").claim()
        office.desk._confirmed -= 3600  # it was frozen for an hour
        (sender,) = open_senders(office.settings, office)
        with pytest.raises(BaseExceptionGroup) as caught:
            await sender(office.desk)
    assert caught.value.split(FencedError)[1] is None
    assert receiver.requests == []
    assert [one.state for one in office.notices("floor")] == ["waiting"]


async def test_a_test_reaches_a_receiver_at_once_and_only_once() -> None:
    async with listening() as good, listening(answers=[answer(500)]) as bad:
        receivers = {"good": webhook(good.port, quiet_hours="00:00-23:59"), "bad": webhook(bad.port)}
        office = Office(settings_of(receivers))
        async with office.delivering():
            await office.ask("test")
            await office.until("good", "sent")
            (dead,) = await office.until("bad", "dead")
    assert TestMessage.model_validate(verified(good.requests[0])).data["by"] == "lin"
    assert dead.last_error == "HTTP 500"
    assert len(bad.requests) == 1


async def test_what_waits_for_a_receiver_that_is_gone_from_the_settings_is_dead_with_the_reason() -> None:
    office = Office(settings_of({"floor": webhook(9)}))
    await office.evaluator.turn([fires()])
    heir = Office(settings_of({"other": webhook(9)}), office.tables, "second")
    async with heir.delivering():
        (dead,) = await heir.until("floor", "dead")
    assert dead.last_error == "there is no receiver 'floor' in the settings"


async def test_a_silence_suppresses_what_still_waits_but_not_the_recovery() -> None:
    async with listening() as receiver:
        office = Office(settings_of({"floor": webhook(receiver.port)}))
        await office.evaluator.turn([fires()])
        await office.ask("silence", campaign_id="spring", until="2100-01-01T00:00:00Z", reason="known")
        await office.evaluator.turn([recovers()])
        async with office.delivering():
            notices = await office.until("floor", "sent", "suppressed")
    assert [(one.message_type, one.state) for one in notices] == [
        ("alert.firing", "suppressed"),
        ("alert.resolved", "sent"),
    ]
    assert [verified(one)["type"] for one in receiver.requests] == ["alert.resolved"]


async def test_no_secret_is_in_what_is_kept_of_a_failure() -> None:
    office = Office(settings_of({"floor": webhook(1)}))
    async with office.delivering():
        await office.evaluator.turn([fires()])
        news = office.desk.listener()
        while not office.notices("floor")[0].attempts:
            news.clear()
            await news.wait()
    (failed,) = office.notices("floor")
    assert failed.last_error
    assert "sesame" not in failed.last_error
    assert "127.0.0.1" not in failed.last_error


@pytest.mark.process
async def test_a_request_to_stop_goes_to_systems_as_it_is_in_kafka_and_to_people_as_a_decision() -> None:
    async with listening() as system, listening() as people:
        receivers = {"stopper": webhook(system.port), "chat": {"url": f"json://127.0.0.1:{people.port}/x"}}
        office = Office(settings_of(receivers))
        await office.evaluator.turn([fires()])
        (record,) = office.desk.records.values()
        await office.ask("decide", record.alert_id, decision="stop", reason="money is lost")
        async with office.delivering():
            await office.until("stopper", "sent")
            await office.until("chat", "sent")
    assert [verified(one)["type"] for one in system.requests] == ["alert.firing", "alert.decided", "campaign.stop"]
    assert system.ids == office.messages()
    assert StopMessage.model_validate(verified(system.requests[2])).data.reason == "money is lost"
    assert [request.json()["title"] for request in people.requests] == ["Decided: Spring savings"]


async def test_a_notice_that_cannot_be_made_into_a_message_is_a_failure_of_its_own() -> None:
    async with listening() as receiver:
        receivers = {"chat": {"url": "json://127.0.0.1:9/x"}, "floor": webhook(receiver.port)}
        office = Office(settings_of(receivers))
        await office.evaluator.turn([fires()])
        (broken,) = office.notices("chat")
        await office.desk.write([replace(broken, payload='{"type": "alert.firing", "data": {}}').row()])
        async with office.delivering():
            await office.until("floor", "sent")
            news = office.desk.listener()
            while not office.notices("chat")[0].attempts:
                news.clear()
                await news.wait()
    assert office.notices("chat")[0].last_error == "it could not be made into a message (KeyError)"
