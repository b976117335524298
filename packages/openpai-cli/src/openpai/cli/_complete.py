"""What <Tab> offers: names of clusters and jobs. A failure offers nothing."""

from __future__ import annotations

from collections.abc import Iterable

import click

__all__ = ["clusters", "default_keys", "jobs", "states", "sweeps"]

_PATIENCE = 2.0
_MOST = 50


def clusters(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Aliases of the clusters file."""
    try:
        from openpai.core.config.clusters import load_clusters

        return _beginning(load_clusters(), incomplete)
    except Exception:  # a broken file must not print into the command line
        return []


def jobs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of my newest jobs."""
    try:
        from openpai.core.cluster import Cluster

        with Cluster.load(ctx.params.get("alias")) as cluster:
            cluster.session.timeout = _PATIENCE
            mine = cluster.jobs(user=cluster.user, limit=_MOST, keyword=incomplete or None)
            return _beginning([job.name for job in mine], incomplete)
    except Exception:  # no cluster, no answer: no names
        return []


def sweeps(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the sweeps that this machine submitted to the cluster."""
    try:
        from openpai.core.cluster import Cluster
        from openpai.core.sweep_record import recorded_sweeps

        with Cluster.load(ctx.params.get("alias")) as cluster:
            known = recorded_sweeps(cluster.uri, cluster.user)
        return _beginning([record.name for record in known], incomplete)
    except Exception:  # no cluster, no names
        return []


def states(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the states of a job."""
    from openpai.cli._options import STATES

    return _beginning(STATES, incomplete.upper())


def default_keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Keys of the layered defaults."""
    from openpai.core.config.defaults import KEYS

    return _beginning(KEYS, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
