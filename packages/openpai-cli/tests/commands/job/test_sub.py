"""`opai job sub`: one command as a job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def preview(opai):
    """Return the job that a command line would send."""

    def call(*arguments: object):
        result = opai("job", "sub", "--image", "img", "--dry-run", *arguments)
        assert result.exit_code == 0, result.stderr
        return yaml.safe_load(result.stdout)

    return call


def commands(document) -> list[str]:
    """Return the shell lines of the only role."""
    (role,) = document["taskRoles"].values()
    return role["commands"]


@pytest.mark.process
def test_sub_prints_job_name(opai, local):
    """Stdout is the job's name alone; what to do next is on stderr."""
    result = opai("job", "sub", "--image", "img", "true")
    assert result.exit_code == 0
    assert result.stdout.startswith("alice~true_")
    assert f"opai job logs -f -a local {result.stdout.strip()}" in result.stderr
    assert opai("job", "wait", result.stdout.strip()).exit_code == 0


@pytest.mark.process
def test_sub_checks_only_names_that_were_chosen(opai, local):
    """A random name cannot be taken in the same moment: its job is not asked for."""
    asked = local.faults.delay(0, method="GET", path="/config$")
    assert opai("job", "sub", "--image", "img", "true").exit_code == 0
    assert opai("job", "sub", "--image", "img", "--name", "x$", "true").exit_code == 0
    assert asked.fired == 0
    assert opai("job", "sub", "--image", "img", "--name", "chosen-by-user", "true").exit_code == 0
    assert asked.fired == 1


@pytest.mark.process
def test_sub_follow_prints_log_and_returns_code(opai, local):
    """--follow writes what the command writes and ends as it ends."""
    command = ("bash", "-c", "echo $0 '<% x %>'; exit 9")
    result = opai("job", "sub", "--image", "img", "-f", "--", *command)
    assert (result.exit_code, result.stdout) == (9, "bash <% x %>\n")
    assert "FAILED with exit code 9" in result.stderr


@pytest.mark.process
def test_sub_wait_as_json(opai, local):
    """--wait -o json is one object that holds state and exit code."""
    result = opai("job", "sub", "--image", "img", "--wait", "-o", "json", "exit 7")
    assert result.exit_code == 7
    assert (result.json["state"], result.json["exitCode"]) == ("FAILED", 7)


@pytest.mark.process
def test_sub_wait_timeout_exits_124(opai, local):
    """--timeout ends --wait with 124."""
    result = opai("job", "sub", "--image", "img", "--wait", "--timeout", "0.2", "sleep 600")
    assert result.exit_code == 124
    opai("job", "stop", "sleep_*", "--yes")


def test_sub_quotes_words(preview):
    """Several words are quoted one by one; options after the command are the command's."""
    assert commands(preview("--", "python", "-c", "print('a b')", "--gpu", "1"))[-1] == (
        """python -c 'print('"'"'a b'"'"')' --gpu 1"""
    )
    assert commands(preview("python", "train.py", "-o", "json"))[-1] == "python train.py -o json"


def test_sub_single_word_is_shell_line(preview):
    """A single word is left to the shell."""
    assert commands(preview("a | b && c $HOME"))[-1] == "a | b && c $HOME"


def test_sub_options_describe_job(preview):
    """Resources, instances, role, ports, environment and virtual cluster reach the job."""
    document = preview(
        *("--gpu", 2, "--cpu", 3, "--mem", "8g", "--instances", 4, "--role", "worker"),
        *("--port", "web=2", "--port", "ssh", "-e", "A=x y", "--vc", "research"),
        *("--name", "mine", "run"),
    )
    assert document["name"] == "mine"
    assert document["defaults"] == {"virtualCluster": "research"}
    worker = document["taskRoles"]["worker"]
    assert worker["instances"] == 4
    assert worker["resourcePerInstance"] == {
        "cpu": 3,
        "memoryMB": 8192,
        "gpu": 2,
        "ports": {"web": 2, "ssh": 1},
    }
    assert worker["commands"] == ["export A='x y'", "run"]


