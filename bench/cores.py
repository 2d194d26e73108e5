"""Which cores are measured: both, where the compiled one is built, and each row says of which it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from pipeline.native.library import is_built
from pipeline.state.policy import CoreName

if TYPE_CHECKING:
    import argparse

WORDS: Final[dict[str, str]] = {"native": "compiled core", "plain": "plain core"}


def built_cores() -> tuple[CoreName, ...]:
    """Return the cores that can count here."""
    return ("native", "plain") if is_built() else ("plain",)


def add_core_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--core`` to the command of one measurement; its result names the one that has counted."""
    parser.add_argument("--core", choices=get_args(CoreName), default="auto", help="what counts (default: %(default)s)")
