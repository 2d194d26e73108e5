"""The HTTP API as commands use it: actions go there, under the name of a token."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pipeline.errors import UnreachableError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Settings

_SECONDS: Final = 20.0  # an outcome is waited for 5 s there, and ClickHouse may be slow
_LONGEST: Final = 1 << 26


class ApiClient:
    """Sends requests with the token of the settings.

    Args:
        settings: ``board_url`` and ``api_token``.

    Raises:
        UserError: there is no token to act with.
    """

    def __init__(self, settings: Settings) -> None:
        self._address = settings.board_url
        self._url = urlsplit(settings.board_url)
        self._token = settings.api_token.get_secret_value()
        if not self._token:
            raise UserError(
                "there is no token to act with",
                "set ROI_API_TOKEN to yours (roi token makes one), or name an instance with --data",
            )

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of a good answer.

        Raises:
            UserError: the API refuses, in its own words; or it does not answer.
        """
        secure = self._url.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        target = f"{self._url.path.rstrip('/')}{path}"
        payload = None if body is None else json.dumps(body).encode()
        try:
            with closing(connect(self._url.hostname or "", self._url.port, timeout=_SECONDS)) as connection:
                connection.request(method, target, payload, headers)
                response = connection.getresponse()
                status, text = response.status, response.read(_LONGEST)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise UnreachableError(
                f"the board at {self._address} does not answer ({reason})", "start it: roi up, or correct ROI_BOARD_URL"
            ) from error
        return self._read(status, text)

    def _read(self, status: int, text: bytes) -> Any:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if status < http.client.BAD_REQUEST and answer is not None:
            return answer
        if isinstance(answer, dict) and {"error", "remedy"} <= set(answer):
            raise UserError(str(answer["error"]), str(answer["remedy"]))
        raise UserError(f"what answers at {self._address} is no board (status {status})", "correct ROI_BOARD_URL")
