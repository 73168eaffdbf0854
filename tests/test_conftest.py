# SPDX-License-Identifier: Apache-2.0
"""The network rule holds: units have no sockets, integration tests have this machine only. So does that of fixtures."""

import socket

import pytest
from pytest_socket import SocketBlockedError, SocketConnectBlockedError


def test_a_unit_test_can_open_no_socket() -> None:
    with pytest.warns(UserWarning, match="socket"), pytest.raises(SocketBlockedError):
        socket.socket()


@pytest.mark.integration
def test_an_integration_test_reaches_this_machine() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as connection,
    ):
        assert connection.getpeername() == server.getsockname()


@pytest.mark.integration
def test_an_integration_test_reaches_nothing_else() -> None:
    # 192.0.2.0/24 is reserved for documents (RFC 5737): nobody is there, should the rule fail.
    with pytest.warns(UserWarning, match="192.0.2.1"), pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 9), timeout=0.1)


def test_a_running_test_sets_up_no_fixture(request: pytest.FixtureRequest) -> None:
    with pytest.raises(pytest.fail.Exception, match="fixture tmp_path set up while the test runs"):
        request.getfixturevalue("tmp_path")
