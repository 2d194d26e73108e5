"""The routes of alerts, silences and notifications (contract section 6)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse

from pipeline.alerts.record import name_of
from pipeline.api import models
from pipeline.api.answers import ApiError
from pipeline.api.asking import Asker, Asks  # noqa: TC001 - FastAPI reads annotations when it starts
from pipeline.api.handing_in import Alerts, asked
from pipeline.api.tokens import Reads  # noqa: TC001 - likewise
from schemas.alerts import State  # noqa: TC001 - likewise

_ID_LENGTH: Final = 64
AlertId = Annotated[str, Path(max_length=_ID_LENGTH)]
Chosen = Annotated[str, Query(max_length=models.LONGEST_NAME)]
Problems = dict[int | str, dict[str, Any]]


def _alerts(request: Request) -> Alerts:
    alerts: Alerts = request.app.state.alerts
    return alerts


Here = Annotated[Alerts, Depends(_alerts)]


def _problems(*statuses: int) -> Problems:
    return {status: {"model": models.Problem} for status in (*statuses, 429, 503)}


router = APIRouter(prefix="/api", responses=_problems(401, 422))
_SHOWN: Final = _problems(404)
_DONE: Final = _problems(403, 404, 409)


@router.get("/alerts", response_model=list[models.AlertRow], tags=["alerts"])
async def list_alerts(
    _: Reads, here: Here, state: State | Literal[""] = "", campaign: Chosen = "", owner: Chosen = ""
) -> JSONResponse:
    """List alerts, those with the most money at risk first; what is left out or empty chooses nothing."""
    return JSONResponse(await asked(lambda: here.views.alerts(state, campaign, owner)))


@router.post("/alerts/test", response_model=list[models.Notification], responses=_DONE, tags=["notifications"])
async def send_test(asker: Asks, here: Here, body: models.TestNotice | None = None) -> JSONResponse:
    """Send a test to one receiver or to all; what became of it is seen in its notifications."""
    asked_for = {} if body is None or body.receiver is None else {"receiver": body.receiver}
    message = name_of("msg", await here.act(asker, "test", asked_for), "test")
    return JSONResponse(await asked(lambda: here.views.notifications(message=message)))


@router.get("/alerts/{alert_id}", response_model=models.Alert, responses=_SHOWN, tags=["alerts"])
async def show_alert(_: Reads, here: Here, alert_id: AlertId) -> JSONResponse:
    """Show one alert with its history, its notifications, and what became of the campaign's return."""
    return JSONResponse(await here.alert(alert_id))


@router.post("/alerts/{alert_id}/acknowledge", response_model=models.Alert, responses=_DONE, tags=["alerts"])
async def acknowledge(
    alert_id: AlertId, asker: Asks, here: Here, body: models.Acknowledge | None = None
) -> JSONResponse:
    """Say that somebody has seen it."""
    return await _acted(here, asker, alert_id, "acknowledge", {} if body is None else body.model_dump())


@router.post("/alerts/{alert_id}/decide", response_model=models.Alert, responses=_DONE, tags=["alerts"])
async def decide(alert_id: AlertId, body: models.Decide, asker: Asks, here: Here) -> JSONResponse:
    """Decide to stop, optimise or continue; where four eyes are wanted, a stop waits for another person's yes."""
    return await _acted(here, asker, alert_id, "decide", body.model_dump())


@router.post("/alerts/{alert_id}/approve", response_model=models.Alert, responses=_DONE, tags=["alerts"])
async def approve(alert_id: AlertId, asker: Asks, here: Here, body: models.Approve | None = None) -> JSONResponse:
    """Approve a decision to stop that another person has made."""
    del body
    return await _acted(here, asker, alert_id, "approve", {})


@router.post("/alerts/{alert_id}/note", response_model=models.Alert, responses=_DONE, tags=["alerts"])
async def note(alert_id: AlertId, body: models.Note, asker: Asks, here: Here) -> JSONResponse:
    """Add a remark to its history."""
    return await _acted(here, asker, alert_id, "note", body.model_dump())


@router.get("/silences", response_model=list[models.Silence], tags=["silences"])
async def list_silences(_: Reads, here: Here, state: Literal["active", "ended", ""] = "") -> JSONResponse:
    """List silences, those in force first."""
    return JSONResponse(await asked(lambda: here.views.silences(state)))


@router.post("/silences", status_code=201, response_model=models.Silence, responses=_DONE, tags=["silences"])
async def silence(body: models.NewSilence, asker: Asks, here: Here) -> JSONResponse:
    """Keep a campaign's alerts, or an owner's, from being told for a while; their recovery is told all the same."""
    action_id = await here.act(asker, "silence", body.model_dump(mode="json", exclude_none=True))
    return JSONResponse(await _silence(here, name_of("sil", action_id)), 201)


@router.delete("/silences/{silence_id}", response_model=models.Silence, responses=_DONE, tags=["silences"])
async def end_silence(silence_id: AlertId, asker: Asks, here: Here) -> JSONResponse:
    """End a silence before its time."""
    await _silence(here, silence_id)
    await here.act(asker, "unsilence", {"silence_id": silence_id})
    return JSONResponse(await _silence(here, silence_id))


@router.get("/notifications", response_model=list[models.Notification], tags=["notifications"])
async def list_notifications(
    _: Reads, here: Here, state: Literal["waiting", "sent", "suppressed", "dead", ""] = "", alert: Chosen = ""
) -> JSONResponse:
    """List who was told what, newest first."""
    return JSONResponse(await asked(lambda: here.views.notifications(state=state, alert=alert)))


@router.post(
    "/notifications/{notification_id}/retry",
    response_model=models.Notification,
    responses=_DONE,
    tags=["notifications"],
)
async def retry(notification_id: AlertId, asker: Asks, here: Here) -> JSONResponse:
    """Send a notification that was given up once more."""
    await _notification(here, notification_id)
    await here.act(asker, "retry", {"notification_id": notification_id})
    return JSONResponse(await _notification(here, notification_id))


@router.post("/notifications/retry", response_model=list[models.Notification], responses=_DONE, tags=["notifications"])
async def retry_all(asker: Asks, here: Here) -> JSONResponse:
    """Send every notification that was given up once more; the answer lists those that still are given up."""
    await here.act(asker, "retry", {})
    return JSONResponse(await asked(lambda: here.views.notifications(state="dead")))


async def _acted(here: Alerts, asker: Asker, alert_id: str, action: str, body: dict[str, Any]) -> JSONResponse:
    await here.act(asker, action, body, alert_id)
    return JSONResponse(await here.alert(alert_id))


async def _silence(here: Alerts, silence_id: str) -> dict[str, Any]:
    found = await asked(lambda: here.views.silences(silence=silence_id))
    if not found:
        raise ApiError(404, f"there is no silence {silence_id[:40]!r}", "see the list: GET /api/silences")
    return found[0]


async def _notification(here: Alerts, notification_id: str) -> dict[str, Any]:
    found = await asked(lambda: here.views.notifications(notification=notification_id))
    if not found:
        raise ApiError(404, f"there is no notification {notification_id[:40]!r}", "see GET /api/notifications")
    return found[0]
