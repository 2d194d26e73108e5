"""Who may run what: decided from tokens, before the engine sees the statement. Pure.

Two walls stand behind each other. Statements that only read run with the engine's ``readonly=1``, whoever asks: it
refuses writes, changes of settings and table functions that leave the database. This module refuses the rest: what
readonly=1 lets through (the scalar function ``file``, INTO OUTFILE, KILL, cluster functions), and what writers could do
outside their database. An actor reads as a reader does, and hands rows in to one table by one form of INSERT, whose
data cannot hold an expression.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse import allowlists
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.processes import FILTERED
from pipeline.embedded.clickhouse.tokens import Kind, Token, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.embedded.clickhouse.request import Credentials
    from pipeline.embedded.clickhouse.statement import Statement


DIGEST_VARIABLE: Final = "ROI_ENDPOINT_{role}_SHA256"  # of a user's password, in hex, instead of the password


class Role(Enum):
    """What a user is for."""

    READER = "reader"
    ACTOR = "actor"
    WRITER = "writer"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the endpoint; the password is kept as a digest only."""

    name: str
    role: Role
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, role: Role, password: str) -> User:
        """Return the user with this password."""
        return cls(name, role, hashlib.sha256(password.encode()).digest())


def authenticate(credentials: Credentials | None, users: Mapping[str, User]) -> User:
    """Return the user these credentials belong to.

    Raises:
        QueryError: (516) unknown user or wrong password, told apart by nothing, the time it takes included.
    """
    given = hashlib.sha256((credentials.password if credentials else "").encode(errors="surrogateescape")).digest()
    user = users.get(credentials.user) if credentials else None
    if not hmac.compare_digest(given, user.digest if user else bytes(len(given))) or user is None:
        name = credentials.user if credentials else "default"
        raise QueryError(
            516, f"{name}: Authentication failed: password is incorrect, or there is no user with such name"
        )
    return user


def check(statement: Statement, user: User, database: str, current: str, parameters: Mapping[str, str]) -> None:
    """Refuse what ``user`` may not do.

    Args:
        statement: the parsed statement.
        user: who asks.
        database: the one database that writers own.
        current: the database that unqualified names belong to.
        parameters: the query parameters, which may stand for table names.

    Raises:
        QueryError: 164 a write by a reader, 497 anything else not allowed, 62 an unknown statement.
    """
    if statement.verb not in allowlists.WRITER_VERBS:
        begin = statement.tokens[0].text
        raise QueryError(62, f"Syntax error: failed at position 1 ({begin}): no statement served here begins so")
    if user.role is Role.ACTOR and statement.verb == "INSERT":
        _check_handing_in(statement, user, database)
        check_settings(statement.settings, user)
        return
    may = allowlists.WRITER_VERBS if user.role is Role.WRITER else allowlists.READER_VERBS
    if statement.verb not in may and not _kills_queries(statement):
        raise QueryError(164, f"{user.name}: Cannot execute query in readonly mode")
    tokens = _with_identifiers(_without_input(statement), parameters)
    if not statement.is_read:
        tokens = _without_own_merge(tokens, database)
        _check_write(tokens, user, database)
    _check_names(tokens, user, current)
    check_settings(statement.settings, user)


def _check_handing_in(statement: Statement, user: User, database: str) -> None:
    """Refuse every INSERT but ``INSERT INTO database.table (columns) FORMAT JSONEachRow`` into the actors' table."""
    tokens = statement.tokens
    start = ("INSERT", "INTO", database, ".", allowlists.ACTOR_TABLE, "(")
    words = [token.text.upper() if place < 2 else token.text for place, token in enumerate(tokens[: len(start)])]
    names, commas = tokens[len(start) : -1 : 2], tokens[len(start) + 1 : -1 : 2]
    is_plain = (
        tuple(words) == start
        and tokens[-1].is_symbol(")")
        and len(names) == len(commas) + 1
        and all(token.kind is Kind.WORD for token in names)
        and all(token.is_symbol(",") for token in commas)
    )
    if not is_plain or statement.format != "JSONEachRow" or not statement.takes_data:
        raise _denied(user, f"to insert but into {database}.{allowlists.ACTOR_TABLE} (…) FORMAT JSONEachRow")


