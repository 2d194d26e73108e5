"""Actions: handed in to ClickHouse as the API's user, applied by the evaluator, and their outcome awaited.

The API changes nothing itself. A row of alert_actions is what somebody asked for; the one instance of the evaluator
that decides applies it, exactly once by its id, and leaves the outcome in alert_log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.alerts.views import AlertViews
from pipeline.api.answers import ApiError
from pipeline.clickhouse import sql
from pipeline.clickhouse.reader import Reader
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.api.tokens import Caller
    from pipeline.settings import Settings

T = TypeVar("T")
WAIT_SECONDS: Final = 5.0
_PAUSES: Final = (0.05, 0.1, 0.2)  # seconds between two looks for the outcome, the last one again and again
_SILENCE_SECONDS: Final = 5.0
_ALIVE_SECONDS: Final = 10.0  # a take-over included
_REMEDIES: Final = {
    "silence": "see roi alerts silences",
    "unsilence": "see roi alerts silences",
    "retry": "see roi alerts deliveries --state dead",
    "test": "name one of `receivers` in the settings (roi doctor prints them)",
}
_log = logging.getLogger(__name__)


async def asked(question: Callable[[], T]) -> T:
    """Return the answer of ClickHouse, asked in a thread.

    Raises:
        ApiError: 503; its own words go to the log, not to visitors.
    """
    try:
        return await asyncio.to_thread(question)
    except UserError as error:
        _log.warning("ClickHouse was not asked: %s", error)
        has_answered = error.cause.startswith("ClickHouse")
        cause = "ClickHouse refused the query" if has_answered else "ClickHouse does not answer"
        raise ApiError(503, cause, "see roi status and the log of the board") from error


class Alerts:
    """What the routes do: reads as the reader, hands in as the actor.

    Args:
        settings: ClickHouse, with both logins.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        database = settings.clickhouse_database
        self.views = AlertViews(Reader(settings, timeout_seconds=_SILENCE_SECONDS), database)
        self._actor = Reader(settings, timeout_seconds=_SILENCE_SECONDS, role="actor")
        self._statement = sql.query("hand_in_action", database)

    async def alert(self, alert_id: str) -> dict[str, Any]:
        """Return one alert; ApiError: 404 there is none, 503."""
        found = await asked(lambda: self.views.alert(alert_id))
        if found is None:
            raise unknown_alert(alert_id)
        return found

    async def act(self, caller: Caller, action: str, body: dict[str, Any], alert_id: str = "") -> str:
        """Hand an action in and return its id once it was applied.

        Raises:
            ApiError: 404 the alert is unknown; 409 the action was refused; 503 nobody applied it in time: it stays.
        """
        if not self._settings.clickhouse_actor_password.get_secret_value():
            raise ApiError(
                503, "the board has no login to hand actions in", "set ROI_CLICKHOUSE_ACTOR_PASSWORD for the board"
            )
        if alert_id and not await asked(lambda: self.views.knows(alert_id)):
            raise unknown_alert(alert_id)
        action_id = f"act_{secrets.token_hex(10)}"
        row = {
            "action_id": action_id,
            "alert_id": alert_id,
            "action": action,
            "by": caller.name or "",
            "body": json.dumps(body, ensure_ascii=False),
        }
        await self._hand_in(row)
        outcome = await self._outcome(action_id)
        if outcome["state"] != "applied":
            raise ApiError(409, outcome["why"], _REMEDIES.get(action, "look at it again: roi alerts show"))
        return action_id

    async def _hand_in(self, row: dict[str, str]) -> None:
        """Insert an action once: a second time it could stand there twice."""
        try:
            await asked(lambda: self._actor.insert(self._statement, row))
        except ApiError as error:
            doubt = f"{error.error}; the action {row['action_id']} may have got there and count later"
            raise ApiError(503, doubt, "look at what became of it before you ask again") from error

    async def _outcome(self, action_id: str) -> dict[str, Any]:
        end = time.monotonic() + WAIT_SECONDS
        looks = 0
        while (outcome := await asked(lambda: self.views.outcome(action_id))) is None:
            if time.monotonic() >= end:
                raise await self._nobody(action_id)
            await asyncio.sleep(_PAUSES[min(looks, len(_PAUSES) - 1)])
            looks += 1
        return outcome

    async def _nobody(self, action_id: str) -> ApiError:
        lives = await asked(lambda: self.views.evaluator_lives(_ALIVE_SECONDS))
        what = "the evaluator is busy" if lives else "no evaluator is running"
        remedy = "look at it in a moment" if lives else "start one: roi alerts run"
        return ApiError(503, f"{what}; the action {action_id} is kept and counts as soon as it is applied", remedy)


def unknown_alert(alert_id: str) -> ApiError:
    """Return the error of an alert that is not there."""
    return ApiError(404, f"there is no alert {alert_id[:40]!r}", "see the list: GET /api/alerts, roi alerts list")
