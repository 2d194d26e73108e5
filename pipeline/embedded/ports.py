"""Ports on the loopback address."""

from __future__ import annotations

import errno
import socket
from typing import Final

from pipeline.errors import UserError

LOOPBACK: Final = "127.0.0.1"


def usable_port(port: int, option: str) -> int:
    """Return ``port`` if it is free, or any free one for 0.

    Another process can still take it before it is used: the part that binds it then fails by itself.

    Raises:
        UserError: the port is taken or not allowed; ``option`` names what changes it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise UserError(f"port {port} of {LOOPBACK} {why}", f"pass {option} 0 for any free one") from error
        bound: int = probe.getsockname()[1]
        return bound


def free_or_zero(port: int) -> int:
    """Return ``port`` while it is free, otherwise 0 (any free one)."""
    try:
        return usable_port(port, "")
    except UserError:
        return 0


def answers(port: int, timeout_seconds: float = 0.2) -> bool:
    """Tell whether something accepts connections on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