def _kills_queries(statement: Statement) -> bool:
    """Tell whether this is KILL QUERY; whose queries it reaches is decided when it runs."""
    return statement.verb == "KILL" and any(token.is_word("QUERY") for token in statement.tokens[1:2])


def check_settings(settings: Iterable[tuple[str, str]], user: User) -> None:
    """Refuse settings that would lift a wall, and look into the one that carries SQL (Grafana's ad-hoc filters)."""
    for name, value in settings:
        if name.lower() == "additional_table_filters":
            _check_names(_carried(value), user, "")
        elif allowlists.FORBIDDEN_SETTINGS.search(name.lower()):
            raise _denied(user, f"to change the setting {name}")


def _denied(user: User, what: str) -> QueryError:
    return QueryError(497, f"{user.name}: Not enough privileges {what}")


def _carried(value: str) -> list[Token]:
    """Return the tokens of every SQL text in a map literal such as ``{'roi.t': 'a > 1'}``, itself quoted or not."""
    tokens = list(tokenize(value.encode(errors="surrogateescape")))
    if len(tokens) == 1 and tokens[0].kind is Kind.STRING:
        tokens = list(tokenize(tokens[0].value.encode(errors="surrogateescape")))
        if len(tokens) == 1:
            raise QueryError(62, "Syntax error: expected a map of table names and conditions")
    strings = (token.value for token in tokens if token.kind is Kind.STRING)
    return [token for text in strings for token in tokenize(text.encode(errors="surrogateescape"))]


def _without_input(statement: Statement) -> Sequence[Token]:
    """Return the tokens without the one ``input('…')`` the endpoint itself replaces by the request's body."""
    if statement.input_span is None:
        return statement.tokens
    start, end = statement.input_span
    return [token for token in statement.tokens if not start <= token.start < end]


def _without_own_merge(tokens: list[Token], database: str) -> list[Token]:
    """Return the tokens without ``ENGINE = Merge('database', 'pattern')``: which reaches no other database."""
    for index, token in enumerate(tokens):
        if not token.is_word("ENGINE"):
            continue
        start = index + 1 + any(following.is_symbol("=") for following in tokens[index + 1 : index + 2])
        group = tokens[start : start + 6]
        if (
            len(group) == 6
            and group[0].is_word("MERGE")
            and group[1].is_symbol("(")
            and group[2].kind is Kind.STRING
            and group[2].value == database
            and group[3].is_symbol(",")
            and group[4].kind is Kind.STRING
            and group[5].is_symbol(")")
        ):
            return tokens[:index] + tokens[start + 6 :]
    return tokens


def _with_identifiers(tokens: Sequence[Token], parameters: Mapping[str, str]) -> list[Token]:
    """Return the tokens with ``{name:Identifier}`` replaced by the names the parameters give."""
    out: list[Token] = []
    index = 0
    while index < len(tokens):
        group = tokens[index : index + 5]
        if (
            len(group) == 5
            and group[0].is_symbol("{")
            and group[2].is_symbol(":")
            and group[3].is_word("IDENTIFIER")
            and group[4].is_symbol("}")
        ):
            name = parameters.get(group[1].value, "")
            if len(name) > _LONGEST_IDENTIFIER:
                raise QueryError(36, f"query parameter {group[1].value} is longer than an identifier may be")
            for position, part in enumerate(name.split(".", _MOST_PARTS)):
                out += [Token(Kind.SYMBOL, ".", 0, 0)] * (position > 0)
                out.append(Token(Kind.QUOTED, f"`{part}`", 0, 0))
            index += 5
        else:
            out.append(tokens[index])
            index += 1
    return out


def _check_names(tokens: Sequence[Token], user: User, current: str) -> None:
    """Refuse functions, tables and clauses that reach beyond the database, in any quoting and case."""
    for previous, token, following in _neighbours(tokens):
        if not token.is_name and not (token.kind is Kind.STRING and following.is_symbol("(")):
            continue
        name = token.value.lower()
        called = following.is_symbol("(")
        if name in allowlists.FORBIDDEN_FUNCTIONS and (called or not previous.is_symbol(".")):
            raise _denied(user, f"to use the function {name}")
        if name in allowlists.FORBIDDEN_TABLE_FUNCTIONS and called:
            raise _denied(user, f"to use the table function {name}")
        if (previous.is_word("INTO") and name == "outfile") or (previous.is_word("FROM") and name == "infile"):
            raise _denied(user, f"to use files of the server ({name.upper()})")
        if token.is_word("PARALLEL") and following.is_word("WITH"):
            raise QueryError(62, "Syntax error (Multi-statements are not allowed)")
        if token.value == "default" and following.is_symbol(".") and not previous.is_symbol("."):
            raise _denied(user, "to use the database default")  # the names of its tables are paths of files
    _check_system(tokens, user, current)


