from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.native import Body
from pipeline.errors import FencedError, UserError
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.ledger.loader import Loader
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.customers import CustomerShard
from pipeline.state.rows import CostFacts, CreditColumns, LoginDays, ProfileRow, TransactionFacts
from pipeline.worker.cores import customer_core
from schemas.topics import TOUCHES
from tests.ledger.building import POLICY, PSEUDONYM, block_of, letter, part, touch_facts

if TYPE_CHECKING:
    from pipeline.ledger.ledger import LedgerPort
    from tests.ledger.conftest import Bench

pytestmark = pytest.mark.contract


def _ids(ledger: LedgerPort, shards: list[int], kind: str = "touch") -> list[str]:
    return sorted(row[1] for row in ledger.fetch("load_ids", kind=kind, shards=shards, floors=[0] * len(shards)))


def _positions(ledger: LedgerPort, shards: list[int]) -> dict[int, int]:
    return {row[0]: row[2] for row in ledger.fetch("load_positions", shards=shards)}


def test_a_claim_raises_the_epoch_of_its_shards_alone(bench: Bench) -> None:
    first, second = bench.open("first"), bench.open("second")
    assert first.claim([0, 3]) == {0: 1, 3: 1}
    assert second.claim([3]) == {3: 2}
    assert first.claim([0, 3]) == {0: 2, 3: 3}


def test_a_claim_ends_the_former_owner(bench: Bench, ledger: LedgerPort) -> None:
    bench.open("second").claim([3])
    with pytest.raises(FencedError):
        ledger.write(block_of(part(3, touches=touch_facts("t"))))
    ledger.write(block_of(part(0, touches=touch_facts("t"))))


def test_a_refused_block_leaves_nothing_not_even_of_its_other_shards(bench: Bench, ledger: LedgerPort) -> None:
    bench.open("second").claim([3])
    with pytest.raises(FencedError):
        ledger.write(block_of(part(0, touches=touch_facts("a")), part(3, touches=touch_facts("b"))))
    assert bench.row_count() == 0


def test_a_block_under_an_earlier_claim_of_the_same_owner_is_refused(bench: Bench, ledger: LedgerPort) -> None:
    # an attempt that was given up may still be on its way when its owner has claimed and loaded the shard again
    stale = block_of(part(3, touches=touch_facts("t")))
    assert ledger.claim([3]) == {3: 2}
    with pytest.raises(FencedError):
        ledger.write(stale)
    assert bench.row_count() == 0
    ledger.write(block_of(part(3, epoch=2, touches=touch_facts("t"))))
    assert _ids(ledger, [3]) == ["t"]


@pytest.mark.parametrize("rival_epoch", [1, 2])
def test_two_claims_that_meet_both_notice(bench: Bench, monkeypatch: pytest.MonkeyPatch, rival_epoch: int) -> None:
    # first: insert 1 ──────► reads 1 and 1: claims again
    # rival:      insert 1 ─► cannot write under 1 either
    first, rival = bench.open("first"), bench.open("rival")
    execute, meetings = first.execute, list[str]()

    def met(name: str, **parameters: Any) -> None:
        execute(name, **parameters)
        if name == "claim" and not meetings:
            meetings.append(name)
            bench.insert_claim(3, rival_epoch, "rival")

    monkeypatch.setattr(first, "execute", met)
    assert first.claim([3]) == {3: rival_epoch + 1}
    with pytest.raises(FencedError):
        rival.write(block_of(part(3, epoch=rival_epoch)))
    first.write(block_of(part(3, epoch=rival_epoch + 1)))


def test_equal_epochs_of_two_owners_let_neither_write(bench: Bench, ledger: LedgerPort) -> None:
    bench.insert_claim(3, 1, "rival")
    for owner in (ledger, bench.open("rival")):
        with pytest.raises(FencedError):
            owner.write(block_of(part(3)))


def test_a_claim_of_another_run_ends_nobody(bench: Bench, ledger: LedgerPort) -> None:
    other = bench.open("second")
    other._run = "another run"  # type: ignore[attr-defined] # both ledgers keep their run's name there
    other.claim([3])
    ledger.write(block_of(part(3)))


def test_a_block_without_a_claim_is_refused(bench: Bench, ledger: LedgerPort) -> None:
    """Claims go when a run is dropped: whoever slept meanwhile must bring nothing back."""
    with pytest.raises(FencedError):
        ledger.write(block_of(part(3), part(9)))
    with pytest.raises(FencedError):
        bench.open("unclaimed").write(block_of(part(9)))
    assert bench.row_count() == 0


def test_a_repeated_block_changes_nothing(bench: Bench, ledger: LedgerPort) -> None:
    block = block_of(part(3, touches=touch_facts("a", "b")))
    ledger.write(block)
    before = bench.row_count()
    ledger.write(block)
    assert bench.row_count() == before == 3
    assert _ids(ledger, [3]) == ["a", "b"]


