"""The job of one command: names and quoting."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

from openpai.core.protocol.command_job import (
    command_line,
    default_name,
    quote_word,
    random_letters,
)

READ_ON_THE_WAY = re.compile(r"<%|\$\$|\$\(|\{\{")


def seen_by_bash(line: str) -> list[str]:
    """Return the arguments that a program gets from a line of a bash script."""
    program = "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"
    script = f"exec {sys.executable} -c {quote_word(program)} {line}"
    done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")


WORDS = st.text(
    st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30
) | st.sampled_from(["<%", "$$$", "$(HOME)", "{{{FC_TASK_INDEX}}}", "a'b$$'c", "'<%'", "", "\n"])


@pytest.mark.process
@settings(deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=4))
def test_quoted_words_reach_program_unchanged(words):
    """Whatever the words hold, bash hands over those very words."""
    assert seen_by_bash(" ".join(map(quote_word, words))) == words


@given(WORDS)
def test_quoted_words_survive_server_substitutions(word):
    """A quoted word holds nothing that rest-server, Kubernetes or the controller would replace."""
    assert READ_ON_THE_WAY.search(quote_word(word)) is None


def test_single_word_is_a_shell_line():
    """A single word keeps its pipes, variables and PAI's tags."""
    assert command_line(["echo $HOME | wc <% $parameters.x %>"]) == (
        "echo $HOME | wc <% $parameters.x %>"
    )


def test_several_words_are_program_and_arguments():
    """Words that need no quotes stay readable."""
    assert command_line(["python", "train.py", "--lr", "0.1", "a b"]) == (
        "python train.py --lr 0.1 'a b'"
    )


@pytest.mark.parametrize(
    ("words", "base"),
    [
        (["python", "src/train.py", "--lr"], "train"),
        (["nvidia-smi"], "nvidia_smi"),
        (["echo hello && sleep 5"], "echo"),
        (["/usr/bin/env"], "env"),
        (["$(weird)"], "weird"),
        (["…"], "job"),
        ([""], "job"),
    ],
)
def test_default_name_contains_program(words, base):
    """The name begins with the script's or program's own and ends at random."""
    name = default_name(words)
    assert re.fullmatch(re.escape(base) + "_[a-z0-9]{8}", name)
    assert re.fullmatch("[A-Za-z0-9_-]+", name)


def test_default_names_are_unique():
    """Two submissions of one command do not meet."""
    assert len({random_letters(8) for _ in range(100)}) == 100
