from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, settings

from pipeline.clickhouse.connection import connect
from pipeline.native.build import build
from pipeline.native.library import is_built
from tests.support.depth import FULL
from tests.support.endpoint import migrated_endpoint
from tests.support.processes import asks_for_process, no_processes, starts_process

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pipeline.settings import Settings

_runs = count(1)
# how long an example takes says nothing on a machine that does other things meanwhile
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
# whole files go to the workers in this order; one that is started last would have them all wait for it
LONGEST_FIRST: Final = (
    "tests/faults/test_kills.py",
    "tests/embedded/test_faults.py",
    "tests/erasure/test_core.py",
    "tests/faults/test_halts.py",
    "tests/alerts/test_kills.py",
    "tests/embedded/test_up.py",
    "tests/faults/test_ends.py",
    "tests/transport/test_consumer.py",
    "tests/erasure/test_command.py",
    "tests/api/test_commands.py",
    "tests/api/test_alerts.py",
    "tests/operations/test_evidence.py",
    "tests/simulation/test_bank.py",
    "tests/docs/test_commands.py",
    "tests/embedded/clickhouse/test_jdbc.py",
    "tests/faults/test_fuzz.py",
    "tests/figures/test_figures_against_oracle.py",
    "tests/embedded/clickhouse/test_crash.py",
    "tests/docs/test_demo.py",
    "tests/oracle/test_second_opinion.py",
    "tests/ingest/test_memory.py",
    "tests/figures/test_worked_examples.py",
    "tests/state/test_core_properties.py",
    "tests/embedded/test_directory.py",
    "tests/schemas/test_agreement.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-processes", action="store_true", help="fail tests that start a process (make fast)")


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: what starts processes spends much of its time on waiting for them."""
    cores = os.cpu_count() or 1
    return cores + cores // 2


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if asks_for_process(item):
            item.add_marker("process")
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with (
        no_processes() if item.config.getoption("--no-processes") else nullcontext(),
        unmeasured() if item.get_closest_marker("e2e") else nullcontext(),
    ):
        return (yield)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Have what is started run without `make coverage`'s tracing: installations are tested at their own speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture(scope="session")
@starts_process
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of one migrated ClickHouse that tests share; each counts under a run of its own."""
    with migrated_endpoint(tmp_path_factory.mktemp("ledger")) as settings:
        yield settings


@pytest.fixture(scope="session")
def clickhouse(migrated: Settings) -> Iterator[Any]:
    """A writer's client of that ClickHouse."""
    client = connect(migrated, "writer")
    yield client
    client.close()


@pytest.fixture
def run_name() -> str:
    return f"test-{next(_runs)}"


@pytest.fixture(scope="session")
def native_core() -> None:
    """The compiled core, built if it is not yet; where this machine cannot build it, tests of it are skipped."""
    outcome = build(once=True)
    if not is_built():
        pytest.skip(outcome)


@pytest.fixture(scope="module", params=["plain", "native"])
def each_core(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which core stands behind the port: a module that uses this runs once with each."""
    yield from _with_core(request)


@pytest.fixture(scope="module", params=["plain", "native"] if FULL else ["plain"])
def each_core_in_depth(request: pytest.FixtureRequest) -> Iterator[str]:
    """As `each_core`, for modules that take long: with the native one in deep runs only (tests/support/depth.py)."""
    yield from _with_core(request)


def _with_core(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "native":
        request.getfixturevalue("native_core")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.worker.cores.chosen_core", lambda _name: request.param)
        yield request.param
