"""Names, ports, states, exit codes and masks: the server's own functions, vector by vector."""

from __future__ import annotations

import json

from openpai.core.execution.exit_codes import exit_code_table, exit_spec
from openpai.core.execution.ports import task_ports
from openpai.core.protocol.names import convert_name, encode_name
from openpai.core.protocol.secrets import mask_secrets
from openpai.core.states import TERMINAL_STATES, attempt_state, job_state


def test_job_name_md5_matches_server(functions):
    """``user~job`` becomes its md5; names without ``~`` are folded."""
    for name, encoded in functions["encodeName"].items():
        assert encode_name(name) == encoded


def test_role_names_are_converted(functions):
    """Only lower-case letters and digits are left of a task role's name."""
    for name, folded in functions["convertName"].items():
        assert convert_name(name) == folded


def test_ports_follow_from_uid(functions):
    """The ports of a task, by the server's hash of its uid."""
    checked = 0
    for case in functions["containerPorts"]:
        spec = json.loads(case["spec"])
        if case["podUID"] is None or "ports" not in spec:
            continue
        counts = {label: port["count"] for label, port in spec["ports"].items()}
        ports = task_ports(
            case["podUID"], counts, spec["schedulePortStart"], spec["schedulePortEnd"]
        )
        assert {k: ",".join(map(str, v)) for k, v in ports.items()} == case["ports"]
        checked += 1
    assert checked == 25


def test_job_and_attempt_states_match_server(functions):
    """FrameworkController's states under the REST API's names."""
    for state, code, name in functions["convertState"]:
        assert job_state(state, code) == name
    for state, code, name in functions["convertAttemptState"]:
        assert attempt_state(state, code) == name
    assert {name for _, _, name in functions["convertState"]} > TERMINAL_STATES


def test_exit_codes_are_described_as_by_server(functions):
    """Every code, also those that are not in the table."""
    for code, spec in functions["exitSpec"].items():
        assert exit_spec(int(code)) == spec


def test_runtime_patterns_are_in_table():
    """A status of 137 is recognised by its number, and comes before the log is searched."""
    table = exit_code_table()
    assert table[137]["pattern"] == {"runtimeContainerPatterns": [{"exitCode": 137}]}
    assert list(table).index(137) < list(table).index(220)


def test_secrets_are_masked_as_by_server(functions):
    """Thirty texts, among them those that the server's mask misses."""
    for case in functions["secretMasks"]:
        assert mask_secrets(case["yaml"]) == case["masked"], case["id"]
