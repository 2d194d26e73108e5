from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from schemas import TOPIC_MODELS, Campaign, Customer, topics
from schemas.columns import LoginColumns, TransactionColumns
from schemas.decode import (
    COLUMNS_OF_TOPIC,
    RECORD_OF_TOPIC,
    Decoded,
    Rejected,
    decode,
    decode_campaign,
    decode_customer,
)
from schemas.judge import MAX_VALUE_BYTES, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.columns import Columns


def login(number: int, **changes: Any) -> dict[str, Any]:
    event = {
        "event_id": f"login-{number}",
        "occurred_at": f"2026-11-22T12:00:00.{number:03}Z",
        "customer_id": f"C{number}",
        "channel": "app",
    }
    return event | changes


def decode_logins(*values: dict[str, Any] | bytes | None, keys: list[bytes | None] | None = None) -> Decoded[Columns]:
    texts = [json.dumps(value).encode() if isinstance(value, dict) else value for value in values]
    own = [value["customer_id"].encode() if isinstance(value, dict) else b"C0" for value in values]
    return decode(topics.LOGINS, range(100, 100 + len(values)), keys or own, texts, currency="CNY")


def cost(number: int, **changes: Any) -> dict[str, Any]:
    event = {
        "event_id": f"cost-{number}",
        "occurred_at": "2026-11-22T12:00:00Z",
        "campaign_id": "spring",
        "category": "media",
        "amount_minor": 5,
    }
    return event | changes


def decode_costs(
    *values: dict[str, Any], keys: list[bytes | None] | None = None, reporting: str = "CNY"
) -> Decoded[Columns]:
    texts = [json.dumps(value).encode() for value in values]
    return decode(topics.COSTS, range(len(texts)), keys or [b"spring"] * len(texts), texts, currency=reporting)


def rejection(decoded: Decoded[Columns]) -> tuple[str, str]:
    [rejected] = decoded.rejected
    assert len(decoded.columns) == 0
    return rejected.reason, rejected.detail


@pytest.mark.parametrize("topic", topics.EVENT_TOPICS)
def test_columns_and_records_have_exactly_the_models_fields(topic: str) -> None:
    columns, record, model = COLUMNS_OF_TOPIC[topic], RECORD_OF_TOPIC[topic], TOPIC_MODELS[topic]

    assert {field.name for field in fields(columns)} == {"offset", *model.model_fields}
    assert set(record.__struct_fields__) == set(model.model_fields)


def test_good_batch_becomes_columns_in_order() -> None:
    columns = decode_logins(login(1, session_seconds=9), login(2, channel="web", automated=True)).columns

    assert columns == LoginColumns(
        offset=[100, 101],
        event_id=["login-1", "login-2"],
        occurred_at=[1_795_348_800_001, 1_795_348_800_002],
        customer_id=["C1", "C2"],
        channel=["app", "web"],
        session_seconds=[9.0, None],
        automated=[False, True],
    )
    assert isinstance(columns, LoginColumns)
    assert isinstance(columns.session_seconds[0], float)


def test_no_records_are_empty_columns() -> None:
    decoded = decode(topics.TRANSACTIONS, [], [], [], currency="CNY")

    assert isinstance(decoded.columns, TransactionColumns)
    assert len(decoded.columns) == 0
    assert decoded.rejected == []


def test_bad_records_leave_the_others_in_order() -> None:
    wrong_token, extended = login(2, channel="App"), login(3, extra=[1])
    early = login(6, occurred_at="0001-01-01T00:00:00Z")
    decoded = decode_logins(b"{", login(1), wrong_token, extended, None, login(5), early)

    assert decoded.columns.offset == [101, 103, 105]
    assert decoded.columns.event_id == ["login-1", "login-3", "login-5"]
    assert [(rejected.offset, rejected.reason) for rejected in decoded.rejected] == [
        (100, "not_json"),
        (102, "invalid_event"),
        (104, "missing_value"),
        (106, "implausible_time"),
    ]


