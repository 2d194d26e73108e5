"""Questions that are asked again and again, of which none is urgent: one at a time, with a rest after each."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

Answer = TypeVar("Answer")
_RESTS: Final = 9
_LONGEST_REST_SECONDS: Final = 1.0


class Repeats(Generic[Answer]):
    """Asks by name, those that have waited longest first, and rests after each nine times as long as it took.

    While a backlog is read, event time moves on by days in a second, and everything would be asked without end: the
    engine's time belongs to the events then.

    Args:
        executor: runs the questions; others that are submitted to it come between two of these.
        pause: waits so many seconds.
        monotonic: a clock.
    """

    def __init__(
        self,
        executor: Executor,
        pause: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._executor = executor
        self._pause = pause
        self._monotonic = monotonic
        self._lock = Lock()
        self._waiting: dict[str, Callable[[], Answer]] = {}
        self._answers: dict[str, Answer] = {}
        self._fault: Exception | None = None
        self._is_busy = False
        self._under_way = ""

    def ask(self, name: str, question: Callable[[], Answer]) -> None:
        """Have a question asked when its turn comes; of a name the newest one is, in the place of the first.

        One whose answer is under way, or has not been taken yet, is not asked again.
        """
        with self._lock:
            if name == self._under_way or name in self._answers:
                return
            self._waiting[name] = question
            is_busy, self._is_busy = self._is_busy, True
        if not is_busy:
            self._executor.submit(self._next)

    def answers(self) -> dict[str, Answer]:
        """Return what was answered since the last call.

        Raises:
            Exception: what one of the questions raised; the answers come with the next call.
        """
        with self._lock:
            fault, self._fault = self._fault, None
            if fault is not None:
                raise fault
            answers, self._answers = self._answers, {}
        return answers

    def _next(self) -> None:
        began = self._monotonic()
        with self._lock:
            name = next(iter(self._waiting))
            question = self._waiting.pop(name)
            self._under_way = name
        try:
            answer = question()
        except Exception as error:  # noqa: BLE001 - whoever takes the answers is told
            error.add_note(f"asked about {name}")
            with self._lock:
                self._fault, self._under_way = error, ""
        else:
            with self._lock:
                self._answers[name], self._under_way = answer, ""
        self._pause(min(_RESTS * (self._monotonic() - began), _LONGEST_REST_SECONDS))
        with self._lock:
            goes_on = self._is_busy = bool(self._waiting)
        if goes_on:
            self._executor.submit(self._next)
