"""Campaign definitions as the core needs them, and the small numbers that stand for campaigns and variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.state.policy import Policy

DEFAULT_CONTROL_VARIANT: Final = "control"


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """What decides a campaign's credit: goal, window, margins and the variant that is the control group."""

    window_ms: int
    kinds: frozenset[str] | None
    products: frozenset[str] | None
    min_amount_minor: int
    margins_bps: Mapping[str, int]
    control_variant: str

    def matches(self, kind: str, product: str | None, amount_minor: int) -> bool:
        """Say whether a transaction, before any reversal, is what the campaign wants."""
        return (
            (self.kinds is None or kind in self.kinds)
            and amount_minor >= self.min_amount_minor
            and (self.products is None or product in self.products)
        )


def default_rules(policy: Policy) -> CampaignRules:
    """Return the rules of a campaign without a definition (contract section 3)."""
    return CampaignRules(policy.window_ms, policy.default_kinds, None, 0, policy.margins_bps, DEFAULT_CONTROL_VARIANT)


class Arm:
    """One variant of one campaign; `index` numbers all arms, `campaign_index` all campaigns of this process."""

    __slots__ = ("campaign_id", "campaign_index", "index", "is_control", "variant")

    def __init__(self, index: int, campaign_index: int, campaign_id: str, variant: str) -> None:
        self.index = index
        self.campaign_index = campaign_index
        self.campaign_id = campaign_id
        self.variant = variant
        self.is_control = False


class CampaignRegistry:
    """All campaigns met so far. The numbers it hands out are private to the process and never stored."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._default = default_rules(policy)
        self._campaigns: dict[str, int] = {}
        self._arms: dict[tuple[str, str | None], Arm] = {}
        self.ids: list[str] = []
        self.rules: list[CampaignRules] = []
        self.arms: list[Arm] = []
        self.arms_of: list[list[int]] = []
        self.arm_mask: list[int] = []
        self.revision = 0  # of rules: grows with every definition

    def define(self, campaign_id: str, rules: CampaignRules | None) -> None:
        """Take a campaign's rules (None: it has no definition, the defaults apply) for the events that follow."""
        campaign_index = self._index_of(campaign_id)
        self.rules[campaign_index] = rules or self._default
        self.revision += 1
        for index in self.arms_of[campaign_index]:
            arm = self.arms[index]
            arm.is_control = arm.variant == self.rules[campaign_index].control_variant

    def arm(self, campaign_id: str, variant: str | None) -> Arm:
        """Return the arm of a campaign and variant; a null variant is the empty one."""
        arm = self._arms.get((campaign_id, variant))
        if arm is None:
            arm = self._arms[(campaign_id, variant)] = self._new_arm(campaign_id, variant or "")
        return arm

    def _index_of(self, campaign_id: str) -> int:
        campaign_index = self._campaigns.get(campaign_id)
        if campaign_index is None:
            campaign_index = self._campaigns[campaign_id] = len(self.rules)
            self.ids.append(campaign_id)
            self.rules.append(self._default)
            self.arms_of.append([])
            self.arm_mask.append(0)
        return campaign_index

    def _new_arm(self, campaign_id: str, variant: str) -> Arm:
        known = self._arms.get((campaign_id, variant))
        if known is not None:
            return known
        campaign_index = self._index_of(campaign_id)
        arm = Arm(len(self.arms), campaign_index, campaign_id, variant)
        arm.is_control = variant == self.rules[campaign_index].control_variant
        self.arms.append(arm)
        self.arms_of[campaign_index].append(arm.index)
        self.arm_mask[campaign_index] |= 1 << arm.index
        if variant == "":
            self._arms[(campaign_id, "")] = arm
        return arm
