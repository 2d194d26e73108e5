"""What the page asks before it shows anything, and what stands behind a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.registry import PANELS
from pipeline.api import about
from tests.api.conftest import TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.api.conftest import Api


async def test_the_bank_is_told_with_its_currency_and_zone(local: Api) -> None:
    told = await local.get("/api/about", None)
    assert (told["currency"], told["zone"], told["tokens"]) == ("CNY", "Asia/Shanghai", False)
    assert await local.get("/api/whoami", None) == {"name": None, "role": "viewer"}


async def test_a_token_is_told_its_name_and_role(running: Callable[..., Any]) -> None:
    async with running(evaluator=False) as api:
        assert await api.get("/api/whoami", "eve") == {"name": "eve", "role": "viewer"}
        assert await api.get("/api/whoami", "lin") == {"name": "lin", "role": "decider"}
        assert TOKENS["lin"] not in str(await api.get("/api/about", "lin"))


async def test_evidence_of_nothing_is_not_found_and_of_too_much_refused(local: Api) -> None:
    status, told = await local.ask("GET", "/api/explain/nobody?metric=cost_minor", None)
    assert (status, bool(told["remedy"])) == (404, True)
    assert (await local.ask("GET", "/api/explain/nobody?variant=A&tier=B", None))[0] == 422
    assert (await local.ask("GET", "/api/explain/nobody?limit=100000", None))[0] == 422


async def test_evidence_of_a_number_that_is_none_is_refused_with_those_that_are(local: Api) -> None:
    status, told = await local.ask("GET", "/api/explain/nobody?metric=nope", None)
    assert (status, "'nope'" in told["error"], "cost_minor, " in told["remedy"]) == (422, True, True)
    assert (await local.ask("GET", "/api/explain/nobody?metric=", None))[0] == 404, "none is named"


def test_every_number_on_a_board_that_leads_to_its_evidence_is_a_metric_of_it() -> None:
    assert {
        column.name
        for panel in PANELS.values()
        for column in panel.columns
        if panel.explains and column.role == "value" and column.unit not in {"text", "state", "time", "day", "series"}
    } <= set(about.METRICS_EXPLAINED)
