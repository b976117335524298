"""What the cluster's watch reports (tag *alert*)."""

from __future__ import annotations

from openpai.core.rest.fields import Record, iso_moment, mapping, text
from openpai.core.rest.session import Session

__all__ = ["Alert", "list_alerts"]


class Alert(Record):
    """One alert of Prometheus' Alertmanager.

    Attributes:
        name: Which rule fired.
        severity: The rule's own word, such as ``warn`` or ``error``.
        job: The job it is about; ``""`` for none.
        summary: One sentence.
    """

    __slots__ = ()
    labels = mapping("labels")
    annotations = mapping("annotations")
    name = text("labels.alertname")
    severity = text("labels.severity")
    job = text("labels.job_name")
    username = text("labels.username")
    summary = text("annotations.summary")
    state = text("status.state")
    starts_at = iso_moment("startsAt")
    ends_at = iso_moment("endsAt")


def list_alerts(session: Session) -> list[Alert]:
    """``GET /api/v2/alerts``; any token: admins see all, others those about their own jobs.

    Silenced and inhibited alerts are left out (rest-server/src/models/v2/alert.js).

    Raises:
        ServerError: The Alertmanager cannot be reached (``code`` is then Node's own).
        ConnectionFailed: No answer came.
    """
    return [Alert(raw) for raw in session.get("/alerts", kind=list)]
