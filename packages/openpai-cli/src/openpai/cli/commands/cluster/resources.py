"""``opai cluster resources``: what each virtual cluster has, and what of it is free."""

from __future__ import annotations

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import command
from openpai.cli._options import cluster_option, format_option

COLUMNS = [
    ("VC", "virtualCluster"),
    ("GPUS FREE", "gpusFree"),
    ("GPUS", "gpus"),
    ("CPUS FREE", "cpusFree"),
    ("CPUS", "cpus"),
    ("MIB FREE", "memoryMBFree"),
    ("MIB", "memoryMB"),
]


@command("resources", examples="opai cluster resources\nopai cluster resources -a prod -o json")
@cluster_option
@format_option
@pass_app
def resources(app: CliApp, alias: str | None, format_: str) -> None:
    """Show what is free.

    Free is what a virtual cluster has minus what running tasks hold, and never below zero.
    """
    rows = []
    for name, vc in app.cluster(alias).virtual_clusters().items():
        row: dict[str, object] = {"virtualCluster": name}
        for key, amount in (("gpus", "gpu"), ("cpus", "cpu"), ("memoryMB", "memory_mb")):
            total, used = getattr(vc.total, amount), getattr(vc.used, amount)
            row[key], row[f"{key}Free"] = total, max(total - used, 0)
        rows.append(row)
    app.emit(rows, columns=COLUMNS, format=format_)
