"""Hadoop's own programs, out of jars that Maven brings once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

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
SECONDS = 60


def missing() -> str:
    """Say which program is missing to run Hadoop; nothing if none is."""
    absent = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"a real HDFS needs {' and '.join(absent)}" if absent else ""


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, f"{what} did not happen within {SECONDS} s"
        time.sleep(0.1)


def jars(pom: Path) -> Path:
    """Return a folder with the jars that a file names, fetched if they are not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "openpai-tests")
    folder = cache / f"hadoop-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
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


class Hadoop:
    """Programs that share a folder of settings.

    Args:
        folder: Gets the settings and the logs.
        java: Further options of the JVM.

    Attributes:
        pom: Which Hadoop it is.
    """

    pom = POM

    def __init__(self, folder: Path, java: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self._java = [*JAVA, *java, "-cp", f"{folder}{os.pathsep}{jars(self.pom)}/*"]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "log4j.properties").write_text(LOGGING)
        for name in ("hdfs", "datanode", "static"):  # the jars lack these pages
            (folder / "webapps" / name).mkdir(parents=True, exist_ok=True)

    def configure(self, settings: Mapping[str, str]) -> None:
        """Write the settings that all programs read."""
        for name in ("core-site.xml", "hdfs-site.xml"):
            write_settings(self.folder / name, settings)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, which must be a good one."""
        command = [*self._java, program, *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert not done.returncode, f"{program} {' '.join(arguments)}: {done.stderr[-3000:]}"
        return done

    def spawn(self, name: str, program: str, *arguments: str, java: Sequence[str] = ()) -> None:
        """Start a server, with further options of the JVM."""
        command = [*self._java, *java, program, *arguments]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """Kill one of the servers."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Kill all that run."""
        for name in list(self._processes):
            self.kill(name)
