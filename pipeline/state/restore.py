"""Loading a shard's state from stored facts and credits, without counting anything again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipeline.state.calendar import DAY_MS
from pipeline.state.records import Credit, Reach, Touch, Transaction
from pipeline.state.rows import Stage

if TYPE_CHECKING:
    from pipeline.state.activity import Activity
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.conversions import Conversions
    from pipeline.state.erasure import Erasures
    from pipeline.state.intake import Intake
    from pipeline.state.memory import CustomerMemory
    from pipeline.state.rows import ErasureRow


class Restorer:
    """Takes a customer shard's stored rows, in the order of its methods; implements `port.RowRestorer`."""

    lane: Literal["customer"] = "customer"
    form: Literal["rows"] = "rows"

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of one shard's state
        self,
        memory: CustomerMemory,
        conversions: Conversions,
        activity: Activity,
        campaigns: CampaignRegistry,
        logins: Intake,
        touches: Intake,
        transactions: Intake,
        erasures: Erasures,
    ) -> None:
        self._memory = memory
        self._conversions = conversions
        self._activity = activity
        self._campaigns = campaigns
        self._logins = logins
        self._touch_intake = touches
        self._intake = transactions
        self._erasures = erasures
        self._credits: dict[tuple[str, int], list[Credit]] = {}
        self._eaten: set[tuple[str, int]] = set()

    @property
    def ids_since(self) -> int:
        """The earliest instant of the touch ids that are needed."""
        return self._touch_intake.floor

    @property
    def floor(self) -> int:
        """The earliest instant that is still in time on touches or transactions."""
        return min(self._touch_intake.floor, self._intake.floor)

    @property
    def logins_since(self) -> int:
        """The earliest login day that is needed."""
        return self._logins.watermark // DAY_MS - self._activity.memory_days

    def profile(self, pseudonym: bytes, tier: str) -> None:
        """A customer's tier, where there is a profile."""
        self._memory.dormant(pseudonym).tier = tier

    def login(self, pseudonym: bytes, day: int, *, engaged: bool) -> None:
        """A login day, within the days the activity remembers one by one."""
        self._activity.load(self._memory.dormant(pseudonym), day, engaged=engaged)

    def engaged_before_horizon(self, pseudonym: bytes) -> None:
        """The customer has an engaged day before those."""
        self._memory.dormant(pseudonym).engaged_before_horizon = True

    def past_reach(self, pseudonym: bytes, campaign_id: str, variant: str) -> None:
        """An arm has reached the customer by a creditable touch that no event in time can precede."""
        self._memory.dormant(pseudonym).past_reach |= 1 << self._campaigns.arm(campaign_id, variant).index

    def event_id(self, event_id: str, at: int) -> None:
        """The id of any touch that is still in time."""
        self._memory.touch_ids.remember(event_id, at)

    def touch(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self, pseudonym: bytes, campaign_id: str, variant: str, at: int, event_id: str, tier: str
    ) -> None:
        """A creditable touch that a transaction could still credit, and the customer's tier at it."""
        arm, customer = self._campaigns.arm(campaign_id, variant), self._memory.dormant(pseudonym)
        self._memory.remember_touch(customer, Touch(arm.campaign_index, at, event_id, arm.index))
        if at >= self.floor and not customer.past_reach >> arm.index & 1:
            if customer.reach is None:
                customer.reach = {}
            first = Reach(at, tier)
            customer.reach[arm.index] = min(first, customer.reach.get(arm.index, first))

    def credit(
        self,
        transaction: tuple[str, int],
        model: int,
        touch: tuple[str, str, int, str],
        shares: tuple[int, int, int],
        *,
        counts: bool,
    ) -> None:
        """A credit of a live transaction; ``counts`` is False for all of one that reversals have eaten altogether.

        ``transaction`` is id and time; ``touch`` is campaign, variant, time and id; ``shares`` is millionths (as
        booked), return and AUM.
        """
        if not counts:
            self._eaten.add(transaction)
        campaign_id, variant, at, event_id = touch
        arm = self._campaigns.arm(campaign_id, variant)
        credit = Credit(model, Touch(arm.campaign_index, at, event_id, arm.index), *shares)
        self._credits.setdefault(transaction, []).append(credit)

    def past_conversion(self, pseudonym: bytes, campaign_id: str, variant: str, model: int) -> None:
        """The customer converted through an arm by a transaction that is no longer live."""
        slot = self._conversions.past_slot(self._campaigns.arm(campaign_id, variant), model)
        self._memory.dormant(pseudonym).past_conversions |= slot

    def transaction(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self,
        pseudonym: bytes,
        at: int,
        event_id: str,
        kind: str,
        product: str | None,
        amount_minor: int,
        revenue_minor: int | None,
        aum_delta_minor: int | None,
        tier: str,
    ) -> None:
        """A live transaction; its credits have been given before."""
        customer = self._memory.dormant(pseudonym)
        transaction = Transaction(
            customer, at, event_id, kind, product, amount_minor, revenue_minor, aum_delta_minor, tier
        )
        self._memory.remember_transaction(transaction)
        self._memory.reversals.arrived(transaction)
        found = self._credits.pop((event_id, at), None)
        if found:
            found.sort(key=lambda credit: (credit.model, credit.touch.at, credit.touch.event_id))
            self._conversions.load(transaction, tuple(found), counts=(event_id, at) not in self._eaten)

    def reversal(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self, pseudonym: bytes, at: int, event_id: str, original_id: str, amount_minor: int, offset: int
    ) -> None:
        """A reversal; all transactions have been given before. Those judged orphans stay judged."""
        customer = self._memory.dormant(pseudonym)
        self._memory.reversals.reverse(customer, at, event_id, original_id, amount_minor, offset)

    def erasure(self, row: ErasureRow, version: int) -> None:
        """A customer's erasure, stored by the block of a version; the customer's rows have been given before."""
        self._erasures.restore(row, version)
        if row.stage is not Stage.REVIVED:
            self._memory.erase(row.pseudonym)

    def finish(self) -> None:
        """Drop what is past the horizon or has had its verdict: exactly what the former owner had dropped or told."""
        self._memory.reversals.drain_orphans(self._intake.floor)
