"""How what is measured comes onto the machine, the first time that it is asked for.

Python packages go into virtual environments of their own under .cache/bench, at pinned versions;
programs of the system are installed with apt where that needs no question (as root); the ceiling
is built with cargo. What cannot be had raises `Unavailable` with the reason.
"""
import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import which

from running import Unavailable

BENCH = Path(__file__).resolve().parent
PROJECT = BENCH.parent
CACHE = PROJECT / ".cache" / "bench"


def environment(name, requirements):
    """The folder of a virtual environment with `requirements`."""
    folder = CACHE / name
    stamp = folder / "installed.json"
    wanted = json.dumps([sys.version, requirements])
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    tell(f"installing {' '.join(requirements)}")
    command([sys.executable, "-m", "venv", "--clear", str(folder)])
    command([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet",
             "--disable-pip-version-check", "--prefer-binary", *requirements])
    stamp.write_text(wanted)
    return folder


def program(name, package):
    """The path of a program, from the system's package when it is not there."""
    found = find(name)
    if found is None and os.geteuid() == 0 and which("apt-get"):
        tell(f"installing {package}")
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], env=quietly)
        found = find(name)
    if found is None:
        raise Unavailable(f"no {name}: apt-get install {package}")
    return found


def find(name):
    return which(name, path=os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin")


def cargo_binary(folder, name):
    """The release binary of a crate that is outside the workspace."""
    if which("cargo") is None:
        raise Unavailable("no cargo to build it with")
    target = CACHE / "target"
    command(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path",
             str(folder / "Cargo.toml"), "--target-dir", str(target)])
    return target / "release" / name


def certificate():
    """The paths of a key and a self-signed certificate, the same for all servers."""
    key, chain = CACHE / "key.pem", CACHE / "certificate.pem"
    # Made anew after a while, as it expires.
    valid = chain.is_file() and key.is_file() and subprocess.run(
        ["openssl", "x509", "-checkend", "86400", "-noout", "-in", str(chain)],
        capture_output=True).returncode == 0
    if not valid:
        CACHE.mkdir(parents=True, exist_ok=True)
        command([program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key), "-out", str(chain),
                 "-days", "30", "-subj", "/CN=127.0.0.1",
                 "-addext", "subjectAltName=IP:127.0.0.1"])
    return key, chain


def command(arguments, **how):
    try:
        subprocess.run(arguments, check=True, capture_output=True, text=True, **how)
    except OSError as error:
        raise Unavailable(f"{arguments[0]} cannot be run: {error}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
        shown = " ".join(Path(part).name for part in arguments[:6])
        raise Unavailable(f"`{shown} …` failed: {' '.join(last)}") from error


def tell(what):
    print(what, file=sys.stderr, flush=True)
