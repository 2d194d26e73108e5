from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.child import Child
from pipeline.errors import UserError
from tests.embedded.parts import part, supervisor, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("import os; os.kill(os.getpid(), 9)", "migrate ended (killed by SIGKILL)"),
        ("import os; os._exit(3)", "migrate ended (exit code 3)"),
        (
            "import os; print('error: even; odd', flush=True); os.kill(os.getpid(), 9)",
            "migrate ended (killed by SIGKILL): even; odd",
        ),
    ],
)
async def test_what_an_earlier_start_has_complained_of_is_no_cause_of_this_end(
    tmp_path: Path, program: str, cause: str
) -> None:
    (tmp_path / "migrate.log").write_text("error: the tables are odd; make them even\n")
    keeper = supervisor(tmp_path)
    async with keeper.running():
        with pytest.raises(UserError) as told:
            await keeper.run_to_end(part("migrate", program))
    assert (told.value.cause, told.value.remedy) == (cause, f"look into {tmp_path / 'migrate.log'}")


async def test_part_that_is_killed_without_a_word_is_not_said_to_have_complained_again(tmp_path: Path) -> None:
    complains_first = (
        "import pathlib, sys, time\n"
        "tried = pathlib.Path(sys.argv[1])\n"
        "if not tried.exists():\n"
        "    tried.touch(); sys.exit('error: no room; make some')\n"
        "time.sleep(600)\n"
    )
    said: list[str] = []
    keeper = supervisor(tmp_path, said)
    async with keeper.running():
        child = await keeper.keep(part("worker", complains_first, str(tmp_path / "tried")))
        await until(lambda: child.starts == 2 and child.pid is not None)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGTERM)
        await until(lambda: len(child.deaths) == 2)
    assert [death.cause for death in child.deaths] == ["exit code 1: no room; make some", "killed by SIGTERM"]


async def test_words_are_found_in_a_log_that_was_cut_since_the_start(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("x" * 99 + "\n")
    child = Child(part("worker", "print('error: no room; make some')"), log)
    await child.start()
    await child.wait()
    child.trim_log(1)
    log.write_text("error: odd; even\n" * 6)  # as long as what stood there when it started
    assert child.last_words() == "error: odd; even"
