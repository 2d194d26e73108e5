"""Who may be in the workers' group: one installation alone, for each member is given a part of the partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.error_words import describe

if TYPE_CHECKING:
    from aiokafka.errors import KafkaError

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
