from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.broker import broker_part
from pipeline.embedded.child import Child, Part, trim_log
from pipeline.embedded.supervisor import RestartPolicy, Supervisor, describe_exit
from pipeline.embedded.tcp_ports import usable_port
from pipeline.errors import UserError
from pipeline.probe import ask
from tests.embedded.parts import AT_ONCE, SLEEPER, part, supervisor, until
from tests.embedded.waiting import alive
from tests.support.freezing import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.process

STUBBORN = (
    "import pathlib, signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "pathlib.Path(sys.argv[1]).touch()\n"
    "time.sleep(600)\n"
)


@pytest.mark.parametrize(("deaths", "seconds"), [(1, 0.2), (2, 0.4), (3, 0.8), (7, 10.0), (10_000, 10.0)])
def test_delay_doubles_up_to_the_longest(deaths: int, seconds: float) -> None:
    assert RestartPolicy().waits.delay(deaths) == pytest.approx(seconds)


def test_long_life_starts_the_count_anew() -> None:
    policy = RestartPolicy(healthy_seconds=30)
    assert policy.deaths_in_a_row(5, lived_seconds=29.9) == 6
    assert policy.deaths_in_a_row(5, lived_seconds=30.0) == 1


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "killed by SIGKILL"), (-15, "killed by SIGTERM")]
)
def test_exit_is_described_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


async def test_part_killed_again_and_again_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    keeper = supervisor(tmp_path, said)
    async with keeper.running():
        child = await keeper.keep(part("worker", SLEEPER))
        seen = set()
        for _ in range(3):
            pid = child.pid
            assert pid is not None
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: child.pid not in {None, *seen})
        assert len(seen) == 3
    assert len(said) == 3
    assert all("worker ended (killed by SIGKILL)" in line for line in said)


async def test_part_whose_port_is_taken_is_started_again_on_another(tmp_path: Path) -> None:
    binds = "import socket, sys, time\nsocket.create_server(('127.0.0.1', int(sys.argv[1])))\ntime.sleep(600)\n"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        renewed = partial(part, "w", binds, "0")
        keeper = supervisor(tmp_path)
        async with keeper.running():
            child = await keeper.keep(replace(part("w", binds, str(taken.getsockname()[1])), renewed=renewed))
            await until(lambda: child.starts == 2)
            assert child.part.command[-1] == "0"
            assert "Address already in use" in child.deaths[0].cause


async def test_part_for_which_no_port_is_found_is_started_again_when_there_is_one(tmp_path: Path) -> None:
    found: list[Part | Exception] = [
        OSError(errno.EMFILE, "Too many open files"),
        UserError("no free port was found", "name one"),
        part("w", SLEEPER),
    ]

    def renewed() -> Part:
        one = found.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    said: list[str] = []
    keeper = supervisor(tmp_path, said)
    async with keeper.running():
        child = await keeper.keep(replace(part("w", "raise SystemExit(3)"), renewed=renewed))
        await until(lambda: child.starts == 2 or keeper.stopping)
        assert not keeper.stopping
    assert [line for line in said if "cannot" in line] == [
        "w cannot be started (Too many open files)",
        "w cannot be started (no free port was found)",
    ]


