from __future__ import annotations

import asyncio
import base64
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from pipeline.alert_settings import ApiSettings
from pipeline.api.answers import ApiError
from pipeline.api.tokens import Slowness
from tests.alerts.building import AT_ONCE, look
from tests.api.conftest import OWNERS, TOKENS

if TYPE_CHECKING:
    from tests.api.test_alerts import Running

NOBODYS: dict[str, Any] = {"api": ApiSettings()}
READS = (
    "/api/campaigns",
    "/api/faults",
    "/api/alerts",
    "/api/alerts/alr_1",
    "/api/silences",
    "/api/notifications",
    "/api/about",
    "/api/whoami",
    "/api/explain/spring",
    "/api/boards",
    "/api/panels",
    "/api/words",
    "/api/panels/campaigns-ranking",
    "/api/variables/run",
    "/api/stream?panels=campaigns-ranking",
)
ACTS = (
    ("POST", "/api/alerts/alr_1/acknowledge"),
    ("POST", "/api/alerts/alr_1/decide"),
    ("POST", "/api/alerts/alr_1/approve"),
    ("POST", "/api/alerts/alr_1/note"),
    ("POST", "/api/alerts/test"),
    ("POST", "/api/silences"),
    ("DELETE", "/api/silences/sil_1"),
    ("POST", "/api/notifications/ntf_1/retry"),
    ("POST", "/api/notifications/retry"),
)


async def test_every_route_of_the_api_is_among_those_tested_here(running: Running) -> None:
    async with running(evaluator=False) as api:
        described = await api.get("/openapi.json")
    routes = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    tested = {("GET", path) for path in READS} | set(ACTS)
    for name in ("alert_id", "silence_id", "notification_id"):
        routes = {(method, path.replace("{" + name + "}", f"{name[:1]}_1")) for method, path in routes}
    short = {"alr_1": "a_1", "sil_1": "s_1", "ntf_1": "n_1", "?panels=campaigns-ranking": ""}
    short |= {
        "campaigns-ranking": "{panel_id}",
        "variables/run": "variables/{name}",
        "explain/spring": "explain/{campaign}",
    }
    for long, brief in short.items():
        tested = {(method, path.replace(long, brief)) for method, path in tested}
    assert routes == tested


async def test_with_tokens_each_route_needs_one(running: Running) -> None:
    async with running(evaluator=False) as api:
        for method, path in (*(("GET", path) for path in READS), *ACTS):
            async with api.visitor.request(method, path, json={}) as response:
                assert response.status == 401, path
                assert response.headers["WWW-Authenticate"] == 'Bearer realm="campaign-roi"'
                assert set(await response.json()) == {"error", "remedy"}


async def test_a_wrong_token_is_told_as_rfc_6750_wants(running: Running) -> None:
    async with running(evaluator=False) as api:
        for token in ("wrong", TOKENS["lin"] + " ", TOKENS["lin"][:-1], "é", OWNERS):
            headers = {"Authorization": f"Bearer {token}x"}
            async with api.visitor.get("/api/alerts", headers=headers) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"] == 'Bearer realm="campaign-roi", error="invalid_token"'


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic bGluOng=", "token-of-lin", "Bearer: token-of-lin", "Bearer\ttoken-of-lin"],
)
async def test_what_is_no_bearer_token_is_none(running: Running, header: str) -> None:
    async with (
        running(evaluator=False) as api,
        api.visitor.get("/api/alerts", headers={"Authorization": header}) as got,
    ):
        assert got.status == 401


async def test_a_token_in_the_address_or_a_cookie_is_none(running: Running) -> None:
    async with running(evaluator=False) as api:
        path = f"/api/alerts?access_token={TOKENS['lin']}&token={TOKENS['lin']}"
        async with api.visitor.get(path, headers={"Cookie": f"token={TOKENS['lin']}"}) as got:
            assert got.status == 401


async def test_viewers_read_and_do_not_act(running: Running) -> None:
    async with running(evaluator=False) as api:
        assert await api.get("/api/alerts", "eve") == []
        for method, path in ACTS:
            headers = {"Authorization": f"Bearer {TOKENS['eve']}"}
            async with api.visitor.request(method, path, headers=headers, json={}) as response:
                assert response.status == 403, path
                assert 'error="insufficient_scope", scope="decider"' in response.headers["WWW-Authenticate"]


