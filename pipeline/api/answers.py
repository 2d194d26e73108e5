"""Errors of the API: each one line of JSON, ``{"error", "remedy"}``."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

_REMEDY: Final = "see /openapi.json"
_log = logging.getLogger(__name__)


class ApiError(Exception):
    """An answer that is not the one asked for.

    Args:
        status: of HTTP.
        error: the cause, in one line; may be shown to whoever asked.
        remedy: what mends it.
        headers: of the answer.
    """

    def __init__(self, status: int, error: str, remedy: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{error}; {remedy}")
        self.status = status
        self.error = error
        self.remedy = remedy
        self.headers = dict(headers or {})


def problem(status: int, error: str, remedy: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that tells an error."""
    return JSONResponse({"error": " ".join(error.split()), "remedy": remedy}, status, dict(headers or {}))


def add_handlers(app: FastAPI) -> None:
    """Have every error of the application answered in the one form."""
    app.add_exception_handler(ApiError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_a_bug)


async def _of_ours(_request: Request, error: Any) -> JSONResponse:
    return problem(error.status, error.error, error.remedy, error.headers)


async def _of_validation(request: Request, error: Any) -> JSONResponse:
    """Tell the first thing that is wrong; what was sent is not repeated."""
    first = error.errors()[0]
    if first["loc"] == ("body",) and "json" not in request.headers.get("content-type", ""):
        return problem(422, "there is no body of JSON", f"send one with Content-Type: application/json, {_REMEDY}")
    place = ".".join(str(part) for part in first["loc"][1:])
    message = str(first["msg"]).removeprefix("Value error, ")
    return problem(422, f"{place}: {message}" if place else message, f"correct the request, {_REMEDY}")


async def _of_http(_request: Request, error: Any) -> JSONResponse:
    phrase = HTTPStatus(error.status_code).phrase.lower()
    return problem(error.status_code, str(error.detail or phrase), _REMEDY, error.headers)


async def _of_a_bug(_request: Request, error: Exception) -> JSONResponse:
    _log.error("not answered: %s", type(error).__name__)  # the server logs the traceback
    return problem(500, "this is a fault of ours", "the log of the board has it; try again")