async def test_end_of_a_part_that_cannot_be_replaced_ends_everything(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    async with keeper.running():
        other = await keeper.keep(part("worker", SLEEPER))
        broker = await keeper.keep_once(part("broker", SLEEPER), "topics are gone")
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        with pytest.raises(UserError, match=r"broker ended \(killed by SIGKILL\), topics are gone; .*broker.log"):
            await keeper.until_stopped()
    assert other.pid is None


async def test_a_frozen_broker_is_told_and_not_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.embedded.supervisor._ASK_SECONDS", 0.1)
    said: list[str] = []
    keeper = supervisor(tmp_path, said)
    port = usable_port(0, "--kafka-port")
    async with keeper.running():
        broker = await keeper.keep_once(replace(broker_part(port), silent_seconds=0.5), "topics are gone")
        pid = broker.pid
        assert pid is not None
        await until(partial(is_alive, f"kafka://127.0.0.1:{port}"))
        await asyncio.sleep(0.5)  # it has been heard by then
        with frozen(pid):
            await until(lambda: bool(said))
            assert broker.trouble.startswith("no answer")
        await until(lambda: len(said) > 1)
        assert (broker.pid, broker.trouble, keeper.stopping) == (pid, "", False)
    assert f"the broker's process {pid} takes requests and answers none: frozen" in said[0]
    assert f"kill -CONT {pid}" in said[0]
    assert said[1:] == ["broker answers again"]


def is_alive(url: str) -> bool:
    return ask(url).is_alive


@pytest.fixture
def _heard() -> Iterator[None]:
    """Have SIGHUP heard also where the tests run under nohup, which has it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signal_ends_every_part(tmp_path: Path, number: signal.Signals) -> None:
    keeper = supervisor(tmp_path)
    async with keeper.running():
        children = [await keeper.keep(part(f"worker-{index}", SLEEPER)) for index in range(3)]
        pids = list(keeper.pids().values())
        assert len(pids) == 3
        os.kill(os.getpid(), number)
        await keeper.until_stopped()
    assert [child.pid for child in children] == [None] * 3
    assert not any(alive(pid) for pid in pids)


async def test_part_deaf_to_sigterm_is_killed_after_its_time(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    ready = tmp_path / "ready"
    async with keeper.running():
        await keeper.keep(part("deaf", STUBBORN, str(ready), stop_seconds=0.2))
        await until(ready.exists)
        pid = keeper.pids()["deaf"]
        started = time.monotonic()
    assert not alive(pid)
    assert time.monotonic() - started < 5


async def test_higher_stage_is_stopped_before_what_it_uses(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    program = (
        "import pathlib, signal, sys, time\n"
        "journal, name = pathlib.Path(sys.argv[1]), sys.argv[2]\n"
        "def note(word):\n"
        "    with journal.open('a') as file: file.write(f'{name} {word}\\n')\n"
        "def stop(*_):\n"
        "    note('stopped'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "note('up')\n"
        "time.sleep(600)\n"
    )
    keeper = supervisor(tmp_path)
    async with keeper.running():
        for name, stage in (("broker", 0), ("endpoint", 1), ("worker", 2)):
            await keeper.keep(part(name, program, str(journal), name, stage=stage))
        await until(lambda: journal.exists() and journal.read_text().count("up") == 3)
    stops = [line for line in journal.read_text().splitlines() if line.endswith("stopped")]
    assert stops == ["worker stopped", "endpoint stopped", "broker stopped"]


async def test_error_while_starting_stops_what_was_started(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    started: list[Child] = []

    async def start_all() -> None:
        async with keeper.running():
            started.append(await keeper.keep(part("broker", SLEEPER)))
            await keeper.run_to_end(part("migrate", "import sys\nsys.exit('error: the tables are odd')"))

    with pytest.raises(UserError, match=r"migrate ended \(exit code 1\): the tables are odd; look into"):
        await start_all()
    assert started[0].pid is None


async def test_a_command_that_is_refused_is_quoted_and_no_log_named(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    async with keeper.running():
        refused = part("migrate", "import sys\nsys.exit('error: the tables are odd; make them even; or odder')")
        with pytest.raises(UserError, match=r"^the tables are odd; make them even; or odder$") as told:
            await keeper.run_to_end(refused)
    assert told.value.cause == "the tables are odd"


async def test_part_that_dies_before_it_answers_is_named_with_its_last_words(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    async with keeper.running():
        child = await keeper.keep_once(part("endpoint", "import sys\nsys.exit('no room')"), "and so")
        with pytest.raises(UserError, match=r"endpoint ended \(exit code 1\): no room"):
            await keeper.until(lambda: False, child, 20)


async def test_part_that_keeps_dying_before_it_answers_is_given_up(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    async with keeper.running():
        child = await keeper.keep(part("endpoint", "import sys\nsys.exit('no room')"))
        with pytest.raises(UserError, match=r"endpoint ended \(exit code 1\): no room"):
            await keeper.until(lambda: False, child, 20)
    assert child.starts >= 3


async def test_part_that_dies_once_before_it_answers_is_waited_for(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    tried, ready = tmp_path / "tried", tmp_path / "ready"
    program = (
        "import pathlib, sys, time\n"
        "tried, ready = map(pathlib.Path, sys.argv[1:])\n"
        "if not tried.exists():\n"
        "    tried.touch(); sys.exit('locked')\n"
        "ready.touch(); time.sleep(600)\n"
    )
    async with keeper.running():
        child = await keeper.keep(part("endpoint", program, str(tried), str(ready)))
        await keeper.until(ready.exists, child, 20)
    assert child.starts == 2


async def test_part_that_never_answers_is_named(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    async with keeper.running():
        child = await keeper.keep(part("endpoint", SLEEPER))
        with pytest.raises(UserError, match="endpoint did not answer within 0 s"):
            await keeper.until(lambda: False, child, 0.05)


async def test_output_goes_to_a_log_that_others_cannot_read(tmp_path: Path) -> None:
    keeper = supervisor(tmp_path)
    async with keeper.running():
        await keeper.run_to_end(part("migrate", "print('applied 0001')"))
    log = tmp_path / "migrate.log"
    assert log.read_text() == "applied 0001\n"
    assert log.stat().st_mode & 0o777 == 0o600


async def test_environment_is_the_parts_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROI_CLICKHOUSE_WRITER_PASSWORD", "canary")
    keeper = supervisor(tmp_path)
    async with keeper.running():
        await keeper.run_to_end(part("broker", "import os\nprint(dict(os.environ))"))
    assert "canary" not in (tmp_path / "broker.log").read_text()


async def test_part_that_cannot_be_started_again_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    keeper = supervisor(tmp_path, said)
    async with keeper.running():
        child = await keeper.keep(part("worker", SLEEPER))
        start, first = child.start, child.pid
        failures = iter([OSError(11, "Resource temporarily unavailable")] * 2)

        async def failing_start() -> None:
            for failure in failures:
                raise failure
            await start()

        monkeypatch.setattr(child, "start", failing_start)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in {None, first})
    assert said.count("worker cannot be started (Resource temporarily unavailable)") == 2


async def test_part_that_cannot_be_started_at_all_is_the_users_error_and_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing_start(_: Child) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    keeper = supervisor(tmp_path)
    async with keeper.running():
        await keeper.keep(part("worker", SLEEPER))
        monkeypatch.setattr(Child, "start", failing_start)
        with pytest.raises(UserError, match=r"^backtest cannot be started \(Resource temporarily unavailable\); "):
            await keeper.run_to_end(part("backtest", SLEEPER))
        assert list(keeper.pids()) == ["worker"]
        assert not keeper.stopping


async def test_child_that_was_never_started_cannot_be_waited_for(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="never started"):
        await Child(part("worker", SLEEPER), None).wait()


async def test_grown_log_is_moved_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    keeper = Supervisor(tmp_path, print, AT_ONCE, log_limit_bytes=1000)
    chatter = "import time\nwhile True:\n    print('x' * 99, flush=True)\n    time.sleep(0.002)\n"
    log, old = tmp_path / "worker.log", tmp_path / "worker.log.1"
    async with keeper.running():
        await keeper.keep(part("worker", chatter))
        await until(lambda: old.exists() and log.stat().st_size > 0)
    assert old.stat().st_size <= 1000
    assert not log.read_bytes().startswith(b"\0"), "the writer must append, not write at its old place"


def test_log_below_its_limit_stays(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("short")
    assert not trim_log(log, 1000)
    assert log.read_text() == "short"
    assert not trim_log(tmp_path / "absent.log", 1000)
