"""Names of runs."""

from __future__ import annotations

import re
from typing import Final

from pipeline.alerts import store
from pipeline.errors import WrongUsageError
from pipeline.ledger.rows import LIVE

_TAKEN: Final = frozenset({LIVE, store.RUN})  # the evaluator claims its turn under the second
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def checked_name(name: str) -> str:
    """Return the name of a replay.

    Raises:
        WrongUsageError: no replay may be called so.
    """
    if name in _TAKEN:
        raise WrongUsageError(f"a replay cannot be called {name!r}: that name is in use", "choose another name")
    if not _NAME.fullmatch(name):
        raise WrongUsageError(
            f"a run cannot be called {name!r}",
            "use up to 64 of a-z, 0-9, '_', '.' and '-', the first a letter or digit",
        )
    return name
