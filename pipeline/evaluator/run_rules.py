"""Whether the evaluator judges by the settings that the run was counted under, as a worker must count by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.ledger.ledger import expect_joined_credits, other_settings

if TYPE_CHECKING:
    from pipeline.ledger.ledger import QueryPort
    from pipeline.state.policy import Policy


class RunRules:
    """Asks until it is known; an evaluator may be there before the worker that begins the run.

    Args:
        port: the ledger.
        run: its name.
        policy: today's.
        description: of it, for the error message.
    """

    def __init__(self, port: QueryPort, run: str, policy: Policy, description: str) -> None:
        self._port = port
        self._run = run
        self._policy = policy
        self._rules = policy.rules()
        self._description = description
        self._is_known = False

    def check(self) -> None:
        """Return if nothing is known to be otherwise.

        Raises:
            UserError: the run was begun under other settings, or the tables are too old for its models.
            LedgerUnavailableError: ClickHouse does not answer.
        """
        if self._is_known:
            return
        expect_joined_credits(self._port, self._policy)
        for _, then, rules in self._port.fetch("load_run"):
            if rules and rules != self._rules:
                raise other_settings(self._run, then, self._description)
            self._is_known = bool(rules)
