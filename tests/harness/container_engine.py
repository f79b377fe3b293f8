"""Podman with a storage of its own, and the image of culld, built in it from the Debian of `harness.debian`."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.debian import CACHE, NoMachineError, root

REPO = Path(__file__).resolve().parents[2]
CONTAINERFILE = REPO / "systemd" / "container" / "Containerfile"
COMPOSE = REPO / "systemd" / "container" / "compose.yaml"
PYTHON = "3.11"
"""The Python of that Debian, for which the packages of the lock are downloaded."""

_MOST_PROCESSES = 4096
_IGNORED = {"image", "build", "command", "profiles", "ports", "restart", "healthcheck"}
"""What compose does by itself. Podman's health checks need a systemd that runs, and its ports a bridge."""


def missing() -> str:
    """Why no image can be built here; empty if one can."""
    if os.geteuid() != 0:
        return "only root can make the Debian that the image is built from"
    if lacking := [name for name in ("debootstrap", "podman") if shutil.which(name) is None]:
        return f"needs {' and '.join(lacking)} (apt-get install --no-install-recommends debootstrap podman runc)"
    return ""


class NoEngineError(Exception):
    """No image can be built, or no container can be run, here."""


@dataclass(frozen=True)
class Engine:
    """Podman; `folder` holds its storage and its configuration."""

    folder: Path

    def run(
        self, *command: str | Path, check: bool = True, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run podman with these arguments; `typed` is its standard input."""
        environ = os.environ | {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }
        done = subprocess.run(
            ["podman", *command],
            env=environ,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done

    def build(self, base: str, image: str) -> None:
        """Build the image of culld as docs/container.md says; pip finds the packages of the lock in a folder.

        `--isolation chroot` and one layer a stage: a build in a sandbox may make no namespaces, and is quicker so.
        """
        conf = self.folder / "pip.conf"
        conf.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        mounts = [f"--volume={wheels()}:/wheels:ro", f"--volume={conf}:/etc/pip.conf:ro"]
        options = ["--isolation=chroot", "--layers=false", "--format=docker", "--pull=never"]
        self.run("build", *options, *mounts, f"--build-arg=BASE={base}", "-f", CONTAINERFILE, "-t", image, REPO)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Give podman, with the Debian as image `localhost/debian`; its storage is removed at the end.

    Raises NoEngineError if no container can be run.
    """
    made = Engine(folder)
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n'
    )
    files, processes = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    # Podman's own limits are higher than those that a sandbox may set.
    limits = f'["nofile={files}:{files}", "nproc={min(processes, _MOST_PROCESSES)}:{min(processes, _MOST_PROCESSES)}"]'
    runtime = '[engine]\nruntime = "runc"\n' if shutil.which("runc") else ""  # crun refuses hybrid cgroups
    (folder / "containers.conf").write_text(f"[containers]\ndefault_ulimits = {limits}\n{runtime}")
    try:
        _import(made)
        tried = made.run("run", "--rm", "--network=none", "localhost/debian", "true", check=False)
        if tried.returncode != 0:
            raise NoEngineError(f"podman runs no container here: {tried.stderr.strip()[-300:]}")
        yield made
    finally:
        made.run("rm", "--all", "--force", check=False)
        # The overlay driver leaves a mount of its folder on itself, which would make the folder of the test stay.
        subprocess.run(["umount", "--lazy", folder / "storage" / "overlay"], check=False, capture_output=True)
        shutil.rmtree(folder / "storage", ignore_errors=True)


def _import(made: Engine) -> None:
    """Import the Debian as an image, without what apt-get fetches again; raises NoEngineError if there is none."""
    archive = made.folder / "debian.tar"
    try:
        excluded = [f"--exclude=./{path}" for path in ("var/cache/apt/*", "var/lib/apt/lists/*", "usr/share/doc/*")]
        subprocess.run(["tar", "-C", root(), *excluded, "-cf", archive, "."], check=True)
    except NoMachineError as error:
        raise NoEngineError(str(error)) from error
    done = made.run("import", archive, "localhost/debian", check=False)
    archive.unlink()
    if done.returncode != 0:
        raise NoEngineError(f"podman imports no image here: {done.stderr.strip()[-300:]}")


def wheels() -> Path:
    """The folder of the packages of the lock, downloaded once; raises NoEngineError without a package index."""
    lock = REPO / "locks" / "run.txt"
    found = CACHE / f"wheels-{PYTHON}-{zlib.crc32(lock.read_bytes()):08x}"
    if not found.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = found.with_name(f"{found.name}.{os.getpid()}")
        abis = ["--implementation=cp", f"--abi=cp{PYTHON.replace('.', '')}", "--abi=abi3", "--abi=none"]
        options = ["--no-deps", "--require-hashes", "--only-binary=:all:", f"--python-version={PYTHON}", *abis]
        command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "--dest", fresh, "-r", lock]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        try:
            if done.returncode != 0:
                raise NoEngineError(f"the packages of the lock cannot be downloaded: {done.stderr.strip()[-300:]}")
            fresh.rename(found)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return found


def composed(service: str, variables: Mapping[str, str]) -> list[str]:
    """Return the arguments of `podman run` that do what compose.yaml says; fails at a key that it does not know."""
    keys = yaml.safe_load(COMPOSE.read_text())["services"][service]
    arguments = ["--no-healthcheck"] + ([] if "network_mode" in keys else ["--network=none"])
    for key, value in keys.items():
        if key not in _IGNORED:
            arguments += _arguments(key, value, variables)
    return arguments


def _arguments(key: str, value: Any, variables: Mapping[str, str]) -> list[str]:
    if key == "read_only":
        # Podman would add folders that can be written to; Docker adds none.
        return ["--read-only", "--read-only-tmpfs=false"] if value else []
    if key == "stop_grace_period":
        return [f"--stop-timeout={value.removesuffix('s')}"]
    options = {
        "user": "--user",
        "network_mode": "--network",
        "volumes": "--volume",
        "tmpfs": "--tmpfs",
        "cap_drop": "--cap-drop",
        "security_opt": "--security-opt",
    }
    values = value if isinstance(value, list) else [value]
    return [f"{options[key]}={_filled(each, variables)}" for each in values]


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with the variables of compose filled in: `${NAME:-default}`, `${NAME:?message}`."""

    def value(match: re.Match[str]) -> str:
        name, kind, other = match.groups()
        return variables[name] if name in variables or kind == "?" else other

    return re.sub(r"\$\{(\w+):([-?])([^}]*)\}", value, text)
