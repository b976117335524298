"""Answers that are cut within their headers, which http.client takes for whole and empty ones."""

from __future__ import annotations

import socket
import threading

import pytest

from openpai.core.errors import ConnectionFailed
from openpai.core.rest.session import Session

WHOLE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: nginx\r\n"
    b'Content-Length: 11\r\n\r\n{"good": 1}'
)


@pytest.fixture
def serve():
    """Answer one connection after the other with these bytes; give the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def begin(*answers):
        def run():
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield begin
    for thread in threads:
        thread.join(10)
    listener.close()


@pytest.mark.parametrize(
    "end", [b"200 OK\r\n", b"json\r\n", b"Serv", b"Content-Le", b"-Length:", b"-Length: 1"]
)
@pytest.mark.filterwarnings("ignore")
def test_cut_headers_are_retried(serve, end):
    """It is asked for again, as after any cut."""
    cut = WHOLE[: WHOLE.index(end) + len(end)]
    session = Session(serve(cut, WHOLE), token="t", timeout=60)
    assert session.get("/anything") == {"good": 1}
    session.close()


def test_cut_headers_of_unsafe_call_raise(serve):
    """The caller checks whether it took effect."""
    session = Session(serve(WHOLE[:30]), token="t", timeout=60)
    with pytest.raises(ConnectionFailed, match="cut") as caught:
        session.send("PUT", "/anything", {})
    assert caught.value.sent
    session.close()
