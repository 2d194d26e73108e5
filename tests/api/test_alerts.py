from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from yarl import URL

from pipeline.alerts.record import Campaign, Evidence
from pipeline.api import handing_in, models
from tests.alerts.building import AT_ONCE, look
from tests.api.conftest import TOKENS
from tests.support.depth import depth as depth_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from tests.api.conftest import Api

    Running = Callable[..., AbstractAsyncContextManager[Api]]

EVES_PASSWORD = b64encode(f"any:{TOKENS['eve']}".encode()).decode()
BAD: list[tuple[str, Any]] = [
    ("alerts/alr_1/decide", {}),
    ("alerts/alr_1/decide", {"decision": "stop"}),
    ("alerts/alr_1/decide", {"decision": "stop", "reason": "   "}),
    ("alerts/alr_1/decide", {"decision": "halt", "reason": "x"}),
    ("alerts/alr_1/decide", {"decision": "stop", "reason": "x", "by": "boss"}),
    ("alerts/alr_1/decide", {"decision": "stop", "reason": "x" * (models.LONGEST_TEXT + 1)}),
    ("alerts/alr_1/decide", {"decision": "stop", "reason": {"$ne": ""}}),
    ("alerts/alr_1/decide", ["stop"]),
    ("alerts/alr_1/note", {"note": ""}),
    ("alerts/alr_1/note", {"note": None}),
    ("alerts/alr_1/acknowledge", {"note": 5}),
    ("alerts/alr_1/approve", {"by": "boss"}),
    ("silences", {"until": "2099-01-01T00:00:00Z", "reason": "x"}),
    ("silences", {"campaign_id": "a", "owner": "b", "until": "2030-01-01T00:00:00Z", "reason": "x"}),
    ("silences", {"campaign_id": "a", "until": "2020-01-01T00:00:00Z", "reason": "x"}),
    ("silences", {"campaign_id": "a", "until": "9999-12-31T23:59:59Z", "reason": "x"}),
    ("silences", {"campaign_id": "a", "until": "tomorrow", "reason": "x"}),
    ("silences", {"campaign_id": "a", "until": 1_900_000_000, "reason": "x"}),
    ("silences", {"campaign_id": "../etc", "until": "2027-01-01T00:00:00Z", "reason": "x"}),
    ("silences", {"campaign_id": "", "until": "2027-01-01T00:00:00Z", "reason": "x"}),
    ("alerts/test", {"receiver": "x" * 1000}),
]
HOSTILE: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"{", 422),
    (b"[" * 60_000, 400),
    (b'{"note": "\\ud800"}', 422),
    (b'{"note": NaN}', 422),
    (b"\xff\xfe", 422),
    (b'{"note": "' + b"x" * (1 << 16) + b'"}', 413),
    (b'{"note": "a", "note": ' + b"1" * 10_000 + b"}", 400),
]


def in_hours(hours: float) -> str:
    return f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def campaign(name: str, owner: str, at_risk: int | None) -> Any:
    evidence = Evidence(("why",), at_risk)
    return look("below", campaign_id=name, rule=AT_ONCE, campaign=Campaign(name, name, owner), evidence=evidence)


async def test_an_alert_goes_from_firing_to_a_stop_that_everybody_can_follow(api: Api) -> None:
    alert_id = await api.alert_id()
    status, seen = await api.post(f"/api/alerts/{alert_id}/acknowledge", {"note": "looking at it"})
    assert (status, seen["state"]) == (200, "acknowledged")
    status, _ = await api.post(f"/api/alerts/{alert_id}/note", {"note": "分行 has been asked"}, "wu")
    assert status == 200
    status, stopped = await api.post(f"/api/alerts/{alert_id}/decide", {"decision": "stop", "reason": "1:1.2"}, "wu")
    assert (status, stopped["state"], stopped["decision"], stopped["decided_by"]) == (200, "decided", "stop", "wu")
    shown = await api.get(f"/api/alerts/{alert_id}", "eve")
    alert = models.Alert.model_validate(shown)
    told = [(entry.event, entry.state, entry.by, entry.note) for entry in alert.history]
    assert told == [
        ("opened", "firing", None, "the return stays below what is required"),
        ("acknowledged", "acknowledged", "lin", "looking at it"),
        ("note", "acknowledged", "wu", "分行 has been asked"),
        ("decided", "decided", "wu", "stop: 1:1.2"),
    ]
    assert [(action.action, action.by, action.state) for action in alert.actions] == [
        ("acknowledge", "lin", "applied"),
        ("note", "wu", "applied"),
        ("decide", "wu", "applied"),
    ]
    assert shown["record"]["stop_id"]
    assert alert.after_decision is not None
    assert (alert.after_decision.after, alert.after_decision.days_so_far) == (None, 0.0)
    assert api.kept is not None
    assert "campaign.stop" in "".join(message.payload for message in api.kept.messages)


