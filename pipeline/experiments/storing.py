"""Analyses in ClickHouse: the table behind the views ab_results and ab_history.

An analysis takes the place of the one before, metric by metric: its results as a whole, and of its days those that have
changed. So a table that is written every hour grows with the days of experiments alone.
"""

from __future__ import annotations

import json
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.alerts.sayings import in_language
from pipeline.clickhouse import sql
from pipeline.errors import UserError
from pipeline.experiments.rows import STORED
from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.experiments.asking import Asked
    from pipeline.experiments.rows import Row
    from pipeline.ledger.ledger import LedgerPort

_ONE_BLOCK: Final = {"async_insert": 0, "date_time_input_format": "best_effort"}
_NO_DAY: Final = "1970-01-01"
"""Of results: the next analysis, on whatever day, replaces them."""
_EVER: Final = 2**64 - 1
_Day = tuple[str, str]
"""Variant and day."""


class _Newest(NamedTuple):
    """The newest analysis of a metric: its version, and that from which on the days that are stored are its own."""

    version: int
    days_from: int


def store(client: Any, database: str, asked: Asked, results: Sequence[Row], days: Iterable[Row]) -> None:
    """Write one analysis with what was asked for; it takes the place of the one before, metric by metric.

    Raises:
        UserError: ClickHouse refuses it.
    """
    port = ClickHouseLedger(client, database, asked.run, "experiments")
    of_days: dict[str, dict[_Day, Row]] = {row["metric"]: {} for row in results}
    for row in days:
        of_days[row["metric"]][row["variant"], row["day"]] = row
    questioned = [row | {"asked": question_of(asked)} for row in results]

    def write(before: dict[str, _Newest], known: dict[str, dict[_Day, int]]) -> int:
        version = time.time_ns()
        texts = (json.dumps(line, ensure_ascii=False) for line in _lines(questioned, of_days, before, known, version))
        client.command(sql.query("write_ab", database), data="\n".join(texts), settings=_ONE_BLOCK)
        return version

    try:
        before = _newest(port, asked.campaign_id, _EVER)
        version = write(before, _known_days(port, asked.campaign_id, before))
        if _another_since(port, asked.campaign_id, version, before):  # it has days of its own
            write({}, {})
    except (ClickHouseError, LedgerUnavailableError, OSError) as error:
        raise UserError(
            f"the analysis could not be stored ({short(error)})", "run roi migrate, and give the writer's password"
        ) from error


def question_of(asked: Asked) -> dict[str, Any]:
    """Return what of a question is kept, for whoever repeats it; null = as the campaign's definition says."""
    return {"control": asked.control, "horizon_days": asked.horizon_days}


def _newest(port: LedgerPort, campaign: str, before: int) -> dict[str, _Newest]:
    """Return the newest analysis of each metric of a version below one."""
    rows = port.fetch("ab_newest", campaign=campaign, before=before)
    return {metric: _Newest(version, days_from) for metric, version, days_from in rows}


def _another_since(port: LedgerPort, campaign: str, version: int, before: dict[str, _Newest]) -> bool:
    """Tell whether an analysis came between reading what was ``before`` and now, beside the one of this version.

    Its version may be the later one though it was stored first: this one's was taken before it was sent.
    """
    newest = _newest(port, campaign, _EVER).values()
    return _newest(port, campaign, version) != before or any(one.version > version for one in newest)


def _known_days(port: LedgerPort, campaign: str, newest: dict[str, _Newest]) -> dict[str, dict[_Day, int]]:
    """Return the contents of the days that are stored, by metric, variant and day."""
    known: dict[str, dict[_Day, int]] = {metric: {} for metric in newest}
    for metric, variant, day, content, version in port.fetch("ab_days_known", campaign=campaign):
        if metric in newest and version >= newest[metric].days_from:
            known[metric][variant, day] = content
    return known


def _lines(
    results: Sequence[Row],
    of_days: dict[str, dict[_Day, Row]],
    before: dict[str, _Newest],
    known: dict[str, dict[_Day, int]],
    version: int,
) -> Iterator[Row]:
    """Yield results, and the days that are not known as they are; all, where days are known that are none any more."""
    from_then: dict[str, int] = {}
    for metric, found in of_days.items():
        stored = known.get(metric, {})
        is_continued = bool(stored) and stored.keys() <= found.keys()
        from_then[metric] = before[metric].days_from if is_continued else version
        for (variant, day), row in found.items():
            content = _content(row)
            if not is_continued or stored.get((variant, day)) != content:
                yield _line(row, "day", day, version) | {"content": content}
    for row in results:
        yield _line(row, "result", _NO_DAY, version) | {"days_from": from_then[row["metric"]]}


def _content(row: Row) -> int:
    """Return a number that is the same for equal rows."""
    return int.from_bytes(blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=8).digest(), "little")


def _line(row: Row, kind: str, day: str, version: int) -> Row:
    columns = {name: value for name, value in row.items() if name in STORED}
    details = {name: value for name, value in row.items() if name not in STORED and name != "day"}
    if row.get("verdict"):
        details["verdict_zh"] = in_language(row["verdict"], "zh")
        details["caveats_zh"] = [in_language(caveat, "zh") for caveat in row["caveats"]]
    stored = {"kind": kind, "day": day, "version": version, "days_from": version, "content": 0}
    return columns | stored | {"details": json.dumps(details, ensure_ascii=False)}
