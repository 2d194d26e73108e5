"""The routes of boards: which panels there are, what they show, and their changes as they come (contract 10)."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse

from dashboards.definitions.macros import TimeRange
from dashboards.definitions.variables import VARIABLES
from dashboards.definitions.words import WORDS
from dashboards.registry import BOARDS, PANELS, board_of
from pipeline.api import models
from pipeline.api.answers import ApiError
from pipeline.api.panel_data import PanelData, shown
from pipeline.api.ranges import instant
from pipeline.api.tokens import Reads  # noqa: TC001 - FastAPI reads annotations when it starts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dashboards.definitions.panel import Panel, Text

_LOOK_SECONDS: Final = 1.0
_SIGN_OF_LIFE_SECONDS: Final = 3.0
_QUANTUM_MS: Final = 10_000  # visitors of the same moment share a query
_MOST_PANELS: Final = 40
Words = Annotated[list[str], Query(max_length=200)]
Moment = Annotated[str, Query(max_length=40)]

router = APIRouter(prefix="/api", responses={status: {"model": models.Problem} for status in (401, 404, 422, 429, 503)})


def _data(request: Request) -> PanelData:
    data: PanelData = request.app.state.panel_data
    return data


class View:
    """What is looked at: the time range and the values of all variables, from the query string."""

    def __init__(  # noqa: PLR0913, PLR0917 - a parameter each
        self,
        start: Annotated[Moment, Query(alias="from")] = "latest-30d",
        to: Moment = "latest",
        run: Moment = "live",
        campaign: Words = [],  # noqa: B006 - FastAPI makes a new one for each request
        tier: Words = [],  # noqa: B006 - likewise
        owner: Words = [],  # noqa: B006 - likewise
        outcome: Moment = VARIABLES["outcome"].default,
        backtest: Annotated[str, Query(max_length=200)] = VARIABLES["backtest"].default,
    ) -> None:
        self._start, self._to = start, to
        several = {"campaign": campaign, "tier": tier, "owner": owner}
        self.values = {"run": [run], **several, "outcome": [outcome], "backtest": [backtest]}

    @property
    def run(self) -> str:
        """The run that is shown."""
        return self.values["run"][0]

    def times(self, latest_ms: int) -> TimeRange:
        """Return the time range.

        Raises:
            ApiError: 422.
        """
        now = time.time_ns() // 1_000_000 // _QUANTUM_MS * _QUANTUM_MS
        latest = -(-latest_ms // _QUANTUM_MS) * _QUANTUM_MS
        start, end = instant(self._start, "from", now, latest), instant(self._to, "to", now, latest)
        if start > end:
            raise ApiError(422, "from is after to", "ask for a range that begins before it ends")
        return TimeRange.between(start, end)


Here = Annotated[PanelData, Depends(_data)]
Looked = Annotated[View, Depends(View)]


def _both(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def _described(panel: Panel) -> dict[str, Any]:
    return {
        "id": panel.id,
        "board": board_of(panel.id),
        "title": panel.title.en,
        "unit": next((column.unit for column in panel.columns if column.role == "value"), "text"),
        "description": panel.description.en,
        "titles": _both(panel.title),
        "descriptions": _both(panel.description),
        "empties": None if panel.empty is None else _both(panel.empty),
        "chart": panel.chart,
        "width": panel.width,
        "height": panel.height,
        "source": panel.source,
        "columns": [
            {
                "name": column.name,
                "labels": _both(column.label),
                "unit": column.unit,
                "role": column.role,
                "steps": [list(step) for step in column.steps],
                "language": column.language,
            }
            for column in panel.columns
        ],
        "drill": None if panel.drill is None else {"board": panel.drill.board, "takes": dict(panel.drill.takes)},
        "explains": panel.explains,
    }


@router.get("/boards", tags=["boards"])
async def list_boards(_: Reads) -> list[dict[str, Any]]:
    """List boards: texts, variables and the ids of their panels, in reading order."""
    return [
        {
            "id": board.id,
            "titles": _both(board.title),
            "descriptions": _both(board.description),
            "latest": board.latest,
            "variables": [
                {"name": name, "labels": _both(VARIABLES[name].label), "multiple": VARIABLES[name].multiple}
                | {"default": VARIABLES[name].default}
                for name in board.variables
            ],
            "panels": [panel.id for panel in board.panels],
        }
        for board in BOARDS
    ]


@router.get("/panels", tags=["boards"])
async def list_panels(_: Reads) -> list[dict[str, Any]]:
    """List panels: what each shows, and how."""
    return [_described(panel) for panel in PANELS.values()]


@router.get("/words", tags=["boards"])
async def list_words(_: Reads) -> dict[str, dict[str, str]]:
    """List what is written for the words in columns of unit `state`: English, Chinese and a colour."""
    return {name: _both(word.text) | {"colour": word.colour} for name, word in WORDS.items()}


def _panel(panel_id: str) -> Panel:
    panel = PANELS.get(panel_id)
    if panel is None or panel.source != "clickhouse":
        raise ApiError(404, f"there is no panel {panel_id[:40]!r} with numbers here", "see the list: GET /api/panels")
    return panel


async def _seen(here: PanelData, panel: Panel, view: View) -> dict[str, Any]:
    await here.check_run(view.run)
    _, latest = await here.newest(view.run)
    times = view.times(latest)
    answer = await here.answer(panel.sql, times, view.values)
    return shown(answer, panel.columns) | {"id": panel.id, "from": times.from_ms, "to": times.to_ms, "latest": latest}


@router.get("/panels/{panel_id}", tags=["boards"])
async def show_panel(_: Reads, here: Here, panel_id: str, view: Looked) -> JSONResponse:
    """Answer a panel's numbers."""
    return JSONResponse(await _seen(here, _panel(panel_id), view))


