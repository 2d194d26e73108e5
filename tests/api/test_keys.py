"""Requests that are sent again with their key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.api.conftest import Api


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_a_request_sent_again_with_its_key_is_done_once_and_answered_alike(api: Api) -> None:
    path = f"/api/alerts/{await api.alert_id()}"
    stop = {"decision": "stop", "reason": "money is lost"}
    first = await api.ask("POST", f"{path}/decide", json=stop, headers=keyed("k1"))
    again = await api.ask("POST", f"{path}/decide", json=dict(reversed(stop.items())), headers=keyed("k1"))
    assert first == again
    assert first[0] == 200
    assert (await api.ask("POST", f"{path}/decide", json=stop, headers=keyed("k2")))[0] == 409
    assert (await api.ask("POST", f"{path}/decide", json=stop, headers=keyed("k2")))[0] == 409
    assert [action["action"] for action in first[1]["actions"]] == ["decide"]
    silence = {
        "campaign_id": "spring",
        "until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "reason": "known",
    }
    one, other = [await api.ask("POST", "/api/silences", json=silence, headers=keyed("k1")) for _ in range(2)]
    assert one == other
    assert one[0] == 201
    assert len(await api.get("/api/silences")) == 1


async def test_a_key_is_of_one_request_of_one_person(api: Api) -> None:
    path = f"/api/alerts/{await api.alert_id()}/note"
    answers = await asyncio.gather(
        *(api.ask("POST", path, json={"note": f"text {number}"}, headers=keyed("k")) for number in (1, 2, 1, 2))
    )
    assert sorted(status for status, _ in answers) == [200, 200, 422, 422]
    assert {body["error"] for status, body in answers if status == 422} == {
        "Idempotency-Key: another request was sent under it"
    }
    status, _ = await api.ask("POST", path, "wu", json={"note": "mine"}, headers=keyed("k"))
    assert status == 200
    status, _ = await api.ask("POST", path, json={"note": "x"}, headers=keyed("k" * 256))
    assert status == 422
    alert = await api.get(path.removesuffix("/note"))
    assert len(alert["actions"]) == 2
    assert [entry["event"] for entry in alert["history"]].count("note") == 2
    described = (await api.get("/openapi.json"))["paths"]["/api/alerts/{alert_id}/note"]["post"]["parameters"]
    assert "Idempotency-Key" in {parameter["name"] for parameter in described}
