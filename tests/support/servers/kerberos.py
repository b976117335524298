"""A realm of Kerberos with a KDC of its own, and certificates of an authority of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from support.ports import free_port
from support.servers.hadoop import write_settings
from support.servers.hdfs import Gateway, Hdfs
from support.servers.server import Server

REALM = "OPENPAI.INVALID"
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "openssl")
PASSWORD = "of-a-test"

CLIENT = """[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
{realm} = {{
  kdc = 127.0.0.1:{port}
}}
"""
SERVER = """[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  max_life = 1h
  max_renewable_life = 1h
}}
[logging]
kdc = FILE:{folder}/kdc.log
"""


@dataclass
class Realm(Server):
    """A KDC.

    Attributes:
        find: Returns where a program is.
        port: Where it listens on 127.0.0.1.
    """

    find: Callable[[str], str]
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._programs = {name: self.find(name) for name in PROGRAMS}

    @property
    def config(self) -> Path:
        """The settings of clients."""
        return self.folder / "krb5.conf"

    @property
    def environment(self) -> dict[str, str]:
        """What a client of the realm needs in its environment."""
        return {"KRB5_CONFIG": str(self.config)}

    @property
    def _all(self) -> dict[str, str]:
        profile = str(self.folder / "kdc.conf")
        return {**os.environ, **self.environment, "KRB5_KDC_PROFILE": profile}

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = {"realm": REALM, "port": self.port, "folder": self.folder}
        self.config.write_text(CLIENT.format(**words))
        (self.folder / "kdc.conf").write_text(SERVER.format(**words))
        self.call("kdb5_util", "create", "-s", "-r", REALM, "-P", PASSWORD)
        self.launch("kdc", [self._programs["krb5kdc"], "-n", "-r", REALM], env=self._all)
        self.wait_for_port("kdc", self.port)

    def call(self, name: str, *arguments: str, **environment: str) -> None:
        """Run one of the programs; it must succeed."""
        done = subprocess.run(
            [self._programs[name], *arguments],
            env={**self._all, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, f"{name} {' '.join(arguments)}: {done.stderr}"

    def keytab(self, *principals: str) -> Path:
        """Make principals; return a file of their keys."""
        file = self.folder / f"{principals[0].replace('/', '-')}.keytab"
        for principal in principals:
            self.call("kadmin.local", "-r", REALM, "addprinc", "-randkey", principal)
            self.call("kadmin.local", "-r", REALM, "ktadd", "-k", str(file), principal)
        return file

    def ticket(self, principal: str, keytab: Path) -> dict[str, str]:
        """Get a ticket; return the environment in which it is found."""
        environment = {**self.environment, "KRB5CCNAME": str(keytab.with_suffix(".cache"))}

        self.call("kinit", "-k", "-t", str(keytab), principal, **environment)
        return environment


class Authority:
    """A certificate authority.

    Attributes:
        file: Its own certificate.
    """

    def __init__(self, folder: Path, find: Callable[[str], str]) -> None:
        self._folder = folder
        self._program = find("openssl")
        self.file = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._call(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=A test's",
            "-keyout", self._key, "-out", self.file,
        )  # fmt: skip

    def _call(self, *arguments: object) -> None:
        command = [self._program, *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True)

    def settings(self, *names: str) -> dict[str, str]:
        """Make a certificate for names; return Hadoop's settings of a server that shows it."""
        base = self._folder / names[0]
        request, key, signed, extensions, store = (
            base.with_name(f"{names[0]}.{kind}") for kind in ("csr", "key", "pem", "ext", "p12")
        )
        extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        self._call(
            "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}",
            "-keyout", key, "-out", request,
        )  # fmt: skip
        self._call(
            "x509", "-req", "-days", "2", "-in", request, "-CA", self.file, "-CAkey", self._key,
            "-CAcreateserial", "-extfile", extensions, "-out", signed,
        )  # fmt: skip
        self._call(
            "pkcs12", "-export", "-in", signed, "-inkey", key, "-passout", f"pass:{PASSWORD}",
            "-out", store,
        )  # fmt: skip
        return {
            "ssl.server.keystore.location": str(store),
            "ssl.server.keystore.type": "pkcs12",
            "ssl.server.keystore.password": PASSWORD,
            "ssl.server.keystore.keypassword": PASSWORD,
        }


@dataclass
class SecureHdfs(Hdfs):
    """An HDFS that asks for tickets, and speaks TLS only.

    The name node's certificate is for ``localhost``, those of data nodes for their own names.
    """

    nodes: Sequence[str] = ("dn0",)
    datanode_options: Sequence[str] = ("-Dhadoop.ssl.server.conf=ssl-dn.xml",)
    scheme: ClassVar[str] = "https"

    def prepare(self, realm: Realm, authority: Authority) -> None:
        """Make the keys and certificates of the servers."""
        self.keytab = realm.keytab("nn/localhost", "dn/localhost", "HTTP/localhost", "fs/localhost")
        keytab = str(self.keytab)
        self.principals = {name: f"{name}/localhost@{REALM}" for name in ("nn", "dn", "HTTP", "fs")}
        self.settings = {
            "hadoop.security.authentication": "kerberos",
            "dfs.http.policy": "HTTPS_ONLY",
            "dfs.block.access.token.enable": "true",
            "dfs.namenode.delegation.token.renew-interval": "12000",
            "dfs.data.transfer.protection": "authentication",
            "dfs.namenode.kerberos.principal": self.principals["nn"],
            "dfs.namenode.keytab.file": keytab,
            "dfs.datanode.kerberos.principal": self.principals["dn"],
            "dfs.datanode.keytab.file": keytab,
            "hadoop.http.authentication.type": "kerberos",
            "hadoop.http.authentication.kerberos.principal": self.principals["HTTP"],
            "hadoop.http.authentication.kerberos.keytab": keytab,
            "dfs.web.authentication.kerberos.principal": self.principals["HTTP"],
            "dfs.web.authentication.kerberos.keytab": keytab,
            "hadoop.proxyuser.fs.hosts": "*",
            "hadoop.proxyuser.fs.groups": "*",
        }
        self.java = (f"-Djava.security.krb5.conf={realm.config}",)
        write_settings(self.folder / "ssl-server.xml", authority.settings("localhost"))
        write_settings(self.folder / "ssl-dn.xml", authority.settings("dn0.invalid"))

    def start(self) -> None:
        """Start the servers; they describe themselves to nobody, so the caller waits for them."""
        self.format()
        self.start_node("namenode", *self.nodes)

    def gateway(self, folder: Path) -> Gateway:
        """Return an HttpFS gateway that asks for tickets, too."""
        keytab = str(self.keytab)
        settings = {
            "httpfs.ssl.enabled": "true",
            "httpfs.authentication.type": "kerberos",
            "httpfs.authentication.kerberos.principal": self.principals["HTTP"],
            "httpfs.authentication.kerberos.keytab": keytab,
            "httpfs.hadoop.authentication.type": "kerberos",
            "httpfs.hadoop.authentication.kerberos.principal": self.principals["fs"],
            "httpfs.hadoop.authentication.kerberos.keytab": keytab,
        }
        return Gateway(folder, self.java, self.folder, settings, "https")
