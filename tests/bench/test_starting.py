from __future__ import annotations

import time
from functools import partial

import pytest

from bench.starting import Life, Watch, rarely, start_rows

SIGNS = {"command": 0.5, "broker": 0.75, "page": 3.0, "worker counts": 5.0}


def test_each_sign_is_noted_once_in_the_order_in_which_they_came() -> None:
    asked = {"early": iter([False, True]), "late": iter([False, False, True]), "first": iter([True])}
    watch = Watch({name: partial(next, answers) for name, answers in asked.items()})
    assert [watch.look(), watch.awaited] == [False, ["early", "late"]]
    assert [watch.look(), watch.awaited] == [False, ["late"]]
    assert watch.look()
    assert list(watch.seen) == ["first", "early", "late"]
    assert list(watch.seen.values()) == sorted(watch.seen.values())


def test_a_step_takes_as_long_as_its_sign_came_after_the_one_before() -> None:
    steps = Life("new", SIGNS).steps()
    assert steps == {"command": 0.5, "broker": 0.25, "page": 2.25, "worker counts": 2.0}
    assert sum(steps.values()) == SIGNS["worker counts"]


@pytest.mark.parametrize(("page", "verdict"), [(3.0, "within"), (3.01, "over")])
def test_a_start_is_told_with_its_steps(page: float, verdict: str) -> None:
    new, existing = start_rows([Life("new", SIGNS | {"page": page}), Life("existing", SIGNS)])
    assert new.measured == "roi up on a new directory"
    assert new.result == "first page after 3.0 s, worker counts after 5.0 s"
    assert new.beside.startswith(f"page {verdict} 3 s; steps, s: command 0.5, broker 0.2, page 2.")
    assert existing.measured == "roi up on an existing directory"


def test_what_is_asked_rarely_is_not_asked_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    asked: list[float] = []

    def ask() -> bool:
        asked.append(now[0])
        return True

    check = rarely(ask)
    assert [check(), check()] == [True, False]
    now[0] += 0.1
    assert check()
    assert asked == [100.0, 100.1]
