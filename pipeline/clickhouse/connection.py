"""Connections to ClickHouse, embedded or a server: one HTTP client per thread of use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from pipeline.clickhouse.ping import ping
from pipeline.errors import UnreachableError, UserError

if TYPE_CHECKING:
    from pipeline.settings import Settings

# the server's codes for an unknown user, a wrong password and failed authentication
_REFUSED: Final = re.compile(r"Code: (192|193|194|516)\b")
Role = Literal["reader", "writer"]


def connect(settings: Settings, role: Role, *, silence_seconds: int = 120) -> Any:
    """Return a clickhouse-connect client with the role's rights.

    Args:
        settings: address and login.
        role: whose rights.
        silence_seconds: longest wait for an answer; a statement is ended with the wait for it.

    Raises:
        UserError: the server does not answer, or refuses the user.
    """
    url = urlsplit(settings.clickhouse_url)
    user = settings.clickhouse_writer_user if role == "writer" else settings.clickhouse_user
    password = settings.clickhouse_writer_password if role == "writer" else settings.clickhouse_password
    ping(url)
    try:
        return clickhouse_connect.get_client(
            host=url.hostname or "127.0.0.1",
            port=url.port or (8443 if url.scheme == "https" else 8123),
            interface=url.scheme or "http",
            proxy_path=f"{url.path.rstrip('/')}/",  # of a server behind a proxy
            username=user,
            password=password.get_secret_value(),
            database="default",  # the application's own may not exist yet; statements name it
            autogenerate_session_id=False,  # one client may then be used by one thread after another
            compress=False,  # blocks go over loopback or a bank's own network: encoding time costs more
            query_retries=0,
            send_receive_timeout=silence_seconds,
        )
    except (ClickHouseError, OSError) as error:
        has_answered = isinstance(error, DatabaseError) and not isinstance(error, OperationalError)
        reason = "refuses the user" if has_answered else "does not answer"
        kind = UserError if has_answered else UnreachableError
        raise kind(
            f"ClickHouse at {settings.clickhouse_url} {reason} ({user})",
            "start it (roi up --embedded) or correct ROI_CLICKHOUSE_URL, …_USER and …_PASSWORD",
        ) from error
