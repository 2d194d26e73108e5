"""What the ledger holds of one customer, and the numbers that were made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from pipeline.state.activity import Activity
from pipeline.state.calendar import DAY_MS
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.cells import Cells
from pipeline.state.conversions import Conversions
from pipeline.state.records import Credit, Customer, Touch, Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.state.activity import ActivityRow
    from pipeline.state.cells import CellRow
    from pipeline.state.policy import Policy

# a chapter of its own for what is taken back: the chapters of cells are versions, whose top bit is never set
_TAKEN_BACK: Final = 1 << 63


class ErasedCounts(NamedTuple):
    """How many rows the ledger held of a customer, by kind."""

    touches: int = 0
    transactions: int = 0
    logins: int = 0
    credits: int = 0
    adjustments: int = 0
    profiles: int = 0


NOTHING: Final = ErasedCounts()


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


def negative(history: Sequence[History], policy: Policy, version: int) -> tuple[list[CellRow], list[ActivityRow]]:
    """Return what takes back everything that customers had added to the numbers, as a chapter of block ``version``.

    Credits count as they are stored: definitions that have changed since cannot make the two sides differ.
    """
    calendar = policy.calendar()
    campaigns = CampaignRegistry(policy)
    cells = [Cells(number, calendar) for number in range(len(policy.models))]
    activity = Activity(-(-policy.lateness_ms // DAY_MS))
    for one in history:
        _count_touches(one.touches, campaigns, cells[0])
        _count_credits(one.credits, campaigns, Conversions(campaigns, cells))
        _count_logins(one.logins, activity)
    chapter = _TAKEN_BACK | version
    return (
        [
            replace(row, chapter=chapter, measures=[-measure for measure in row.measures])
            for model in cells
            for row in model.drain_changes(version)
            if any(row.measures)
        ],
        [
            replace(row, chapter=chapter, measures=[-measure for measure in row.measures])
            for row in activity.drain_changes(version)
            if any(row.measures)
        ],
    )


def _count_touches(touches: Sequence[StoredTouch], campaigns: CampaignRegistry, cells: Cells) -> None:
    reached: set[int] = set()
    arms: set[int] = set()
    for touch in sorted(touches, key=lambda touch: (touch.at, touch.offset)):
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
    transactions: dict[str, tuple[Transaction, list[Credit]]] = {}
    for one in stored:
        arm = campaigns.arm(one.campaign_id, one.variant)
        touch = Touch(arm.campaign_index, one.touched_at, one.touch_id, arm.index)
        if one.transaction_id not in transactions:
            transaction = Transaction(customer, one.converted_at, one.transaction_id, "", None, 0, None, None, one.tier)
            transactions[one.transaction_id] = (transaction, [])
        transactions[one.transaction_id][1].append(
            Credit(one.model, touch, one.millionths, one.return_minor, one.aum_minor)
        )
    for transaction, shares in transactions.values():
        conversions.replace(transaction, tuple(shares))
    customer.conversions = None  # customers and transactions refer to each other


def _count_logins(logins: Sequence[StoredLogin], activity: Activity) -> None:
    customer = Customer(b"", "")
    for login in sorted(logins, key=lambda login: (login.version, login.day)):
        customer.tier = login.tier
        activity.add(customer, login.day, engaged=login.engaged)
