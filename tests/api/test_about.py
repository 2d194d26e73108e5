"""What the page asks before it shows anything, and what stands behind a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
