"""What the ledger holds of one customer, and the numbers that were made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.state.activity import Activity
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.cells import Cells
from pipeline.state.conversions import Conversions
from pipeline.state.records import Credit, Customer, Touch, Transaction
from pipeline.state.rows import NOTHING, Changes, ErasedCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.state.policy import Policy

# a chapter of its own for what is taken back: the chapters of cells are versions, whose top bit is never set
_TAKEN_BACK: Final = 1 << 63


class StoredTouch(NamedTuple):
    """A touch as the ledger has it."""

    campaign_id: str
    variant: str
    at: int
    event_id: str
    tier: str
    creditable: bool
    cost_minor: int
    offset: int


class StoredCredit(NamedTuple):
    """A credit in force as the ledger has it."""

    transaction_id: str
    model: int
    campaign_id: str
    variant: str
    converted_at: int
    touch_id: str
    touched_at: int
    tier: str
    millionths: int
    return_minor: int
    aum_minor: int


class StoredLogin(NamedTuple):
    """A login day as the ledger has it; ``version`` tells in which order days became known."""

    day: int
    engaged: bool
    tier: str
    version: int


@dataclass(slots=True)
class History:
    """Everything the ledger holds of one customer that numbers were made from, and how many rows that is."""

    touches: list[StoredTouch] = field(default_factory=list)
    credits: list[StoredCredit] = field(default_factory=list)
    logins: list[StoredLogin] = field(default_factory=list)
    counts: ErasedCounts = NOTHING


def revert(history: Sequence[History], policy: Policy, version: int, changes: Changes) -> None:
    """Add to the changes what takes back everything that customers had added, as a chapter of block ``version``.

    Credits count as they are stored: definitions that have changed since cannot make the two sides differ.
    """
    calendar = policy.calendar()
    campaigns = CampaignRegistry(policy)
    cells = [Cells(number, calendar) for number in range(len(policy.models))]
    activity = Activity(policy.lateness_days)
    for one in history:
        _count_touches(one.touches, campaigns, cells[0])
        _count_credits(one.credits, campaigns, Conversions(campaigns, cells))
        _count_logins(one.logins, activity)
    added = Changes()
    for model in cells:
        model.drain_changes(version, added.cells)
    activity.drain_changes(version, added.days)
    chapter = _TAKEN_BACK | version
    for family, columns in added.cells.items():
        for cell in columns.rows():
            if any(cell.measures):
                changes.cells[family].add(cell._replace(chapter=chapter, measures=[-each for each in cell.measures]))
    for day in added.days.rows():
        if any(day.measures):
            changes.days.add(day._replace(chapter=chapter, measures=[-each for each in day.measures]))


def _count_touches(touches: Sequence[StoredTouch], campaigns: CampaignRegistry, cells: Cells) -> None:
    reached: set[int] = set()
    arms: set[int] = set()
    for touch in sorted(touches, key=lambda touch: (touch.at, touch.tier, touch.offset)):  # as shards date a reach
        arm = campaigns.arm(touch.campaign_id, touch.variant)
        cells.add_touch(
            arm,
            touch.tier,
            touch.at,
            int(touch.creditable),
            touch.cost_minor,
            reaches_arm=touch.creditable and arm.index not in arms,
            reaches=touch.creditable and arm.campaign_index not in reached,
        )
        if touch.creditable:
            arms.add(arm.index)
            reached.add(arm.campaign_index)


def _count_credits(stored: Sequence[StoredCredit], campaigns: CampaignRegistry, conversions: Conversions) -> None:
    customer = Customer(b"", "")
    transactions: dict[tuple[str, int], tuple[Transaction, list[Credit]]] = {}
    for one in stored:
        arm = campaigns.arm(one.campaign_id, one.variant)
        touch = Touch(arm.campaign_index, one.touched_at, one.touch_id, arm.index)
        key = (one.transaction_id, one.converted_at)
        if key not in transactions:
            transaction = Transaction(customer, one.converted_at, one.transaction_id, "", None, 0, None, None, one.tier)
            transactions[key] = (transaction, [])
        transactions[key][1].append(Credit(one.model, touch, one.millionths, one.return_minor, one.aum_minor))
    for transaction, shares in transactions.values():
        conversions.replace(transaction, tuple(shares))
    customer.conversions = None  # customers and transactions refer to each other


def _count_logins(logins: Sequence[StoredLogin], activity: Activity) -> None:
    customer = Customer(b"", "")
    for login in sorted(logins, key=lambda login: (login.version, login.day)):
        customer.tier = login.tier
        activity.add(customer, login.day, engaged=login.engaged)
