from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.endpoint import EndpointHandle

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="NOT TESTED with curl: it is not here")


def _curl(*arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["curl", "-sS", *arguments], input=stdin, capture_output=True, timeout=30, check=True)
    return done.stdout.decode()


def test_curl_reads_and_writes_as_the_manual_shows(endpoint: EndpointHandle) -> None:
    base = endpoint.url
    name, password = endpoint.writer
    user = f"{name}:{password}"
    assert _curl(base) == "Ok.\n"
    assert _curl(f"{base}/ping") == "Ok.\n"
    assert _curl("-I", base).startswith("HTTP/1.1 200")
    assert _curl(f"{base}/?user={name}&password={password}&query=SELECT%201") == "1\n"
    assert _curl("-u", user, base, "-d", "SELECT 2") == "2\n"
    assert _curl("-u", user, base, "--data-binary", "@-", stdin=b"SELECT 3 FORMAT JSONEachRow") == '{"3":3}\n'
    _curl("-u", user, base, "-d", "CREATE TABLE roi.curl (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
    _curl("-u", user, base, "-d", "INSERT INTO roi.curl VALUES (1, 'x')")
    insert = f"{base}/?query=INSERT%20INTO%20roi.curl%20FORMAT%20CSV"
    _curl("-u", user, insert, "--data-binary", "@-", stdin=b"2,y\n3,z\n")
    _curl("-u", user, base, "--data-binary", "@-", stdin=b"INSERT INTO roi.curl FORMAT TSV\n4\tw\n")
    assert "Code: 164." in _curl("-u", user, "-G", base, "--data-urlencode", "query=TRUNCATE TABLE roi.curl")
    assert _curl("-u", user, "--compressed", base, "-d", "SELECT sum(a), max(b) FROM roi.curl") == "10\tz\n"
    assert "401" in _curl("-u", f"{name}:wrong", base, "-d", "SELECT 1", "-o", "-", "-w", "%{http_code}")
    assert "Code: 81." in _curl("-u", user, f"{base}/?database=nope", "-d", "SELECT 1")
    assert _curl("-u", user, "-H", "Expect: 100-continue", base, "-d", "SELECT 5") == "5\n"
