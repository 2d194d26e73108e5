from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from pipeline.ledger.ledger import other_settings
from pipeline.policies import describe_policy, recorded_settings
from pipeline.settings import AttributionSettings, Settings, TimeSettings
from tests.support.given_settings import KEY, settings


def told(then: Settings, today: Settings) -> str:
    return other_settings("live", describe_policy(then), describe_policy(today)).cause


def test_only_what_differs_is_named_with_both_values() -> None:
    attribution = AttributionSettings(model="linear", margins_bps={"payment": 20})
    cause = told(settings(), settings(attribution=attribution, time=TimeSettings(zone="Asia/Tokyo")))
    assert cause == (
        "run 'live' was begun under other settings than today's: ROI_ATTRIBUTION__MODEL last_touch → linear, "
        "ROI_ATTRIBUTION__MARGINS_BPS {} → {'payment': 20}, ROI_TIME__ZONE Asia/Shanghai → Asia/Tokyo"
    )


def test_several_models_are_named_as_such() -> None:
    many = AttributionSettings(models=("last_touch", "linear"))
    assert told(settings(), settings(attribution=many)).endswith(
        "ROI_ATTRIBUTION__MODELS last_touch → last_touch,linear"
    )


def test_the_default_goal_is_named_in_any_order_of_its_kinds() -> None:
    goal = settings(default_goal_kinds=("payment", "deposit"))
    assert told(goal, settings()).endswith("ROI_DEFAULT_GOAL_KINDS deposit,payment → any")
    assert describe_policy(goal) == describe_policy(settings(default_goal_kinds=("deposit", "payment")))


def test_a_key_is_named_and_not_shown() -> None:
    cause = told(settings(), settings(pseudonym_key=SecretStr("another")))
    assert "ROI_PSEUDONYM_KEY" in cause
    assert not any(secret in cause for secret in ("another", KEY.get_secret_value()))


def test_what_a_record_of_an_older_release_lacks_is_not_said_to_differ() -> None:
    older = describe_policy(settings()).partition(" default_goal_kinds=")[0]
    cause = other_settings("live", older, describe_policy(settings(reporting_currency="USD"))).cause
    assert cause.endswith("than today's: ROI_REPORTING_CURRENCY CNY → USD")
    assert "ROI_DEFAULT_GOAL_KINDS" in other_settings("live", older, describe_policy(settings())).cause


def test_every_setting_of_a_record_has_the_name_of_a_setting() -> None:
    for name in recorded_settings(describe_policy(settings())):
        found: Any = settings()
        for part in name.split("."):
            found = getattr(found, part)
