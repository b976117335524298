"""Open a folder of HDFS, by what is said of it."""

from __future__ import annotations

from typing import Any, Mapping

from openpai.core.errors import StorageError
from openpai.core.storage import Storage, StorageSpec

__all__ = ["open_hdfs"]


def open_hdfs(spec: StorageSpec) -> Storage:
    """Open a folder of HDFS.

    ``spec.data`` has ``uri`` (``http://HOST:PORT`` of the web port of the name node or of an HttpFS
    gateway; a list, or separated by commas, where there are several name nodes), and may have

    - ``user`` (whom HDFS believes; your login name otherwise), or ``token`` (a delegation token),
      or ``kerberos`` (``true``, or the server's name in its principal where the address has
      another one);
    - ``path`` (the folder, ``/`` otherwise);
    - ``verify`` (the path of a CA bundle for ``https``, or ``false`` to trust any certificate);
    - ``datanodes`` (see :class:`~openpai.storage.hdfs.client.WebHdfs`).

    A mounted one opens as a folder.

    Raises:
        StorageError: The address is missing or none.
    """
    if spec.mount_path:
        from openpai.storage.mounted import open_posix

        return open_posix(spec)
    from openpai.storage.hdfs.client import WebHdfs
    from openpai.storage.hdfs.storage import HdfsStorage

    client = WebHdfs(
        _uris(spec),
        _login(spec.data),
        verify=_verify(spec.data.get("verify", True)),
        datanodes=spec.data.get("datanodes"),
    )
    folder = str(spec.data.get("path") or "/")
    return HdfsStorage(client, spec.name, folder, read_only=spec.read_only)


def _uris(spec: StorageSpec) -> list[str]:
    given = spec.data.get("uri") or ""
    uris = [
        uri.strip() for uri in (given.split(",") if isinstance(given, str) else map(str, given))
    ]
    for uri in uris:
        if not uri.startswith(("http://", "https://")):
            raise StorageError(
                f"The 'uri' of storage '{spec.name}' is no WebHDFS address: '{uri}'.",
                "Write it as http://HOST:PORT with the name node's web port, such as 9870.",
            )
    return uris


def _login(data: Mapping[str, Any]) -> Any:
    from openpai.storage.hdfs.auth import Auth, KerberosAuth

    if token := str(data.get("token") or ""):
        return Auth({"delegation": token})
    kerberos = data.get("kerberos")
    if kerberos and str(kerberos).lower() != "false":
        named = isinstance(kerberos, str) and kerberos.lower() != "true"
        return KerberosAuth(str(kerberos) if named else "")
    if user := str(data.get("user") or ""):
        return Auth({"user.name": user})
    from getpass import getuser

    return Auth({"user.name": getuser()})


def _verify(given: Any) -> bool | str:
    text = str(given)
    return text.lower() == "true" if text.lower() in ("true", "false") else text
