"""Ports on the loopback address."""

from __future__ import annotations

import errno
import secrets
import socket
from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

LOOPBACK: Final = "127.0.0.1"
# below the ports that Linux (32768…) and macOS (49152…) give to outgoing connections, which would take them away
_FREE_RANGE: Final = range(20_000, 32_000)
_ATTEMPTS: Final = 200


class PortClaims:
    """Ports that one instance has chosen and that no other one takes, from the choice until the part listens and after.

    A part listens a second or two after its port was chosen. Another instance that chose the same would meet the first
    one's server there, and be refused by it. A claim is the UDP port of the same number: the system gives it to one
    process, and takes it back when that ends. Other programs do not know of it, and are met by a look at the port.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for claim in self._held:
            claim.close()

    def take(self, port: int, option: str) -> int:
        """Return ``port`` if it is free, or any free one for 0, and keep it.

        Raises:
            UserError: the port is taken or not allowed; ``option`` names what changes it.
        """
        return _chosen(port, option, self._claim)

    def _claim(self, port: int) -> str | None:
        if why := _why_unusable(port):
            return why
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((LOOPBACK, port))
        except OSError as error:
            claim.close()
            is_taken = error.errno == errno.EADDRINUSE
            return "is in use by another instance, or by UDP" if is_taken else f"cannot be used ({error.strerror})"
        self._held.append(claim)
        return None


def usable_port(port: int, option: str) -> int:
    """Return ``port`` if it is free, or any free one for 0.

    Another process can still take it before it is used: the part that binds it then fails by itself.

    Raises:
        UserError: the port is taken or not allowed; ``option`` names what changes it.
    """
    with PortClaims() as claims:  # one that an instance has claimed is not free either
        return claims.take(port, option)


def _chosen(port: int, option: str, why_not: Callable[[int], str | None]) -> int:
    if port == 0:
        candidates = (secrets.choice(_FREE_RANGE) for _ in range(_ATTEMPTS))
        free = next((candidate for candidate in candidates if why_not(candidate) is None), None)
        if free is None:
            raise UserError(f"no free port was found on {LOOPBACK}", f"name one with {option}")
        return free
    if why := why_not(port):
        raise UserError(f"port {port} of {LOOPBACK} {why}", f"pass {option} 0 for any free one")
    return port


def _why_unusable(port: int) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
    return None


def free_or_zero(port: int) -> int:
    """Return ``port`` while it is free, and no instance has claimed it, otherwise 0 (any free one)."""
    with PortClaims() as claims:
        try:
            return claims.take(port, "")
        except UserError:
            return 0


def answers(port: int, timeout_seconds: float = 0.2) -> bool:
    """Tell whether something accepts connections on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
