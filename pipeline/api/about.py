"""What a page must know before it shows anything: whose bank this is, who asks, and what stands behind a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from dashboards.registry import PANELS
from pipeline.api import models
from pipeline.api.answers import ApiError
from pipeline.api.handing_in import asked
from pipeline.api.tokens import Reads  # noqa: TC001 - FastAPI reads annotations when it starts
from pipeline.build import VERSION
from pipeline.clickhouse.reader import Reader
from pipeline.metrics.registry import METRICS
from pipeline.operations.evidence import MEASURES, Cell
from pipeline.operations.evidence_shown import WITH_LISTS, lists_behind, name_of, plain, read_evidence, title_of

if TYPE_CHECKING:
    from pipeline.api.tokens import Tokens
    from pipeline.settings import Settings

_SECONDS: Final = 15.0
_MOST_ROWS: Final = 500
_EXPLAINED: Final = {
    *MEASURES,
    *WITH_LISTS,
    *(column.name for panel in PANELS.values() if panel.explains for column in panel.columns),
}
METRICS_EXPLAINED: Final = {one.name: one for one in METRICS if one.name in _EXPLAINED}
"""The numbers that have evidence: a campaign's, on whatever panel."""
Short = Annotated[str, Query(max_length=models.LONGEST_NAME)]

router = APIRouter(prefix="/api", responses={status: {"model": models.Problem} for status in (401, 404, 422, 429, 503)})


@router.get("/about", tags=["boards"])
async def about(request: Request, _: Reads) -> dict[str, Any]:
    """Tell the currency of all money, the zone of business days, the version, and what acting needs."""
    settings: Settings = request.app.state.settings
    tokens: Tokens = request.app.state.tokens
    return {
        "version": VERSION,
        "currency": settings.reporting_currency,
        "zone": settings.time.zone,
        "tokens": tokens.are_peoples,
        "four_eyes": settings.alerts.four_eyes,
    }


@router.get("/whoami", tags=["boards"])
async def whoami(caller: Reads) -> dict[str, str | None]:
    """Tell the name and role of the token; a name of null is anybody who reaches the loopback address."""
    return {"name": caller.name, "role": caller.role}


@router.get("/explain/{campaign}", tags=["boards"])
async def explained(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    _: Reads,
    campaign: str,
    metric: Short = "",
    run: Short = "live",
    variant: Annotated[str | None, Query(max_length=models.LONGEST_NAME)] = None,
    tier: Annotated[str | None, Query(max_length=models.LONGEST_NAME)] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 20,
) -> JSONResponse:
    """Answer what `roi explain` says: the records behind a campaign's totals, hashed, and whether they add up."""
    if variant is not None and tier is not None:
        raise ApiError(422, "no total is kept for a variant within a tier", "give one of them")
    if metric and metric not in METRICS_EXPLAINED:
        raise ApiError(
            422, f"there is no metric {metric[:40]!r} of campaigns", f"name one of {', '.join(METRICS_EXPLAINED)}"
        )
    settings: Settings = request.app.state.settings
    await request.app.state.panel_data.check_run(run)
    reader = Reader(settings, timeout_seconds=_SECONDS)
    cell = Cell(run, campaign, variant, tier)
    found = await asked(lambda: read_evidence(reader, settings.clickhouse_database, cell, limit))
    if found is None:
        raise ApiError(
            404, f"there is no {name_of(cell)}"[:400], "see the campaigns that have events: GET /api/campaigns"
        )
    title = await asked(lambda: title_of(reader, settings.clickhouse_database, cell))
    more = {"name": title, "metric": _defined(metric), "lists": lists_behind(metric)}
    return JSONResponse(plain(cell, found) | more)


def _defined(name: str) -> dict[str, str] | None:
    """Return what a number means; None: none was named."""
    found = METRICS_EXPLAINED.get(name)
    if found is None:
        return None
    return {"name": found.name, "label": found.label, "formula": found.formula, "unit": found.unit}