@router.get("/variables/{name}", tags=["boards"])
async def list_values(_: Reads, here: Here, name: str, view: Looked) -> JSONResponse:
    """List what a variable may be set to: value and text."""
    if name not in VARIABLES:
        raise ApiError(404, f"there is no variable {name[:40]!r}", f"ask for one of {', '.join(VARIABLES)}")
    latest = (await here.newest(view.run))[1]
    answer = await here.answer(VARIABLES[name].sql, view.times(latest), view.values)
    return JSONResponse([{"value": value, "text": text} for value, text in answer.rows])


@router.get("/stream", tags=["boards"])
async def stream(
    _: Reads,
    request: Request,
    here: Here,
    view: Looked,
    panels: Words,
    known: Words = [],  # noqa: B006 - as above
) -> StreamingResponse:
    """Send panels' numbers whenever they change: server-sent events `panel`, or `problem` where it cannot be read.

    Every few seconds, also while a query takes long, `pulse` says how long ago the newest block was written.

    Whoever opens it again names in `known` what it has, as PANEL:TAG, and is not sent that once more.
    """
    if not 0 < len(panels) <= _MOST_PANELS:
        raise ApiError(422, f"between 1 and {_MOST_PANELS} panels can be watched", "name fewer panels")
    watched = [_panel(panel_id) for panel_id in panels]
    latest = (await here.newest(view.run))[1]
    view.times(latest)  # a wrong range is told before the stream begins
    tags = dict(one.split(":", 1) for one in known if ":" in one)
    return StreamingResponse(
        _events(request, here, view, watched, tags), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _events(
    request: Request, here: PanelData, view: View, watched: Sequence[Panel], tags: dict[str, str]
) -> AsyncIterator[bytes]:
    told = -math.inf
    yield b"retry: 2000\n\n"
    while not await request.is_disconnected():
        async for found in _all_seen(here, view, watched):
            if found is not None:
                event, content = found
                if tags.get(content["id"]) != content["tag"]:
                    tags[content["id"]] = content["tag"]
                    yield _sent(event, content)
            if time.monotonic() - told > _SIGN_OF_LIFE_SECONDS:
                told = time.monotonic()
                yield _sent("pulse", {"written_ago": here.written_ago(view.run)})
        await asyncio.sleep(_LOOK_SECONDS)


def _sent(event: str, content: dict[str, Any]) -> bytes:
    return f"event: {event}\ndata: {json.dumps(content)}\n\n".encode()


async def _all_seen(
    here: PanelData, view: View, watched: Sequence[Panel]
) -> AsyncIterator[tuple[str, dict[str, Any]] | None]:
    """Give what every panel shows as it comes: a slow query keeps no other waiting. None: nothing came for a while."""
    asking = {asyncio.create_task(_seen_or_problem(here, panel, view)) for panel in watched}
    waiting = asking
    try:
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=_SIGN_OF_LIFE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                yield task.result()
            if not done:
                yield None
    finally:
        for task in asking:
            task.cancel()


async def _seen_or_problem(here: PanelData, panel: Panel, view: View) -> tuple[str, dict[str, Any]]:
    try:
        return "panel", await _seen(here, panel, view)
    except ApiError as error:
        return "problem", {"id": panel.id, "error": error.error, "remedy": error.remedy, "tag": error.error}
