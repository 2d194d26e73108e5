"""Two runs side by side, in words and tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import typer

from pipeline.cli.output import Column, print_renderable, table_of
from pipeline.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipeline.comparison.comparing import Difference, ViewComparison
    from pipeline.comparison.grounds import Ground
    from pipeline.comparison.verifying import Verification

_GROUNDS_SHOWN: Final = 12


def print_verification(found: Verification) -> None:
    """Print what has to be known first, every view with its rows, and the differences."""
    for line in _caveats(found):
        typer.echo(printable(line))
    left, right = found.left, found.right
    rows = [
        {"view": view.view, "left": view.left_rows, "right": view.right_rows, "differing": view.differing}
        for view in found.views
    ]
    columns = (
        Column("view", "View"),
        Column("left", left, "number"),
        Column("right", right, "number"),
        Column("differing", "Differing", "number"),
    )
    print_renderable(table_of(rows, columns))
    for view in found.differing:
        _print_differences(view, left, right)
    if found.differing:
        names = ", ".join(view.view for view in found.differing)
        typer.echo(f"run {right} differs from {left} in {len(found.differing)} of {len(found.views)} views: {names}")
    else:
        typer.echo(f"run {right} equals {left}: {len(found.views)} views, {found.rows:,} rows compared, no difference")


def ground_lines(grounds: Iterable[Ground], left: str, right: str) -> Iterator[str]:
    """Yield one line for each thing that two runs count with otherwise, and one for those left out."""
    listed = list(grounds)
    for ground in listed[:_GROUNDS_SHOWN]:
        whose = "" if ground.campaign_id is None else f"campaign {ground.campaign_id}: "
        yield f"{whose}{ground.name}: {_shown(ground.left)} in {left}, {_shown(ground.right)} in {right}"
    if len(listed) > _GROUNDS_SHOWN:
        yield f"and {len(listed) - _GROUNDS_SHOWN} more (--json has all)"


def _caveats(found: Verification) -> Iterator[str]:
    left, right = found.left, found.right
    for topic, cause in found.halted:
        yield f"{left} is halted on {topic} ({cause}): it reads nothing of it until roi resume {topic}"
    files = [ground for ground in found.grounds if ground.name == "input"]
    for ground in files:
        yield f"{right} was counted from {_shown(ground.right)}, {left} from {_shown(ground.left)}".replace(
            "from none", "from the topics"
        )
    others = [ground for ground in found.grounds if ground not in files]
    if others:
        yield (
            f"{right} counts with other things than {left}, so it is expected to differ "
            f"(roi diff {left} {right} says by how much):"
        )
        yield from (f"  {line}" for line in ground_lines(others, left, right))
    if found.ahead and found.differing:
        yield (
            f"{left} has gone on all the time and is {found.ahead:,} records ahead of {right}: "
            "verify again (--resume) when less comes in, or while the workers are stopped for it"
        )
    if found.left_out:
        yield (
            f"{left} has erased {found.erased:,} customers; what is left of them is left out, {found.left_out:,} rows: "
            + ", ".join(f"{view.left_out:,} of {view.view}" for view in found.views if view.left_out)
            + " (dead letters of their records, by key; rows whose figures are all 0)"
        )
    if found.unread:
        yield (
            f"whose the dead letters are that {left} alone has cannot be told ({found.unread}): some may be of erased "
            "customers"
        )
    if found.differing and not found.is_recorded:
        yield (
            f"{left} was begun by a version that did not record when a silent topic took over a watermark: "
            "verdicts on late events may differ by that"
        )


def _print_differences(view: ViewComparison, left: str, right: str) -> None:
    typer.echo(f"{view.view}: {view.differing:,} rows differ; the first:")
    for one in view.first:
        typer.echo(printable(f"  {_named(one.key)}: {_in_words(one, left, right)}"))


def _in_words(one: Difference, left: str, right: str) -> str:
    if one.left is None or one.right is None:
        return f"only in {right if one.left is None else left}"
    return ", ".join(
        f"{name} {_shown(one.left[name])} in {left}, {_shown(one.right[name])} in {right}" for name in one.left
    )


def _named(key: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_shown(value)}" for name, value in key.items())


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
