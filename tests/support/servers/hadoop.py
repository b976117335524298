"""Hadoop's own programs, out of jars that Maven brings once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from support.servers.server import Server

POM = Path(__file__).with_name("hadoop.pom.xml")
OLD_POM = Path(__file__).with_name("hadoop_old.pom.xml")
HDFS = "org.apache.hadoop.hdfs."
NAME_NODE = HDFS + "server.namenode.NameNode"
DATA_NODE = HDFS + "server.datanode.DataNode"
HTTPFS = "org.apache.hadoop.fs.http.server.HttpFSServerWebServer"
ADMIN = HDFS + "tools.DFSAdmin"
HA_ADMIN = HDFS + "tools.DFSHAAdmin"
SHELL = "org.apache.hadoop.fs.FsShell"
JAVA = (
    "java",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.net.preferIPv4Stack=true",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
)
LOGGING = """log4j.rootLogger=WARN,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d %p %c: %m%n
"""


def missing() -> str:
    """Say which program is missing to run Hadoop; an empty text if none is."""
    absent = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"a real HDFS needs {' and '.join(absent)}" if absent else ""


def jars(pom: Path) -> Path:
    """Return a folder with the jars that a file names, fetched if they are not there yet."""
    from filelock import FileLock

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "openpai-tests")
    folder = cache / f"hadoop-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            loading = cache / f"loading-{os.getpid()}"
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={loading}"]
            subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *goal], check=True)
            loading.rename(folder)
    return folder


def write_settings(file: Path, settings: Mapping[str, str]) -> None:
    """Write one of Hadoop's files of settings."""
    rows = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>"
        for name, value in settings.items()
    )
    file.write_text(f"<configuration>{rows}</configuration>")


@dataclass
class Hadoop(Server):
    """Programs of Hadoop that share a folder of settings.

    Attributes:
        java: Further options of the JVM.
        pom: Names the jars.
    """

    java: Sequence[str] = ()
    pom: ClassVar[Path] = POM

    def lay_out(self) -> None:
        """Create the files other than settings."""
        (self.folder / "log4j.properties").write_text(LOGGING)
        for name in ("hdfs", "datanode", "static"):  # the jars lack these pages
            (self.folder / "webapps" / name).mkdir(parents=True, exist_ok=True)

    def configure(self, settings: Mapping[str, str]) -> None:
        """Write the settings that all programs read."""
        self.lay_out()
        for name in ("core-site.xml", "hdfs-site.xml"):
            write_settings(self.folder / name, settings)

    def run(self, program: str, *arguments: str) -> None:
        """Run a program to its end; it must succeed."""
        done = subprocess.run(
            [*self._jvm(), program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, f"{program} {' '.join(arguments)}: {done.stderr[-3000:]}"

    def launch_java(self, name: str, program: str, *arguments: str) -> None:
        """Start a server; arguments before its class are options of the JVM."""
        self.launch(name, [*self._jvm(), program, *arguments])

    def _jvm(self) -> list[str]:
        places = (*self.classpath(), f"{jars(self.pom)}/*")
        temporary = self.folder / "tmp"  # Jetty leaves its folders there
        temporary.mkdir(exist_ok=True)
        options = (*JAVA, *self.java, f"-Djava.io.tmpdir={temporary}")
        return [*options, "-cp", os.pathsep.join(places)]

    def classpath(self) -> list[str]:
        """Return the folders of settings."""
        return [str(self.folder)]