def test_a_later_version_replaces_and_an_earlier_one_does_not(ledger: LedgerPort) -> None:
    later, earlier = part(3, sequence=2, next_offset=20), part(3, sequence=1, next_offset=10)
    ledger.write(block_of(later, number=2))
    ledger.write(block_of(earlier, number=1))
    assert _positions(ledger, [3]) == {3: 20}


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda body: body[:-3],  # cut off within the last of several pieces
        lambda body: body + body[:40],  # begun again
        lambda body: b"\xff" * 8 + body,  # no block at all
    ],
)
def test_a_malformed_body_inserts_nothing(bench: Bench, ledger: LedgerPort, spoilt: Any) -> None:
    block = block_of(part(0, touches=touch_facts("a")), part(3, touches=touch_facts("b")))
    with pytest.raises(LedgerUnavailableError):
        ledger.write(replace(block, body=Body([spoilt(bytes(block.body))])))
    assert bench.row_count() == 0


def test_a_run_goes_on_under_the_settings_it_was_begun_with_only(bench: Bench) -> None:
    bench.open("first").begin(POLICY, "models=last_touch window_days=7.0")
    bench.open("second").begin(POLICY, "models=last_touch window_days=7.0")
    with pytest.raises(UserError) as refused:
        bench.open("third").begin(replace(POLICY, window_ms=1), "models=last_touch window_days=0.1")
    assert refused.value.cause.endswith("other settings than today's: ROI_ATTRIBUTION__WINDOW_DAYS 7.0 → 0.1")
    assert "ROI_CLICKHOUSE_DATABASE" in refused.value.remedy


def test_the_latest_definition_of_a_campaign_is_loaded(bench: Bench, ledger: LedgerPort, run_name: str) -> None:
    name = f"campaign-{run_name}"
    for definition, version in (("one", 1), ("three", 3), ("two", 2)):
        ledger.execute("write_campaign", campaign_id=name, definition=definition, version=version)
    assert [row[1:] for row in bench.open("second").fetch("load_campaigns") if row[0] == name] == [["three", 3]]


def whole_credit() -> CreditColumns:
    who = (["spring"], ["b"], ["x"], ["t"], [PSEUDONYM], [2_000], ["A"], ["deposit"])
    return CreditColumns(*who, [1_000_000, 70, -4, 1_000, 1_000_000])


def test_everything_a_block_says_is_loaded_by_a_new_owner(bench: Bench, ledger: LedgerPort) -> None:
    campaigns = CampaignRegistry(POLICY)
    paid = TransactionFacts(
        offset=[1, 9],
        event_id=["x", "r"],
        at=[2_000] * 2,
        pseudonym=[PSEUDONYM] * 2,
        tier=["A"] * 2,
        kind=["deposit"] * 2,
        channel=["app"] * 2,
        product=[None] * 2,
        amount_minor=[100, 30],
        revenue_minor=[None] * 2,
        aum_delta_minor=[-7] * 2,
        cross_bank=[False] * 2,
        scenario=[None] * 2,
        reverses=[None, "x"],
    )
    ledger.write(
        block_of(
            part(
                3,
                touches=touch_facts("t", "held", variant="b", held=("held",)),
                transactions=paid,
                logins=LoginDays([PSEUDONYM] * 2, [5, 5], [False, True], ["A", "A"]),
                profiles=[ProfileRow(PSEUDONYM, "B", "", None), ProfileRow(PSEUDONYM, "A", "", None)],
                credits=whole_credit(),
            )
        )
    )
    queries: list[str] = []
    heir = bench.open("second")
    shard = customer_core(POLICY, campaigns)
    assert isinstance(shard, CustomerShard)
    loaded = Loader(_noting(heir, queries), POLICY, 0).load({3: shard})
    assert loaded.positions[3, TOUCHES].next_offset == 1
    assert shard.touches.watermark == 1_000
    who = shard._memory.dormant(PSEUDONYM)
    assert who.tier == "A"
    assert (who.last_day, who.engaged, who.logins) == (5, 1, 1)
    assert [touch.event_id for touch in who.touches or []] == ["t"]
    (transaction,) = who.transactions or []
    assert (transaction.reversed_minor, transaction.aum_delta_minor, transaction.revenue_minor) == (30, -7, None)
    assert [(credit.touch.event_id, credit.return_minor) for credit in transaction.credits] == [("t", 70)]
    assert not any(shard._memory.touch_ids.are_new(["t", "held"], [1_000, 1_000], lambda: [0, 0]))
    assert len(queries) == len(set(queries))


def _noting(ledger: LedgerPort, queries: list[str]) -> LedgerPort:
    fetch = ledger.fetch

    def noted(name: str, **parameters: Any) -> list[list[Any]]:
        queries.append(name)
        return fetch(name, **parameters)

    ledger.fetch = noted  # type: ignore[method-assign] # watches the real one
    return ledger


def test_costs_and_dead_letters_are_kept_apart_by_shard(bench: Bench, ledger: LedgerPort) -> None:
    spent = part(3, costs=CostFacts([1], ["k"], [5], ["spring"], [""], ["media"], [-40]))
    ledger.write(block_of(spent._replace(dead_letters=[letter(1), letter(2)]), part(0)))
    assert (_ids(ledger, [3], "cost"), _ids(ledger, [0], "cost")) == (["k"], [])
    assert bench.row_count() == 5
