"""`opai cluster`: clusters, logins, tokens."""

from __future__ import annotations

import ssl
import stat
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from pytest_httpserver import HTTPServer


@pytest.fixture
def add(opai, server):
    """Add the local cluster under an alias, by password."""

    def call(alias: str, *more: str):
        return opai(
            *("cluster", "add", alias, "--pai-uri", server.uri, "--user", "alice"),
            *("--password-stdin", *more),
            stdin=server.password + "\n",
        )

    return call


def test_cluster_add_by_password(opai, add, home, server):
    """The token is stored apart and private; the password nowhere."""
    assert add("prod").exit_code == 0
    assert yaml.safe_load((home / "clusters.yaml").read_text())[0]["pai_uri"] == server.uri
    assert stat.S_IMODE((home / "credentials.yaml").stat().st_mode) == 0o600
    for file in home.iterdir():
        assert server.password not in file.read_text()
    assert opai("job", "list").exit_code == 0


def test_cluster_add_by_token(opai, server):
    """A token needs no user's name: the server knows whose it is."""
    result = opai(
        *("cluster", "add", "prod", "--pai-uri", server.uri, "--token-stdin"), stdin=server.token
    )
    assert result.exit_code == 0
    assert "logged in as alice" in result.stderr
    assert opai("cluster", "token").stdout.strip() == server.token


def test_cluster_add_accepts_old_options(opai, server):
    """-a, --password on the command line: it works, and says why not to."""
    result = opai(
        *("cluster", "add", "-a", "old", "--pai-uri", server.uri),
        *("--user", "alice", "--password", server.password),
    )
    assert result.exit_code == 0
    assert "--password-stdin" in result.stderr
    assert server.password not in result.stderr + result.stdout


def test_cluster_add_with_wrong_password_stores_nothing(opai, server, home):
    """Exit code 3, one sentence, no file."""
    result = opai(
        *("cluster", "add", "prod", "--pai-uri", server.uri, "--user", "alice"),
        "--password-stdin",
        stdin="wrong-password\n",
    )
    assert result.exit_code == 3
    assert not (home / "clusters.yaml").exists()
    assert "wrong-password" not in result.stderr


def test_cluster_add_with_wrong_token_stores_nothing(opai, server, home):
    """A token that the server does not know is 3."""
    result = opai(
        *("cluster", "add", "prod", "--pai-uri", server.uri, "--token-stdin"), stdin="rubbish\n"
    )
    assert result.exit_code == 3
    assert not (home / "clusters.yaml").exists()


def test_cluster_add_unreachable_exits_6(opai, home):
    """Nothing listens there: 6, and nothing is stored."""
    result = opai(
        *("cluster", "add", "prod", "--pai-uri", "http://127.0.0.1:1", "--token-stdin"), stdin="t\n"
    )
    assert result.exit_code == 6
    assert not (home / "clusters.yaml").exists()


def test_cluster_add_accepts_pasted_addresses(opai, server):
    """Without a scheme, or a page of the web portal: what was found is reported and stored."""
    for pasted in (server.uri[len("http://") :], f"{server.uri}/job-list.html?vc=default"):
        result = opai(
            "cluster", "add", "p", "--pai-uri", pasted, "--token-stdin", stdin=server.token
        )
        assert result.exit_code == 0
        assert f"Found PAI 1.8.0 at {server.uri}; login by password." in result.stderr
        assert "Virtual clusters: default (" in result.stderr
        assert "Storages: local-storage." in result.stderr
        assert opai("cluster", "list", "-o", "json").json[0]["pai_uri"] == server.uri


def test_cluster_add_refuses_invalid_address(opai):
    """Wrong usage: 2, before anybody is asked."""
    result = opai("cluster", "add", "p", "--pai-uri", "ftp://pai", "--token-stdin", stdin="t")
    assert result.exit_code == 2
    assert "https://HOST" in result.stderr


