from __future__ import annotations

import pytest

from pipeline.native.customers import NativeCustomerShard
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from schemas.columns import TouchColumns
from schemas.instants import parse_instant, to_epoch_milliseconds
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from tests.support.row_binary import row_binary

pytestmark = pytest.mark.usefixtures("native_core")


def instant(text: str) -> int:
    return to_epoch_milliseconds(parse_instant(text))


REACHED = {"c1": instant("1900-06-02T01:00:30Z"), "c2": instant("1900-06-02T00:46:00Z")}


@pytest.mark.parametrize("order", [("c1", "c2"), ("c2", "c1")])
def test_the_hour_of_a_loaded_instant_is_known_whatever_was_loaded_before(order: tuple[str, str]) -> None:
    """Shanghai's clock was 8:05:43 ahead: an hour begins in a quarter that belongs to the hour before.

    The process ended where a quarter had been told as the beginning of another one's hour alone.
    """
    policy = Policy(zone="Asia/Shanghai", pseudonym_key=b"key", core="native")
    shard = NativeCustomerShard(
        policy, CampaignRegistry(policy), logins=LOGINS, transactions=TRANSACTIONS, touches=TOUCHES
    )
    shard.open_chapter(1)
    for intake in shard.intakes.values():
        intake.restore(instant("1900-06-02T02:00:00Z"), 2, 0, 0)
    restorer = shard.restorer()
    loading, write = restorer.together_with({0: restorer}), row_binary("load_touches")
    rows = [
        write((0, policy.pseudonym(name).hex(), "spring", "A", REACHED[name], f"t{name}", "unknown")) for name in order
    ]
    loading.take("load_touches", [b"".join(rows)])
    loading.finish()
    restorer.finish()
    earlier = TouchColumns(
        offset=[9],
        event_id=["t9"],
        occurred_at=[instant("1900-06-01T20:00:00Z")],
        currency=["CNY"],
        customer_id=["c2"],
        campaign_id=["spring"],
        variant=["A"],
        channel=["sms"],
        kind=["send"],
        cost_minor=[1],
        automated=[False],
        recommended=[False],
    )
    assert shard.apply_touches(earlier, None) == []
    assert {rows.kind for rows in shard.drain_changes(2).encoded} >= {"touch", "hour", "day"}
