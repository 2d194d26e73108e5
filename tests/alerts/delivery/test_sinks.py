"""What Alertmanager and Grafana are shown: one a real one where Debian's is installed, both as servers on loopback."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from pipeline.alerts.delivery import alertmanager, sinks
from pipeline.alerts.delivery.senders import open_senders
from pipeline.alerts.record import Campaign
from pipeline.backoff import Backoff
from pipeline.errors import FencedError, UserError
from pipeline.settings import Settings
from tests.alerts.delivery.listening import answer, listening
from tests.alerts.delivery.office import Office, fires, recovers, webhook
from tests.support.kafka import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

BINARY = shutil.which("prometheus-alertmanager")
CONFIG = """
route: {{receiver: hook, group_by: [campaign_id], group_wait: 50ms, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]}}]
"""


def settings_of(**values: Any) -> Settings:
    return Settings(**values)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - what is waited for is on the other side of a socket
            await asyncio.sleep(0.02)


@dataclass
class FakeGrafana:
    """Grafana's annotations, kept in memory."""

    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    fails: int = 0
    loses_answers: int = 0
    tokens: set[str] = field(default_factory=set)
    port: int = 0

    async def find(self, request: web.Request) -> web.Response:
        self._check(request)
        tags = set(request.query.getall("tags"))
        found = [one | {"id": key} for key, one in self.annotations.items() if tags <= set(one["tags"])]
        return web.json_response(found)

    async def add(self, request: web.Request) -> web.Response:
        self._check(request)
        key = len(self.annotations) + 1
        self.annotations[key] = await request.json()
        if self.loses_answers:
            self.loses_answers -= 1
            raise web.HTTPBadGateway
        return web.json_response({"id": key, "message": "Annotation added"})

    async def change(self, request: web.Request) -> web.Response:
        self._check(request)
        self.annotations[int(request.match_info["id"])] |= await request.json()
        return web.json_response({"message": "Annotation patched"})

    def _check(self, request: web.Request) -> None:
        self.tokens.add(request.headers["authorization"])
        if self.fails:
            self.fails -= 1
            raise web.HTTPForbidden(text='{"message": "no"}', content_type="application/json")

    @property
    def regions(self) -> list[tuple[str, bool]]:
        return [(one["text"].split("\n")[0], bool(one.get("timeEnd"))) for one in self.annotations.values()]


