"""A sweep as one object: bounds, a process that dies, running again what failed, stopping."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading

import pytest
from support.gate import Gate
from support.wait import wait_until

from openpai.core.errors import ConflictError, NotFoundError, ProtocolError, WaitTimeout
from openpai.core.sweeps.parameters import grid
from openpai.core.sweeps.sweep import Sweep, all_sweeps

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A place of its own for what is kept of sweeps."""
    folder = tmp_path / "home"
    monkeypatch.setenv("OPENPAI_HOME", str(folder))
    return folder


@pytest.fixture
def make_sweep(cluster, make_job):
    """Plan a sweep of jobs that run these lines with the parameter `n`."""

    def make(*lines, count=3, on=None, **options):
        job = make_job(*lines)
        job.document["parameters"] = {"n": 0}
        return Sweep.create(on or cluster, job, grid(n=list(range(count))), **options)

    return make


def states(sweep):
    """The state of each point's latest job."""
    return [job.state for job in sweep.jobs()]


def submitted(sweep):
    """The number of points that have a job."""
    return sum(state is not None for state in states(sweep))


def wait_for_lists(proxy, number):
    """Return when the jobs have been listed that often from now on."""
    wanted = proxy.count("GET", r"/jobs\?") + number
    wait_until(lambda: proxy.count("GET", r"/jobs\?") >= wanted, show=lambda: proxy.seen)


def test_sweep_is_planned_submitted_and_awaited(make_sweep):
    """Nothing is sent before it is submitted; every point has one job; the order is the points'."""
    sweep = make_sweep("true <% $parameters.n %>")
    assert states(sweep) == [None, None, None]
    assert [outcome.status for outcome in sweep.submit()] == ["submitted"] * 3
    assert [job.state for job in sweep.wait(timeout=60)] == ["SUCCEEDED"] * 3
    assert [job.parameters for job in sweep.jobs()] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_second_submit_duplicates_nothing(make_sweep, cluster):
    """What is there with this description counts as existing."""
    sweep = make_sweep("true <% $parameters.n %>")
    sweep.submit()
    assert [outcome.status for outcome in Sweep(cluster, sweep.name).submit()] == ["existed"] * 3


def test_max_parallel_is_kept(make_sweep, through_proxy, proxy, gate, tmp_path):
    """The tasks themselves count how many of them run."""
    count = f"mkdir {tmp_path}/<% $parameters.n %> && ls {tmp_path} | grep -c '^[0-9]'"
    leave = f"{gate.command}; rmdir {tmp_path}/<% $parameters.n %>"
    sweep = make_sweep(f"{count}; {leave}", count=6, on=through_proxy, max_parallel=2)
    outcomes = []
    submitter = threading.Thread(target=lambda: outcomes.extend(sweep.submit()))
    submitter.start()
    wait_until(lambda: states(sweep).count("RUNNING") == 2, show=lambda: states(sweep))
    wait_for_lists(proxy, 2)
    assert submitted(sweep) == 2
    gate.open()
    jobs = sweep.wait(timeout=120)
    submitter.join(60)
    assert len(outcomes) == 6
    reported = [next(sweep.cluster.job(job.name).logs()) for job in jobs]
    assert {int(text) for text in reported} <= {1, 2}


def test_recreated_sweep_gets_missing_points(make_sweep, cluster, make_job):
    """The same name with more values is the same sweep, grown."""
    job = make_job("true <% $parameters.n %>")
    Sweep.create(cluster, job, grid(n=[1, 2])).submit()
    grown = Sweep.create(cluster, job, grid(n=[2, 3]))
    assert [outcome.status for outcome in grown.submit()] == ["existed", "existed", "submitted"]


def test_rerun_repeats_failed_points(make_sweep):
    """Under new names; the latest job of each point counts from then on."""
    sweep = make_sweep("test <% $parameters.n %> = 0 || test -e again; exit $?", count=2)
    sweep.submit()
    sweep.wait(timeout=60)
    assert states(sweep) == ["SUCCEEDED", "FAILED"]
    assert [outcome.name for outcome in sweep.rerun()] == [f"{sweep.name}_n-1_try2"]
    sweep.wait(timeout=60)
    assert [job.number for job in sweep.jobs()] == [1, 2]
    assert [outcome.name for outcome in sweep.rerun()] == [f"{sweep.name}_n-1_try3"]


