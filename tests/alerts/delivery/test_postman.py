"""What is sent through Apprise: by its real plugins to servers on loopback, in the process that sends."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apprise
import pytest
import requests
from aiosmtpd.smtp import SMTP
from apprise.manager_plugins import NotificationManager

from pipeline.alerts.delivery import postman
from pipeline.alerts.delivery.postmen import Postmen
from tests.alerts.delivery.listening import MOVED, answer, listening
from tests.architecture.sources import ROOT
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiosmtpd.smtp import Envelope, Session

PARENT = """
import asyncio, sys
from pipeline.alerts.delivery.postmen import Postmen

async def main():
    several = Postmen()
    await several.prepare()
    print(several._spare[0].pid, flush=True)
    await several.send(sys.argv[1], "t", "b", "info", "txt_1")

asyncio.run(main())
"""
LETTER = {
    "title": "Below 1:2: Spring",
    "body": "Returns 1:1.25 so far.",
    "kind": "failure",
    "id": "txt_0",
    "seconds": 5,
}
VENDORS = {
    "wecombot": ("wecombot://botkey-1234", "NotifyWeComBot", b'{"errcode":0,"errmsg":"ok"}'),
    "dingtalk": ("dingtalk://abcdef1234/", "NotifyDingTalk", b'{"errcode":0,"errmsg":"ok"}'),
    "feishu": ("feishu://abcdef1234", "NotifyFeishu", b'{"code":0,"msg":"success"}'),
}
REFUSALS = {
    "wecombot": b'{"errcode":93000,"errmsg":"invalid webhook url, hint: botkey-1234"}',
    "dingtalk": b'{"errcode":310000,"errmsg":"keywords not in content"}',
    "feishu": b'{"code":9499,"msg":"Bad Request"}',
}


@pytest.fixture
def _guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.sessions, "Session", postman.GuardedSession)


def pointed_at(monkeypatch: pytest.MonkeyPatch, vendor: str, port: int) -> str:
    """Have a vendor's plugin send to loopback, and return its address."""
    url, name, _ = VENDORS[vendor]
    manager: Any = NotificationManager
    plugin = manager()[vendor]
    assert plugin.__name__ == name
    monkeypatch.setattr(plugin, "notify_url", f"http://127.0.0.1:{port}/x")
    monkeypatch.setattr(plugin, "request_rate_per_sec", 0)
    return url


