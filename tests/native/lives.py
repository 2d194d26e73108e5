"""Takes two workers, one with each core, through the same steps; whatever they say or write is compared at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pipeline.ledger.body import body_of, encode
from pipeline.ledger.ledger import Block
from pipeline.ledger.loader import Loader
from pipeline.ledger.rows import CREDITABLE, ENGAGED
from pipeline.policies import rules_of
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.customer_lane import CustomerLane
from pipeline.state.history import History, StoredCredit, StoredLogin, StoredTouch
from pipeline.state.rows import Stage
from pipeline.transport.ports import RecordBatch
from pipeline.worker.profiles import ProfileUpdate
from pipeline.worker.shard import OwnedShard
from schemas import Campaign, Customer
from schemas.topics import CUSTOMER_LANE
from tests.support.fakes import FakeLedger, LedgerStore
from tests.support.fakes_native import NativeReader
from tests.support.standings import standings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.state.policy import CoreName, Policy
    from tests.native.hostile import Step

_RUN: Final = "live"
# of reversals and of ids that are known no longer each core keeps some for a while, in its own way
_IN_MEMORY: Final = ("touches", "transactions", "conversions", "reach", "due", "waiting", "cells")


class Worker:
    """One shard and its ledger; every owner after a crash has the next core of those given."""

    def __init__(self, policy: Policy, *cores: CoreName) -> None:
        self._policy = policy
        self._cores = cores
        self._store = LedgerStore()
        self._log: dict[str, list[tuple[bytes, bytes]]] = {}
        self._definitions: dict[str, dict[str, Any] | None] = {}
        self._profiles = 0
        self._owners = 0
        self._blocks = 0
        self._own()

    def _own(self) -> None:
        policy = replace(self._policy, core=self._cores[self._owners % len(self._cores)])
        self._owners += 1
        self._ledger = FakeLedger(self._store, _RUN, f"owner-{self._owners}")
        self._ledger.begin(policy, "test")
        self._campaigns = CampaignRegistry(policy)
        for campaign_id, definition in self._definitions.items():
            self._define(campaign_id, definition)
        self.shard = shard = OwnedShard(CUSTOMER_LANE, 0, policy, self._campaigns)
        epochs = self._ledger.claim([shard.number])
        widest = max((rules.window_ms for rules in self._campaigns.rules), default=0)
        loaded = Loader(self._ledger, policy, widest).load({shard.number: shard.core})
        shard.open_epoch(epochs[shard.number])
        for (_, topic), stored in loaded.positions.items():
            shard.next_offset[topic] = stored.next_offset

    def take(self, step: Step) -> Any:
        """Do a step; return everything that can be told of it, in a form that does not depend on the core."""
        return getattr(self, f"_{step.do}")(*step.given)

    # -- steps -----------------------------------------------------------------------------------------------------

    def _events(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> Any:
        log = self._log.setdefault(topic, [])
        log += records
        start = self.shard.next_offset.get(topic, 0)  # after a crash more than these: what was not durable
        offsets = list(range(start, len(log)))
        keys: list[bytes | None] = [key for key, _ in log[start:]]
        values: list[bytes | None] = [value for _, value in log[start:]]
        outcome = self.shard.apply(RecordBatch(topic, 0, offsets, keys, values, len(log)), None)
        intake = self.shard.core.intakes[topic]
        return outcome, intake.watermark, intake.accepted, intake.duplicates, intake.refused

    def _define(self, campaign_id: str, definition: dict[str, Any] | None) -> None:
        self._definitions[campaign_id] = definition
        campaign = None if definition is None else Campaign.model_validate(definition)
        self._campaigns.define(campaign_id, rules_of(campaign, self._policy))

    def _profile(self, customer_id: str, profile: dict[str, Any] | None) -> None:
        given = None if profile is None else Customer.model_validate({"customer_id": customer_id} | profile)
        self._profiles += 1
        self.shard.accept_profile(ProfileUpdate(self._profiles, customer_id, given))

    def _erase(self, customer_id: str, request: str) -> None:
        self._profiles += 1
        self.shard.accept_profile(ProfileUpdate(self._profiles, customer_id, None, request))

    def _block(self) -> Any:
        sealed = self.shard.seal_block()
        if sealed is None:
            return None
        block, letters = sealed
        body, count = body_of(encode(block, self._policy.labels, 0))
        self._blocks += 1
        self._ledger.write(Block(self._blocks, {self.shard.number: self.shard.epoch}, body, count))
        self.shard.made_durable(block)
        rows = [(heads, row) for heads, found in NativeReader(body).blocks() for row in found]
        return sorted(rows, key=repr), letters, self.shard.core.drain_left_out()

    def _tidy(self, idle_blocks: int) -> Any:
        self.shard.tidy(idle_blocks)
        core = self.shard.core
        assert isinstance(core, CustomerLane)
        held = core.held()
        return {name: held[name] for name in _IN_MEMORY}

    def _crash(self) -> None:
        self._own()

    def _follow(self) -> None:
        for topic in CUSTOMER_LANE.events:
            self.shard.found_log(topic, is_read_to_end=True, now=0.0)
        self.shard.follow(1.0, 1.0)

    def _advance(self) -> Any:
        begun = self.shard.core.erasures_at(Stage.BEGUN)
        if begun:
            self.shard.revert_erased({pseudonym: self._history(pseudonym) for pseudonym in begun})
            return dict(begun)
        done = self.shard.core.erasures_at(Stage.SUBTRACTED)
        if done:
            self.shard.finish_erasure(done, self._delete(done))
        return dict(done)

    # -- what ClickHouse does for erasures -------------------------------------------------------------------------

    def _history(self, pseudonym: bytes) -> History:
        name, found, tables = pseudonym.hex(), History(), self._store.tables(_RUN)
        for row in tables.of_kind("touch", "credit", "login"):
            if row.kind == "touch" and row.customer == name:
                creditable = bool(row.flags & CREDITABLE)
                place = row.campaign_id, row.label, row.at, row.id
                found.touches.append(StoredTouch(*place, row.tier, creditable, row.measures[0], row.source))
            elif row.kind == "credit" and row.customer == name:
                place = row.campaign_id, row.label, row.at, row.other_id
                for model, (share, earned, assets, touched_at, _) in enumerate(standings(row.measures)):
                    given = StoredCredit(row.id, model, *place, touched_at, row.tier, share, earned, assets)
                    found.credits += [given] * (share != 0)
            elif row.kind == "login" and row.id == name:
                found.logins.append(StoredLogin(row.at, bool(row.flags & ENGAGED), row.tier, row.version))
        return found

    def _delete(self, pseudonyms: Iterable[bytes]) -> list[tuple[str, int]]:
        names = {pseudonym.hex() for pseudonym in pseudonyms}
        tables = self._store.tables(_RUN)
        touches = [(row.id, row.at) for row in tables.of_kind("touch") if row.customer in names]
        for key, row in list(tables.rows.items()):
            if row.customer in names or (row.kind in {"login", "profile"} and row.id in names):
                del tables.rows[key]
        return touches
