"""A Jupyter server in a job."""

from __future__ import annotations

import pytest
from support.wait import wait_until

from openpai.notebook import NotebookError


def run_over_http(url: str, path: str, source: str) -> str:
    """Open a notebook in a Jupyter server as a front end does, run code, return what it prints."""
    import asyncio
    import json
    from urllib.parse import urlsplit
    from uuid import uuid4

    from tornado.httpclient import AsyncHTTPClient, HTTPRequest
    from tornado.websocket import websocket_connect

    parts = urlsplit(url)
    headers = {"Authorization": f"token {parts.query.partition('=')[2]}"}

    async def run() -> str:
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        sessions = f"http://{parts.netloc}/api/sessions"
        request = HTTPRequest(sessions, "POST", headers, json.dumps(body))
        kernel = json.loads((await AsyncHTTPClient().fetch(request)).body)["kernel"]["id"]
        address = f"ws://{parts.netloc}/api/kernels/{kernel}/channels"
        socket = await websocket_connect(HTTPRequest(address, headers=headers))
        header = {"msg_id": uuid4().hex, "username": "", "session": "s", "version": "5.3"}
        message = {
            "header": {**header, "msg_type": "execute_request"},
            "parent_header": {},
            "metadata": {},
            "channel": "shell",
            "content": {"code": source, "silent": False, "store_history": True},
        }
        await socket.write_message(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(socket.read_message(), 120))
            if answer["header"]["msg_type"] == "stream":
                socket.close()
                return answer["content"]["text"]

    return asyncio.run(run())


def test_interactive_job_serves_notebook(submit, cluster, tmp_path):
    """The address answers, takes only the token, runs a cell, and gives back what was saved."""
    from urllib.error import HTTPError
    from urllib.request import urlopen

    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed here")
    job = submit("print('in the file')", mode="interactive")
    url = job.server_url(timeout=300)
    assert run_over_http(url, "work.ipynb", "print(6 * 7)") == "42\n"
    with urlopen(url, timeout=60) as page:
        assert page.geturl().partition("?")[0].endswith("/lab/tree/work.ipynb")
    with pytest.raises(HTTPError, match="403"):
        urlopen(url.partition("?")[0] + "api/sessions", timeout=60).close()
    token = url.partition("=")[2]
    assert token not in job.config().to_yaml() + "\n".join(job.logs())
    job.stop()
    assert job.wait(timeout=60).state == "STOPPED"
    source = "print('in the file')"
    wait_until(lambda: job.notebook()["cells"][0]["source"] == source, "the notebook is back")
    with pytest.raises(NotebookError, match="has ended"):
        job.server_url()


def test_token_file_is_private(submit, clean_home):
    """The file of tokens is the user's alone; a machine without it gets an error."""
    job = submit("1", mode="interactive", name="private")
    file = clean_home / "notebook-tokens.yaml"
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    job.stop()
    with pytest.raises(NotebookError, match="is not known on this machine"):
        job.server_url()
