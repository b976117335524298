"""The local cluster's page in a real Chromium: jobs, tasks, time line, live output, resources."""

from __future__ import annotations

import re

import pytest
from support.gate import Gate

from openpai.core import Cluster, Job
from openpai.core.local import LocalCluster

pytestmark = pytest.mark.xdist_group("local-page")


@pytest.fixture(scope="module")
def local():
    """A cluster of ann's."""
    with LocalCluster(cpus=8, memory_mb=8192, gpus=2, grace=2, user="ann") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(local):
    """A client of that cluster."""
    with Cluster(local.uri, user=local.user, token=local.token) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def chromium(needs):
    """A browser that asks nobody but the cluster."""
    playwright = pytest.importorskip("playwright.sync_api")
    quiet = ("--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run")
    silent = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=needs("chromium"), args=["--no-sandbox", *quiet, *silent]
        )
        yield browser
        browser.close()


def new_context(chromium, **options):
    """Return a window of the browser that waits long enough on a loaded machine."""
    context = chromium.new_context(**options)
    context.set_default_timeout(120_000)
    return context


@pytest.fixture
def page(chromium, local):
    """A page that is logged in; what its scripts throw fails the test."""
    errors = []
    with new_context(chromium) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{local.uri}/#token={local.token}")
        yield page
    assert errors == []


def job(name, *commands, instances=1, gpu=0, **top):
    """Return a job of one role."""
    asked = {"cpu": 1, "gpu": gpu, "memoryMB": 64}
    role = {"instances": instances, "dockerImage": "i", "resourcePerInstance": asked}
    return Job.from_dict(
        {
            "protocolVersion": 2,
            "name": name,
            "type": "job",
            "prerequisites": [{"type": "dockerimage", "name": "i", "uri": "x"}],
            "taskRoles": {"worker": {**role, "commands": list(commands)}},
            **top,
        }
    )


def shows(page, selector, text):
    """Wait until a part of the page has a text."""
    page.locator(selector, has_text=text).wait_for()


def open_job(page, local, name):
    """Show a job's own page."""
    page.goto(f"{local.uri}/job-detail.html?username=ann&jobName={name}")
    page.wait_for_selector("#log")


def test_page_links_list_and_job(page, client):
    """A job that appears is in the list without a reload; a click leads to its tasks."""
    client.submit(job("walk", "echo hello", instances=2)).wait(timeout=120)
    row = page.locator("tr[data-job='ann~walk']")
    row.wait_for()
    shows(page, "body", "SUCCEEDED")
    row.click()
    page.locator(".bar").nth(1).wait_for(state="attached")
    assert "jobName=walk" in page.url
    page.click("#home")
    row.wait_for()
    page.go_back()
    page.wait_for_selector("#log")


def test_page_shows_time_line(page, client, local):
    """A retried task's bar lies within its track, where it ran; a failure says its name."""
    client.submit(job("late", "sleep 0.3; echo 'ImportError: x' >&2; exit 3")).wait(timeout=120)
    open_job(page, local, "late")
    page.wait_for_selector(".bar.FAILED")
    track = page.locator(".track").bounding_box()
    bar = page.locator(".bar").bounding_box()
    assert track["x"] <= bar["x"]
    assert bar["x"] + bar["width"] <= track["x"] + track["width"] + 1
    assert bar["width"] > 0
    assert "exit code 232 (ContainerImportError)" in page.inner_text("#summary")


def test_page_shows_live_output_and_stops_job(page, client, local, tmp_path):
    """What a task writes is added, what it uses is counted, and the button ends it."""
    gate = Gate(tmp_path / "gate")
    running = client.submit(job("live", "echo first", gate.command, "echo second", "sleep 600"))
    open_job(page, local, "live")
    log = page.locator("#log")
    shows(page, "#log", "first")
    assert "second" not in log.inner_text()
    gate.open()
    shows(page, "#log", "second")
    assert log.inner_text().count("first") == 1
    shows(page, "body", "1 of 8 CPU")
    page.click("#stop")
    shows(page, "body", "STOPPED")
    assert running.wait(timeout=120).state == "STOPPED"
    assert page.locator("#stop").is_hidden()


def test_page_shows_why_job_waits(page, client, local):
    """The reason is among its events."""
    holder = client.submit(job("holder", "sleep 600", gpu=2))
    waiting = client.submit(job("waiting", "true", gpu=1))
    open_job(page, local, "waiting")
    shows(page, "body", "Waiting for 1 GPU (0 available)")
    holder.stop()
    assert waiting.wait(timeout=120).state == "SUCCEEDED"


def test_page_escapes_output(page, client, local):
    """What a task writes is never run."""
    evil = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    client.submit(job("evil", f"cat <<'END'\n{evil}\nEND")).wait(timeout=120)
    open_job(page, local, "evil")
    shows(page, "#log", "onerror")
    assert page.title() == "OpenPAI local cluster"
    assert page.locator("#log img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_contrast_in_light_and_dark(chromium, local, client, scheme):
    """Each state's colour stands out from the background (WCAG AA: 4.5)."""
    client.submit(job(f"seen-{scheme}", "true")).wait(timeout=120)
    with new_context(chromium, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{local.uri}/#token={local.token}")
        page.wait_for_selector("tr[data-job]")
        back = (255, 255, 255) if scheme == "light" else (18, 18, 18)
        for state in ("SUCCEEDED", "FAILED", "RUNNING", "WAITING", "STOPPED"):
            text = page.evaluate(
                "(state) => { const node = document.createElement('span'); "
                "node.className = 'state ' + state; document.body.append(node); "
                "return getComputedStyle(node).color }",
                state,
            )
            assert _contrast(_colour(text), back) >= 4.5, state


def _colour(text):
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _contrast(one, other):
    light = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light[0] + 0.05) / (light[1] + 0.05)


def _luminance(colour):
    parts = [part / 255 for part in colour]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_page_fits_phone(chromium, local, client):
    """Nothing but the table itself is wider than a narrow window."""
    client.submit(job("narrow", "true")).wait(timeout=120)
    with new_context(chromium, viewport={"width": 390, "height": 700}) as context:
        page = context.new_page()
        page.goto(f"{local.uri}/#token={local.token}")
        page.wait_for_selector("tr[data-job]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_page_removes_token_from_address(page, local):
    """It is taken out of the address, and kept for this window only."""
    page.wait_for_selector("#resources")
    assert local.token not in page.url
    assert page.evaluate("localStorage.length") == 0
