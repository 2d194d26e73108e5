"""The evaluator's side of the processes that send through Apprise: a few wait, one that takes too long is killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.delivery.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

MODULE: Final = "pipeline.alerts.delivery.postman"
COMMAND: Final = (sys.executable, "-P", "-m", MODULE)
SECONDS: Final = 20.0
START_SECONDS: Final = 20.0
_MOST_SPARE: Final = 2
_ROOT: Final = Path(__file__).resolve().parents[3]
_LIMIT: Final = 1 << 20
# of this process's environment; never its passwords and addresses
_KEPT: Final = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
)


class Postmen:
    """Hands messages to processes, each to one that has nothing else to do.

    Args:
        seconds: the longest time for one message.
        command: starts such a process.
    """

    def __init__(self, seconds: float = SECONDS, command: tuple[str, ...] = COMMAND) -> None:
        self._seconds = seconds
        self._command = command
        self._spare: list[asyncio.subprocess.Process] = []
        self._all: set[asyncio.subprocess.Process] = set()

    async def prepare(self) -> None:
        """Have one ready, so that the next message need not wait for its start; failing is left to that message."""
        if not self._spare:
            with suppress(OSError, EOFError, TimeoutError):
                self._put_back(await self._start())

    async def send(self, url: str, title: str, body: str, kind: str, identity: str) -> Outcome:
        """Send one message; a process that does not answer in time is killed.

        What is sent again has the same ``identity``: mail has it in its Message-ID, by which mailboxes drop copies.
        """
        letter = {"url": url, "title": title, "body": body, "kind": kind, "id": identity, "seconds": self._seconds}
        try:
            postman = self._idle() or await self._start()
        except (OSError, EOFError, TimeoutError) as error:
            return Outcome("failed", f"the sending process did not start ({type(error).__name__})")
        try:
            async with asyncio.timeout(self._seconds):
                answer = await _ask(postman, letter)
        except TimeoutError:
            await self._end(postman)
            return Outcome("failed", f"no answer in {self._seconds:.0f} s")
        except (OSError, EOFError, ValueError):
            await self._end(postman)
            return Outcome("failed", "the sending process broke off")
        except BaseException:
            await self._end(postman)
            raise
        self._put_back(postman)
        return Outcome(answer["result"], answer["error"], answer["retry_after"])

    def _idle(self) -> asyncio.subprocess.Process | None:
        """Return one that waits; those that have ended meanwhile are forgotten."""
        while self._spare:
            postman = self._spare.pop()
            if postman.returncode is None:
                return postman
            self._all.discard(postman)
        return None

    async def close(self) -> None:
        """End every process."""
        for postman in list(self._all):
            await self._end(postman)

    async def _start(self) -> asyncio.subprocess.Process:
        postman = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # plugins may print addresses
            env=_environment(),
            limit=_LIMIT,
        )
        self._all.add(postman)
        try:
            async with asyncio.timeout(START_SECONDS):
                await _line(postman)
        except BaseException:
            await self._end(postman)
            raise
        return postman

    def _put_back(self, postman: asyncio.subprocess.Process) -> None:
        if len(self._spare) < _MOST_SPARE:
            self._spare.append(postman)
        elif postman.stdin is not None:
            postman.stdin.close()  # it ends by itself
            self._all.discard(postman)

    async def _end(self, postman: asyncio.subprocess.Process) -> None:
        self._all.discard(postman)
        if postman in self._spare:
            self._spare.remove(postman)
        with suppress(ProcessLookupError):
            postman.kill()
        await postman.wait()


def _environment() -> dict[str, str]:
    """Return an environment in which the command works from any directory."""
    search = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": search, "URLLIB3_NO_OVERRIDE": "1"}


async def _ask(postman: asyncio.subprocess.Process, letter: Mapping[str, Any]) -> dict[str, Any]:
    if postman.stdin is None:
        raise EOFError
    postman.stdin.write(json.dumps(letter).encode() + b"\n")
    await postman.stdin.drain()
    answer = json.loads(await _line(postman))
    if not isinstance(answer, dict) or answer.get("result") not in {"sent", "failed", "refused"}:
        raise ValueError("not an answer")
    return answer


async def _line(postman: asyncio.subprocess.Process) -> bytes:
    if postman.stdout is None:
        raise EOFError
    line = await postman.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return line
