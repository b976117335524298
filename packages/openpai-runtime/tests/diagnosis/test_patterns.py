"""Real messages of failures, and what is made of them."""

from __future__ import annotations

import re

import pytest

from openpai.runtime.diagnosis.patterns import failure_patterns, match_log

MESSAGES = [
    ("gpu-memory", "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"),
    ("gpu-memory", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB."),
    (
        "gpu-memory",
        (
            "tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when "
            "allocating tensor with shape[64,512]"
        ),
    ),
    (
        "gpu-memory",
        "failed to allocate 1.2G (1288490188 bytes) from device: CUDA_ERROR_OUT_OF_MEMORY",
    ),
    (
        "shared-memory",
        (
            "RuntimeError: DataLoader worker (pid 113) is killed by signal: Bus error. It "
            "is possible that dataloader's workers are out of shared memory."
        ),
    ),
    (
        "shared-memory",
        "RuntimeError: unable to open shared memory object </torch_1> in read-write mode",
    ),
    ("gpu-hardware", "RuntimeError: CUDA error: uncorrectable ECC error encountered"),
    (
        "gpu-driver",
        "RuntimeError: The NVIDIA driver on your system is too old (found version 11040).",
    ),
    ("gpu-driver", "RuntimeError: Found no NVIDIA driver on your system."),
    ("gpu-driver", "CUDA error: no kernel image is available for execution on the device"),
    ("nccl", "RuntimeError: NCCL error in: ProcessGroupNCCL.cpp:784, unhandled system error"),
    ("nccl", "[E ProcessGroupNCCL.cpp:474] [Rank 0] Watchdog caught collective operation timeout"),
    ("memory", "MemoryError"),
    ("memory", "terminate called after throwing an instance of 'std::bad_alloc'"),
    ("memory", "OSError: [Errno 12] Cannot allocate memory"),
    ("disk-full", "OSError: [Errno 28] No space left on device: '/data/model.pt'"),
    ("disk-full", "cp: error writing 'b': Disk quota exceeded"),
    ("stale-mount", "OSError: [Errno 116] Stale file handle: '/mnt/team/x'"),
    ("missing-package", "ModuleNotFoundError: No module named 'yaml'"),
    ("missing-package", "ImportError: cannot import name 'x' from 'y' (/opt/y.py)"),
    (
        "missing-library",
        (
            "./a.out: error while loading shared libraries: libx.so.1: cannot open "
            "shared object file: No such file or directory"
        ),
    ),
    ("missing-command", "/tmp/user.sh: line 4: nvidia-smi: command not found"),
    ("unbound-variable", "/tmp/user.sh: line 4: DATA_DIR: unbound variable"),
    ("missing-file", "FileNotFoundError: [Errno 2] No such file or directory: 'train.py'"),
    ("missing-file", "python: can't open file 'train.py': [Errno 2] No such file or directory"),
    ("permission", "bash: ./run.sh: Permission denied"),
    ("port", "OSError: [Errno 98] Address already in use"),
    ("name-resolution", "socket.gaierror: [Errno -3] Temporary failure in name resolution"),
    ("network", "ConnectionRefusedError: [Errno 111] Connection refused"),
    ("python-error", "ValueError: x must be positive"),
    ("python-error", "jsonschema.exceptions.ValidationError: 5 is not of type 'string'"),
    ("python-error", "KeyError: 'loss'"),
]


@pytest.mark.parametrize(("name", "line"), MESSAGES)
def test_pattern_matches_message(name: str, line: str) -> None:
    """A line that programs really write leads to its pattern."""
    found = match_log(f"epoch 1\n{line}\n")
    assert found is not None
    assert (found.pattern.name, found.line) == (name, line)


def test_patterns_all_have_example() -> None:
    """Nothing is in the table that no test shows."""
    assert {pattern.name for pattern in failure_patterns()} == {name for name, _ in MESSAGES}


def test_patterns_are_complete() -> None:
    """Each compiles and has a meaning and advice."""
    for pattern in failure_patterns():
        re.compile(pattern.regex)
        assert pattern.meaning.endswith(".")
        assert pattern.advice


def test_last_matching_line_is_used() -> None:
    """What was written long before the end is not what ended it."""
    found = match_log("ImportError: no apex, going on without\n...\nKeyError: 'loss'\n")
    assert found is not None
    assert found.line == "KeyError: 'loss'"


def test_first_matching_pattern_is_used() -> None:
    """The more telling ones stand first."""
    found = match_log("RuntimeError: CUDA out of memory.")
    assert found is not None
    assert found.pattern.name == "gpu-memory"


@pytest.mark.parametrize(
    "text", ["", "epoch 1 loss 0.5\n", "no errors: 0\n", "[openpai-runtime] KeyError: x\n"]
)
def test_harmless_lines_match_nothing(text: str) -> None:
    """Progress, counters and the runtime's own messages do not explain a failure."""
    assert match_log(text) is None
