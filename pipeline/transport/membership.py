"""Who may be in the workers' group: one installation alone, for each member is given a part of the partitions."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from pipeline.error_words import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka.errors import KafkaError

logger = logging.getLogger(__name__)

_OTHER_PROTOCOL: Final = 23  # Kafka's InconsistentGroupProtocol
_FORBIDDEN: Final = 30  # GroupAuthorizationFailed


def protocol_of(installation: str) -> str:
    """Return the name of the only way to share partitions out that an installation's workers offer to their group.

    Kafka refuses a member who offers none that the others have. So two installations whose ``ROI_KAFKA_GROUP`` is the
    same never each count a part.

    Args:
        installation: what its tables say of themselves (`sql/queries/installation.sql`).
    """
    return f"roi-lanes-{installation}"


def strangers_cause(group: str) -> str:
    """Return what is wrong where others are in the group."""
    return f"the workers in the consumer group {group} are of another installation, or of an older release"


def strangers_remedy(group: str) -> str:
    """Return what to do then."""
    return f"give each installation a ROI_KAFKA_GROUP of its own (this one has {group}), or stop the other workers"


def is_of_others(error: KafkaError) -> bool:
    """Tell whether a worker was not let into the group because others are in it."""
    return bool(error.errno == _OTHER_PROTOCOL)


def refusal_words(group: str, error: KafkaError) -> str:
    """Return why a worker is not let into the group, and what to do."""
    if is_of_others(error):
        return f"{strangers_cause(group)}, and each would count a part: {strangers_remedy(group)}"
    if error.errno == _FORBIDDEN:
        return f"the broker does not let this user into the consumer group {group}: allow it to read with this group"
    return f"not in the consumer group {group}: {describe(error)}"


class Membership:
    """Whether a worker is in its group; the consumer notes it, and another thread may ask.

    Args:
        group: the consumer group.
        installation: whose workers may be in it.
        clock: monotonic seconds.
    """

    def __init__(self, group: str, installation: str, clock: Callable[[], float]) -> None:
        self.installation = installation
        self.refusal = ""
        self._group = group
        self._clock = clock
        self._outside_since: float | None = clock()  # when this worker has begun to wait for its group

    def refused(self, error: KafkaError) -> None:
        """Note why this worker is not in the group, and say so once."""
        cause = refusal_words(self._group, error)
        if cause != self.refusal:
            self.refusal = cause
            logger.error("%s", cause)

    def let_in(self) -> None:
        """Take that back: the group has given it partitions, or none."""
        self.refusal = ""
        self._outside_since = None

    def outside(self) -> None:
        """Note that the group shares its partitions out anew, which ends with `let_in`."""
        if self._outside_since is None:
            self._outside_since = self._clock()

    def shut_out(self, seconds: float) -> str:
        """Return why this worker is not in its group, or that it has waited for so long."""
        since = self._outside_since
        if self.refusal or since is None or self._clock() - since < seconds:
            return self.refusal
        waited = f"the consumer group has not let this worker in for {self._clock() - since:.0f} s"
        return f"{waited}: stop and start roi up if the broker is its own, or look at the group's other members"
