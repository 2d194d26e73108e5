"""Errors in words for the log, which must not quote a customer's data."""

from __future__ import annotations

import traceback

from pipeline.errors import PipelineError


def describe(error: BaseException) -> str:
    """Return an error's kind and place for the log; its text only where it cannot quote a customer's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    text = f": {error}" if isinstance(error, PipelineError | OSError) else ""
    return f"{type(error).__name__}{place}{text}"


def places(error: BaseException) -> str:
    """Return the same with the traceback, which quotes the program alone."""
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return f"{describe(error)}\n{''.join(frames).rstrip()}"


class Telling:
    """Words for errors that come again and again: each kind comes with its traceback the first time only."""

    def __init__(self) -> None:
        self._told: set[tuple[object, ...]] = set()

    def words(self, error: BaseException) -> str:
        """Return what the log is to say; an error of another kind, or from another line, is another one."""
        frames = traceback.extract_tb(error.__traceback__)
        kind = (type(error), *((frame.filename, frame.lineno) for frame in frames[-1:]))
        if kind in self._told:
            return describe(error)
        self._told.add(kind)
        return places(error)