@pytest.mark.parametrize(
    ("certificate", "scheme", "words"),
    [
        ("expired.pem", "https", "certificate has expired"),
        ("future.pem", "https", "certificate is not valid yet"),
        ("server.pem", "https", "certificate is not trusted"),
        ("expired.pem", "http", "certificate has expired"),
    ],
)
def test_cluster_add_with_bad_certificate_exits_6(opai, home, certificate, scheme, words):
    """One sentence and a hint, and nothing is stored; plain http on that port fails, too."""
    tls = Path(__file__).resolve().parents[4] / "openpai-core" / "tests" / "data" / "tls"
    if not tls.exists():
        pytest.skip("the certificates are in the repository only")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / certificate)
    more = [] if certificate == "server.pem" else ["--ca", tls / "ca.pem"]
    with HTTPServer(ssl_context=context) as server:
        uri = f"{scheme}://localhost:{server.port}"
        result = opai("cluster", "add", "p", "--pai-uri", uri, *more, "--token-stdin", stdin="t")
    assert result.exit_code == 6
    assert words in result.stderr
    assert "hint: " in result.stderr
    assert not (home / "clusters.yaml").exists()


@pytest.fixture
def late():
    """The address of a cluster whose clock is an hour ahead."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'{"version": "1.8.0", "authnMethod": "basic", "username": "alice"}'
            self.send_response_only(200)
            self.send_header("Date", formatdate(time.time() + 3600, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_clock_difference_is_reported(opai, late):
    """`add` and `check` report it; `add` succeeds all the same."""
    added = opai("cluster", "add", "p", "--pai-uri", late, "--token-stdin", stdin="t")
    assert added.exit_code == 0
    sentence = "The cluster's clock is 60 min ahead of this machine's: one of them is wrong."
    assert f"opai: warning: {sentence}" in added.stderr
    assert "cannot list its resources" in added.stderr  # its answers have another form
    assert sentence in opai("cluster", "check", "p", "-o", "json").json[0]["finding"]


def test_cluster_add_by_password_requires_user(opai, server):
    """The server would only say that a parameter is wrong."""
    result = opai(
        "cluster", "add", "p", "--pai-uri", server.uri, "--password-stdin", stdin="secret"
    )
    assert result.exit_code == 2
    assert "--user NAME" in result.stderr


def test_password_prompt_requires_terminal(opai, server):
    """A needed password that cannot be asked for names the options to give."""
    result = opai("cluster", "add", "prod", "--pai-uri", server.uri, "--user", "alice")
    assert result.exit_code == 2
    assert "--password-stdin" in result.stderr


def test_cluster_list_marks_selected(opai, add):
    """The list says of each cluster where it is, who you are there, and which one is used."""
    add("prod")
    add("test")
    opai("cluster", "select", "test")
    rows = opai("cluster", "list", "-o", "json").json
    assert [(row["cluster_alias"], row["selected"]) for row in rows] == [
        ("prod", False),
        ("test", True),
    ]


def test_cluster_show_hides_secrets(opai, add, server):
    """`show -o json` has the keys of clusters.yaml and neither token nor password."""
    add("prod")
    result = opai("cluster", "show", "prod", "-o", "json")
    assert result.json["cluster_alias"] == "prod"
    assert result.json["pai_uri"] == server.uri
    assert opai("cluster", "token", "prod").stdout.strip() not in result.stdout


def test_several_clusters_require_selection(opai, add):
    """With two clusters and none selected a command asks for -a or select, with 2."""
    add("prod")
    add("test")
    result = opai("job", "list")
    assert result.exit_code == 2
    assert "opai cluster select" in result.stderr
    assert opai("job", "list", "-a", "prod").exit_code == 0


def test_unknown_cluster_exits_2(opai, add):
    """The error names the alias that does not exist."""
    add("prod")
    for line in (["job", "list", "-a", "prd"], ["cluster", "select", "prd"]):
        result = opai(*line)
        assert result.exit_code == 2
        assert "'prd'" in result.stderr


def test_cluster_delete_removes_token(opai, add, home):
    """`delete` removes the entry and the token."""
    add("prod")
    assert opai("cluster", "delete", "prod").exit_code == 0
    assert opai("cluster", "list", "-o", "json").json == []
    assert "prod" not in (home / "credentials.yaml").read_text()


def test_logout_revokes_token(opai, add, server, monkeypatch):
    """After `logout` neither this machine nor the server knows the token."""
    add("prod")
    before = opai("cluster", "token", "prod").stdout.strip()
    assert opai("cluster", "logout", "prod").exit_code == 0
    assert opai("job", "list").exit_code == 3
    assert opai("cluster", "token", "prod").exit_code == 3
    monkeypatch.setenv("OPENPAI_TOKEN", before)
    assert opai("job", "list").exit_code == 3


def test_login_stores_new_token(opai, add, server):
    """`login` takes a password or a token, as `add` does."""
    add("prod")
    opai("cluster", "logout", "prod")
    done = opai("cluster", "login", "prod", "--password-stdin", stdin=server.password)
    assert done.exit_code == 0
    assert opai("job", "list").exit_code == 0


def test_environment_token_takes_precedence(opai, add, monkeypatch):
    """OPENPAI_TOKEN is stronger than what is stored, and wrong when it is wrong."""
    add("prod")
    monkeypatch.setenv("OPENPAI_TOKEN", "rubbish")
    assert opai("job", "list").exit_code == 3


def test_broken_clusters_file_is_not_overwritten(opai, home, server):
    """A clusters.yaml that cannot be read is never overwritten."""
    home.mkdir()
    (home / "clusters.yaml").write_text("- {cluster_alias: [")
    for line in (["cluster", "list"], ["job", "list"], ["cluster", "delete", "x"]):
        result = opai(*line)
        assert result.exit_code == 2
        assert "clusters.yaml, line " in result.stderr
    added = opai(
        *("cluster", "add", "p", "--pai-uri", server.uri, "--token-stdin"), stdin=server.token
    )
    assert added.exit_code == 2
    assert (home / "clusters.yaml").read_text() == "- {cluster_alias: ["


def test_cluster_check_passes(opai, local):
    """`check` looks at the server, the token and each storage, and ends with 0."""
    result = opai("cluster", "check", "-o", "json")
    assert [row["check"] for row in result.json] == [
        *(f"server {local.uri}", "token", "storages", "storage local-storage")
    ]
    assert {row["good"] for row in result.json} == {True}
    assert result.exit_code == 0


def test_cluster_check_reports_bad_token(opai, local, monkeypatch):
    """A failed check has a cure, and gives the exit code."""
    monkeypatch.setenv("OPENPAI_TOKEN", "rubbish")
    result = opai("cluster", "check", "-o", "json")
    assert result.exit_code == 3
    assert [row["good"] for row in result.json] == [True, False]
    assert "opai cluster login" in result.json[1]["cure"]


def test_cluster_update_continues_after_unreachable_cluster(opai, add, home):
    """`update` renews what is stored, and a dead cluster does not stop it."""
    add("prod")
    with (home / "clusters.yaml").open("a") as file:
        file.write("- {cluster_alias: dead, pai_uri: 'http://127.0.0.1:1', user: alice}\n")
    result = opai("cluster", "update")
    assert result.exit_code == 6
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["prod", "dead"]
    assert "Virtual clusters: default (" in result.stderr


def test_environment_token_is_not_sent_to_other_clusters(opai, add, home, monkeypatch, httpserver):
    """OPENPAI_TOKEN is one cluster's; `update` asks all of them."""
    add("prod")
    other = httpserver.url_for("").rstrip("/")
    httpserver.expect_request("/rest-server/api/v2/info").respond_with_json({"version": "1"})
    with (home / "clusters.yaml").open("a") as file:
        file.write(f"- {{cluster_alias: other, pai_uri: '{other}', user: alice, token: own}}\n")
    monkeypatch.setenv("OPENPAI_TOKEN", "s3cret")
    opai("cluster", "update")
    opai("cluster", "resources")
    assert httpserver.log
    assert "s3cret" not in "".join(str(request.headers) for request, _ in httpserver.log)


@pytest.mark.process
def test_cluster_edit_reports_invalid_file(opai, add, home, tmp_path):
    """`edit` runs the editor on clusters.yaml; mistakes are reported with their line."""
    add("prod")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "- [" >> "$1"\n')
    editor.chmod(0o755)
    result = opai("cluster", "edit", "--editor", editor)
    assert result.exit_code == 2
    assert "clusters.yaml, line" in result.stderr
