"""How a run counts, for whoever asks about it: by its record, not by the settings of the asking process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.policies import as_recorded

if TYPE_CHECKING:
    from pipeline.ledger.ledger import QueryPort
    from pipeline.state.policy import Policy


def policy_of_run(port: QueryPort, policy: Policy) -> Policy:
    """Return how a run counts, whatever the asking process is set to; a run that nobody began counts as that.

    Args:
        port: the run's ledger.
        policy: by the asking process's settings.

    Raises:
        UserError: the run's record does not say it in full, and the settings are others.
    """
    for _, text, rules in port.fetch("load_run"):
        policy = as_recorded(policy, str(text))
        if rules and policy.rules() != rules:
            raise UserError(
                "the run was begun by an older release, whose record lacks a setting, under other settings than these",
                "give this command the settings of its workers",
            )
    return policy
