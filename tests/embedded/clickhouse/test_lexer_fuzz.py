"""Our lexer against ClickHouse's own (`tokenizeQuery`), over random rubbish.

It decides access, so it may refuse more than ClickHouse, and may read nothing otherwise.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.quoting import quote
from pipeline.embedded.clickhouse.tokens import Kind, tokenize

if TYPE_CHECKING:
    from tests.embedded.clickhouse.client import Client

_PIECE_LIST = (
    r"SELECT 1 a . '' 'x\'' `b` -- /* */ $$ $t$ # #! x'41' b'1' 1e5 1e 0x1F 1_000 :: -> { } @@ @ \ ? || ; 1. .5 e // $ "
    "$a ' ` \" != / * ( ) , file \u2018 \u2019 \u201c \u201d \u2212 \u00e9"
)
_PIECES = [*_PIECE_LIST.split(), " ", "\n", "# ", "\xa0", "\u3000", "\u200b", "\ufeff"]
_WORDS = {"BareWord", "StringLiteral", "QuotedIdentifier", "HereDoc"}  # not numbers: a lone dot is one to ClickHouse
_NO_NAMES = {Kind.SYMBOL, Kind.NUMBER}
_ROUNDS = 20
_STATEMENTS = 1000


def _ours(text: str) -> list[tuple[int, int]] | None:
    try:
        return [(token.start, token.end) for token in tokenize(text.encode()) if token.kind not in _NO_NAMES]
    except QueryError:
        return None


def test_what_our_lexer_accepts_it_reads_as_clickhouse_does(writer: Client) -> None:
    chance = random.Random(20261126)
    accepted = 0
    for _ in range(_ROUNDS):
        texts = ["".join(chance.choices(_PIECES, k=chance.randint(1, 9))) for _ in range(_STATEMENTS)]
        body = "\n".join(f"({quote(text)})," for text in texts).rstrip(",")
        sql = f"SELECT tokenizeQuery(q) FROM values('q String', {body})"
        for text, (tokens,) in zip(texts, writer.rows(sql), strict=True):
            ours = _ours(text)
            if ours is None or any(token["type"].startswith("Error") for token in tokens):
                continue
            accepted += 1
            data = text.encode()
            # a word that begins with a digit (1e) is a number to us, and no name of anything
            names = [
                one for one in tokens if one["type"] in _WORDS and not data[one["begin"] : one["end"]][:1].isdigit()
            ]
            assert ours == [(one["begin"], one["end"]) for one in names], text
    assert accepted > _ROUNDS * _STATEMENTS / 10