def _check_system(tokens: Sequence[Token], user: User, current: str) -> None:
    for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (
            first.is_name
            and first.value.lower() == "system"
            and second.is_symbol(".")
            and third.value.lower() in allowlists.SENSITIVE_SYSTEM_TABLES
        ):
            raise _denied(user, f"to read system.{third.value}")
    if user.role is not Role.WRITER:
        _check_filtered(tokens, user, current)
    if current.lower() == "system":
        for token in tokens:
            if token.is_name and token.value.lower() in allowlists.SENSITIVE_SYSTEM_TABLES:
                raise _denied(user, f"to read system.{token.value}")


def _check_filtered(tokens: Sequence[Token], user: User, current: str) -> None:
    """Refuse tables that readers see filtered when parameters name them, and those with paths that have no filter."""
    previous: tuple[Token, Token] = (_NOTHING, _NOTHING)
    for token in tokens:
        database, dot = previous
        previous = (dot, token)
        in_system = dot.is_symbol(".") and database.is_name and database.value.lower() == "system"
        if not token.is_name or not (in_system or (current.lower() == "system" and not dot.is_symbol("."))):
            continue
        name = token.value.lower()
        by_parameter = token.end == 0 or (in_system and database.end == 0)
        if name in allowlists.READER_SENSITIVE_TABLES or (by_parameter and name in FILTERED):
            raise _denied(user, f"to read system.{name}")


def _check_write(tokens: Sequence[Token], user: User, database: str) -> None:
    """Refuse changes to anything but tables and views of ``database``."""
    words = [token.value.upper() if token.is_name else token.text for token in tokens]
    verb, rest = words[0], words[1:]
    if verb in {"CREATE", "DROP", "ALTER", "RENAME", "EXCHANGE", "TRUNCATE", "UNDROP"}:
        kind = next((word for word in rest if word not in allowlists.KIND_MODIFIERS), "")
        if verb == "TRUNCATE" and not allowlists.TRUNCATE_KINDS.intersection(rest[:1]):
            kind = "TABLE"  # the word may be left out there
        if kind not in allowlists.WRITABLE_KINDS:
            raise _denied(user, f"for {verb} {kind}")
        if kind == "DATABASE":
            _check_database(tokens, user, database)
    if verb == "SYSTEM" and not any(tuple(rest[: len(start)]) == start for start in allowlists.SYSTEM_COMMANDS):
        raise _denied(user, f"for SYSTEM {' '.join(rest[:2])}")
    if verb == "KILL" and "CLUSTER" in rest[:3]:
        raise _denied(user, "for KILL … ON CLUSTER")
    for index, token in enumerate(tokens):
        before = [other.text.upper() for other in tokens[max(0, index - 2) : index]]
        named = before[-1:] == ["ENGINE"] or before == ["ENGINE", "="]
        if named and token.value.lower() in allowlists.FORBIDDEN_ENGINES:
            raise _denied(user, f"to use the table engine {token.value}")


def _check_database(tokens: Sequence[Token], user: User, database: str) -> None:
    place = next(index for index, token in enumerate(tokens) if token.is_word("DATABASE"))
    named = next((token for token in tokens[place + 1 :] if not token.is_word("IF", "NOT", "EXISTS")), None)
    if named is None or named.value != database:
        raise _denied(user, f"to change databases other than {database}")


_LONGEST_IDENTIFIER: Final = 1000
_MOST_PARTS: Final = 8
_NOTHING: Final = Token(Kind.SYMBOL, "", 0, 0)


def _neighbours(tokens: Sequence[Token]) -> Iterable[tuple[Token, Token, Token]]:
    """Return every token with the one before and the one after it."""
    return zip((_NOTHING, *tokens), tokens, (*tokens[1:], _NOTHING), strict=False)
