from __future__ import annotations

import socket

import pytest

from pipeline.embedded.tcp_ports import answers, free_or_zero, usable_port
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
