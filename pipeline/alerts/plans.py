"""What a campaign's definition says to the alert rule: its window, its end, and whose successor it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.policies import rules_of
from pipeline.state.campaign_registry import default_rules
from schemas.instants import to_epoch_milliseconds

if TYPE_CHECKING:
    from pipeline.state.campaign_registry import CampaignRules
    from pipeline.state.policy import Policy
    from schemas import Campaign

ANY_KIND: Final = "any"


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """A campaign as the statistics need it.

    Attributes:
        campaign_id: its name.
        product: the definition's label, else its goal kinds joined by "+", "any" without.
        products: what a customer's conversions may stand under: the goal kinds where there are several and no label.
        ends_at_ms: the planned end; None without one.
        rules: goal, window and margins as the core counts by them.
        definition: the definition; None without one.
        is_retired: there was one, and it was retired.
    """

    campaign_id: str
    product: str
    products: tuple[str, ...]
    ends_at_ms: int | None
    rules: CampaignRules
    definition: Campaign | None = None
    is_retired: bool = False

    @property
    def window_ms(self) -> int:
        """The attribution window."""
        return self.rules.window_ms


def plan_of(campaign_id: str, definition: Campaign | None, policy: Policy, *, is_retired: bool = False) -> CampaignPlan:
    """Return a campaign's plan; None stands for a campaign that is not defined, or no more."""
    rules = rules_of(definition, policy) or default_rules(policy)
    kinds = tuple(sorted(rules.kinds or ()))
    label = None if definition is None else definition.product
    product = label or "+".join(kinds) or ANY_KIND
    ends_at = None if definition is None else definition.ends_at
    return CampaignPlan(
        campaign_id,
        product,
        kinds if label is None and len(kinds) > 1 else (product,),
        None if ends_at is None else to_epoch_milliseconds(ends_at),
        rules,
        definition,
        is_retired,
    )
