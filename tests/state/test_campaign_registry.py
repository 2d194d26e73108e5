from __future__ import annotations

from pipeline.policies import rules_of
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from schemas import Campaign
from tests.state.building import POLICY


def _campaign(**fields: object) -> Campaign:
    common = {
        "campaign_id": "spring",
        "name": "Spring",
        "starts_at": "2026-01-01T00:00:00Z",
        "goal": {"kinds": ["deposit"]},
    }
    return Campaign.model_validate(common | fields)


def test_a_null_variant_is_the_empty_one() -> None:
    campaigns = CampaignRegistry(POLICY)
    assert campaigns.arm("spring", None) is campaigns.arm("spring", "") is campaigns.arm("spring", None)


def test_arms_number_variants_and_masks_tell_campaigns_apart() -> None:
    campaigns = CampaignRegistry(POLICY)
    arms = [
        campaigns.arm(name, variant)
        for name, variant in (("spring", "a"), ("autumn", "a"), ("spring", None), ("Spring", "a"), ("spring", "a"))
    ]
    assert [arm.index for arm in arms] == [0, 1, 2, 3, 0]
    assert [arm.campaign_index for arm in arms] == [0, 1, 0, 2, 0]
    assert campaigns.arms_of == [[0, 2], [1], [3]]
    assert campaigns.arm_mask == [0b101, 0b10, 0b1000]


def test_a_definition_decides_for_arms_met_before_and_after_it() -> None:
    campaigns = CampaignRegistry(POLICY)
    early, control = campaigns.arm("spring", "holdout"), campaigns.arm("spring", "control")
    assert (early.is_control, control.is_control) == (False, True)
    campaigns.define("spring", rules_of(_campaign(control_variant="holdout"), campaigns.policy))
    assert (early.is_control, control.is_control) == (True, False)
    assert not campaigns.arm("spring", "late").is_control
    campaigns.define("spring", None)
    assert (early.is_control, control.is_control) == (False, True)


def test_a_retired_campaign_has_the_defaults_again() -> None:
    campaigns = CampaignRegistry(Policy(window_ms=5, margins_bps={"deposit": 7}))
    number = campaigns.arm("spring", None).campaign_index
    default = campaigns.rules[number]
    campaigns.define(
        "spring", rules_of(_campaign(attribution_window_days=0.29, margins_bps={"payment": 9}), campaigns.policy)
    )
    rules = campaigns.rules[number]
    assert rules.window_ms == 25_056_000
    assert rules.margins_bps == {"deposit": 7, "payment": 9}
    assert rules.kinds == frozenset({"deposit"})
    campaigns.define("spring", None)
    assert campaigns.rules[number] == default
    assert (default.window_ms, default.kinds, default.margins_bps) == (5, None, {"deposit": 7})


def test_a_campaigns_own_margin_goes_before_the_settings() -> None:
    campaigns = CampaignRegistry(Policy(margins_bps={"deposit": 7}))
    campaigns.define("spring", rules_of(_campaign(margins_bps={"deposit": 0}), campaigns.policy))
    assert campaigns.rules[0].margins_bps["deposit"] == 0


def test_policies_that_count_differently_have_different_fingerprints() -> None:
    policies = [
        Policy(),
        Policy(models=("linear",)),
        Policy(models=("last_touch", "linear")),
        Policy(half_life_ms=1.0),
        Policy(window_ms=1),
        Policy(margins_bps={"deposit": 1}),
        Policy(default_kinds=frozenset()),
        Policy(default_kinds=frozenset({"deposit"})),
        Policy(lateness_ms=1),
        Policy(reversal_ms=1),
        Policy(engaged_seconds=1.0),
        Policy(zone="UTC"),
        Policy(pseudonym_key=b"k"),
    ]
    assert len({policy.fingerprint() for policy in policies}) == len(policies)
    assert Policy(future_ms=None).fingerprint() == Policy().fingerprint()  # only how long a bad clock is believed
    assert "secret" not in repr(Policy(pseudonym_key=b"secret"))
