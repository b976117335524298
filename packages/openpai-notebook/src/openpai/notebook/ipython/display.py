"""Display of clusters, jobs and storages in a notebook.

The classes live in core and know nothing of notebooks: IPython's formatters are registered by
name, so that registering imports none of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from html import escape
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Sequence

if TYPE_CHECKING:
    from openpai.core.client import Cluster, RemoteJob
    from openpai.core.protocol import Job
    from openpai.core.rest import JobDetail, Resources
    from openpai.core.storage import Storage, StorageSpec
    from openpai.core.sweeps import Sweep

__all__ = ["detail_html", "detail_text", "register", "sweep_bundle"]

_COLORS = {"SUCCEEDED": "#2e7d32", "FAILED": "#c62828", "RUNNING": "#1565c0", "STOPPED": "#6d4c41"}

#: Characters that one cell of a table shows.
_WIDEST = 60

#: Long lines of a log are broken between words where they can be.
_LOG = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"


def register(ipython: Any) -> None:
    """Teach an IPython shell how to show the objects of openpai-core."""
    formatter = ipython.display_formatter.formatters["text/html"]
    for module, name, show in _FORMATTERS:
        formatter.for_type_by_name(module, name, show)


def _table(rows: Iterable[Sequence[object]], header: Sequence[str] = ()) -> str:
    head = "".join(f"<th style='text-align:left'>{escape(text)}</th>" for text in header)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{_cell(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return (
        f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
    )


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    color = _COLORS.get(text)
    shown = escape(text)
    return f"<b style='color:{color}'>{shown}</b>" if color else shown


def _cluster(cluster: Cluster) -> str:
    """Show a cluster, and what is free for its user; the latter only if it answers."""
    from openpai.core.errors import OpenPaiError

    facts = _table([("Cluster", cluster.alias), ("URI", cluster.uri)])
    try:
        found = cluster.resources()
    except OpenPaiError:
        return facts
    return facts + _table(
        [(name, *_room(vc.free, vc.total)) for name, vc in found.items()],
        ("Virtual cluster", "GPUs free", "CPUs free", "GB free"),
    )


def _room(free: Resources, total: Resources) -> Iterator[str]:
    """Yield ``free of total`` for GPUs, CPUs and memory."""
    yield f"{free.gpu} of {total.gpu}"
    yield f"{free.cpu} of {total.cpu}"
    yield f"{free.memory_mb // 1024} of {total.memory_mb // 1024}"


def _storage(storage: Storage) -> str:
    return _table([("Storage", storage.name), ("Kind", type(storage).__name__)])


def _storage_spec(spec: StorageSpec) -> str:
    """Show a storage that is not open; its data may hold keys and are never shown."""
    access = "read only" if spec.read_only else "read and write"
    return _table([("Storage", spec.name), ("Type", spec.type), ("Access", access)])


def _job(job: Job) -> str:
    from openpai.core.protocol import mask_secrets

    return f"<pre>{escape(mask_secrets(job.to_yaml()))}</pre>"


def _remote_job(job: RemoteJob) -> str | None:
    """Show a job as it is now; where the cluster does not answer its plain form has to do."""
    from openpai.core.errors import OpenPaiError

    try:
        return detail_html(job.status())
    except OpenPaiError:
        return None


def detail_html(detail: JobDetail, log: Sequence[str] = (), progress: str = "") -> str:
    """Return a job, how far it is, its tasks and the end of its log as HTML."""
    facts = _table(_facts(detail, progress))
    tasks = [
        (f"{role}-{task.index}", task.state, task.container_ip, task.container_exit_code)
        for role, task in detail.tasks()
    ]
    table = _table(tasks, ("Task", "State", "Host", "Exit code")) if tasks else ""
    tail = f"<pre style='{_LOG}'>{escape(chr(10).join(log))}</pre>" if log else ""
    return facts + table + tail


def detail_text(detail: JobDetail, log: Sequence[str] = (), progress: str = "") -> str:
    """Return the same as plain text."""
    facts = [f", {name.lower()} {value}" for name, value in _facts(detail, progress)[2:]]
    tasks = [f"  {role}-{task.index}: {task.state}" for role, task in detail.tasks()]
    return "\n".join([f"{detail.key}: {detail.state}{''.join(facts)}", *tasks, *log])


def sweep_bundle(sweep: Sweep) -> dict[str, str]:
    """Return a row for each job of a sweep, as HTML and as text.

    A row has the job's name, its parameters, what its notebook has recorded, and its state.
    """
    rows = _sweep_rows(sweep)
    names = list(dict.fromkeys(name for row in rows for name in row if name != "state"))
    names.append("state")
    cells = [[_brief(row.get(name)) for name in names] for row in rows]
    header = [name.capitalize() if name in ("job", "state") else name for name in names]
    table = [header, *cells]
    widths = [max(map(len, column)) for column in zip(*table)]
    lines = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in table)
    return {"text/html": _table(cells, header), "text/plain": "\n".join(lines)}


def _sweep_rows(sweep: Sweep) -> list[dict[str, Any]]:
    from openpai.notebook.jobs import NotebookSweep

    if isinstance(sweep, NotebookSweep):
        return sweep.results()
    jobs = sweep.jobs()
    return [{"job": job.name, "state": job.state, **(job.parameters or {})} for job in jobs]


def _brief(value: object) -> str:
    """Return a value as a cell of a table shows it: six digits, and a line of text at most."""
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _sweep(sweep: Sweep) -> str | None:
    from openpai.core.errors import OpenPaiError

    try:
        return sweep_bundle(sweep)["text/html"]
    except OpenPaiError:
        return None


def _facts(detail: JobDetail, progress: str) -> list[tuple[str, object]]:
    """Return what is known of a job; for an active one also the time.

    A notebook keeps what it shows: opened again, it must not pass an old state off as today's.
    """
    facts: list[tuple[str, object]] = [("Job", detail.key), ("State", detail.state)]
    if progress:
        facts.append(("Cell", progress))
    if detail.exit_code is not None:
        facts.append(("Exit code", detail.exit_code))
    now = datetime.now(timezone.utc)
    if detail.launched_time:
        facts.append(("Duration", _clock((detail.completed_time or now) - detail.launched_time)))
    if not detail.ended:
        facts.append(("Seen", f"{now:%Y-%m-%d %H:%M:%S} UTC"))
    return facts


def _clock(duration: timedelta) -> str:
    return str(timedelta(seconds=max(0, round(duration.total_seconds()))))


_FORMATTERS: Sequence[tuple[str, str, Callable[[Any], str | None]]] = (
    ("openpai.core.client.cluster", "Cluster", _cluster),
    ("openpai.core.protocol.job", "Job", _job),
    ("openpai.core.client.remote_job", "RemoteJob", _remote_job),
    ("openpai.core.rest.models", "JobDetail", detail_html),
    ("openpai.core.sweeps.sweep", "Sweep", _sweep),
    ("openpai.core.storage.base", "Storage", _storage),
    ("openpai.core.storage.base", "StorageSpec", _storage_spec),
)