async def sent(url: str, **values: Any) -> dict[str, Any]:
    return await asyncio.to_thread(postman.send, LETTER | {"url": url} | values)


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("vendor", sorted(VENDORS))
async def test_each_vendor_gets_title_and_text_in_its_own_form(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(answers=[answer(200, VENDORS[vendor][2])]) as receiver:
        answered = await sent(pointed_at(monkeypatch, vendor, receiver.port))
    assert answered == {"result": "sent", "error": "", "retry_after": None}
    (request,) = receiver.requests
    said = request.json()
    text = str(said.get("text") or said.get("markdown") or said.get("content"))
    assert "Below 1:2: Spring" in text
    assert "Returns 1:1.25 so far." in text


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize("vendor", sorted(VENDORS))
async def test_a_refusal_under_http_200_is_no_success(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(answers=[answer(200, REFUSALS[vendor])]) as receiver:
        answered = await sent(pointed_at(monkeypatch, vendor, receiver.port))
    assert answered["result"] == "failed"
    assert "refused with code" in answered["error"]
    assert "botkey-1234" not in answered["error"]


@pytest.mark.usefixtures("_guarded")
async def test_slack_gets_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    manager: Any = NotificationManager
    plugin = manager()["slack"]
    async with listening() as receiver:
        monkeypatch.setattr(plugin, "webhook_url", f"http://127.0.0.1:{receiver.port}/services")
        answered = await sent("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#roi")
    assert answered["result"] == "sent"
    assert "Returns 1:1.25 so far." in receiver.requests[0].body.decode()


@pytest.mark.usefixtures("_guarded")
@pytest.mark.parametrize(
    ("reply", "result", "error"),
    [
        (answer(500), "failed", "HTTP 500"),
        (answer(429, b"", "retry-after: 7"), "failed", "HTTP 429"),
        (answer(410), "refused", "HTTP 410"),
        (MOVED, "failed", "HTTP 302 (a redirect, which is not followed)"),
    ],
)
async def test_only_2xx_is_success_and_redirects_are_not_followed(reply: bytes, result: str, error: str) -> None:
    async with listening(answers=[reply]) as receiver:
        answered = await sent(f"json://127.0.0.1:{receiver.port}/hook?redirect=yes")
    assert (answered["result"], answered["error"]) == (result, error)
    assert answered["retry_after"] == (7.0 if "429" in error else None)
    assert len(receiver.requests) == 1


@pytest.mark.usefixtures("_guarded")
async def test_an_endless_body_is_not_read_to_its_end() -> None:
    async with listening(answers=[b"HTTP/1.1 200 OK\r\n\r\n"], drips=b"x" * 8192) as receiver:
        answered = await sent(f"json://127.0.0.1:{receiver.port}/hook")
    assert answered["result"] == "sent"


@pytest.mark.usefixtures("_guarded")
async def test_nothing_of_an_address_is_in_an_error() -> None:
    answered = await sent("json://robot:sesame-open@127.0.0.1:1/hook-9876543210")
    assert answered["result"] == "failed"
    assert answered["error"]
    for secret in ("robot", "sesame", "hook-98", "127.0.0.1"):
        assert secret not in answered["error"]


class Mailbox:
    """Takes mail, or misbehaves."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        del server, session
        self.letters.append(envelope)
        return "250 OK"


@pytest.fixture
async def mail() -> AsyncIterator[tuple[Mailbox, int]]:
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    yield box, server.sockets[0].getsockname()[1]
    server.close()


async def test_mail_arrives_with_subject_text_and_link(mail: tuple[Mailbox, int]) -> None:
    box, port = mail
    body = "回报 1:1.25\nhttp://board/?campaign=spring"
    answered = await sent(f"mailto://127.0.0.1:{port}/?from=roi@bank.example&to=lin@bank.example", body=body)
    assert answered["result"] == "sent", answered
    (letter,) = box.letters
    assert letter.rcpt_tos == ["lin@bank.example"]
    message = message_from_bytes(letter.original_content or b"", policy=default)
    assert message["subject"] == "Below 1:2: Spring"
    text = "".join(part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
    assert "回报 1:1.25" in text
    assert "http://board/?campaign=spring" in text


async def test_mail_that_is_sent_again_has_the_same_message_id(mail: tuple[Mailbox, int]) -> None:
    box, port = mail
    url = f"mailto://127.0.0.1:{port}/?from=roi@bank.example&to=lin@bank.example"
    for identity in ("txt_1", "txt_1", "txt_2"):
        await sent(url, id=identity)
    found = [message_from_bytes(one.original_content or b"", policy=default)["message-id"] for one in box.letters]
    assert found == ["<txt_1@127.0.0.1>", "<txt_1@127.0.0.1>", "<txt_2@127.0.0.1>"]


async def test_mail_that_nobody_takes_is_a_failure() -> None:
    answered = await sent("mailto://127.0.0.1:1/?from=roi@bank.example&to=lin@bank.example")
    assert answered["result"] == "failed"


def test_apprise_keeps_nothing_on_disk_and_follows_no_redirects() -> None:
    asset = postman.asset()
    assert asset.storage_mode is apprise.PersistentStoreMode.MEMORY
    assert asset.http_redirects is False


@pytest.fixture
@starts_process
async def postmen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Postmen]:
    monkeypatch.chdir(tmp_path)  # commands run anywhere
    several = Postmen(seconds=60)
    await several.prepare()
    yield several
    await several.close()


async def test_a_process_sends_one_message_after_the_other(postmen: Postmen) -> None:
    async with listening() as receiver:
        url = f"json://127.0.0.1:{receiver.port}/hook"
        outcomes = [await postmen.send(url, "title", f"text {number}", "info", f"txt_{number}") for number in range(3)]
    assert [outcome.result for outcome in outcomes] == ["sent"] * 3
    assert [request.json()["message"] for request in receiver.requests] == ["text 0", "text 1", "text 2"]


async def test_a_process_that_has_ended_meanwhile_is_replaced(postmen: Postmen) -> None:
    (waiting,) = postmen._spare
    waiting.kill()
    await waiting.wait()
    async with listening() as receiver:
        assert (await postmen.send(f"json://127.0.0.1:{receiver.port}/x", "t", "b", "info", "txt_1")).result == "sent"


async def test_a_receiver_that_hangs_delays_no_other_and_its_process_ends_with_whoever_waited(postmen: Postmen) -> None:
    async with listening(hangs=True) as bad, listening() as good:
        slow = asyncio.create_task(postmen.send(f"json://127.0.0.1:{bad.port}/x?rto=60", "t", "b", "info", "txt_1"))
        await bad.heard(1)
        assert (await postmen.send(f"json://127.0.0.1:{good.port}/x", "t", "b", "info", "txt_1")).result == "sent"
        assert not slow.done()
        slow.cancel()
        assert isinstance((await asyncio.gather(slow, return_exceptions=True))[0], asyncio.CancelledError)
        assert len(postmen._all) == 1


@pytest.mark.process
async def test_a_mail_server_that_hangs_is_given_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    several = Postmen(seconds=1.0)
    try:
        outcome = await several.send(
            f"mailto://127.0.0.1:{port}/?from=roi@b.example&to=l@b.example", "t", "b", "info", "txt_1"
        )
    finally:
        await several.close()
        server.close()
    assert outcome.error == "no answer in 1 s"


@pytest.mark.process
async def test_a_process_that_does_not_start_is_a_failure_that_is_told() -> None:
    several = Postmen(command=("/nonexistent/python",))
    await several.prepare()
    outcome = await several.send("json://127.0.0.1:1", "t", "b", "info", "txt_1")
    assert (outcome.result, outcome.error) == ("failed", "the sending process did not start (FileNotFoundError)")


@pytest.mark.process
async def test_a_process_ends_with_its_evaluator_in_the_midst_of_a_sending() -> None:
    async with listening(hangs=True) as receiver:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PARENT, f"json://127.0.0.1:{receiver.port}/x?rto=60", cwd=ROOT, stdout=PIPE
        )
        assert parent.stdout is not None
        child = int(await parent.stdout.readline())
        await receiver.heard(1)
        parent.kill()
        await parent.wait()
        async with asyncio.timeout(20):
            while is_running(child):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody may be there to wait for it
