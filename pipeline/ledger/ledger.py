"""The ledger: claims on shards, and blocks that are written whole or refused (docs/design.md has the proof sketch)."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from clickhouse_connect.driver.binding import bind_query
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from urllib3.exceptions import HTTPError

from pipeline.clickhouse import sql
from pipeline.errors import FencedError, NoAnswerError, UserError
from pipeline.ledger.rows import COLUMNS
from pipeline.policies import recorded_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline.clickhouse.native import Body
    from pipeline.state.policy import Policy

_log = logging.getLogger(__name__)
_FENCED: Final = "FENCED"
_GRACE_SECONDS: Final = 2.0
_UNRECORDED: Final = "ROI_PSEUDONYM_KEY, or ROI_DEFAULT_GOAL_KINDS, whose former values its record does not hold"
_PART_BYTES: Final = 1 << 20
_NAMES: Final = ", ".join(name for name, _ in COLUMNS)
_STRUCTURE: Final = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
# One INSERT must be one block and so one part: nothing may split it, and only one thread may write it.
ONE_BLOCK: Final[dict[str, Any]] = {
    "async_insert": 0,
    # rows of one key within a block are for FINAL to sort out: merging each block cost the engine 3 to 6 µs an event
    "optimize_on_insert": 0,
    "max_insert_threads": 1,
    "max_threads": 1,
    "input_format_parallel_parsing": 0,
    "max_insert_block_size": 100_000_000,
    "min_insert_block_size_rows": 100_000_000,
    "min_insert_block_size_bytes": 10_000_000_000,
}


class LedgerUnavailableError(NoAnswerError):
    """ClickHouse did not answer, or not with success: the outcome is unknown and the same call must be repeated."""


def other_settings(run: str, then: str, today: str) -> UserError:
    """Return the error of a run that cannot go on under today's settings; it names those that differ.

    Args:
        run: its name.
        then: what it was begun under, as `pipeline.policies.describe_policy` wrote it.
        today: the same of today.
    """
    old, new = recorded_settings(then), recorded_settings(today)
    differing = [
        f"{_variable(name, old[name], new[name])} {old[name]} → {new[name]}"
        for name in new
        if name in old and old[name] != new[name]
    ]
    return UserError(
        f"run {run!r} was begun under other settings than today's: {', '.join(differing) or _UNRECORDED}",
        "set them back, or count anew under another database (ROI_CLICKHOUSE_DATABASE)",
    )


class QueryPort(Protocol):
    """What answers queries of sql/queries about a run."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of a query."""


def expect_joined_credits(port: QueryPort, policy: Policy) -> None:
    """Refuse tables in which models still have rows of their own: credits would be read without them.

    Raises:
        UserError: they are from before migration 0047, and the run has several models.
    """
    if len(policy.models) > 1 and not port.fetch("credits_joined")[0][0]:
        raise UserError(
            "the tables are older than this program, which keeps the credits of all models in one row",
            "run roi migrate",
        )


def _variable(name: str, *values: str) -> str:
    variable = f"ROI_{name.upper().replace('.', '__')}"
    only_one = name == "attribution.models" and not any("," in value for value in values)
    return variable.removesuffix("S") if only_one else variable  # one model is given as the model


@dataclass(frozen=True, slots=True)
class Block:
    """An encoded block; it is never encoded anew, whatever happens to it."""

    number: int
    epochs: Mapping[int, int]
    body: Body
    rows: int


class LedgerPort(Protocol):
    """What the worker asks of the ledger. Calls may block and come from one thread at a time."""

    owner: str

    def begin(self, policy: Policy, description: str) -> None:
        """Begin or continue the run; UserError if it was begun under other settings."""

    def claim(self, shards: Sequence[int]) -> dict[int, int]:
        """Own the shards: afterwards nobody else's block for them can take effect. Returns the epochs."""

    def write(self, block: Block) -> None:
        """Make a block durable, all or nothing. FencedError: a shard has a new owner, and nothing was written."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of sql/queries/NAME.sql."""

    def stream(self, name: str, **parameters: Any) -> Iterator[bytes]:
        """Yield the rows of sql/queries/NAME.sql in RowBinary, in parts that may end within a row."""

    def execute(self, name: str, **parameters: Any) -> None:
        """Run sql/queries/NAME.sql."""


