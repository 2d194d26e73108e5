"""`roi sql`: one query with the reader's rights."""

from __future__ import annotations

import codecs
import json
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options
from pipeline.cli.streams import stop_if_unread
from pipeline.cli.terminal import printable
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.clickhouse.reader import Reader

_FORMAT_FOR_TABLE: Final = "JSONCompact"
_FORMAT_FOR_PIPE: Final = "PrettyCompactNoEscapes"
_RUN_PARAMETER: Final = re.compile(r"\{\s*run\s*:")


def register(app: typer.Typer) -> None:
    """Add the command."""
    query = 'roi sql "SELECT campaign_id, return_ratio FROM roi.campaign_totals ORDER BY 2" --format CSV'
    app.command(name="sql", epilog=options.example(query))(_sql)


def _sql(
    query: Annotated[str, typer.Argument(help="The query; - reads it from stdin.", show_default=False)],
    output_format: Annotated[
        str | None, typer.Option("--format", metavar="F", help="Any ClickHouse output format; default is a table.")
    ] = None,
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="NAME", help="The run that {run:String} in the query stands for; default: live."),
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Run one query with the reader's rights."""
    from pipeline.clickhouse.reader import Reader

    settings = options.settings_for(data)
    reader = Reader(settings)
    text = _typed() if query == "-" else query
    parameters = _run_of(reader, settings.clickhouse_database, text, run)
    if as_json:
        _, body = reader.stream(
            text,
            output_format or "JSONEachRow",
            parameters,
            options={"output_format_json_array_of_rows": 1, "output_format_json_quote_64bit_integers": 0},
        )
        _pass_on(body)
        return
    wished = output_format or (_FORMAT_FOR_TABLE if sys.stdout.isatty() else _FORMAT_FOR_PIPE)
    given, body = reader.stream(text, wished, parameters)
    if output_format is None and given == _FORMAT_FOR_TABLE:
        _print_table(json.loads(b"".join(body) or b"{}"))
    else:
        _pass_on(body)


def _typed() -> str:
    """Return the query that stands in stdin."""
    from pipeline.errors import UserError

    try:
        text = sys.stdin.read()
        text.encode()  # where the locale knows no encoding, other bytes come as halves of characters
    except UnicodeError as error:
        raise UserError(
            "the query in stdin is not UTF-8 text", "convert it: iconv -t UTF-8 FILE | roi sql -"
        ) from error
    return text.removeprefix("\ufeff")


def _run_of(reader: Reader, database: str, text: str, run: str | None) -> dict[str, object]:
    """Return the query's parameter for a run that is there, none where it asks for no run."""
    from pipeline.errors import UserError
    from pipeline.operations.runs import check_run

    if not _RUN_PARAMETER.search(text):
        if run is not None:
            raise UserError("--run is given, and the query asks for no run", "write: WHERE run = {run:String}")
        return {}
    if run is not None:
        check_run(reader, database, run)
    return {"run": run or LIVE}


def _pass_on(body: Iterable[bytes]) -> None:
    """Write the bytes as they come: a result of any size needs no memory.

    A terminal gets text without control characters; a pipe or file gets ClickHouse's bytes unchanged.
    """
    if sys.stdout.isatty():
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for chunk in body:
            sys.stdout.write(printable(decoder.decode(chunk), keep="\n\t"))
        sys.stdout.write(printable(decoder.decode(b"", final=True)))
    else:
        output = sys.stdout.buffer
        for chunk in body:
            output.write(chunk)
            stop_if_unread()
    sys.stdout.flush()


def _print_table(result: dict[str, Any]) -> None:
    from pipeline.cli.output import Column, print_renderable, table_of

    names = [column["name"] for column in result.get("meta", ())]
    if not names:
        return
    numeric = {column["name"] for column in result["meta"] if "Int" in column["type"] or "Float" in column["type"]}
    columns = [Column(name, name, "value" if name in numeric else "text") for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in result["data"]]
    print_renderable(table_of(rows, columns))
    typer.echo(f"{len(rows):,} rows", err=True)
