from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from pipeline.embedded import tcp_ports
from pipeline.embedded.tcp_ports import PortClaims, answers, free_or_zero, usable_port
from pipeline.errors import UserError


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_zero_is_any_free_port_that_no_outgoing_connection_takes() -> None:
    assert 20_000 <= usable_port(0, "--kafka-port") < 32_000


def test_taken_port_is_the_users_error_with_the_option() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} of 127.0.0.1 is in use; pass --kafka-port 0"):
            usable_port(port, "--kafka-port")


def test_demo_falls_back_to_any_port_where_the_usual_one_is_taken() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        assert free_or_zero(port) == 0
    assert free_or_zero(port) == port


def test_answers_follows_the_listener() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        assert answers(port)
    assert not answers(port)


def claim_of_another_process(port: int) -> subprocess.Popen[str]:
    code = (
        "import sys, time; from pipeline.embedded.tcp_ports import PortClaims; claims = PortClaims(); "
        "claims.take(int(sys.argv[1]), '--board-port'); print('held', flush=True); time.sleep(60)"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(port)], stdout=subprocess.PIPE, text=True)


@pytest.mark.process
def test_a_claimed_port_is_no_other_instances_from_the_choice_to_the_end() -> None:
    port = usable_port(0, "--board-port")
    with claim_of_another_process(port) as other, PortClaims() as claims:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        said = f"port {port} of 127.0.0.1 is in use by another instance, or by UDP; pass --board-port 0"
        with pytest.raises(UserError, match=said):
            claims.take(port, "--board-port")
        assert free_or_zero(port) == 0  # so the demo takes any other
        with pytest.raises(UserError, match="in use by another instance"):
            usable_port(port, "--board-port")
        with socket.create_server(("127.0.0.1", port)):
            assert answers(port), "the part itself still can listen there"
        other.kill()
        other.wait()
        assert claims.take(port, "--board-port") == port


def test_any_free_port_is_none_that_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = usable_port(0, "--board-port")
    monkeypatch.setattr(tcp_ports, "_FREE_RANGE", range(begin, begin + 4))
    with PortClaims() as claims:
        taken = [claims.take(0, "--board-port") for _ in range(2)]
        assert len(set(taken)) == 2
        assert usable_port(0, "--board-port") not in taken
        with pytest.raises(UserError, match="no free port"):
            [claims.take(0, "--board-port") for _ in range(3)]
    assert usable_port(taken[0], "--board-port") == taken[0]


def test_one_port_for_two_parts_is_refused() -> None:
    port = usable_port(0, "--board-port")
    with PortClaims() as claims:
        claims.take(port, "--kafka-port")
        with pytest.raises(UserError, match="pass --clickhouse-port 0"):
            claims.take(port, "--clickhouse-port")