@pytest.fixture
async def grafana() -> AsyncIterator[FakeGrafana]:
    fake = FakeGrafana()
    app = web.Application()
    app.add_routes(
        [
            web.get("/api/annotations", fake.find),
            web.post("/api/annotations", fake.add),
            web.patch("/api/annotations/{id}", fake.change),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.port = runner.addresses[0][1]
    yield fake
    await runner.cleanup()


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "WAITS", Backoff(0.01, 0.01))


def grafana_office(grafana: FakeGrafana, *former: Office) -> Office:
    settings = settings_of(grafana_url=f"http://127.0.0.1:{grafana.port}", grafana_token="glsa_sesame")
    return Office(settings, former[0].tables if former else None, "second" if former else "first")


@pytest.mark.usefixtures("_soon")
async def test_grafana_shows_a_region_from_firing_to_resolution_with_its_tags(grafana: FakeGrafana) -> None:
    office = grafana_office(grafana)
    async with office.delivering():
        await office.evaluator.turn([fires()])
        await until(lambda: len(grafana.annotations) == 1)
        (record,) = office.desk.records.values()
        assert grafana.annotations[1]["time"] == record.changed_ms
        assert grafana.annotations[1]["tags"] == ["roi-alert", "campaign:spring", f"alert_id:{record.alert_id}"]
        assert grafana.regions == [("Below 1:2: Spring savings", False)]
        await office.evaluator.turn([recovers()])
        await until(lambda: grafana.regions == [("Recovered, above 1:2: Spring savings", True)])
    assert grafana.annotations[1]["timeEnd"] >= grafana.annotations[1]["time"]
    assert grafana.tokens == {"Bearer glsa_sesame"}


@pytest.mark.usefixtures("_soon")
async def test_grafana_gets_one_region_an_alert_whatever_is_lost(grafana: FakeGrafana) -> None:
    grafana.fails, grafana.loses_answers = 2, 1
    office = grafana_office(grafana)
    async with office.delivering():
        await office.evaluator.turn([fires("a"), fires("b")])
        await until(lambda: len(grafana.annotations) == 2)
    heir = grafana_office(grafana, office)
    async with heir.delivering():  # it knows of them by their tags
        await heir.evaluator.turn([recovers("a"), fires("b"), fires("c")])
        await until(lambda: len(grafana.annotations) == 3 and sum(ended for _, ended in grafana.regions) == 1)
    tags = [tuple(one["tags"]) for one in grafana.annotations.values()]
    assert len(set(tags)) == len(tags) == 3


async def test_alerts_that_never_fired_are_shown_nowhere(grafana: FakeGrafana) -> None:
    office = grafana_office(grafana)
    async with office.delivering():
        await office.evaluator.turn([recovers()])
        await until(lambda: bool(grafana.tokens))
    assert grafana.annotations == {}


@pytest.mark.usefixtures("_soon")
async def test_a_sink_that_fails_holds_up_no_receiver_and_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as receiver, listening(answers=[answer(500, b"sesame")]) as broken:
        settings = settings_of(
            receivers={"floor": webhook(receiver.port)},
            alerts={"receivers": ["floor"]},
            alertmanager_url=f"http://robot:sesame@127.0.0.1:{broken.port}",
            grafana_url="http://robot:sesame@127.0.0.1:1",
        )
        office = Office(settings)
        async with office.delivering():
            await office.evaluator.turn([fires()])
            await office.until("floor", "sent")
            await broken.heard(2)
            await until(lambda: "Grafana was not told" in caplog.text)
    assert "Alertmanager was not told (HTTP 500)" in caplog.text
    assert "sesame" not in caplog.text


async def test_a_zombie_pushes_nothing() -> None:
    async with listening() as manager:
        office = Office(settings_of(alertmanager_url=f"http://127.0.0.1:{manager.port}"))
        await office.evaluator.turn([fires()])
        Office(office.settings, office.tables, "second")
        office.desk._confirmed -= 3600  # it was frozen for an hour
        _, sender = open_senders(office.settings, office)
        with pytest.raises(FencedError):
            await sender(office.desk)
    assert manager.requests == []


def posted(manager: Any) -> list[tuple[str, str]]:
    return [(one["labels"]["campaign_id"], one["annotations"]["state"]) for r in manager.requests for one in r.json()]


async def test_labels_stay_the_same_while_an_alert_lives_and_each_minute_it_is_posted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alertmanager, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(alertmanager.Alertmanager, "again_seconds", 0.05)
    async with listening() as manager:
        office = Office(settings_of(alertmanager_url=f"http://127.0.0.1:{manager.port}"))
        async with office.delivering():
            await office.evaluator.turn([fires()])
            await manager.heard(3)
            (record,) = office.desk.records.values()
            await office.ask("acknowledge", record.alert_id)
            await until(lambda: ("spring", "acknowledged") in posted(manager))
    labels = [one["labels"] for request in manager.requests for one in request.json()]
    assert labels[0] == {"alertname": "CampaignReturnBelowRequired", "campaign_id": "spring", "owner": "retail"}
    assert all(one == labels[0] for one in labels)
    starts = {one["startsAt"] for request in manager.requests for one in request.json()}
    assert len(starts) == 1


async def test_a_campaign_that_changes_hands_ends_there_under_its_former_owner() -> None:
    async with listening() as manager:
        office = Office(settings_of(alertmanager_url=f"http://127.0.0.1:{manager.port}"))
        async with office.delivering():
            await office.evaluator.turn([fires()])
            await manager.heard(1)
            await office.evaluator.turn([fires(campaign=Campaign("spring", "Spring savings", "cards"))])
            (record,) = office.desk.records.values()
            await office.ask("note", record.alert_id, note="handed over")
            await manager.heard(2)
    former, new = manager.requests[1].json()
    assert (former["labels"]["owner"], new["labels"]["owner"]) == ("retail", "cards")
    assert former["endsAt"] < new["endsAt"]


async def test_a_silenced_alert_is_not_pushed_and_one_that_was_pushed_still_ends() -> None:
    async with listening() as manager:
        office = Office(settings_of(alertmanager_url=f"http://127.0.0.1:{manager.port}"))
        await office.ask("silence", campaign_id="quiet", until="2100-01-01T00:00:00Z", reason="known")
        async with office.delivering():
            await office.evaluator.turn([fires("quiet"), fires("loud")])
            await manager.heard(1)
            await office.ask("silence", campaign_id="loud", until="2100-01-01T00:00:00Z", reason="known")
            await office.evaluator.turn([recovers("loud"), recovers("quiet")])
            await until(lambda: ("loud", "resolved") in posted(manager))
    assert {campaign for campaign, _ in posted(manager)} == {"loud"}


@pytest.mark.parametrize("name", ["alertmanager_url", "grafana_url"])
def test_an_address_that_is_none_is_refused_without_being_shown(name: str) -> None:
    with pytest.raises(UserError, match=name) as caught:
        open_senders(settings_of(**{name: "sesame"}), Office(settings_of()))
    assert "sesame" not in str(caught.value)


@asynccontextmanager
async def debians(directory: Path, hook_port: int) -> AsyncIterator[str]:
    """Run Debian's Alertmanager, whose notices go to a port, and yield its address."""
    assert BINARY is not None
    (directory / "config.yml").write_text(CONFIG.format(port=hook_port))
    address = f"127.0.0.1:{free_port()}"
    command = [BINARY, f"--config.file={directory / 'config.yml'}", f"--storage.path={directory / 'data'}"]
    options = [f"--web.listen-address={address}", "--cluster.listen-address="]
    with (directory / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(*command, *options, stdout=log, stderr=log)
    try:
        await answers(f"http://{address}/-/ready")
        yield f"http://{address}"
    finally:
        process.kill()
        await process.wait()


async def answers(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


@pytest.mark.process
@pytest.mark.skipif(BINARY is None, reason="Debian's prometheus-alertmanager is not installed; .ci/run installs it")
async def test_debians_alertmanager_tells_of_firing_and_of_resolution(tmp_path: Path) -> None:
    async with listening() as hook, debians(tmp_path, hook.port) as address:
        office = Office(settings_of(alertmanager_url=address))
        async with office.delivering():
            await office.evaluator.turn([fires("a"), fires("b")])
            await hook.heard(2)
            await office.evaluator.turn([recovers("a"), fires("b")])
            await hook.heard(3)
            async with aiohttp.ClientSession() as session, session.get(f"{address}/api/v2/alerts") as response:
                active = await response.json()
    told = [request.json() for request in hook.requests]
    first = {one["commonLabels"]["campaign_id"]: one["status"] for one in told[:2]}
    assert first == {"a": "firing", "b": "firing"}
    assert (told[2]["commonLabels"]["campaign_id"], told[2]["status"]) == ("a", "resolved")
    assert told[2]["commonAnnotations"]["summary"] == "Recovered, above 1:2: Spring savings"
    assert [one["labels"]["campaign_id"] for one in active] == ["b"]