def test_sub_env_without_value_uses_environment(preview, monkeypatch):
    """-e NAME takes the value of this shell; one that is not set is an error."""
    monkeypatch.setenv("FROM_HERE", "it's")
    assert commands(preview("-e", "FROM_HERE", "x"))[0] == """export FROM_HERE='it'"'"'s'"""


def test_sub_uses_defaults(opai, preview):
    """Layered defaults stand in for options, and options are stronger."""
    opai("set", "gpu=1", "cpu=5", "mem=2g", "virtual-cluster=research")
    document = preview("--cpu", 6, "x")
    resources = document["taskRoles"]["main"]["resourcePerInstance"]
    assert (resources["gpu"], resources["cpu"], resources["memoryMB"]) == (1, 6, 2048)
    assert document["defaults"]["virtualCluster"] == "research"


def test_sub_name_placeholder_is_random(preview):
    """Each $ of a name becomes ten letters."""
    name = preview("--name", "exp_$_x", "true")["name"]
    assert len(name) == len("exp__x") + 10


def test_sub_accepts_old_options(preview, opai):
    """The command line of the old `opai job sub` means what it meant."""
    document = preview(
        *("--job-name", "old", "--virtual-cluster", "v", "-i", "img2", "--memoryMB", 512),
        *("--no-browser", "python", "x.py"),
    )
    assert (document["name"], document["defaults"]["virtualCluster"]) == ("old", "v")
    assert document["prerequisites"][0]["uri"] == "img2"
    assert document["taskRoles"]["main"]["resourcePerInstance"]["memoryMB"] == 512
    assert opai("job", "sub", "--preview", "--image", "img", "x").exit_code == 0


@pytest.mark.process
def test_sub_sends_code_and_saves_outputs(opai, local):
    """--src lies in the working directory, --output is saved and fetched."""
    Path("src").mkdir()
    Path("src/go.sh").write_text("cat data/in.txt > out.txt; mkdir -p d; echo 2 > d/two.txt\n")
    Path("data").mkdir()
    Path("data/in.txt").write_text("forty-two\n")
    result = opai(
        *("job", "sub", "--image", "img", "--src", "src", "--src", "data"),
        *("--output", "out.txt", "--output", "d/**", "--wait", "bash", "src/go.sh"),
    )
    assert result.exit_code == 0, result.stderr
    name = result.stdout.strip()
    listed = opai("output", "list", name, "-o", "json").json
    assert [(row["path"], row["size"]) for row in listed] == [("d/two.txt", 2), ("out.txt", 10)]
    fetched = opai("output", "download", name)
    folder = Path(name.partition("~")[2])
    assert (folder / "out.txt").read_text() == "forty-two\n"
    assert sorted(fetched.stdout.splitlines()) == [
        str((folder / "d/two.txt").resolve()),
        str((folder / "out.txt").resolve()),
    ]


def test_sub_dry_run_sends_nothing(opai, local, server):
    """--dry-run shows the whole job, runtime section included, and leaves no trace."""
    Path("x.txt").write_text("x")
    before = opai("job", "list", "-o", "name").stdout
    result = opai("job", "sub", "--image", "img", "--dry-run", "--src", "x.txt", "-j", "dry", "x")
    section = yaml.safe_load(result.stdout)["extras"]["openpai.runtime"]
    assert section["workspace"] == "local-storage:/users/alice"
    assert opai("job", "list", "-o", "name").stdout == before
    assert not (server.folder / "storage/users/alice/jobs/dry").exists()


def test_sub_dry_run_needs_no_cluster(opai):
    """Without files to send or save no server is asked."""
    assert opai("job", "sub", "--image", "img", "--dry-run", "x", "-o", "json").exit_code == 0