async def test_a_list_is_ranked_by_money_at_risk_and_chosen_from(running: Running) -> None:
    looks = campaign("small", "retail", 5), campaign("unknown", "retail", None), campaign("big", "wealth", 900)
    async with running(*looks) as api:
        await api.alert_id()
        rows = await api.get("/api/alerts", "eve")
        assert [models.AlertRow.model_validate(row).campaign_id for row in rows] == ["big", "small", "unknown"]
        for query, expected in {
            "owner=retail": ["small", "unknown"],
            "campaign=big": ["big"],
            "state=firing&owner=wealth&campaign=": ["big"],
            "state=&campaign=&owner=": ["big", "small", "unknown"],
            "state=resolved": [],
            "owner=' OR 1": [],
            "owner=%5CN": [],
            "owner=%5C": [],
            "owner=%0A%09%00": [],
        }.items():
            assert [row["campaign_id"] for row in await api.get(f"/api/alerts?{query}")] == expected, query


async def test_of_two_who_stop_at_once_one_is_told_that_the_other_was_first(api: Api) -> None:
    alert_id = await api.alert_id()
    body = {"decision": "stop", "reason": "too little"}
    answers = await asyncio.gather(*(api.post(f"/api/alerts/{alert_id}/decide", body, who) for who in ("lin", "wu")))
    (winner,) = (who for who, (status, _) in zip(("lin", "wu"), answers, strict=True) if status == 200)
    (refused,) = (answer for status, answer in answers if status == 409)
    assert f"by {winner}" in refused["error"]
    assert api.kept is not None
    stops = [message for message in api.kept.messages if "campaign.stop" in message.payload]
    assert len(stops) == 1


async def test_a_decision_gives_way_to_another_and_is_not_made_twice(api: Api) -> None:
    path = f"/api/alerts/{await api.alert_id()}"
    status, first = await api.post(f"{path}/decide", {"decision": "continue", "reason": "a late harvest"})
    assert (status, first["decision"]) == (200, "continue")
    status, same = await api.post(f"{path}/decide", {"decision": "continue", "reason": "I think so too"}, "wu")
    assert (status, same["error"].partition(":")[0]) == (409, "lin has decided to continue already")
    status, noted = await api.post(f"{path}/note", {"note": "I think so too"}, "wu")
    assert (status, noted["changed_at"]) == (200, first["changed_at"]), "a note is no change of the state"
    assert noted["history"][-1]["changed_at"] > first["changed_at"]
    status, other = await api.post(f"{path}/decide", {"decision": "stop", "reason": "there was none"}, "wu")
    assert (status, other["decision"], other["decided_by"]) == (200, "stop", "wu")
    assert other["changed_at"] > noted["history"][-1]["changed_at"]
    assert [entry["by"] for entry in other["history"] if entry["event"] == "decided"] == ["lin", "wu"]
    status, late = await api.post(f"{path}/decide", {"decision": "continue", "reason": "wait"})
    assert (status, "a request to stop is open" in late["error"]) == (409, True)


async def test_with_four_eyes_a_stop_waits_for_another_person(running: Running, alerting: Any) -> None:
    settings = {"alerts": alerting.alerts.model_copy(update={"four_eyes": True})}
    async with running(look("below", rule=AT_ONCE), **settings) as api:
        path = f"/api/alerts/{await api.alert_id()}"
        assert (await api.post(f"{path}/approve"))[0] == 409
        status, proposed = await api.post(f"{path}/decide", {"decision": "stop", "reason": "why"})
        assert (status, proposed["state"]) == (200, "firing")
        status, same = await api.post(f"{path}/approve")
        assert (status, same["error"]) == (409, "lin has proposed it: another person must approve")
        status, approved = await api.post(f"{path}/approve", who="wu")
        assert (status, approved["state"], approved["decided_by"]) == (200, "decided", "lin")
        assert approved["history"][-1]["by"] == "wu"


async def test_silences_begin_are_listed_and_end(api: Api) -> None:
    await api.alert_id()
    status, silence = await api.post(
        "/api/silences", {"campaign_id": "spring", "until": in_hours(2), "reason": "known"}
    )
    assert (status, silence["state"], silence["by"], silence["owner"]) == (201, "active", "lin", None)
    assert models.Silence.model_validate(silence)
    status, other = await api.post("/api/silences", {"owner": "retail", "until": in_hours(1), "reason": "x"}, "wu")
    assert status == 201
    path = f"/api/silences/{silence['silence_id']}"
    assert (await api.ask("DELETE", path, "wu"))[1]["state"] == "ended"
    assert await api.ask("DELETE", path, "wu") == (
        409,
        {"error": "there is no such silence, or it has ended", "remedy": "see roi alerts silences"},
    )
    assert (await api.ask("DELETE", "/api/silences/sil_unknown"))[0] == 404
    active = await api.get("/api/silences?state=active", "eve")
    assert [row["silence_id"] for row in active] == [other["silence_id"]]
    assert len(await api.get("/api/silences")) == 2


