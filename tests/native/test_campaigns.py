from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any, Final, get_args

import numpy as np
import pytest
from hypothesis import given, strategies

from pipeline.native.campaigns import NativeCampaigns
from pipeline.native.library import HEAD, NOBODY, QUARTER, TRANSACTION_KINDS, library
from pipeline.native.people import People
from pipeline.state.calendar import QUARTER_MS, BusinessCalendar
from pipeline.state.campaign_registry import CampaignRegistry, CampaignRules
from pipeline.state.policy import Policy
from schemas.common import TransactionKind
from tests.state.rules import PROPERTY, ZONES

pytestmark = pytest.mark.usefixtures("native_core")
POLICY: Final = Policy(window_ms=5, margins_bps={"deposit": 7}, default_kinds=frozenset({"payment"}))
TEXTS: Final = ("event_id", "campaign_id", "variant", "channel")
TOUCH: Final = np.dtype(
    [
        *HEAD,
        ("cost_minor", "<i8"),
        *[(f"{name}_{part}", "<u4") for name in TEXTS for part in ("begin", "length")],
        ("arm", "<u4"),
        ("unused", "<u4"),
    ]
)


class Told:
    """Stands for the library, and keeps what it has been told as native/campaigns.c says it does."""

    def __init__(self) -> None:
        self.calls = 0
        self.campaigns: list[dict[str, Any]] = []
        self.arms: list[list[Any]] = []

    def shard_define_campaign(self, _shard: int, number: int, *rules: Any) -> None:
        window_ms, kinds, least, margins, any_product, text, length = rules
        assert number <= len(self.campaigns)
        assert len(text) == length
        known = {"window": window_ms, "kinds": kinds, "least": least, "margins": list(margins), "id": text.decode()}
        self.campaigns[number : number + 1] = [{**known, "any": any_product, "products": set()}]
        self.calls += 1

    def shard_add_campaign_product(self, _shard: int, number: int, text: bytes, length: int) -> None:
        assert len(text) == length
        self.campaigns[number]["products"].add(text.decode())

    def shard_add_arm(self, _shard: int, campaign: int, is_control: int, text: bytes, length: int) -> None:
        assert len(text) == length
        self.arms.append([campaign, is_control, text.decode()])
        self.calls += 1

    def shard_set_control(self, _shard: int, number: int, is_control: int) -> None:
        self.arms[number][1] = is_control
        self.calls += 1


def kinds_of(rules: CampaignRules) -> int:
    product = next(iter(rules.products or [None]))
    return sum(1 << place for place, kind in enumerate(TRANSACTION_KINDS) if rules.matches(kind, product, 10**15))


def expected(campaigns: CampaignRegistry) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "window": rules.window_ms,
            "kinds": kinds_of(rules),
            "least": rules.min_amount_minor,
            "margins": [rules.margins_bps.get(kind, 0) for kind in TRANSACTION_KINDS],
            "any": rules.products is None,
            "products": set(rules.products or ()),
        }
        for name, rules in zip(campaigns.ids, campaigns.rules, strict=True)
    ]


NAMES: Final = strategies.sampled_from(("spring", "autumn", "winter"))
RULES: Final = strategies.builds(
    CampaignRules,
    window_ms=strategies.integers(1, 9),
    kinds=strategies.none() | strategies.frozensets(strategies.sampled_from(TRANSACTION_KINDS)),
    products=strategies.none() | strategies.frozensets(strategies.sampled_from(("card", "fund")), min_size=1),
    min_amount_minor=strategies.integers(0, 9),
    margins_bps=strategies.dictionaries(strategies.sampled_from(TRANSACTION_KINDS), strategies.integers(0, 9)),
    control_variant=strategies.sampled_from(("control", "a")),
)
VARIANTS: Final = strategies.none() | strategies.sampled_from(("", "a", "control"))


@PROPERTY
@given(strategies.lists(strategies.tuples(NAMES, VARIANTS | strategies.just("define"), strategies.none() | RULES)))
def test_a_shard_is_told_what_the_registry_has_and_nothing_twice(
    story: list[tuple[str, str | None, CampaignRules | None]],
) -> None:
    told, campaigns = Told(), CampaignRegistry(POLICY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.native.campaigns.library", lambda: told)
        native = NativeCampaigns(People(125), campaigns, POLICY.calendar())
    for name, variant, rules in story:
        if variant == "define":
            campaigns.define(name, rules)
        else:
            campaigns.arm(name, variant)
        native.sync()
        assert told.campaigns == expected(campaigns)
        assert told.arms == [[arm.campaign_index, arm.is_control, arm.variant] for arm in campaigns.arms]
        calls = told.calls
        native.sync()
        assert told.calls == calls


def rows_of(touches: list[tuple[str, str]]) -> tuple[bytes, Any]:
    rows, texts = np.zeros(len(touches), TOUCH), b""
    for number, (campaign_id, variant) in enumerate(touches):
        for name, text in (("campaign_id", campaign_id), ("variant", variant)):
            rows[number][f"{name}_begin"], rows[number][f"{name}_length"] = len(texts), len(text)
            texts += text.encode()
    return texts, rows


def test_rows_are_given_the_numbers_of_their_arms() -> None:
    campaigns, people = CampaignRegistry(POLICY), People(125)
    native = NativeCampaigns(people, campaigns, POLICY.calendar())
    names = [(f"c{number % 50}", f"v{number // 50}") for number in range(900)]
    names += [("ab", "c"), ("a", "bc"), ("a", ""), ("A", ""), ("abc", "")]
    strangers = [("", "abc"), ("c1", "v"), ("c", "1v1"), ("c50", "v0"), ("c1", "V1")]
    arms = [campaigns.arm(name, variant or None).index for name, variant in names]
    texts, rows = rows_of(names + strangers)
    find = library().shard_find_arms
    assert find(people.handle, texts, rows.ctypes.data, len(rows)) == len(rows)
    native.sync()
    assert find(people.handle, texts, rows.ctypes.data, len(rows)) == len(strangers)
    assert rows["arm"].tolist() == arms + [NOBODY] * len(strangers)


@pytest.mark.parametrize("zone", ZONES)
def test_whoever_knows_an_instant_knows_the_start_of_its_hour(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    people, calendar = People(125), BusinessCalendar(zone)
    native = NativeCampaigns(people, CampaignRegistry(POLICY), calendar)
    instants = [-1, 0, 1_772_323_200_123, -2_717_650_800_001, 1_793_512_800_000]
    told: dict[int, tuple[int, int]] = {}

    def add(_: object, place: int, count: int) -> None:
        rows = np.frombuffer(ctypes.string_at(place, count * QUARTER.itemsize), QUARTER)
        told.update({number: (hour, day) for number, hour, day in rows.tolist()})

    monkeypatch.setattr(native, "_library", SimpleNamespace(shard_add_quarters=add))
    native.know_quarters(np.array(instants))
    hours = [calendar.hour_of(at) for at in instants]
    assert set(told) >= {at // QUARTER_MS for at in instants} | {hour * 1000 // QUARTER_MS for hour in hours}
    for at, hour in zip(instants, hours, strict=True):
        assert told[at // QUARTER_MS] == (hour, calendar.day_of(at))
    for number, (hour, day) in told.items():
        assert (hour, day) == (calendar.hour_of(number * QUARTER_MS), calendar.day_of(number * QUARTER_MS))


def test_kinds_of_transactions_have_the_numbers_that_their_order_in_the_schema_gives() -> None:
    assert get_args(TransactionKind) == TRANSACTION_KINDS