def test_record_that_only_the_models_accept_takes_its_place() -> None:
    first_of_two_is_wrong = json.dumps(login(0))[:-1].encode() + b', "channel": 5, "channel": "web"}'
    decoded = decode_logins(login(1), first_of_two_is_wrong, login(2))

    assert decoded.rejected == []
    assert decoded.columns.offset == [100, 101, 102]
    assert decoded.columns.occurred_at == [1_795_348_800_001, 1_795_348_800_000, 1_795_348_800_002]
    assert isinstance(decoded.columns, LoginColumns)
    assert decoded.columns.channel == ["app", "web", "app"]


def test_a_byte_order_mark_before_a_record_is_left_out() -> None:
    mark = b"\xef\xbb\xbf"
    decoded = decode_logins(login(1), mark + b" \t" + json.dumps(login(0)).encode(), mark, mark * 2 + b"{}")
    assert decoded.columns.event_id == ["login-1", "login-0"]
    assert [(rejected.offset, rejected.reason) for rejected in decoded.rejected] == [
        (102, "not_json"),
        (103, "not_json"),
    ]
    campaign = {"campaign_id": "a", "name": "A", "starts_at": "2026-11-22T12:00:00Z", "goal": {"kinds": ["deposit"]}}
    found = decode_campaign(b"a", mark + json.dumps(campaign).encode())
    assert found is not None
    assert found.name == "A"


@pytest.mark.parametrize("junk", [b"\xff", b"\\ud800", b"\x01"])
def test_unknown_fields_are_ignored_but_must_be_json(junk: bytes) -> None:
    value = json.dumps(login(0, note="JUNK")).encode()

    assert decode_logins(value).rejected == []
    assert rejection(decode_logins(value.replace(b"JUNK", junk)))[0] == "not_json"


@pytest.mark.parametrize("levels", [100, 200, 201, 1000])
def test_unknown_field_may_be_of_any_depth(levels: int) -> None:
    value = json.dumps(login(0, note=0))[:-2].encode() + b"[" * levels + b"]" * levels + b"}"

    assert decode_logins(login(1), value, login(2)).columns.offset == [100, 101, 102]
    assert rejection(decode_logins(value.replace(b"[]", b"[}")))[0] == "not_json"


def test_value_may_be_64_kib_and_no_more() -> None:
    value = json.dumps(login(0)).encode()

    assert decode_logins(value.ljust(MAX_VALUE_BYTES)).rejected == []
    assert rejection(decode_logins(value.ljust(MAX_VALUE_BYTES + 1))) == (
        "too_large",
        "value: at most 65536 bytes expected",
    )


def test_size_is_checked_before_the_content() -> None:
    assert rejection(decode_logins(b" " * (MAX_VALUE_BYTES + 1)))[0] == "too_large"


def test_tombstone_on_an_event_topic_is_a_missing_value() -> None:
    assert rejection(decode_logins(None, keys=[None])) == ("missing_value", "value: required")


def test_event_is_checked_before_currency_and_currency_before_key() -> None:
    wrong_key: list[bytes | None] = [b"someone else"]

    early = {"currency": "USD", "occurred_at": "0001-01-01T00:00:00Z"}
    assert rejection(decode_costs(cost(1, **early, category=""), keys=wrong_key))[0] == "invalid_event"
    assert rejection(decode_costs(cost(1, **early), keys=wrong_key))[0] == "unsupported_currency"
    assert rejection(decode_costs(cost(1, **early | {"currency": "CNY"}), keys=wrong_key))[0] == "implausible_time"
    assert rejection(decode_logins(login(1), keys=wrong_key))[0] == "key_mismatch"


def test_a_login_carries_no_money_and_so_no_currency() -> None:
    for currency in ("USD", "usd", "", None, 7):
        assert decode_logins(login(1, currency=currency)).rejected == []


@pytest.mark.parametrize("reporting", ["CNY", "USD"])
def test_a_currency_that_is_left_out_is_the_reporting_currency(reporting: str) -> None:
    assert decode_costs(cost(1), reporting=reporting).rejected == []


@pytest.mark.parametrize("count", [1, 100])
def test_events_before_the_earliest_time_are_implausible(count: int) -> None:
    last, first = login(1, occurred_at="1989-12-31T23:59:59.999Z"), login(2, occurred_at="1990-01-01T00:00:00.000Z")
    decoded = decode_logins(*[last, first] * count)
    assert {(item.offset % 2, item.reason) for item in decoded.rejected} == {(0, "implausible_time")}
    assert (len(decoded.rejected), len(decoded.columns)) == (count, count)


