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
