"""Addresses in settings, looked at before anything connects: libraries raise what they like for those that are none."""

from __future__ import annotations

from urllib.parse import urlsplit


def checked_url(text: str) -> str:
    """Return the address of an HTTP server as it is; none at all is left to whoever needs one.

    Raises:
        ValueError: it is none.
    """
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        host.encode("idna")
        is_one = url.scheme in {"http", "https"} and host and url.port != 0 and _is_plain(text)
    except ValueError:  # brackets that do not match, a port that is no number, an empty part of a name
        is_one = False
    if text and not is_one:
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
    return text


def checked_servers(text: str) -> str:
    """Return the addresses of Kafka brokers as they are; none at all is left to whoever needs one.

    Raises:
        ValueError: one of them is none.
    """
    servers = [server.strip() for server in text.split(",")]
    if not all(_is_server(server) for server in servers if server):
        raise ValueError("must be HOST:PORT, several with commas between them")
    return text


def _is_server(server: str) -> bool:
    try:
        parts = urlsplit(f"//{server.rpartition('://')[2]}")
        (parts.hostname or "").encode("idna")
        return bool(parts.hostname) and parts.port != 0 and _is_plain(server)
    except ValueError:
        return False


def _is_plain(text: str) -> bool:
    return not any(character.isspace() or not character.isprintable() for character in text)
