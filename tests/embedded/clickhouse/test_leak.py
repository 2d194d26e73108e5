from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.embedded.clickhouse.client import Client


@pytest.mark.parametrize("answer_format", ["TabSeparated", "JSON", "CSVWithNames"])
def test_failing_and_good_queries_never_mix_bytes(reader: Client, writer: Client, answer_format: str) -> None:
    """A query that fails part-way leaves its bytes on a chDB session; no later answer may carry them."""

    def ask(number: int) -> tuple[int, str]:
        client = reader if number % 3 else writer
        if number % 2:
            reply = client.send(
                f"SELECT 'secret-{number}', throwIf(number = 150000) FROM numbers(200000) FORMAT {answer_format}",
                max_block_size="5000",
            )
            assert reply.code == 395 or b"__exception__" in reply.body
            return number, ""
        return number, client.query(
            f"SELECT 'answer-{number}', number FROM numbers(200) FORMAT {answer_format}",
            session_id=f"s{number % 5}-{number}",
        )

    with ThreadPoolExecutor(8) as pool:
        for number, text in pool.map(ask, range(120)):
            assert "secret" not in text
            assert text.count("answer-") == text.count(f"answer-{number}")


def test_two_users_never_share_rows(reader: Client, writer: Client) -> None:
    def ask(number: int) -> bool:
        name = f"{number:06d}"
        text = (reader if number % 2 else writer).query(f"SELECT '{name}' FROM numbers(2000)")
        return set(text.split()) == {name}

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(300)))