class ClickHouseLedger:
    """The ledger of one run in ClickHouse, as seen by one owner (a worker process)."""

    def __init__(  # noqa: PLR0913 - names of one ledger, and its clock
        self,
        client: Any,
        database: str,
        run: str,
        owner: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.owner = owner
        self._client = client
        self._database = database
        self._run = run
        self._monotonic = monotonic
        self._wait = wait

    def begin(self, policy: Policy, description: str) -> None:
        """Begin or continue the run; UserError if it was begun under other settings, or the tables are too old."""
        expect_joined_credits(self, policy)
        known = self.fetch("load_run")
        if not known:
            self.execute(
                "begin_run",
                fingerprint=policy.fingerprint(),
                settings=description,
                models=list(policy.models),
                zone=policy.zone,
                rules=policy.rules(),
            )
        elif known[0][0] != policy.fingerprint():
            raise other_settings(self._run, known[0][1], description)
        elif known[0][2] != policy.rules():
            self.execute("note_run_rules", rules=policy.rules())

    def claim(self, shards: Sequence[int]) -> dict[int, int]:
        """Own the shards: afterwards nobody else's block for them can take effect. Returns the epochs.

        Two claims may meet and take the same epoch: both sides see it and claim again, one number higher.
        """
        while True:
            self.execute("claim", shards=list(shards), owner=self.owner)
            claims = self.fetch("claims", shards=list(shards))
            mine = {shard: epoch for shard, epoch, owner in sorted(claims) if owner == self.owner}
            rivals = {owner for shard, epoch, owner in claims if owner != self.owner and epoch >= mine[shard]}
            self._stop_blocks(sorted({owner for _, _, owner in claims}))
            if not rivals:
                return mine
            _log.info("claims met, claiming again")

    def _stop_blocks(self, owners: list[str]) -> None:
        """Wait for, then kill, blocks that began before the claim: their fence has been passed already."""
        deadline = self._monotonic() + _GRACE_SECONDS
        while self._running(owners):
            if self._monotonic() > deadline:
                _log.warning("killing blocks of former owners that still run")
                self.execute("kill_blocks", owners=owners)
            self._wait(0.02)

    def _running(self, owners: list[str]) -> bool:
        return bool(self.fetch_value("running_blocks", owners=owners))

    def write(self, block: Block) -> None:
        """Make a block durable, all or nothing. FencedError: a shard has a new owner, and nothing was written."""
        statement = sql.query("write_block", self._database)
        statement = statement.replace("{columns}", _NAMES).replace("{structure}", _STRUCTURE)
        parameters = {
            "run": self._run,
            "owner": self.owner,
            "shards": list(block.epochs),
            "epochs": list(block.epochs.values()),
        }
        # a repeated attempt gets a name of its own: the first may still be running
        attempt = f"roi-block-{self.owner}-{block.number}-{time.monotonic_ns()}"
        statement, bound = bind_query(statement, parameters)
        try:
            self._client._raw_request(  # noqa: SLF001 - whatever is public wants a body in one piece, or looks for SQL in it
                block.body,
                ONE_BLOCK | bound | {"query": statement, "query_id": attempt},
                {"Content-Type": "application/octet-stream", "Content-Length": str(len(block.body))},
            )
        except DatabaseError as error:
            if _FENCED in str(error):
                raise FencedError(f"a shard of {sorted(block.epochs)} has a new owner") from error
            raise LedgerUnavailableError(short(error)) from error
        except (ClickHouseError, OSError) as error:
            raise LedgerUnavailableError(short(error)) from error

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of sql/queries/NAME.sql, which ends in FORMAT JSONCompactEachRow."""
        try:
            answer: bytes = self._client.raw_query(
                sql.query(name, self._database),
                parameters={"run": self._run, **parameters},
                settings={"output_format_json_quote_64bit_integers": 0},
            )
        except (ClickHouseError, OSError) as error:
            raise LedgerUnavailableError(short(error)) from error
        try:
            rows: list[list[Any]] = msgspec.json.Decoder(list[Any]).decode_lines(answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise broken_off(name) from error
        return rows

    def stream(self, name: str, **parameters: Any) -> Iterator[bytes]:
        """Yield the rows of sql/queries/NAME.sql in RowBinary, in parts that may end within a row.

        An answer that ClickHouse gives up after it has begun ends in text where a row should be, or breaks off.
        """
        statement = sql.query(name, self._database).replace("FORMAT JSONCompactEachRow", "FORMAT RowBinary")
        try:
            with closing(self._client.raw_stream(statement, parameters={"run": self._run, **parameters})) as answer:
                while part := answer.read(_PART_BYTES):
                    yield part
        except (ClickHouseError, HTTPError, OSError) as error:
            raise LedgerUnavailableError(short(error)) from error

    def fetch_value(self, name: str, **parameters: Any) -> Any:
        """Return the single value of sql/queries/NAME.sql."""
        try:
            return self._client.command(sql.query(name, self._database), parameters={"run": self._run, **parameters})
        except (ClickHouseError, OSError) as error:
            raise LedgerUnavailableError(short(error)) from error

    def execute(self, name: str, **parameters: Any) -> None:
        """Run sql/queries/NAME.sql."""
        self.fetch_value(name, **parameters)


def broken_off(query: str) -> LedgerUnavailableError:
    """Return the error of an answer that is not rows to its end: a server, or what stands before it, gave it up."""
    return LedgerUnavailableError(f"the answer to {query} breaks off")


def short(error: BaseException) -> str:
    """Return an error's first line, cut: server errors may quote data."""
    return f"{type(error).__name__}: {str(error).splitlines()[0][:200]}" if str(error) else type(error).__name__
