"""The page to look at, as a browser sees it."""

import html
import re
import shutil
import subprocess

import pytest
import requests
from support.wait import wait_until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture
def browse(cluster, tmp_path):
    """Return a function that opens an address and gives the page's text after its scripts ran."""

    def look(path, seconds=4):
        done = subprocess.run(
            [
                CHROMIUM,
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--virtual-time-budget={seconds * 1000}",
                "--dump-dom",
                cluster.uri + path,
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        body = re.sub(r"<(script|style)>.*?</\1>", "", done.stdout, flags=re.DOTALL)
        return html.unescape(re.sub(r"<[^>]+>", " ", body))

    return look


@pytest.mark.parametrize("path", ["/", "/job-list.html", "/job-detail.html?username=a&jobName=b"])
def test_page_is_served_without_token(cluster, path):
    """It holds nothing of anybody's; what it shows it asks for with a token."""
    answer = requests.get(cluster.uri + path, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert cluster.token not in answer.text


def test_page_loads_nothing_from_other_servers(cluster):
    """No address of another server is in it."""
    text = requests.get(cluster.uri, timeout=60).text
    assert "://" not in text.replace("http://www.w3.org", "")


def test_old_portal_page_is_not_found(cluster):
    """Clients look for it to detect an old PAI."""
    assert requests.get(cluster.uri + "/view.html", timeout=60).status_code == 404


@pytest.mark.process
@needs_browser
def test_page_without_token_shows_login(browse):
    """Nothing else is shown."""
    assert "Log in" in browse("/")


@pytest.mark.process
@needs_browser
def test_page_shows_error_for_wrong_token(browse):
    """The server's own words are on the page."""
    assert "Your token is invalid." in browse("/#token=wrong")


@pytest.mark.process
@needs_browser
def test_page_lists_jobs(browse, cluster, client, job_text):
    """Name, user and state of each, and what the machine has in use."""
    client.submit(job_text("seen", "echo hi"))
    client.wait("seen")
    text = browse(f"/#token={cluster.token}")
    assert re.search(rf"seen\s+{cluster.user}\s+SUCCEEDED", text)
    assert "0 of 8 CPU" in text


@pytest.mark.process
@needs_browser
def test_page_shows_job_details(browse, cluster, client, job_text):
    """Its tasks, its output, its events, and why it failed."""
    client.submit(job_text("looked", "echo '<b>this is shown</b>'", "exit 3"))
    client.wait("looked")
    address = f"/job-detail.html?username={cluster.user}&jobName=looked#token={cluster.token}"
    text = browse(address)
    assert "looked  FAILED" in text
    assert "exit code 255" in text
    assert "worker 0" in text
    assert "<b>this is shown</b>" in text
    assert "ImageNotRun" in text


@pytest.mark.process
@needs_browser
def test_page_shows_output_of_running_job(browse, cluster, client, job_text):
    """What it has written so far is there, and a button to stop it."""
    client.submit(job_text("goes", "echo first line; sleep 600"))
    client.wait("goes", "RUNNING")
    wait_until(lambda: client.log("goes") == "first line\n")
    address = f"/job-detail.html?username={cluster.user}&jobName=goes#token={cluster.token}"
    text = browse(address)
    assert "goes  RUNNING" in text
    assert "first line" in text
    assert "Stop the job" in text
    client.stop("goes")
    client.wait("goes")