@pytest.mark.process
def test_sub_write_saves_job_file(opai, local):
    """--write keeps a job file that submits the same command, without what preparation adds."""
    opai("job", "sub", "--image", "img", "--dry-run", "--write", "job.yaml", "-j", "kept", "exit 3")
    assert yaml.safe_load(Path("job.yaml").read_text())["name"] == "kept"
    assert opai("job", "submit", "job.yaml", "--name", "kept_$", "--wait").exit_code == 3


@pytest.mark.process
def test_sub_sets_tags(opai, local):
    """--tag tags the job, so that the list finds it."""
    opai("job", "sub", "--image", "img", "--tag", "my-tag", "true")
    (row,) = opai("job", "list", "--tag", "my-tag", "-o", "json").json
    assert row["tags"] == ["my-tag"]


@pytest.mark.process
def test_sub_env_file_and_environment(opai, local, monkeypatch):
    """--env-file holds K=V and K lines and remarks; -e wins over it."""
    monkeypatch.setenv("HERE", "from here")
    Path("env").write_text("# a remark\n\nA=from file\nB=x=y\nHERE\n")
    result = opai(
        *("job", "sub", "--image", "img", "--env-file", "env", "-e", "A=from option", "-f"),
        'echo "$A|$B|$HERE"',
    )
    assert result.stdout == "from option|x=y|from here\n"


@pytest.mark.process
def test_sub_secret_reaches_job_and_is_hidden(opai, local, monkeypatch):
    """--secret takes a variable of this shell; any characters arrive, and the job file hides it."""
    secret = """it's <b>&"x" % $(y) {{z}}"""
    monkeypatch.setenv("WORD", secret)
    line = ("job", "sub", "--image", "img", "--secret", "WORD")
    result = opai(*line, "-f", 'printf %s "$WORD"')
    assert result.stdout.rstrip("\n") == secret
    encoded = "aXQncyA8Yj4mIngiICUgJCh5KSB7e3p9fQ=="
    shown = opai(*line, "--dry-run", "true")
    assert shown.exit_code == 0
    assert secret not in shown.stdout
    assert encoded not in shown.stdout
    name = result.stderr.split()[1].rstrip(".")
    assert encoded not in opai("job", "config", name).stdout


@pytest.mark.process
def test_sub_time_limit_runs_failure_callback(opai, local):
    """--on runs a command at an event; --time-limit ends the command, as timeout does with 124."""
    result = opai(
        *("job", "sub", "--image", "img", "--time-limit", "1s", "--on", "failure=echo too long"),
        *("-f", "sleep 600"),
    )
    assert result.exit_code == 124
    assert "too long" in result.stdout


def test_sub_callback_conditions(preview, local):
    """A failure's exit codes and signals, an interval's length."""
    callbacks = ("--on", "failure:137,SIGSEGV=a=b", "--on", "interval:10m=c", "--on", "exit=d")
    assert preview(*callbacks, "x")["extras"]["openpai.runtime"]["callbacks"] == [
        {"on": "failure", "exitCodes": [137], "signals": ["SIGSEGV"], "commands": ["a=b"]},
        {"on": "interval", "commands": ["c"], "every": 600},
        {"on": "exit", "commands": ["d"]},
    ]


@pytest.mark.process
def test_sub_retries_restart_job(opai, local):
    """The log has both attempts."""
    result = opai("job", "sub", "--image", "img", "--retries", 1, "-f", "echo try; exit 3")
    assert (result.exit_code, result.stdout) == (3, "try\ntry\n")


def test_sub_mount_priority_and_sku(preview):
    """Mounts, priority and kind of machine go where PAI looks for them."""
    document = preview(
        *("--mount", "data:/in", "--mount", "team", "--priority", "prod", "--sku", "K80", "x")
    )
    assert document["extras"] == {
        "storages": [{"name": "data", "mountPath": "/in"}, {"name": "team"}],
        "hivedScheduler": {"jobPriorityClass": "prod", "taskRoles": {"main": {"skuType": "K80"}}},
    }


