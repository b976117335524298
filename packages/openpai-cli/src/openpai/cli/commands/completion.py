"""``opai completion``: the shell code that makes <Tab> work."""

from __future__ import annotations

import os
from pathlib import PurePath

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp, command, pass_app

BASH = r"""
_opai() {
    local kind value help
    COMPREPLY=()
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            *) COMPREPLY+=("$value")
               [[ $value == *[/:=] ]] && compopt -o nospace ;;
        esac
    done < <(_OPAI_COMPLETE=bash _OPAI_BREAKS="$COMP_WORDBREAKS" \
        "$1" -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -o nosort -F _opai opai
"""
ZSH = r"""
#compdef opai
_opai() {
    local kind value help
    local -a plain open described
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files ;;
            *) if [[ $value == *[/:=] ]]; then open+=("$value")
               elif [[ -n $help ]]; then described+=("${value//:/\\:}:$help")
               else plain+=("$value"); fi ;;
        esac
    done < <(_OPAI_COMPLETE=zsh $words[1] -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)
    (( $#described )) && _describe -V opai described -U
    (( $#plain )) && compadd -U -V opai -a plain
    (( $#open )) && compadd -U -V opai -S '' -a open
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _opai "$@"; else compdef _opai opai; fi
"""
FISH = r"""
function __opai_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in (env _OPAI_COMPLETE=fish $words[1] -- $words "$typed" 2>/dev/null)
        set -l part (string split -m 2 \t -- $line)
        switch $part[1]
            case dir
                __fish_complete_directories "$typed"
            case file
                __fish_complete_path "$typed"
            case '*'
                printf '%s\t%s\n' $part[2] $part[3]
        end
    end
end
complete --no-files --keep-order --command opai --arguments '(__opai_complete)'
"""
SOURCES = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@command(
    "completion",
    help="""
    Completes commands, options, and names of clusters, jobs, sweeps, storages and remote paths.
    A cluster that does not answer within 1.5 seconds gives no candidates. SHELL defaults to
    $SHELL.
    """,
    examples="""
    eval "$(opai completion bash)"                              # in ~/.bashrc
    eval "$(opai completion zsh)"                               # in ~/.zshrc, after compinit
    opai completion fish > ~/.config/fish/completions/opai.fish
    """,
)
@click.argument("shell", type=click.Choice(tuple(SOURCES)), required=False)
@pass_app
def completion(app: CliApp, shell: str | None) -> None:
    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    if shell not in SOURCES:
        raise UsageError("Unknown shell.", f"Name one: {', '.join(SOURCES)}.")
    app.console.print(SOURCES[shell].strip())
