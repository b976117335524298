"""Docker images: what PAI's own check of images refuses before a task starts.

Source: openpai-runtime: src/init.d/image_checker.py. Whatever it refuses ends the task with 254.
"""

from __future__ import annotations

import re
from typing import Iterator

from openpai.core.protocol.messages import Finding
from openpai.core.protocol.rules.rule import JobView, rule

_REPOSITORY = re.compile(r"[a-z_.0-9-]+[/a-z_.0-9-]*")
_TAG = re.compile(r"[a-z_.0-9-]+")


@rule(
    "images",
    "an image by digest, with capital letters, or with other characters that the runtime refuses",
    "accepted; PAI's image check takes it for missing: 254, not retried",
)
def _image_names(case: JobView) -> Iterator[Finding]:
    for index, item in case.items("prerequisites"):
        uri = item.get("uri")
        if item.get("type") != "dockerimage" or not isinstance(uri, str):
            continue
        message = _fault(uri)
        if message:
            hint = "Use a tag of lower-case letters, digits, '.', '_' and '-'."
            yield Finding(("prerequisites", index, "uri"), message, hint)


def _fault(uri: str) -> str:
    if not uri.strip():
        return "The image has no name."
    if "@" in uri:
        return f"PAI's image check refuses images by digest: '{uri}'."
    first, slash, rest = uri.partition("/")
    name = rest if slash and ("." in first or ":" in first) else uri
    repository, _, tag = name.partition(":")
    if not _REPOSITORY.fullmatch(repository) or not _TAG.fullmatch(tag.split(":")[0] or "latest"):
        return f"PAI's image check refuses the image name '{uri}'."
    return ""


@rule(
    "registries",
    "`auth` with user and password but without `registryuri`, in a job with secrets",
    "accepted; PAI's image check crashes: 254",
)
def _registries(case: JobView) -> Iterator[Finding]:
    for index, item in case.items("prerequisites"):
        auth = item.get("auth")
        if not isinstance(auth, dict) or not case.mapping("secrets"):
            continue
        if auth.get("username") and auth.get("password") and "registryuri" not in auth:
            message = "'registryuri' is missing in 'auth': PAI's image check needs it."
            hint = "For Docker Hub write: registryuri: https://index.docker.io/v1/"
            yield Finding(("prerequisites", index, "auth"), message, hint)


@rule(
    "passwords",
    "a password of a registry that is not taken from the secrets",
    "accepted; every user of the cluster can read it in the job's config",
)
def _passwords(case: JobView) -> Iterator[Finding]:
    for index, item in case.items("prerequisites"):
        auth = item.get("auth")
        password = auth.get("password") if isinstance(auth, dict) else None
        if isinstance(password, str) and password and "$secrets" not in password:
            message = "Every user of the cluster would see this password in the job's config."
            hint = "Put it under 'secrets', and write: password: <% $secrets.NAME %>"
            yield Finding(("prerequisites", index, "auth", "password"), message, hint)
