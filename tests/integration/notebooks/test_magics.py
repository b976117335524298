"""The magics, the live view and `submit_notebook()` in a real kernel."""

from __future__ import annotations


def text_of(outputs: list[dict]) -> str:
    """Return all that a cell shows as text."""
    return "".join(
        output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain", "")
        for output in outputs
    )


LOAD = "%load_ext openpai.notebook"
SIZE = "-i none --cpu 1 --mem 512m"


def test_submit_notebook_sends_calling_notebook(in_kernel):
    """Without a path the calling notebook is sent, and the calling cell is not run in the job."""
    submit = (
        "from openpai.notebook import submit_notebook\n"
        "job = submit_notebook(image='none', html=False, cpu=1, memory=512, wait=True)"
    )
    look = (
        "print(job.state(), [[o.get('text') for o in c['outputs']] for c in"
        " job.notebook()['cells'][:3]])"
    )
    shown = in_kernel("print('before')", submit, "print('after')", f"if 'job' in globals(): {look}")
    assert text_of(shown[3]) == "SUCCEEDED [['before\\n'], [], ['after\\n']]\n", shown


def test_opai_magic_runs_command(in_kernel):
    """`%opai` writes what the command says, and tells a failure in one sentence."""
    shown = in_kernel(LOAD, "%opai cluster list", "%opai job status no-such-job")
    assert "mine" in text_of(shown[1])
    assert "no-such-job is not found" in text_of(shown[2])
    assert "The command ended with exit code 4." in text_of(shown[2])


def test_opai_cell_magic_runs_job(in_kernel):
    """`%%opai` takes variables in and out, streams the log, and shows figures."""
    source = (
        f"%%opai {SIZE} --in x,names --out y\n"
        "print('in the job')\n"
        "display({'text/html': '<b>figure</b>', 'text/plain': 'figure'}, raw=True)\n"
        "y = {'twice': [2 * x, names]}"
    )
    shown = in_kernel(LOAD, "x, names = 1.0, ['ü', None]", source, "print(y)")
    assert text_of(shown[3]) == "{'twice': [2.0, ['ü', None]]}\n", shown[2]
    assert "in the job" in text_of(shown[2])
    assert "Variables, as JSON: in: x, names; out: y." in text_of(shown[2])
    assert any("<b>figure</b>" in o.get("data", {}).get("text/html", "") for o in shown[2])


def test_opai_cell_magic_reports_failure(in_kernel):
    """A job's failure is the cell's, in one sentence; wrong options are reported the same way."""
    shown = in_kernel(
        LOAD,
        f"%%opai {SIZE}\n1 / 0",
        f"%%opai {SIZE} --in nothing\n1",
        "f = open\n",
        f"%%opai {SIZE} --in f\n1",
        "%%opai --gpus 1\n1",
    )
    assert "FAILED: the cell raised ZeroDivisionError: division by zero" in text_of(shown[1])
    assert "There is no variable 'nothing'" in text_of(shown[2])
    assert "cannot go into the job" in text_of(shown[4])
    assert "unrecognized arguments: --gpus" in text_of(shown[5])


def test_objects_show_as_tables(in_kernel):
    """A cluster shows what is free, a storage its kind, a job its description; none a secret."""
    source = (
        "from openpai.core import Cluster, Job\n"
        "cluster = Cluster.load()\n"
        "for shown in (cluster, *cluster.storages(), Job('j').image('python:3.11')):\n"
        "    display(shown)"
    )
    cluster, storage, job = (o["data"]["text/html"] for o in in_kernel(LOAD, source)[1])
    assert "<th style='text-align:left'>GPUs free</th>" in cluster
    assert "<td style='text-align:left'>2 of 2</td>" in cluster
    assert "read and write" in storage
    assert "python:3.11" in job


def test_watch_updates_one_output(in_kernel):
    """One output is renewed in place, and what it shows last is how the job ended."""
    source = (
        "from openpai.core import Cluster\n"
        "from openpai.core.protocol.command_job import job_from_command\n"
        "from openpai.notebook import watch\n"
        "job = job_from_command('watched', ['echo the log'], image='x', cpu=1)\n"
        "job = Cluster.load().submit(job)\n"
        "detail = watch(job, poll=0.1)"
    )
    [shown] = in_kernel(source)
    assert len(shown) == 1, shown
    assert "watched: SUCCEEDED" in shown[0]["data"]["text/plain"]
    assert "the log" in shown[0]["data"]["text/plain"]
    assert "SUCCEEDED" in shown[0]["data"]["text/html"]
