from __future__ import annotations

from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

import pytest

from pipeline.evaluator.repeating import Repeats


class Queue(Executor):
    """Runs what was submitted when it is told to, one thing at a time."""

    def __init__(self) -> None:
        self.waiting: list[partial[Any]] = []

    def submit(self, call: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        self.waiting.append(partial(call, *arguments, **named))
        return Future()

    def run(self) -> None:
        self.waiting.pop(0)()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.rests: list[float] = []

    def __call__(self) -> float:
        return self.now

    def took(self, seconds: float, answer: str) -> str:
        self.now += seconds
        return answer


def test_questions_are_asked_one_at_a_time_and_others_come_between() -> None:
    queue, clock = Queue(), Clock()
    repeats: Repeats[str] = Repeats(queue, clock.rests.append, clock)
    for name in "abc":
        repeats.ask(name, partial(clock.took, 0.1, name))
    assert len(queue.waiting) == 1
    queue.submit(clock.took, 0.0, "urgent")
    queue.run()
    assert repeats.answers() == {"a": "a"}
    assert repeats.answers() == {}
    assert queue.waiting[0].args == (0.0, "urgent")
    queue.run()
    queue.run()
    queue.run()
    assert (queue.waiting, repeats.answers()) == ([], {"b": "b", "c": "c"})
    repeats.ask("a", partial(clock.took, 0.1, "again"))
    queue.run()
    assert repeats.answers() == {"a": "again"}


def test_of_a_name_the_newest_question_is_asked_in_the_place_of_the_first() -> None:
    queue, clock = Queue(), Clock()
    repeats: Repeats[str] = Repeats(queue, clock.rests.append, clock)
    for name, text in (("a", "old"), ("b", "b"), ("a", "new")):
        repeats.ask(name, partial(clock.took, 0.0, text))
    queue.run()
    assert repeats.answers() == {"a": "new"}


def test_what_is_being_asked_or_was_answered_and_not_taken_is_not_asked_again() -> None:
    queue, clock = Queue(), Clock()
    repeats: Repeats[str] = Repeats(queue, clock.rests.append, clock)

    def question() -> str:
        repeats.ask("a", partial(clock.took, 0.0, "meanwhile"))
        return "first"

    repeats.ask("a", question)
    queue.run()
    repeats.ask("a", partial(clock.took, 0.0, "not taken yet"))
    assert queue.waiting == []
    assert repeats.answers() == {"a": "first"}
    repeats.ask("a", partial(clock.took, 0.0, "next"))
    queue.run()
    assert repeats.answers() == {"a": "next"}


def test_a_rest_is_nine_times_as_long_as_the_question_took_and_a_second_at_most() -> None:
    queue, clock = Queue(), Clock()
    repeats: Repeats[str] = Repeats(queue, clock.rests.append, clock)
    repeats.ask("short", partial(clock.took, 0.0625, ""))
    repeats.ask("long", partial(clock.took, 60.0, ""))
    queue.run()
    queue.run()
    assert clock.rests == [0.5625, 1.0]


def test_what_a_question_raises_is_raised_where_answers_are_taken_and_the_others_are_asked() -> None:
    queue, clock = Queue(), Clock()
    repeats: Repeats[str] = Repeats(queue, clock.rests.append, clock)
    repeats.ask("bad", partial(int, "x"))  # type: ignore[arg-type] # it raises
    repeats.ask("good", partial(clock.took, 0.0, "good"))
    queue.run()
    queue.run()
    with pytest.raises(ValueError, match="invalid literal") as raised:
        repeats.answers()
    assert raised.value.__notes__ == ["asked about bad"]
    assert repeats.answers() == {"good": "good"}
