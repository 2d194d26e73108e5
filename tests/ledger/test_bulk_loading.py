"""A shard loaded in bulk is the one that is loaded row by row, on either ledger; answers that break off are noticed."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.ledger.loader import Loader
from pipeline.native.loading import BulkLoading, UnsoundAnswerError
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.worker.cores import customer_core
from tests.oracle.generators import random_log
from tests.state.rules import Rules
from tests.support.core_player import CorePlayer
from tests.support.fakes_native import NativeReader
from tests.support.row_binary import TYPES, read_row_binary, row_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.state.policy import CoreName
    from tests.ledger.conftest import Bench
    from tests.oracle.log import Log

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("native_core")]
RULES: Final = Rules(models=("last_touch", "linear"))
PSEUDONYM: Final = "0123456789abcdef" * 2
PAST: Final = {"load_engaged_before_horizon", "load_past_reach", "load_past_conversions"}  # what lies before the floors


class BenchPlayer(CorePlayer):
    """Plays a log over a bench's ledger; the first owner counts with the plain core, the next ones with another."""

    def __init__(self, bench: Bench, log: Log, core: CoreName) -> None:
        self.bodies: list[bytes] = []
        self.asked: dict[str, dict[str, Any]] = {}
        self._bench = bench
        self._core = core
        super().__init__(None, "roi", "", RULES.policy, log)

    def open_ledger(self, owner: str) -> LedgerPort:
        if self._lives > 1:
            self._policy = replace(self._policy, core=self._core)
        ledger = self._bench.open(owner)
        write, fetch, stream = ledger.write, ledger.fetch, ledger.stream

        def written(block: Any) -> None:
            self.bodies.append(bytes(block.body))
            write(block)

        def fetched(name: str, **parameters: Any) -> list[list[Any]]:
            self.asked[name] = parameters
            return fetch(name, **parameters)

        def streamed(name: str, **parameters: Any) -> Iterator[bytes]:
            self.asked[name] = parameters
            return stream(name, **parameters)

        ledger.write, ledger.fetch, ledger.stream = written, fetched, streamed  # type: ignore[method-assign] # watches the real one
        return ledger


def _rows(bodies: list[bytes]) -> list[list[str]]:
    return [
        sorted(repr((heads, row)) for heads, rows in NativeReader(body).blocks() for row in rows) for body in bodies
    ]


@pytest.mark.parametrize("seed", range(3))
def test_who_has_loaded_in_bulk_goes_on_as_who_has_loaded_row_by_row(benches: list[Bench], seed: int) -> None:
    log = random_log(seed, 400)
    players = [BenchPlayer(benches[0], log, "plain"), BenchPlayer(benches[1], log, "native")]
    for player in players:
        player.play(Random(seed), crashes=6, most=40)
    assert _rows(players[1].bodies) == _rows(players[0].bodies)


def test_an_answer_says_the_same_in_either_form(bench: Bench) -> None:
    player = BenchPlayer(bench, random_log(5, 400), "native")
    player.play(Random(5), tidy=False)
    player.acquire()
    ledger = bench.open("reader")
    for name in TYPES:
        asked = player.asked[name]
        if "floors" in asked and name not in PAST:
            asked = asked | {"floors": [0] * len(asked["floors"])}
        elif "floors" in asked:
            asked = asked | {"floors": [1 << 60] * len(asked["floors"])}
        rows = ledger.fetch(name, **asked)
        assert rows or name == "load_profiles", name
        assert sorted(read_row_binary(name, b"".join(ledger.stream(name, **asked))), key=repr) == sorted(rows, key=repr)


@pytest.fixture
def loading() -> BulkLoading:
    """What loads shard 3, which has been told of nothing."""
    core = customer_core(replace(RULES.policy, core="native"), CampaignRegistry(RULES.policy))
    restorer: Any = core.restorer()
    return restorer.together_with({3: restorer})  # type: ignore[no-any-return] # the plain core's has no such method


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("load_profiles", [3, PSEUDONYM, "gold"]),
        ("load_past_reach", [3, PSEUDONYM, "spring", "b"]),
        ("load_touches", [3, PSEUDONYM, "spring", "b", 5, "t1", "gold"]),
        ("load_transactions", [3, PSEUDONYM, 5, "x" * 200, "deposit", None, 7, None, -1, "gold"]),
    ],
)
def test_parts_of_an_answer_may_end_anywhere_but_the_last(loading: BulkLoading, name: str, row: list[Any]) -> None:
    written = row_binary(name)(row)
    for end in range(1, len(written)):
        loading.take(name, [written[:end], written[end:] + written])
        with pytest.raises(UnsoundAnswerError, match="breaks off"):
            loading.take(name, [written, written[:end]])


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("load_profiles", [4, PSEUDONYM, "gold"]),  # nobody asked for that shard
        ("load_profiles", [3, PSEUDONYM[1:], "gold"]),
        ("load_profiles", [3, "G" * 32, "gold"]),
        ("load_transactions", [3, PSEUDONYM, 5, "x", "theft", None, 7, None, None, "gold"]),
        ("load_credits", [3, "x", 5, "no model of this run", "spring", "b", 4, "t", 1, 1, 1, 1]),
        ("load_past_conversions", [3, PSEUDONYM, "spring", "b", "no model of this run"]),
    ],
)
def test_what_was_not_asked_for_is_noticed(loading: BulkLoading, name: str, row: list[Any]) -> None:
    with pytest.raises(UnsoundAnswerError, match="not what was asked for"):
        loading.take(name, [row_binary(name)(row)])


def test_a_login_day_far_behind_another_is_an_error(loading: BulkLoading) -> None:
    days = [row_binary("load_logins")([3, PSEUDONYM, day, 1]) for day in (1_000, 500)]
    with pytest.raises(OverflowError, match="further back"):
        loading.take("load_logins", days)


def test_an_answer_that_the_ledger_gives_up_can_be_asked_for_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = bench.open("first")
    policy = replace(RULES.policy, core="native")
    monkeypatch.setattr(ledger, "stream", lambda *_, **__: iter([b"Code: 241. DB::Exception: Memory limit exceeded"]))
    with pytest.raises(LedgerUnavailableError):
        Loader(ledger, policy, 0).load({3: customer_core(policy, CampaignRegistry(policy))})
