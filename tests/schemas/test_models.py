from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from schemas import TOPIC_MODELS, AppLogin, Campaign, CampaignTouch, Customer, Transaction, topics
from schemas.export import EXAMPLES

LOGIN: dict[str, Any] = {
    "event_id": "login-1",
    "occurred_at": "2026-11-22T12:00:00.1239+08:00",
    "customer_id": "C1",
    "channel": "app",
}
CAMPAIGN: dict[str, Any] = {
    "campaign_id": "payday",
    "name": "Payday",
    "starts_at": "2026-11-01T00:00:00+08:00",
    "goal": {"kinds": ["deposit"]},
}


def test_every_input_topic_has_a_model_with_its_key() -> None:
    assert set(TOPIC_MODELS) == set(topics.INPUT_TOPICS)
    for topic, model in TOPIC_MODELS.items():
        assert topics.KEY_FIELD[topic] in model.model_fields


def test_left_out_fields_have_the_contracts_defaults() -> None:
    touch = CampaignTouch.model_validate(LOGIN | {"campaign_id": "payday", "kind": "send"})
    assert (touch.currency, touch.variant, touch.cost_minor, touch.automated, touch.recommended) == (
        "",
        None,
        0,
        False,
        False,
    )
    campaign = Campaign.model_validate(CAMPAIGN)
    assert campaign.goal.min_amount_minor == 0
    assert campaign.goal.products is None
    assert campaign.attribution_window_days == 7
    assert campaign.min_return_ratio == 2
    assert campaign.control_variant == "control"
    assert campaign.margins_bps is None


def test_occurred_at_is_aware_and_floored_to_the_millisecond() -> None:
    login = AppLogin.model_validate(LOGIN)

    assert login.occurred_at == datetime(2026, 11, 22, 4, 0, 0, 123_000, tzinfo=UTC)
    assert login.occurred_at_ms == 1_795_320_000_123


def test_datetime_objects_are_taken_if_they_are_aware() -> None:
    moment = datetime(2026, 11, 22, 12, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=8)))

    assert AppLogin.model_validate(LOGIN | {"occurred_at": moment}) == AppLogin.model_validate(LOGIN)
    with pytest.raises(ValidationError, match="RFC 3339"):
        AppLogin.model_validate(LOGIN | {"occurred_at": moment.replace(tzinfo=None)})


@pytest.mark.parametrize("topic", topics.INPUT_TOPICS)
def test_messages_survive_a_round_trip_through_json(topic: str) -> None:
    for file in (EXAMPLES / topic / "good").glob("*.json"):
        message = TOPIC_MODELS[topic].model_validate_json(file.read_bytes())
        assert TOPIC_MODELS[topic].model_validate_json(message.model_dump_json()) == message


def test_messages_are_immutable() -> None:
    login = AppLogin.model_validate(LOGIN)

    with pytest.raises(ValidationError, match="frozen"):
        login.channel = "web"  # type: ignore[misc] # the attempt is the test


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (CampaignTouch, "currency"),
        (AppLogin, "automated"),
        (Transaction, "cross_bank"),
        (CampaignTouch, "cost_minor"),
        (CampaignTouch, "automated"),
        (CampaignTouch, "recommended"),
        (Campaign, "attribution_window_days"),
        (Campaign, "min_return_ratio"),
        (Campaign, "control_variant"),
    ],
)
def test_null_is_refused_where_a_plain_default_stands(model: type[Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps({field: None}))

    assert (field,) in [error["loc"] for error in caught.value.errors() if error["type"] != "missing"]


@pytest.mark.parametrize(
    "change",
    [
        {"margins_bps": {"deposit": 1_000_001}},
        {"margins_bps": {"deposit": True}},
        {"attribution_window_days": -1},
        {"attribution_window_days": 36_501},
        {"attribution_window_days": "7"},
        {"min_return_ratio": -0.1},
        {"hold_minutes": -1},
        {"min_cost_minor": 1.0},
        {"min_expected_converters": -1},
        {"confidence": 0},
        {"resolve_margin": -0.1},
        {"variant_shares": {"A": 1}},
        {"variant_shares": {"A": 0, "control": 1}},
        {"variant_shares": {"no token": 1, "control": 1}},
        {"receivers": [""]},
        {"receivers": "everyone"},
        {"goal": {"kinds": ["deposit"], "products": ["Gold"]}},
        {"goal": {"kinds": ["deposit"], "min_amount_minor": None}},
        {"goal": {"kinds": "deposit"}},
        {"name": ""},
        {"ends_at": "2026-10-31T23:59:59.999+08:00"},
    ],
)
def test_campaign_refuses(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="1 validation error"):
        Campaign.model_validate_json(json.dumps(CAMPAIGN | change))


def test_campaign_is_read_from_plain_python_values_too() -> None:
    fractional = CAMPAIGN | {"attribution_window_days": 0.5, "receivers": ["desk"], "margins_bps": {"deposit": 8}}

    assert Campaign.model_validate(fractional) == Campaign.model_validate_json(json.dumps(fractional))


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_is_refused_even_in_ignored_fields(literal: str) -> None:
    with pytest.raises(ValidationError, match="Invalid JSON"):
        Customer.model_validate_json('{"customer_id": "C1", "score": %s}' % literal)  # noqa: UP031 - braces abound


def test_errors_and_representations_hide_the_customer() -> None:
    with pytest.raises(ValidationError) as caught:
        AppLogin.model_validate(LOGIN | {"customer_id": "secret-customer" * 5})

    assert "secret" not in str(caught.value)
    assert "secret" not in repr(AppLogin.model_validate(LOGIN | {"customer_id": "secret"}))


@pytest.mark.parametrize("model", [*TOPIC_MODELS.values()])
def test_models_say_what_they_stand_for(model: type[Any]) -> None:
    assert inspect.getdoc(model)


def test_goal_names_each_kind_and_product_once_in_the_order_given() -> None:
    goal = {"kinds": ["deposit", "payment", "deposit"] * 2_000, "products": ["b", "a", "b"]}
    campaign = Campaign.model_validate(CAMPAIGN | {"goal": goal})
    assert campaign.goal.kinds == ("deposit", "payment")
    assert campaign.goal.products == ("b", "a")