async def test_notifications_are_listed_tried_again_and_tested(running: Running, alerting: Any) -> None:
    nobody = {"alerts": alerting.alerts.model_copy(update={"receivers": ("gone",)})}
    async with running(look("below", rule=AT_ONCE), **nobody) as api:
        await api.alert_id()
        (dead,) = await api.get("/api/notifications?state=dead", "eve")
        assert models.Notification.model_validate(dead).receiver == "gone"
        status, again = await api.post(f"/api/notifications/{dead['notification_id']}/retry")
        assert (status, again["state"]) == (200, "waiting")
        assert (await api.post(f"/api/notifications/{dead['notification_id']}/retry"))[0] == 409
        assert (await api.post("/api/notifications/ntf_unknown/retry"))[0] == 404
        assert (await api.post("/api/notifications/retry"))[0] == 409
        status, refused = await api.post("/api/alerts/test", {"receiver": "floor"})
        assert (status, refused["error"]) == (409, "there is no receiver 'floor' in the settings")
        assert (await api.post("/api/alerts/test"))[1]["error"] == "the settings hold no receivers"


async def test_a_test_answers_with_its_notifications(running: Running) -> None:
    from pipeline.alert_settings import ReceiverSettings

    receivers = {name: ReceiverSettings(url="json://127.0.0.1:9") for name in ("floor", "boss")}
    async with running(look("below", rule=AT_ONCE), receivers=receivers) as api:
        await api.alert_id()
        status, told = await api.post("/api/alerts/test")
        assert (status, sorted(row["receiver"] for row in told)) == (200, ["boss", "floor"])
        status, told = await api.post("/api/alerts/test", {"receiver": "boss"}, "wu")
        assert [(row["receiver"], row["message_type"], row["state"]) for row in told] == [("boss", "test", "waiting")]


async def test_without_an_evaluator_an_action_is_kept_and_counts_later(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_in, "WAIT_SECONDS", 0.3)
    fires = look("below", rule=AT_ONCE)
    async with running(fires) as api:
        alert_id = await api.alert_id()
    async with running(evaluator=False) as api:
        status, told = await api.post(f"/api/alerts/{alert_id}/acknowledge")
        assert status == 503
        assert told["error"].startswith("no evaluator is running; the action act_")
        assert told["remedy"] == "start one: roi alerts run"
        assert (await api.get(f"/api/alerts/{alert_id}"))["actions"][0]["state"] == "waiting"
    async with running(fires) as api:
        assert await api.alert_id("acknowledged") == alert_id


async def test_a_wrong_login_for_actions_is_told_without_it(running: Running) -> None:
    async with running(look("below", rule=AT_ONCE)) as api:
        alert_id = await api.alert_id()
    for password, cause in (("wrong", "ClickHouse refused the query; the action act_"), ("", "the board has no login")):
        async with running(evaluator=False, clickhouse_actor_password=SecretStr(password)) as api:
            status, told = await api.post(f"/api/alerts/{alert_id}/acknowledge")
            assert (status, told["error"].startswith(cause)) == (503, True), told
            assert "roi_actor" not in str(told)


async def test_a_clickhouse_that_is_away_is_not_taken_for_one_that_refuses(running: Running) -> None:
    async with running(evaluator=False, clickhouse_url="http://127.0.0.1:9") as api:
        told = {"error": "ClickHouse does not answer", "remedy": "see roi status and the log of the board"}
        assert await api.ask("GET", "/api/alerts") == (503, told)


async def test_some_actions_need_no_body(api: Api) -> None:
    alert_id = await api.alert_id()
    assert (await api.ask("POST", f"/api/alerts/{alert_id}/acknowledge"))[0] == 200
    assert (await api.ask("POST", f"/api/alerts/{alert_id}/approve"))[0] == 409
    assert (await api.ask("POST", "/api/alerts/test"))[1]["error"] == "the settings hold no receivers"


async def test_what_is_not_there_is_told_with_where_to_look(api: Api) -> None:
    for path in ("alr_unknown", "%27%3B%20DROP", "test"):
        status, told = await api.ask("GET", f"/api/alerts/{path}")
        assert (status, told["remedy"]) == (404, "see the list: GET /api/alerts, roi alerts list")
    assert (await api.post("/api/alerts/alr_unknown/acknowledge"))[0] == 404
    assert (await api.ask("GET", f"/api/alerts/{'a' * 100}"))[0] == 422


