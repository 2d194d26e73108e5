"""Which tests start processes: known by their fixtures, and held by a guard in `make fast`."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

AnyFunction = TypeVar("AnyFunction", bound="Callable[..., Any]")


def starts_process(function: AnyFunction) -> AnyFunction:
    """Have every test that asks for a fixture marked ``process``; stands beneath ``pytest.fixture``."""
    function.starts_process = True  # type: ignore[attr-defined] # read by asks_for_process only
    return function


def asks_for_process(item: pytest.Item) -> bool:
    """Return whether one of the fixtures of a test, its own or others', starts a process."""
    fixtures = getattr(item, "_fixtureinfo", None)
    definitions = {} if fixtures is None else fixtures.name2fixturedefs
    return any(getattr(found[-1].func, "starts_process", False) for found in definitions.values())


@contextmanager
def no_processes() -> Iterator[None]:
    """Fail whatever needs a process meanwhile."""

    def refuse(_: object, command: object, *__: object, **___: object) -> None:
        # as if it were not installed: what can do without goes on
        raise OSError(f"{command} was started by a test that has no marker for it: mark it `process`")

    with patch.object(subprocess.Popen, "__init__", refuse):
        yield
