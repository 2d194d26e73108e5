"""Attribution: which touches are candidates for a transaction, and how its credit is shared (contract section 4).

A model is one entry of `_SHARES`: it gets the candidates' ages in order and returns millionths that sum to 1,000,000.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from pipeline.state.money import WHOLE, aum_of, return_of, share_out, share_out_assets
from pipeline.state.records import Credit, by_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.policy import Policy
    from pipeline.state.records import Touch, Transaction

_AFTER_EVERY_ID: Final = "\U0010ffff" * 65  # sorts behind every event id, which has at most 64 characters
_BY_ORDER: Final = itemgetter(1, 2)  # time, then event id

Share = tuple["Touch", int]


def candidates(transaction: Transaction, touches: Sequence[Touch], campaigns: CampaignRegistry) -> list[Touch]:
    """Return the creditable touches a transaction may share its credit over, oldest first.

    A credit is known by two ids: of touches that have one id the last alone takes part.
    """
    found: list[Touch] = []
    end, at = len(touches), transaction.at
    while end:
        campaign_index = touches[end - 1].campaign_index
        rules = campaigns.rules[campaign_index]
        start = bisect_left(touches, (campaign_index,), 0, end)
        if rules.matches(transaction.kind, transaction.product, transaction.amount_minor):
            first = bisect_left(touches, (campaign_index, at - rules.window_ms), start, end)
            last = bisect_right(touches, (campaign_index, at, _AFTER_EVERY_ID), first, end)
            found.extend(touches[first:last])
        end = start
    if len(found) > 1:
        found.sort(key=_BY_ORDER)
        last_of = {touch.event_id: touch for touch in found}
        if len(last_of) < len(found):
            found = [touch for touch in found if last_of[touch.event_id] is touch]
    return found


def edge_candidate(
    transaction: Transaction, touches: Sequence[Touch], campaigns: CampaignRegistry, *, newest: bool
) -> Touch | None:
    """Return the last (or first) candidate alone: two searches per campaign, however many touches there are."""
    best: Touch | None = None
    end, at = len(touches), transaction.at
    while end:
        campaign_index = touches[end - 1].campaign_index
        rules = campaigns.rules[campaign_index]
        start = bisect_left(touches, (campaign_index,), 0, end) if end > 1 else 0
        if rules.matches(transaction.kind, transaction.product, transaction.amount_minor):
            touch = _edge(touches, start, end, at, rules.window_ms, newest=newest)
            if touch is not None and (best is None or (_BY_ORDER(touch) > _BY_ORDER(best)) == newest):
                best = touch
        end = start
    return best


def _edge(  # noqa: PLR0913 - a slice and a window, named by their parts
    touches: Sequence[Touch], start: int, end: int, at: int, window_ms: int, *, newest: bool
) -> Touch | None:
    campaign_index = touches[start].campaign_index
    if newest:
        position = bisect_right(touches, (campaign_index, at, _AFTER_EVERY_ID), start, end) - 1
        inside = position >= start and at - touches[position].at <= window_ms
    else:
        position = bisect_left(touches, (campaign_index, at - window_ms), start, end)
        inside = position < end and touches[position].at <= at
    return touches[position] if inside else None


def _linear(ages_ms: Sequence[int], _half_life_ms: float) -> list[int]:
    return share_out(WHOLE, [1] * len(ages_ms), len(ages_ms))


def _position(ages_ms: Sequence[int], _half_life_ms: float) -> list[int]:
    count = len(ages_ms)
    if count == 1:
        return [WHOLE]
    if count == 2:
        return [WHOLE // 2, WHOLE // 2]
    # 40/20/40 in units that stay whole when the middle fifth is split: 2/5 = 2(n-2)/5(n-2), 1/5(n-2) each between
    between = count - 2
    return share_out(WHOLE, [2 * between, *([1] * between), 2 * between], 5 * between)


def _time_decay(ages_ms: Sequence[int], half_life_ms: float) -> list[int]:
    """Share ∝ 2^(-age/half-life), in IEEE doubles summed in touch order, as the contract spells it out."""
    weights = [2.0 ** (-age / half_life_ms) for age in ages_ms]
    total = 0.0
    for weight in weights:  # not sum(): it compensates rounding from Python 3.12 on
        total += weight
    if total == 0.0:  # every age is over a thousand half-lives: the youngest touch outweighs the rest
        return [0] * (len(ages_ms) - 1) + [WHOLE]
    exact = [WHOLE * weight / total for weight in weights]
    parts = [int(share) for share in exact]
    rest = WHOLE - sum(parts)
    by_fraction = sorted(range(len(parts)), key=lambda i: (exact[i] - parts[i], i), reverse=True)
    for position in by_fraction[:rest]:
        parts[position] += 1
    return parts


_SHARES: Final[dict[str, Callable[[Sequence[int], float], list[int]]]] = {
    "linear": _linear,
    "position": _position,
    "time_decay": _time_decay,
}


class Attribution:
    """Shares a transaction's credit under each of the policy's models."""

    def __init__(self, policy: Policy, campaigns: CampaignRegistry) -> None:
        self._campaigns = campaigns
        self._models = policy.models
        self._half_life_ms = policy.half_life_ms
        self.only_last_touch = policy.models == ("last_touch",)

    def credits(self, transaction: Transaction, touches: Sequence[Touch]) -> tuple[Credit, ...]:
        """Return a transaction's credits, all models, from the customer's live touches.

        One that reversals have eaten altogether has its credits too, worth nothing: whether they count is for the
        caller to say.
        """
        if self.only_last_touch:
            touch = edge_candidate(transaction, touches, self._campaigns, newest=True)
            return () if touch is None else self._priced(transaction, 0, [(touch, WHOLE)])
        found: list[Credit] = []
        every: list[Touch] | None = None
        for number, model in enumerate(self._models):
            if model in {"last_touch", "first_touch"}:
                touch = edge_candidate(transaction, touches, self._campaigns, newest=model == "last_touch")
                shares = [] if touch is None else [(touch, WHOLE)]
            else:
                every = candidates(transaction, touches, self._campaigns) if every is None else every
                shares = self._shares(model, transaction, every)
            found.extend(self._priced(transaction, number, shares))
        return tuple(found)

    def affected(
        self, touch: Touch, touches: Sequence[Touch], transactions: Sequence[Transaction]
    ) -> Iterator[Transaction]:
        """Yield the transactions whose credits a new touch may change; ``touches`` hold it already."""
        rules = self._campaigns.rules[touch.campaign_index]
        last = touch.at + rules.window_ms
        if self.only_last_touch:
            # behind the campaign's next touch that one is the later candidate of the two, whatever the transaction
            following = bisect_left(touches, touch) + 1
            if following < len(touches) and touches[following].campaign_index == touch.campaign_index:
                last = min(last, touches[following].at - 1)
        position = bisect_left(transactions, (touch.at, ""), key=by_order)
        for transaction in islice(transactions, position, None):
            if transaction.at > last:
                break
            if rules.matches(transaction.kind, transaction.product, transaction.amount_minor) and not (
                self.only_last_touch
                and transaction.credits
                and _BY_ORDER(transaction.credits[0].touch) > _BY_ORDER(touch)
            ):
                yield transaction

    def repriced(self, transaction: Transaction) -> tuple[Credit, ...]:
        """Return a transaction's credits after a reversal: the same touches and shares, scaled money."""
        priced: list[Credit] = []
        for number in range(len(self._models)):
            shares = [(credit.touch, credit.millionths) for credit in transaction.credits if credit.model == number]
            priced.extend(self._priced(transaction, number, shares))
        return tuple(priced)

    def _shares(self, model: str, transaction: Transaction, touches: list[Touch]) -> list[Share]:
        if not touches:
            return []
        ages = [transaction.at - touch.at for touch in touches]
        parts = _SHARES[model](ages, self._half_life_ms)
        return [(touch, part) for touch, part in zip(touches, parts, strict=True) if part]

    def _priced(self, transaction: Transaction, model: int, shares: list[Share]) -> tuple[Credit, ...]:
        rules = self._campaigns.rules
        if len(shares) == 1:
            touch = shares[0][0]
            earned = return_of(transaction, rules[touch.campaign_index].margins_bps)
            return (Credit(model, touch, WHOLE, earned, aum_of(transaction)),)
        if not shares:
            return ()
        weights = [part for _, part in shares]
        returns = [return_of(transaction, rules[touch.campaign_index].margins_bps) for touch, _ in shares]
        if min(returns) == max(returns):
            returns = share_out(returns[0], weights, WHOLE)
        else:
            returns = [own * weight // WHOLE for own, weight in zip(returns, weights, strict=True)]
        aum = share_out_assets(aum_of(transaction), weights)
        return tuple(
            Credit(model, touch, part, money, assets)
            for (touch, part), money, assets in zip(shares, returns, aum, strict=True)
        )
