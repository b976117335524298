"""Draw the pictures of terminals in docs/pictures: what the commands really print, as SVG.

    hatch run docs:pictures

Starts a local cluster of its own, runs each scene in a terminal of 96 columns, and takes it down.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import pexpect
from rich.console import Console
from rich.text import Text

COLUMNS = 96
PICTURES = Path(__file__).with_name("pictures")
JOB = """\
protocolVersion: 2
name: train
type: job
prerequisites:
  - {name: image, type: dockerimage, uri: "python:3.11"}
parameters: {lr: 0.1, batch: 32}
taskRoles:
  worker:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 256, gpu: 1}
    commands:
      - test <% $parameters.batch %> != 128
      - lr=<% $parameters.lr %> batch=<% $parameters.batch %>
      - python3 -c "print('accuracy=%.3f' % (0.99 - $lr / $batch))"
"""
BROKEN = JOB.replace("instances: 1", "instanses: 1").replace("memoryMB: 256", "memoryMB: 8 GB")
#: file name → the commands that it shows
SCENES = {
    "first-job": [
        "opai job sub --image python:3.11 --name hello --follow -- python3 -c 'print(\"hello\")'",
        "opai job list",
    ],
    "validate": ["opai job validate broken.yaml"],
    "sweep": [
        "opai job sweep train.yaml -p lr=0.1,0.5,2 -p batch=32,64,128",
        "opai sweep wait train",
        "opai sweep results train --log-metric 'accuracy=accuracy=([0-9.]+)' --sort -accuracy",
    ],
    "status": ["opai job status train_lr-0p1_batch-128"],
    "resources": ["opai cluster resources"],
}
#: rich's own, without the font that it would load from elsewhere
SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
{styles}
</style>
<defs>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def printed(folder: Path, command: str) -> str:
    """Return what a terminal gets from a command, colours included."""
    child = pexpect.spawn(
        "bash",
        ["-c", command],
        cwd=str(folder),
        env={**os.environ, "TERM": "xterm-256color"},
        dimensions=(50, COLUMNS),
        encoding="utf-8",
        timeout=120,
    )
    child.expect(pexpect.EOF)
    # Of a progress line that is rewritten, only the last version is shown.
    lines = child.before.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rpartition("\r")[2] for line in lines)


def draw(folder: Path, name: str, commands: list[str]) -> None:
    """Run the commands of a scene and write its picture."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for command in commands:
        console.print(Text("$ ", "bold green") + Text(command), soft_wrap=True)
        console.print(Text.from_ansi(printed(folder, command).rstrip()))
    svg = console.export_svg(title="opai", code_format=SVG, unique_id=name)
    (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


def main() -> None:
    """Draw all scenes, in their order: later ones look at the jobs of earlier ones."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.yaml").write_text(JOB)
        (folder / "broken.yaml").write_text(BROKEN)
        os.environ["OPENPAI_HOME"] = str(folder / "home")
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        printed(folder, "opai local up --cpus 8 --mem 16g --gpus 4")
        try:
            for scene, commands in SCENES.items():
                draw(folder, scene, commands)
        finally:
            printed(folder, "opai local down --stop-jobs")


if __name__ == "__main__":
    main()
