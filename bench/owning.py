"""What a worker tells Prometheus of the shards it owns: from its first one on it has loaded all it knows, and reads."""

from __future__ import annotations

from typing import Final
from urllib.request import urlopen

from pipeline.embedded.tcp_ports import LOOPBACK

PORT_VARIABLE: Final = "ROI_WORKER__METRICS_PORT"
_OWNED: Final = "roi_shards_owned "


def owned(port: int) -> int:
    """Return how many shards the worker with this metrics port owns, 0 where it does not answer yet."""
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
            return shards_owned(answer.read().decode())
    except OSError:
        return 0


def shards_owned(exposition: str) -> int:
    """Read how many shards a worker owns out of what it tells Prometheus."""
    lines = exposition.splitlines()
    return next((int(float(line.removeprefix(_OWNED))) for line in lines if line.startswith(_OWNED)), 0)