@pytest.mark.parametrize("count", [1, 100])
def test_events_beyond_the_dates_of_clickhouse_are_implausible(count: int) -> None:
    end, last = login(1, occurred_at="2299-12-31T00:00:00Z"), login(2, occurred_at="2299-12-31T07:59:59.999+08:00")
    decoded = decode_logins(*[end, last] * count)
    assert {(item.offset % 2, item.reason, item.detail) for item in decoded.rejected} == {
        (0, "implausible_time", "occurred_at: before 2299-12-31 expected, the end of ClickHouse's dates")
    }
    assert (len(decoded.rejected), len(decoded.columns)) == (count, count)


def test_reporting_currency_decides_which_is_supported() -> None:
    value = json.dumps(cost(0, currency="USD")).encode()
    yuan = json.dumps(cost(0, currency="CNY")).encode()
    decoded = decode(topics.COSTS, [7, 8], [b"spring", b"spring"], [value, yuan], currency="USD")

    assert decoded.columns.offset == [7]
    assert decoded.rejected == [Rejected(8, "unsupported_currency", "currency: USD expected")]


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"session_seconds": -1}, "session_seconds: greater than or equal to 0 expected"),
        ({"channel": 5}, "channel: a valid string expected"),
        ({"channel": "App"}, "channel: string should match pattern '^[a-z0-9][a-z0-9_.-]{0,63}$'"),
        ({"occurred_at": "yesterday"}, "occurred_at: an RFC 3339 date and time with an offset expected"),
        ({"customer_id": ""}, "customer_id: string should have at least 1 character"),
    ],
)
def test_detail_names_field_and_rule(changes: dict[str, Any], detail: str) -> None:
    assert rejection(decode_logins(login(1, **changes))) == ("invalid_event", detail)


def test_detail_never_repeats_what_the_producer_wrote() -> None:
    secret = "secret-customer"
    margins = {secret: 1, secret + "2": "x"}
    campaign = {"campaign_id": "a", "name": "a", "starts_at": "2026-11-22T12:00:00Z", "goal": {"kinds": [secret]}}
    for value in (campaign, campaign | {"goal": {"kinds": ["deposit"]}, "margins_bps": margins}):
        with pytest.raises(RejectedError) as caught:
            decode_campaign(b"a", json.dumps(value).encode())
        assert secret not in str(caught.value)
        assert caught.value.__cause__ is None


def test_key_must_be_there_and_equal_the_id() -> None:
    assert rejection(decode_logins(login(1), keys=[None])) == ("key_mismatch", "key: required")
    assert rejection(decode_logins(login(1), keys=[b"C2"])) == ("key_mismatch", "key: customer_id of the body expected")
    assert decode_logins(login(1, customer_id="客户"), keys=["客户".encode()]).rejected == []


def test_dimension_records_become_models() -> None:
    campaign = {"campaign_id": "a", "name": "A", "starts_at": "2026-11-22T12:00:00Z", "goal": {"kinds": ["deposit"]}}

    assert decode_campaign(b"a", json.dumps(campaign).encode()) == Campaign.model_validate(campaign)
    assert decode_customer(b"C1", b'{"customer_id": "C1", "tier": null}') == Customer(customer_id="C1")


@pytest.mark.parametrize("decode_one", [decode_campaign, decode_customer])
def test_null_value_is_a_tombstone_of_the_key(decode_one: Callable[[bytes | None, bytes | None], object]) -> None:
    assert decode_one(b"a", None) is None
    for key in (b"", b"\xff", b"a" * 65):
        with pytest.raises(RejectedError, match="key_mismatch"):
            decode_one(key, None)


@pytest.mark.parametrize("decode_one", [decode_campaign, decode_customer])
def test_neither_key_nor_value_is_a_missing_value(decode_one: Callable[[bytes | None, bytes | None], object]) -> None:
    with pytest.raises(RejectedError, match="missing_value"):
        decode_one(None, None)


@pytest.mark.parametrize("value", [b"null", b"", b"[]", b"x" * (MAX_VALUE_BYTES + 1)])
def test_only_a_missing_value_is_a_tombstone(value: bytes) -> None:
    with pytest.raises(RejectedError, match=r"not_json|invalid_event|too_large"):
        decode_customer(b"C1", value)
