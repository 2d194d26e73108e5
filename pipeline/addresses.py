"""Addresses in settings, looked at before anything connects: libraries raise what they like for those that are none."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import urlsplit

# what the clients' ways of reading an address have in common: each takes a path, a scheme or an empty port otherwise
_SERVER: Final = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|[^/?#@:;%\[\]\\]+)(?::(?P<port>[0-9]{1,5}))?")
_URL: Final = "must be http://HOST:PORT or https://HOST:PORT"
_SERVERS: Final = "must be HOST:PORT, several with commas between them"
_LAST_PORT: Final = 65_535


def checked_url(text: str) -> str:
    """Return the address of an HTTP server as it is; none at all is left to whoever needs one.

    Raises:
        ValueError: it is none, or holds more than an address; what may be a password is not repeated.
    """
    if any(each in text for each in "@?#"):  # nobody would use them, and messages show the address
        raise ValueError(f"{_URL} alone: user and password go into ROI_CLICKHOUSE_USER and ROI_CLICKHOUSE_PASSWORD")
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        host.encode("idna")
        is_one = url.scheme in {"http", "https"} and host and url.port != 0 and _is_plain(text)
    except ValueError:  # brackets that do not match, a port that is no number, an empty part of a name
        is_one = False
    if text and not is_one:
        raise ValueError(_URL)
    return text


def checked_servers(text: str) -> str:
    """Return the addresses of Kafka brokers, with nothing but a comma between them and none that is empty.

    Raises:
        ValueError: one of them is none or holds more than an address, or there is none; no password is repeated.
    """
    if "@" in text:
        raise ValueError(f"{_SERVERS}: user and password go into ROI_KAFKA_SASL_USERNAME and ROI_KAFKA_SASL_PASSWORD")
    servers = [server for each in text.split(",") if (server := each.strip())]
    if "://" in text:
        raise ValueError(f"{_SERVERS}, without a scheme: ROI_KAFKA_SECURITY_PROTOCOL says how they are spoken to")
    if not servers or not all(_is_server(server) for server in servers):
        raise ValueError(_SERVERS)
    return ",".join(servers)


def _is_server(server: str) -> bool:
    parts = _SERVER.fullmatch(server)
    if parts is None or not _is_plain(server) or not 0 < int(parts["port"] or _LAST_PORT) <= _LAST_PORT:
        return False
    try:
        if parts["v6"]:
            IPv6Address(parts["v6"])
        else:
            (urlsplit(f"//{server}").hostname or "").encode("idna")
    except ValueError:
        return False
    return True


def _is_plain(text: str) -> bool:
    return not any(character.isspace() or not character.isprintable() for character in text)