@pytest.mark.process
def test_sub_script_runs_with_arguments(opai, local):
    """A Python script of this folder is sent along and run, whatever its arguments hold."""
    Path("echo.py").write_text("import sys\nprint(sys.argv[1:])\n")
    result = opai("job", "sub", "--image", "img", "-f", "echo.py", "--lr", "0.1", "a b")
    assert result.stdout.splitlines()[0] == "['--lr', '0.1', 'a b']"


def test_sub_script_dependencies_become_requirements(opai, local):
    """The dependencies of its PEP 723 block are the job's requirements."""
    Path("with_block.py").write_text(
        "# /// script\n# dependencies = [\n#   'rich[x]>=1',  # a remark\n# ]\n# ///\nimport rich\n"
    )
    shown = opai("job", "sub", "--image", "img", "--dry-run", "-o", "json", "with_block.py")
    assert shown.json["extras"]["openpai.runtime"]["requirements"] == ["rich[x]>=1"]


@pytest.mark.parametrize("block", ["dependencies = [", "dependencies = 'x'", "dependencies = [1]"])
def test_sub_reports_broken_script_block(opai, local, block):
    """A block that cannot be read is 2 and names the script."""
    Path("broken.py").write_text(f"# /// script\n# {block}\n# ///\n")
    result = opai("job", "sub", "--image", "img", "broken.py")
    assert result.exit_code == 2
    assert "broken.py" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["true"], "--image"),
        (["--image", "i"], "COMMAND"),
        (["--image", "i", "--gpu", "one", "x"], "'one'"),
        (["--image", "i", "--mem", "much", "x"], "8g"),
        (["--image", "i", "-e", "1A=x", "x"], "NAME=VALUE"),
        (["--image", "i", "-e", "NOT_SET_ANYWHERE", "x"], "not set"),
        (["--image", "i", "--port", "web=two", "x"], "LABEL=COUNT"),
        (["--image", "i", "--name", "a b", "--dry-run", "x"], "a b"),
        (["--image", "i", "--follow", "-o", "json", "x"], "--wait"),
        (["--image", "i", "--timeout", "3s", "x"], "--wait"),
        (["--image", "i", "--timeout", "soon", "--wait", "x"], "10m"),
        (["--image", "i", "--src", "nowhere", "x"], "nowhere"),
        (["--image", "i", "--secret", "NOT_SET_ANYWHERE", "x"], "not set"),
        (["--image", "i", "--env-file", "nowhere", "x"], "nowhere"),
        (["--image", "i", "--mount", "data:in", "x"], "NAME:/PATH"),
        (["--image", "i", "--on", "end=x", "x"], "success"),
        (["--image", "i", "echo a; exit 3", "--wait"], "before it"),
        (["--image", "i", "--on", "failure", "x"], "EVENT=COMMAND"),
        (["--image", "i", "--on", "interval=date", "x"], "interval:10m"),
        (
            ["--image", "i", "--on", "failure:KILL=date", "x"],
            "Invalid value 'KILL'. A signal's name. One of: SIGHUP",
        ),
    ],
)
def test_sub_refuses_invalid_options(opai, local, arguments, said):
    """Every wrong command line ends with 2, one sentence, and nothing submitted."""
    before = opai("job", "list", "-o", "name").stdout
    result = opai("job", "sub", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert opai("job", "list", "-o", "name").stdout == before


def test_sub_refuses_impossible_resources(opai, local):
    """More than the machine has is an error at once, and says how much there is."""
    result = opai("job", "sub", "--image", "img", "--gpu", 64, "true")
    assert result.exit_code == 1
    assert "64" in result.stderr


@pytest.mark.process
def test_sub_existing_name_exits_5(opai, local):
    """A name that a job has, even an ended one, is 5; JSON has the status of the server."""
    opai("job", "sub", "--image", "img", "-j", "taken", "--wait", "true")
    result = opai("job", "sub", "--image", "img", "-j", "taken", "-o", "json", "true")
    assert result.exit_code == 5
    assert json.loads(result.stderr)["error"]["status"] == 409
