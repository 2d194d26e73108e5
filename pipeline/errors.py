"""Errors, split by what the caller should do about them."""

from __future__ import annotations

import errno
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})  # what the system says of a disk without room


class PipelineError(Exception):
    """Root of every error this application raises on purpose."""


class UserError(PipelineError):
    """A mistake or a missing part that the person at the keyboard can mend.

    The command line prints ``cause``, then ``remedy``, on one line, without a traceback, and exits with 1.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


class WrongUsageError(UserError):
    """What was typed can mean nothing, whatever there is: the command line exits with 2."""


class NoAnswerError(PipelineError):
    """ClickHouse answered before, and does not now, or not with success."""


class UnreachableError(UserError):
    """Kafka or ClickHouse does not answer: it may be starting, and the same question may be answered later."""


class ForbiddenError(UserError):
    """Kafka answers, and denies this user what was asked: somebody else has to give it a right."""


class FencedError(PipelineError):
    """Another worker has claimed the shard: drop its state, write nothing more, join the group again."""
