"""The routes of boards: which panels there are, what they show, and their changes as they come (contract 10)."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from dashboards.definitions.variables import VARIABLES
from dashboards.definitions.words import WORDS
from dashboards.registry import BOARDS, PANELS, board_of
from pipeline.api import models
from pipeline.api.answers import ApiError
from pipeline.api.packing import GZIP_HEADER, Packed, gzip_file, takes_gzip
from pipeline.api.panel_data import PanelData
from pipeline.api.tokens import Reads  # noqa: TC001 - FastAPI reads annotations when it starts
from pipeline.api.view import View, Words
from pipeline.api.watching import Looking, Watches

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Send

    from dashboards.definitions.panel import Panel, Text

_MOST_PANELS: Final = 40
_VARIES: Final = {"Vary": "Accept-Encoding"}
_PACKED: Final = _VARIES | {"Content-Encoding": "gzip"}
router = APIRouter(prefix="/api", responses={status: {"model": models.Problem} for status in (401, 404, 422, 429, 503)})


def _data(request: Request) -> PanelData:
    data: PanelData = request.app.state.panel_data
    return data


def _watches(request: Request) -> Watches:
    watches: Watches = request.app.state.watches
    return watches


Here = Annotated[PanelData, Depends(_data)]
Watched = Annotated[Watches, Depends(_watches)]
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
                "doubts": list(column.doubts),
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
    if panel is None:
        raise ApiError(404, f"there is no panel {panel_id[:40]!r}", "see the list: GET /api/panels")
    if panel.source != "clickhouse":
        raise ApiError(404, f"the numbers of panel {panel.id} are in {panel.source}, not here", "see it in Grafana")
    return panel


@router.get("/panels/{panel_id}", tags=["boards"])
async def show_panel(request: Request, _: Reads, here: Here, panel_id: str, view: Looked) -> Response:
    """Answer a panel's numbers."""
    body = (await Looking(here, _panel(panel_id), view).look()).body()
    if _takes_gzip(request):
        return Response(gzip_file(body), 200, _PACKED, "application/json")
    return Response(body.plain, 200, _VARIES, "application/json")


@router.get("/variables/{name}", tags=["boards"])
async def list_values(_: Reads, here: Here, name: str, view: Looked) -> JSONResponse:
    """List what a variable may be set to: value and text."""
    if name not in VARIABLES:
        raise ApiError(404, f"there is no variable {name[:40]!r}", f"ask for one of {', '.join(VARIABLES)}")
    latest = (await here.newest(view.run))[1]
    answer = await here.answer(VARIABLES[name].sql, view.times(latest), view.values)
    return JSONResponse([{"value": value, "text": text} for value, text in answer.rows])


@router.get("/stream", tags=["boards"])
async def stream(  # noqa: PLR0913, PLR0917 - a parameter each
    _: Reads,
    request: Request,
    here: Here,
    watches: Watched,
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
    events, packs = watches.follow(view, watched, tags), _takes_gzip(request)
    return _Stream(
        _bytes(events, packs=packs),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"} | (_PACKED if packs else _VARIES),
    )


class _Stream(StreamingResponse):
    """A response that leaves what it follows as soon as its visitor is gone."""

    body_iterator: AsyncGenerator[bytes]

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


async def _bytes(events: AsyncGenerator[Packed], *, packs: bool) -> AsyncGenerator[bytes]:
    begin = Packed.wrapped(b"retry: 2000\n\n")
    async with aclosing(events):
        yield GZIP_HEADER + begin.deflated if packs else begin.plain
        async for event in events:
            yield event.deflated if packs else event.plain


def _takes_gzip(request: Request) -> bool:
    return takes_gzip(request.headers.get("accept-encoding", ""))
