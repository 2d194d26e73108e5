"""Keeps child processes running: restarts what dies, gives up on what cannot be replaced, stops all in order."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.backoff import Backoff
from pipeline.embedded.child import Child, Part, PartDeath
from pipeline.errors import UserError
from pipeline.probe import ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from pipeline.ending import Ending

T = TypeVar("T")

_WAITS: Final = Backoff(first_seconds=0.2, longest_seconds=10.0)
_POLL_SECONDS: Final = 0.05
_TRIM_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 2.0
_LONGEST_STEP: Final = 6.0  # of a part's silence between two questions: beyond it this process itself stood still
_DEATHS_KEPT: Final = 20
_LONGEST_WORDS: Final = 300
_STARTS: Final = 3  # a killed predecessor may still hold a part's files for a moment
_SILENT: Final = "no answer for"
_ERROR: Final = "error: "  # what a command begins its last line with
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How long to wait before a part that died is started again: twice as long each time it dies young."""

    waits: Backoff = _WAITS
    healthy_seconds: float = 30.0

    def deaths_in_a_row(self, before: int, lived_seconds: float) -> int:
        """Return the count after a death: a long life starts it anew."""
        return 1 if lived_seconds >= self.healthy_seconds else before + 1


class Supervisor:
    """Owns a set of parts for the time of ``async with supervisor.running()``.

    Parts stop by stage, the highest first: workers before the broker that they talk to.

    Args:
        logs: directory of the parts' log files; none = they write to this process's own output.
        say: takes one line about what happened to a part.
        policy: waits before restarts.
        log_limit_bytes: a log file longer than this is moved aside.
        clock: monotonic seconds.
        ending: tells when the end is asked for; none = SIGINT, SIGTERM and SIGHUP do, while it runs.
    """

    def __init__(  # noqa: PLR0913 - a directory and a mouth, and what tests set otherwise
        self,
        logs: Path | None,
        say: Callable[[str], None],
        policy: RestartPolicy | None = None,
        *,
        log_limit_bytes: int = 10_000_000,
        clock: Callable[[], float] = time.monotonic,
        ending: Ending | None = None,
    ) -> None:
        self._logs = logs
        self.say = say
        self._policy = policy or RestartPolicy()
        self._log_limit_bytes = log_limit_bytes
        self._clock = clock
        self._ending = ending
        self._children: list[Child] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._fault: BaseException | None = None
        self.has_started = False  # whether any part ever was
        self.changed: Callable[[list[Child]], None] = lambda _: None  # told of every death, start and trouble

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Stop every part at the end, whatever the reason; SIGINT, SIGTERM and SIGHUP set `stopping`."""
        loop = asyncio.get_running_loop()
        heard: list[signal.Signals] = []
        if self._ending is not None:
            self._ending.heard(lambda: loop.call_soon_threadsafe(self._stopping.set))
            await asyncio.sleep(0)  # the end may have been asked for already
        else:  # a SIGHUP ignored from outside stays so: that is what nohup is for
            heard = [it for it in _SIGNALS if it != signal.SIGHUP or signal.getsignal(it) != signal.SIG_IGN]
            for number in heard:
                loop.add_signal_handler(number, self._stopping.set)
        trimming = asyncio.create_task(self._trim_logs())
        try:
            yield
        finally:
            self._stopping.set()
            trimming.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(trimming, *self._tasks, return_exceptions=True)
            await self._stop_children()
            for number in heard:
                loop.remove_signal_handler(number)

    @property
    def stopping(self) -> bool:
        """Whether the end has been asked for."""
        return self._stopping.is_set()

    def pids(self) -> dict[str, int]:
        """Return the process ids of the parts that run now."""
        return {child.part.name: child.pid for child in self._children if child.pid is not None}

    async def keep(self, part: Part) -> Child:
        """Start a part and start it again whenever it ends."""
        child = await self._start(part)
        self._watch(self._restart_for_ever(child))
        if part.health_url:
            self._watch(self._ask_for_ever(child))
        self.changed(self._children)
        return child

    async def keep_once(self, part: Part, consequence: str) -> Child:
        """Start a part that cannot be replaced: its end is everybody's, and ``consequence`` says why."""
        child = await self._start(part)
        self._watch(self._end_with(child, consequence))
        if part.health_url:
            self._watch(self._ask_for_ever(child))
        self.changed(self._children)
        return child

    async def run_to_end(self, part: Part) -> None:
        """Run a part that must finish before the next step.

        Raises:
            UserError: it failed, and the message is the last line of this start, alone where that tells cause and mend
                and nobody has killed it; or it cannot be started.
        """
        child = await self._start(part)
        ended, stopping = asyncio.create_task(child.wait()), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not ended.done():
                ended.cancel()
        if ended.cancelled() or not ended.done():
            return
        self._children.remove(child)
        if code := ended.result():
            refused = _own_error(child) if code > 0 else None
            raise refused or self._died(child, code)

    def run_beside(self, work: Coroutine[None, None, None]) -> None:
        """Run something until the end is asked for; if it crashes, everything ends."""
        self._watch(work)

    async def until(self, condition: Callable[[], bool], child: Child, timeout_seconds: float) -> None:
        """Wait until a part answers; return early when the end is asked for.

        Raises:
            UserError: the part died again and again, or the time is up.
        """
        deadline = self._clock() + timeout_seconds
        while not await asyncio.to_thread(condition):
            self._raise_fault()
            if self.stopping:
                return
            if child.pid is None and child.starts >= _STARTS:
                raise self._died(child, await child.wait())
            if self._clock() > deadline:
                raise UserError(f"{child.part.name} did not answer within {timeout_seconds:.0f} s", self._look(child))
            await asyncio.sleep(_POLL_SECONDS)

    async def until_stopped(self) -> None:
        """Wait for a signal.

        Raises:
            UserError: a part that cannot be replaced has died.
        """
        await self._stopping.wait()
        self._raise_fault()

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until the end is asked for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def unless_stopping(self, work: Coroutine[Any, Any, T], otherwise: T) -> T:
        """Return what ``work`` gives, or ``otherwise`` as soon as the end is asked for: a thread is not waited for."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            return working.result()
        working.cancel()
        return otherwise

    async def _start(self, part: Part) -> Child:
        log = None if self._logs is None else self._logs / f"{part.name}.log"
        child = Child(part, log)
        self._children.append(child)
        try:
            await child.start()
            self.has_started = True
        except OSError as error:  # no memory, processes or descriptors; one that runs beside ends nobody else
            self._children.remove(child)
            raise UserError(
                f"{part.name} cannot be started ({error.strerror})", "free what the system is short of, then try again"
            ) from error
        return child

    async def _restart_for_ever(self, child: Child) -> None:
        deaths = 0
        while True:
            started = self._clock()
            code = await child.wait()
            self._note_death(child, code)
            deaths = self._policy.deaths_in_a_row(deaths, self._clock() - started)
            delay = self._policy.waits.delay(deaths)
            refused = _own_error(child)
            why = describe_exit(code) + (f": {refused.cause}" if refused and code > 0 else "")
            self.say(f"{child.part.name} ended ({why}), starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            try:  # no memory, descriptors or ports at the moment: one more death, and one more wait
                if child.part.renewed is not None:
                    child.part = child.part.renewed()
                await child.start()
            except OSError as error:
                self.say(f"{child.part.name} cannot be started ({error.strerror})")
            except UserError as error:
                self.say(f"{child.part.name} cannot be started ({error.cause})")
            self.changed(self._children)

    def _note_death(self, child: Child, code: int) -> None:
        words = child.last_words().removeprefix(_ERROR)
        cause = describe_exit(code) + (f": {words[:_LONGEST_WORDS]}" if words and code != -signal.SIGKILL else "")
        silent, child.trouble = child.trouble, ""
        if code == -signal.SIGKILL and silent:
            cause = f"{cause}: {silent}"
        child.deaths = [*child.deaths[1 - _DEATHS_KEPT :], PartDeath(time.time(), cause, code == -signal.SIGKILL)]
        self.changed(self._children)

    async def _ask_for_ever(self, child: Child) -> None:
        """Note what a part says of itself; kill one that has fallen silent, to be started again, or spare it."""
        life, looked = 0, self._clock()
        silence: float | None = None  # seconds; one that starts has time until its first answer
        while True:
            await asyncio.sleep(_ASK_SECONDS)
            if child.starts != life:
                life, silence = child.starts, None
            if child.pid is None:
                continue
            answer = await asyncio.to_thread(ask, child.part.health_url)
            trouble, before, looked = answer.trouble, looked, self._clock()
            if answer.is_alive:
                silence = 0.0
            elif silence is not None:
                silence += min(looked - before, _LONGEST_STEP)
                trouble = "no answer" if silence >= _ASK_SECONDS else trouble
                if silence >= child.part.silent_seconds:
                    trouble = f"{_SILENT} {child.part.silent_seconds:.0f} s"
            if trouble != child.trouble:
                self._note_trouble(child, trouble)
            if trouble.startswith(_SILENT) and not child.part.spared:
                self.say(f"{child.part.name} has not answered for {child.part.silent_seconds:.0f} s, killing it")
                child.kill()

    def _note_trouble(self, child: Child, trouble: str) -> None:
        before, child.trouble = child.trouble, trouble
        if not before or not trouble:
            child.trouble_since = time.time()
        if child.part.spared and trouble.startswith(_SILENT):
            self.say(child.part.spared.format(pid=child.pid))
        elif child.part.spared and before.startswith(_SILENT):
            self.say(f"{child.part.name} answers again")
        self.changed(self._children)

    async def _end_with(self, child: Child, consequence: str) -> None:
        code = await child.wait()
        died = self._died(child, code)
        self._fault = UserError(f"{died.cause}, {consequence}", died.remedy)
        self._stopping.set()

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._note_crash)
        self._tasks.add(task)

    def _note_crash(self, task: asyncio.Task[None]) -> None:
        """End everything when the watching itself fails: a part nobody watches must not seem fine."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = error
            self._stopping.set()

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _died(self, child: Child, code: int) -> UserError:
        last = child.last_words().removeprefix(_ERROR)
        why = f": {last}" if last else ""
        return UserError(f"{child.part.name} ended ({describe_exit(code)}){why}", self._look(child))

    def _look(self, child: Child) -> str:
        return f"look into {child.log}" if child.log else "its own messages stand above"

    async def _stop_children(self) -> None:
        for stage in sorted({child.part.stage for child in self._children}, reverse=True):
            await asyncio.gather(*(child.stop() for child in self._children if child.part.stage == stage))

    async def _trim_logs(self) -> None:
        while True:
            await asyncio.sleep(_TRIM_SECONDS)
            for child in self._children:
                child.trim_log(self._log_limit_bytes)


def _own_error(child: Child) -> UserError | None:
    """Return what a command of ours that was refused has told; None of any other end."""
    cause, separator, remedy = child.last_words().removeprefix(_ERROR).partition("; ")
    return UserError(cause, remedy) if separator and child.last_words().startswith(_ERROR) else None


def describe_exit(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    return f"killed by {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"killed by signal {-code}"