async def test_what_is_asked_for_badly_changes_nothing(running: Running) -> None:
    async with running(evaluator=False) as api:
        for path, body in BAD:
            status, told = await api.post(f"/api/{path}", body)
            assert (status, set(told)) == (422, {"error", "remedy"}), (path, body)
            assert "\n" not in told["error"]
        assert await api.get("/api/silences") == []


async def test_hostile_bodies_are_one_line(running: Running) -> None:
    headers = {"Content-Type": "application/json"}
    async with running(evaluator=False) as api:
        for data, status in HOSTILE:
            told = await api.ask("POST", "/api/alerts/alr_1/note", data=data, headers=headers)
            assert (told[0], set(told[1])) == (status, {"error", "remedy"}), data[:50]


async def test_a_form_of_a_foreign_page_is_not_an_action(running: Running) -> None:
    """A page elsewhere may send forms and plain text without asking, but no Authorization header."""
    async with running(evaluator=False) as api:
        body = '{"note": "x"}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            for who, expected in ((None, 401), ("lin", 422)):
                told = await api.ask("POST", "/api/alerts/a/note", who, data=body, headers={"Content-Type": kind})
                assert told[0] == expected
            assert told[1]["error"] == "there is no body of JSON"
        async with api.visitor.options(
            "/api/alerts/a/note", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        ) as response:
            assert response.status == 405
            assert not [name for name in response.headers if name.lower().startswith("access-control")]


def anything(random: Random, depth: int = 3) -> Any:
    """Return any JSON, mostly with the names that bodies have."""
    kind = random.randrange(9 if depth else 6)
    plain = [None, True, random.uniform(-1e308, 1e308), random.randrange(-(2**70), 2**70), "stop", "\x00é\u202e'\\N"]
    if kind < len(plain):
        return plain[kind]
    names = ("note", "decision", "reason", "until", "owner", "campaign_id", "receiver", "alert_id", "by", "__proto__")
    if kind == 6:
        return [anything(random, depth - 1) for _ in range(random.randrange(4))]
    return {random.choice(names): anything(random, depth - 1) for _ in range(random.randrange(5))}


async def test_no_body_and_no_path_is_a_fault_of_ours(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing_in, "WAIT_SECONDS", 0.0)
    random = Random(8)
    pieces = ("alr_1", "..", "%2e%2e", "%00", "%5CN", "%F0%9F", "'", "a" * 65, "", "test", "retry", "%2F")
    paths = ("alerts/{}", "alerts/{}/decide", "alerts/{}/note", "silences/{}", "silences", "notifications/{}/retry")
    async with running(evaluator=False) as api:
        for _ in range(depth_of(150)):
            path = random.choice(paths).format(random.choice(pieces))
            method = random.choice(("GET", "POST", "POST", "POST", "DELETE", "PUT"))
            url = URL(f"{str(api.visitor._base_url).rstrip('/')}/api/{path}", encoded=True)
            body = anything(random)
            async with api.visitor.request(
                method, url, json=body, headers={"Authorization": f"Bearer {TOKENS['lin']}"}
            ) as response:
                told = await response.json()
                assert response.status in {200, 400, 404, 405, 409, 422, 503}, (method, path, body, told)
                assert response.status != 503 or "no evaluator is running" in told["error"], (method, path, body, told)


async def test_the_link_of_an_alert_names_its_campaign_and_itself(running: Running, ledgered: str) -> None:
    async with running(look("below", campaign_id=ledgered, rule=AT_ONCE)) as api:
        alert_id = await api.alert_id()
        link = URL((await api.get(f"/api/alerts/{alert_id}"))["record"]["links"]["board"])
        assert dict(link.query) == {"campaign": ledgered, "alert": alert_id}
        await api.post(f"/api/alerts/{alert_id}/acknowledge", {"note": "seen"})
        (row,) = [row for row in await api.get("/api/campaigns") if row["campaign_id"] == ledgered]
        assert (row["alert_state"], row["alert_id"]) == ("acknowledged", alert_id)


@pytest.fixture
def ledgered(clickhouse: Any) -> Iterator[str]:
    """A campaign that the ledger has a cost of."""
    name = "on-the-board"
    clickhouse.command(
        "INSERT INTO roi.ledger (run, kind, shard, campaign_id, label, measures, version) VALUES "
        f"('live', 'tier', 0, '{name}', 'growth', [1, 1, 0, 0, 100, 90, 0], 1)"
    )
    yield name
    clickhouse.command(f"DELETE FROM roi.ledger WHERE campaign_id = '{name}'")