def test_sweep_is_seen_and_rerun_from_other_machine(make_sweep, cluster, monkeypatch, tmp_path):
    """The jobs are tagged and described on the cluster; only what was never sent is unknown."""
    sweep = make_sweep("exit <% $parameters.n %>", count=2)
    sweep.submit()
    sweep.wait(timeout=60)
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "elsewhere"))
    other = Sweep(cluster, sweep.name)
    assert states(other) == ["SUCCEEDED", "FAILED"]
    assert sweep.name in all_sweeps(cluster)
    assert [outcome.name for outcome in other.rerun()] == [f"{sweep.name}_n-1_try2"]
    with pytest.raises(NotFoundError, match="does not know the jobs"):
        other.submit()


def test_unknown_sweep_raises(cluster):
    """By its name."""
    with pytest.raises(NotFoundError, match="no sweep 'nothing'"):
        Sweep(cluster, "nothing").jobs()


def test_record_is_private(make_sweep):
    """The job is kept with its secrets."""
    sweep = make_sweep("true <% $parameters.n %>")
    assert stat.S_IMODE(sweep.record.path.stat().st_mode) == 0o600


def test_secrets_reach_rerun_and_are_required_elsewhere(cluster, make_job, monkeypatch, tmp_path):
    """The server keeps asterisks, so only the machine that began the sweep can run it again."""
    job = make_job("test <% $secrets.key %> = s3cr3t && exit <% $parameters.n %>")
    job.document["parameters"] = {"n": 0}
    job.secrets(key="s3cr3t")
    sweep = Sweep.create(cluster, job, grid(n=[3]))
    sweep.submit()
    sweep.wait(timeout=60)
    sweep.rerun()
    sweep.wait(timeout=60)
    assert cluster.job(sweep.jobs()[0].name).exit_code() == 3
    monkeypatch.setenv("OPENPAI_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(ProtocolError, match="secret"):
        Sweep(cluster, sweep.name).rerun()


def test_stop_ends_submission(make_sweep, cluster):
    """Active jobs are stopped, and the submitting process sends no more."""
    sweep = make_sweep("sleep 600 <% $parameters.n %>", count=5, max_parallel=2)
    submitter = threading.Thread(target=sweep.submit)
    submitter.start()
    other = Sweep(cluster, sweep.name)
    wait_until(lambda: states(other).count("RUNNING") == 2, show=lambda: states(other))
    with pytest.raises(ConflictError, match="Another process"):
        other.submit()
    with pytest.raises(WaitTimeout):
        other.wait(timeout=0)
    assert [outcome.status for outcome in other.stop()] == ["stopped"] * 2
    submitter.join(60)
    assert not submitter.is_alive()
    assert states(other).count(None) == 3
    assert {job.state for job in other.wait(timeout=60)} == {"STOPPED", None}


PROGRAM = """
    import sys
    from openpai.core import Cluster
    from openpai.core.sweeps.sweep import Sweep

    uri, user, token, name = sys.argv[1:]
    with Cluster(uri, user=user, token=token) as cluster:
        Sweep(cluster, name).submit()
"""


def test_killed_submission_resumes_within_bounds(make_sweep, local, through_proxy, proxy, tmp_path):
    """Kill -9 in the middle, several times over; then it is started once more."""
    running = f"mkdir {tmp_path}/<% $parameters.n %> && ls {tmp_path} | grep -c '^[0-9]'"
    gates = [Gate(tmp_path / f"gate{n}") for n in range(12)]
    hold = Gate(tmp_path / "gate<% $parameters.n %>").command
    leave = f"{hold}; rmdir {tmp_path}/<% $parameters.n %>"
    sweep = make_sweep(f"{running}; {leave}", count=12, on=through_proxy, max_parallel=3)
    program = tmp_path / "submit.py"
    program.write_text(textwrap.dedent(PROGRAM))
    words = [sys.executable, str(program), proxy.uri, local.user, local.token, sweep.name]
    opened = 0
    for goal in (2, 5, 8, 12):
        process = subprocess.Popen(words, env=os.environ)
        if goal > 2:  # it sees that the jobs of the killed one still hold their places
            wait_for_lists(proxy, 2)
            assert submitted(sweep) <= opened + 3
            opened = submitted(sweep) if goal < 12 else 12
        for gate in gates[:opened]:
            gate.open()
        wait_until(lambda: submitted(sweep) >= goal, show=lambda: states(sweep))  # noqa: B023
        if goal < 12:
            process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == 0
    jobs = sweep.wait(timeout=120)
    assert [job.state for job in jobs] == ["SUCCEEDED"] * 12
    listed = [j.name for j in through_proxy.jobs(user=local.user, keyword=sweep.name)]
    assert sorted(listed) == sorted(job.name for job in jobs)
    most = max(int(next(through_proxy.job(job.name).logs())) for job in jobs)
    assert most <= 3
