"""When no answer comes, the error says why, and whether it may pass."""

import socket
import threading

import pytest
import requests

from openpai.core.errors import ConnectionFailed
from openpai.core.rest.connection_errors import connection_failed
from openpai.core.rest.session import Session


@pytest.fixture
def listener():
    """A socket that listens on loopback; tests decide how it answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def ask(uri, **options):
    """Send one request that is not repeated, and return the error."""
    session = Session(uri, **options)
    try:
        with pytest.raises(ConnectionFailed) as caught:
            session.send("POST", "/jobs")
        return caught.value
    finally:
        session.close()


def test_refused_connection_was_not_sent():
    """Nothing listens there, so nothing can have taken effect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = ask(f"http://127.0.0.1:{port}")
    assert "refused" in error.message
    assert (error.transient, error.sent) == (True, False)


def test_cut_connection_may_have_taken_effect(listener):
    """The server takes the request and hangs up."""

    def hang_up():
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    error = ask(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread.join()
    assert "cut" in error.message
    assert (error.transient, error.sent) == (True, True)


def test_silence_is_a_timeout(listener):
    """A login can hang forever on a real server."""
    error = ask(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.2)
    assert "no answer in time" in error.message
    assert (error.transient, error.sent) == (True, True)


def test_https_on_plain_port_is_explained(listener):
    """The mistake is named, with the cure."""

    def answer():
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    error = ask(f"https://127.0.0.1:{listener.getsockname()[1]}")
    thread.join()
    assert "does not speak https" in error.message
    assert not error.transient


def test_unknown_host_is_not_transient():
    """The name is wrong, now and later (names under .invalid never exist)."""
    error = ask("http://no-such-host.invalid")
    assert not error.transient


def test_every_requests_exception_has_a_message():
    """The table has a row for each class that a call can raise."""
    found = [
        kind
        for kind in vars(requests.exceptions).values()
        if isinstance(kind, type) and issubclass(kind, requests.RequestException)
    ]
    assert len(found) > 15
    for kind in found:
        try:
            error = kind("text")
        except TypeError:  # JSONDecodeError wants a document
            error = kind("text", "document", 0)
        assert connection_failed(error, "GET x").message.startswith("GET x: ")