async def test_without_peoples_tokens_reading_is_open_and_the_owner_acts(running: Running) -> None:
    async with running(look("below", rule=AT_ONCE), **NOBODYS, api_token=SecretStr(OWNERS)) as api:
        path = f"/api/alerts/{await api.alert_id(who=None)}/acknowledge"
        assert (await api.post(path, who=None))[0] == 401
        assert (await api.post(path, who="lin"))[0] == 401
        status, alert = await api.post(path, who=OWNERS)
        assert (status, alert["history"][-1]["by"]) == (200, "owner")


async def test_without_any_token_nobody_acts(running: Running) -> None:
    async with running(evaluator=False, **NOBODYS, api_token=SecretStr("")) as api:
        for who in (None, "", "lin"):
            status, told = await api.post("/api/alerts/alr_1/acknowledge", who=who)
            assert (status, told["error"]) == (403, "nobody may act here: there is no token")


async def test_the_owners_token_is_none_where_people_have_theirs(running: Running) -> None:
    """One person would else be two: four eyes could be the same."""
    async with running(evaluator=False, api_token=SecretStr(OWNERS)) as api:
        assert (await api.ask("GET", "/api/alerts", OWNERS))[0] == 401


@pytest.mark.parametrize(("password", "reads"), [(TOKENS["eve"], "all"), ("wrong", "little"), (None, "little")])
async def test_the_page_is_for_all_and_what_it_shows_for_tokens(
    running: Running, password: str | None, reads: str
) -> None:
    given = base64.b64encode(f"anybody:{password}".encode()).decode()
    headers = {} if password is None else {"Authorization": f"Basic {given}"}
    async with running(evaluator=False) as api:
        async with api.visitor.get("/", headers=headers) as page:
            assert page.status == 200
        async with api.visitor.get("/api/alerts", headers=headers) as data:
            assert data.status == 401, "a browser sends such a password by itself, for foreign pages too"
        async with api.visitor.get("/healthz", headers=headers) as health:
            assert ("faults" in await health.json()) is (reads == "all")


async def test_wrong_tokens_wait_longer_and_longer_and_right_ones_never() -> None:
    now, waits = [0.0], []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    slowness = Slowness(lambda: now[0])
    for _ in range(12):
        await slowness.slow_down(pause)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.05, 2.0)
    now[0] = 61.0
    await slowness.slow_down(pause)
    assert waits[-1] == 0.05


async def test_only_so_many_wrong_tokens_wait_at_a_time() -> None:
    slowness = Slowness()
    depth = 0

    async def nested(_: float) -> None:
        nonlocal depth
        depth += 1
        await slowness.slow_down(nested)

    with pytest.raises(ApiError) as caught:
        await slowness.slow_down(nested)
    assert (caught.value.status, caught.value.headers["Retry-After"], depth) == (429, "2", 16)


async def test_many_wrong_tokens_at_once_are_429_and_the_right_one_is_answered_all_the_while(running: Running) -> None:
    async with running(evaluator=False) as api:

        async def guess(number: int) -> tuple[int, str | None]:
            headers = {"Authorization": f"Bearer guess-{number}"}
            async with api.visitor.get("/api/alerts", headers=headers) as response:
                assert set(await response.json()) == {"error", "remedy"}
                return response.status, response.headers.get("Retry-After")

        answers = asyncio.gather(*(guess(number) for number in range(40)))
        for _ in range(5):
            assert await api.get("/api/alerts", "eve") == []
        counts = Counter(await answers)
    assert set(counts) == {(401, None), (429, "2")}
    assert counts[429, "2"] >= 40 - 2 * 16, "no more than sixteen wait at a time"


async def test_tokens_are_in_no_log_and_no_error(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(evaluator=False) as api:
        for who in ("lin", "eve", "a-wrong-token"):
            answers = [await api.post("/api/alerts/alr_1/decide", {"decision": "stop"}, who)]
            answers.append(await api.ask("GET", "/api/alerts/alr_1", who))
            assert "token-of" not in str(answers)
            assert "a-wrong-token" not in str(answers)
    assert "token-of" not in caplog.text
    assert "a-wrong-token" not in caplog.text
