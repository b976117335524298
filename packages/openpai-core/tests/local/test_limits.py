"""What a task may use, where no container engine holds it: memory and processes."""

import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="they are enforced on Linux only"),
]


def _hoard(mb, seconds=600):
    """Return a command that allocates memory and keeps it."""
    code = f"import time; held = bytearray(b'x' * ({mb} << 20)); time.sleep({seconds})"
    return f'exec {sys.executable} -c "{code}"'


def test_task_over_memory_limit_is_killed(client, job_text):
    """As PAI says it: -1200, not tried again though it may be, and the user's status is 137."""
    client.submit(job_text("greedy", _hoard(300), top="jobRetryCount: 3", memoryMB=100))
    status = client.wait("greedy")["jobStatus"]
    assert (status["state"], status["appExitCode"]) == ("FAILED", -1200)
    assert status["appExitSpec"]["phrase"] == "UserContainerDockerOOMKilled"
    assert status["appExitMessages"]["runtime"]["originUserExitCode"] == 137
    assert "reason: OOMKilled" in status["appExitDiagnostics"]
    assert status["retries"] == 0
    assert "uses more memory than it may" in client.log("greedy", "runtime.log")


def test_memory_of_all_processes_counts(client, job_text, is_alive):
    """What children take is the task's, and they are ended with it."""
    twice = f"({_hoard(80)}) & echo $!; ({_hoard(80)}) & echo $!; wait"
    client.submit(job_text("family", twice, memoryMB=120))
    assert client.wait("family")["jobStatus"]["appExitCode"] == -1200
    assert not any(is_alive(int(word)) for word in client.log("family").split())


def test_shared_memory_counts_once(client, job_text):
    """Forked workers that only read what their parent holds do not exceed the limit."""
    share = "\n".join(
        [
            "import os, time",
            "held = b'x' * (60 << 20)",
            "children = []",
            "for _ in range(4):",
            "    pid = os.fork()",
            "    if pid == 0:",
            "        sum(held[::4096])",
            "        time.sleep(1)",
            "        os._exit(0)",
            "    children.append(pid)",
            "print([os.waitpid(pid, 0)[1] for pid in children])",
        ]
    )
    client.submit(job_text("share", f"{sys.executable} - <<'END'\n{share}\nEND", memoryMB=160))
    assert client.wait("share")["jobStatus"]["state"] == "SUCCEEDED"
    assert client.log("share") == "[0, 0, 0, 0]\n"


@pytest.fixture
def small(plain_client):
    """A cluster that holds tasks to 40 processes, and not to their memory."""
    from openpai.core.local import LocalCluster

    with LocalCluster(cpus=8, memory_mb=8192, process_limit=40, memory_limits=False) as cluster:
        client = plain_client(cluster.uri, cluster.user, cluster.token)
        yield client
        client.close()


def test_memory_limits_can_be_disabled(small, job_text):
    """Without them amounts are only counted."""
    small.submit(job_text("free", _hoard(100, 1), memoryMB=50))
    assert small.wait("free")["jobStatus"]["state"] == "SUCCEEDED"


def test_task_with_too_many_processes_is_killed(small, job_text, is_alive):
    """A fork bomb (a bounded one) ends, nothing of it is left, and the server answers."""
    grow = "echo $BASHPID; [ $1 = 0 ] && exec sleep 600; f $(($1-1)) & f $(($1-1)) & wait"
    bomb = f"f() {{ {grow}; }}; f 6"
    small.submit(job_text("bomb", bomb))
    status = small.wait("bomb")["jobStatus"]
    assert (status["state"], status["appExitCode"]) == ("FAILED", 255)
    assert "reason: TooManyProcesses" in status["appExitDiagnostics"]
    pids = [int(word) for word in small.log("bomb").split() if word.isdigit()]
    assert len(pids) > 40
    assert not any(map(is_alive, pids))
    assert small("GET", "/info").status_code == 200


def test_task_leaves_processes_to_server():
    """Its limit is below its user's, so that a fork bomb leaves room (where users have a limit)."""
    import resource

    from openpai.core.local.executor.supervisor.usage import SPARE, limit_processes

    def spare():
        resource.setrlimit(resource.RLIMIT_NPROC, (3000, 3000))
        limit_processes()

    shown = subprocess.check_output(["bash", "-c", "ulimit -u"], preexec_fn=spare)
    assert int(shown) == 3000 - SPARE
