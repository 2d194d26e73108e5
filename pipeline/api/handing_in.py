"""Actions: handed in to ClickHouse as the API's user, applied by the evaluator, and their outcome awaited.

The API changes nothing itself. A row of alert_actions is what somebody asked for; the one instance of the evaluator
that decides applies it, exactly once by its id, and leaves the outcome in alert_log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.alerts.actions import digest
from pipeline.alerts.views import AlertViews
from pipeline.api.answers import ApiError
from pipeline.clickhouse import sql
from pipeline.clickhouse.reader import Reader
from pipeline.errors import UnreachableError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.api.asking import Asker
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
_AGAIN: Final = "asked again with the same Idempotency-Key it counts once"
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
        is_away = isinstance(error, UnreachableError)
        cause = "ClickHouse does not answer" if is_away else "ClickHouse refused the query"
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

    async def act(self, asker: Asker, action: str, body: dict[str, Any], alert_id: str = "") -> str:
        """Hand an action in, if it was not handed in before, and return its id once it was applied.

        Raises:
            ApiError: 404 the alert is unknown; 409 the action was refused; 422 the key is that of another request; 503
                nobody applied it in time: it stays.
        """
        if not self._settings.clickhouse_actor_password.get_secret_value():
            raise ApiError(
                503, "the board has no login to hand actions in", "set ROI_CLICKHOUSE_ACTOR_PASSWORD for the board"
            )
        if alert_id and not await asked(lambda: self.views.knows(alert_id)):
            raise unknown_alert(alert_id)
        mine = digest(action, alert_id, body)
        known = await asked(lambda: self.views.asked(asker.action_id)) if asker.has_key else None
        if known is None:
            row = {"alert_id": alert_id, "action": action, "body": json.dumps(body, ensure_ascii=False)}
            await self._hand_in(asker, row)
        elif digest(known["action"], known["alert_id"], known["body"]) != mine:
            raise other_request()
        outcome = await self._outcome(asker)
        if asker.has_key and outcome["asked"] != mine:  # two at once: it is known by now which of them was the first
            raise other_request()
        if outcome["state"] != "applied":
            raise ApiError(409, outcome["why"], _REMEDIES.get(action, "look at it again: roi alerts show"))
        return asker.action_id

    async def _hand_in(self, asker: Asker, row: dict[str, str]) -> None:
        """Insert an action once: a second time it could stand there twice."""
        try:
            await asked(
                lambda: self._actor.insert(self._statement, row | {"action_id": asker.action_id, "by": asker.name})
            )
        except ApiError as error:
            doubt = f"{error.error}; the action {asker.action_id} may have got there and count later"
            remedy = _AGAIN if asker.has_key else "look at what became of it before you ask again"
            raise ApiError(503, doubt, remedy) from error

    async def _outcome(self, asker: Asker) -> dict[str, Any]:
        action_id = asker.action_id
        end = time.monotonic() + WAIT_SECONDS
        looks = 0
        while (outcome := await asked(lambda: self.views.outcome(action_id))) is None:
            if time.monotonic() >= end:
                raise await self._nobody(asker)
            await asyncio.sleep(_PAUSES[min(looks, len(_PAUSES) - 1)])
            looks += 1
        return outcome

    async def _nobody(self, asker: Asker) -> ApiError:
        lives = await asked(lambda: self.views.evaluator_lives(_ALIVE_SECONDS))
        what = "the evaluator is busy" if lives else "no evaluator is running"
        remedy = "look at it in a moment" if lives else "start one: roi alerts run"
        if asker.has_key:
            remedy = f"{remedy}; {_AGAIN}"
        return ApiError(
            503, f"{what}; the action {asker.action_id} is kept and counts as soon as it is applied", remedy
        )


def other_request() -> ApiError:
    """Return the error of a key that was used for something else."""
    return ApiError(422, "Idempotency-Key: another request was sent under it", "send a new request under a new key")


def unknown_alert(alert_id: str) -> ApiError:
    """Return the error of an alert that is not there."""
    return ApiError(404, f"there is no alert {alert_id[:40]!r}", "see the list: GET /api/alerts, roi alerts list")
