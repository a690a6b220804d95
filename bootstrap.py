"""Sets ProtoZoo up in this folder: `.venv`, PyTorch, the other packages and the front end.

It needs Python's standard library alone. Each step leaves a stamp of its inputs under
`.venv/setup/`, so a second run does only what has changed and an interrupted one goes on.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (it is here for the Pythons that are older)
    sys.exit(
        f"ProtoZoo needs Python 3.11 or newer, and this is Python {sys.version.split()[0]}.\n"
        "With a newer one beside it, name that one: make setup PYTHON=python3.12"
    )
if sys.platform == "win32":
    sys.exit("ProtoZoo runs on Linux and macOS. On Windows, set it up inside WSL.")

import ast
import fcntl
import hashlib
import importlib.util
import os
import queue
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
FRONTEND = ROOT / "frontend"
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
STAMPS = VENV / "setup"
# Lies in .venv from before its first file until it is whole.
UNFINISHED = VENV / "unfinished"

PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# An address that drops packets silently must not hold a set-up up for long.
PROBE_TIMEOUT_S = 5
# A line of progress at least this often, whatever a program keeps to itself.
HEARTBEAT_S = 10
LOG_LINES_SHOWN = 25
LINE_WIDTH = 100

NETWORK_HINT = (
    "Look at the lines above. If the network was away, run the same command again: what is "
    "installed already stays.\nBehind a mirror, set PIP_INDEX_URL, or PIP_FIND_LINKS to a folder "
    "with wheels."
)
NPM_HINT = (
    "Look at the lines above. If the network was away, run the same command again.\n"
    "Behind a mirror, set NPM_CONFIG_REGISTRY."
)


class SetupError(Exception):
    """A step cannot go on; the message says why and what to do."""


class CommandError(SetupError):
    """A program that a step ran has failed."""

    def __init__(self, command: Sequence[str], code: int, log: Path, hint: str) -> None:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-LOG_LINES_SHOWN:])
        super().__init__(
            f"This command ended with code {code}:\n    {shlex.join(command)}\n"
            f"Its last lines (all of them are in {log}):\n{tail}\n{hint}"
        )


class Step(NamedTuple):
    """One part of the set-up, done again whenever one of its inputs has changed."""

    name: str
    title: str
    download: str
    inputs: Callable[[], Iterable[str | Path]]
    is_there: Callable[[], bool]
    work: Callable[[], None]


class TorchBuild(NamedTuple):
    """One of the builds in which torch is published."""

    words: str
    download: str


class TorchSource(NamedTuple):
    """One place that may have the build of torch that is wanted."""

    words: str
    arguments: tuple[str, ...]
    probe: str | None = None


# ---------------------------------------------------------------- the steps, in order


def main() -> int:
    """Do every step that is not done yet, and say what to do next."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with one_at_a_time():
            changed = run_steps(steps())
    except SetupError as error:
        print(f"\nThe set-up stopped here. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The same command takes the set-up up again.", file=sys.stderr)
        return 130
    if not changed:
        print("Set up already: nothing has changed since.")
        return 0
    print(
        f"ProtoZoo is set up ({time.monotonic() - started:.0f} s).\n"
        "  make demo   the whole way on a small survey, then the site on http://127.0.0.1:8000\n"
        "  make test   all tests\n"
        "  make help   everything else"
    )
    return 0


def steps() -> list[Step]:
    """List what a set-up is made of."""
    constraints = ROOT / "constraints.txt"
    npm_files = [FRONTEND / name for name in ("package.json", "package-lock.json", ".npmrc")]
    sources = [FRONTEND / name for name in ("src", "styles", "vite.config.ts", "tsconfig.json")]
    version, build = wanted_torch(constraints.read_text(encoding="utf-8")), torch_build_here()
    return [
        Step(
            "venv",
            "Python environment in .venv",
            "",
            lambda: [str(ROOT)],
            venv_is_whole,
            make_venv,
        ),
        Step(
            "torch",
            f"PyTorch {version}, {TORCH_BUILDS[build].words}",
            TORCH_BUILDS[build].download,
            lambda: [version, build],
            lambda: torch_suits(installed_torch(), version, build),
            lambda: install_torch(version, build),
        ),
        Step(
            "packages",
            "the other Python packages",
            "downloads about 220 MB",
            lambda: [constraints, ROOT / "pyproject.toml", version, build],
            lambda: True,
            install_packages,
        ),
        Step(
            "npm",
            "the front end's packages",
            "downloads about 80 MB",
            lambda: npm_files,
            (FRONTEND / "node_modules" / ".package-lock.json").is_file,
            lambda: run("npm", [str(BIN / "npm"), "ci", "--include=dev"], NPM_HINT, cwd=FRONTEND),
        ),
        Step(
            "build",
            "the front end, built into frontend/dist",
            "",
            lambda: [*npm_files, *sources],
            (FRONTEND / "dist" / ".vite" / "manifest.json").is_file,
            lambda: run(
                "build",
                [str(BIN / "npm"), "run", "build"],
                "Look at the lines above: a file under frontend/ does not build.",
                cwd=FRONTEND,
            ),
        ),
    ]


def run_steps(steps: Sequence[Step]) -> bool:
    """Do the steps that are not done; tell whether there were any."""
    if all(is_done(step) for step in steps):
        return False
    for number, step in enumerate(steps, start=1):
        head = f"[{number}/{len(steps)}] {step.title}"
        if is_done(step):
            print(f"{head}: there", flush=True)
            continue
        print(f"{head} ({step.download})" if step.download else head, flush=True)
        started = time.monotonic()
        fingerprint = fingerprint_of(step.inputs())
        stamp_of(step).unlink(missing_ok=True)  # what fails from here on has to be done again
        step.work()
        write_stamp(stamp_of(step), fingerprint)
        print(f"      done ({time.monotonic() - started:.0f} s)", flush=True)
    return True


def is_done(step: Step) -> bool:
    """Tell whether a step was done with the inputs as they are, and its work is still there."""
    return read_stamp(stamp_of(step)) == fingerprint_of(step.inputs()) and step.is_there()


def stamp_of(step: Step) -> Path:
    """Name the file that tells what a step was last done with."""
    return STAMPS / step.name


# ---------------------------------------------------------------- stamps


def fingerprint_of(inputs: Iterable[str | Path]) -> str:
    """Hash words, and files by place and content; a folder counts with all files below it."""
    digest = hashlib.sha256()
    words = [f"python {sys.version_info[0]}.{sys.version_info[1]}"]
    for item in inputs:
        words.extend(_file_words(item) if isinstance(item, Path) else [item])
    for word in words:
        digest.update(hashlib.sha256(word.encode()).digest())
    return digest.hexdigest()


def _file_words(path: Path) -> list[str]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [
        f"{os.path.relpath(file, ROOT)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in files
        if file.is_file()
    ]


def read_stamp(path: Path) -> str | None:
    """Read what a step was last done with, None when it was not."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def write_stamp(path: Path, fingerprint: str) -> None:
    """Mark a step as done, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(fingerprint + "\n", encoding="utf-8")
    draft.replace(path)


# ---------------------------------------------------------------- the environment in .venv


def venv_is_whole() -> bool:
    """Tell whether .venv was made to the end, for this folder, by this version of Python."""
    pip = BIN / "pip"
    if UNFINISHED.exists() or not pip.is_file():
        return False
    # The first lines of a script name its Python: another place when the folder was moved.
    if str(VENV) not in pip.read_text(encoding="utf-8")[:500]:
        return False
    words = f"import sys, pip; print(sys.version_info[:2] == {sys.version_info[:2]!r})"
    return ask(str(PYTHON), "-c", words) == "True"


def make_venv() -> None:
    """Make .venv, in place of whatever is left of an older one."""
    if venv_is_whole():
        return
    if importlib.util.find_spec("ensurepip") is None:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            "This Python came without its venv part, which makes environments.\n"
            f"On Debian and Ubuntu: sudo apt install {version}-venv, then the same command again."
        )
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        print("      the .venv here is unfinished or of another Python or folder: made anew")
        shutil.rmtree(VENV)
    VENV.mkdir()
    UNFINISHED.touch()
    python = getattr(sys, "_base_executable", sys.executable)
    run("venv", [python, "-m", "venv", str(VENV)], "See whether this Python can make any venv.")
    UNFINISHED.unlink()


def drop_half_installed() -> None:
    """Remove what a killed installation left, which pip would take for installed.

    pip and uv write the file RECORD last.
    """
    for site_packages in VENV.glob("lib/python3*/site-packages"):
        for info in site_packages.glob("*.dist-info"):
            if not (info / "RECORD").is_file():
                shutil.rmtree(info)
        for leftover in site_packages.glob("~*"):
            shutil.rmtree(leftover, ignore_errors=True)


# ---------------------------------------------------------------- torch

TORCH_BUILDS = {
    "cpu": TorchBuild("CPU build", "downloads about 200 MB"),
    "cuda": TorchBuild(
        "CUDA build for the NVIDIA card",
        "downloads about 3 GB; PROTOZOO_TORCH=cpu takes the CPU build of 200 MB instead",
    ),
    "macos": TorchBuild("macOS build", "downloads about 100 MB"),
}


# The two ways in which pip says that the places it asked do not have a version.
NO_SUCH_BUILD = re.compile("No matching distribution found|ResolutionImpossible")


def wanted_torch(constraints: str) -> str:
    """Find torch's version among the pinned ones."""
    match = re.search(r"^torch==([\d.]+)$", constraints, re.MULTILINE)
    if match is None:
        raise SetupError("constraints.txt must pin torch in a line such as 'torch==2.13.0'.")
    return match[1]


def torch_build(*, system: str, has_nvidia: bool, wish: str) -> str:
    """Choose among the builds: by the person's wish, else by the machine."""
    if wish not in {"", "cpu", "cuda"}:
        raise SetupError(f"PROTOZOO_TORCH must be 'cpu' or 'cuda' or unset, got {wish!r}.")
    if system == "darwin":
        return "macos"
    return wish or ("cuda" if has_nvidia else "cpu")


def torch_build_here() -> str:
    """Choose the build for this machine."""
    return torch_build(
        system=sys.platform, has_nvidia=has_nvidia(), wish=os.environ.get("PROTOZOO_TORCH", "")
    )


def has_nvidia() -> bool:
    """Tell whether an NVIDIA card and its driver are there."""
    return Path("/proc/driver/nvidia/version").exists() or "GPU " in ask("nvidia-smi", "-L")


def torch_sources(version: str, build: str) -> list[TorchSource]:
    """List the places to ask for a build, best first."""
    with_its_libraries = tuple(constraint_arguments())
    ordinary = TorchSource(
        "the configured package index", (*with_its_libraries, f"torch=={version}")
    )
    if build == "macos":
        return [ordinary]
    if build == "cuda":
        # A wheel with a local version ("+cpu") would win against the ordinary one under "==".
        exact = (*with_its_libraries, f"torch==={version}")
        return [ordinary._replace(arguments=exact), ordinary]
    cpu = f"torch=={version}+cpu"
    return [
        TorchSource("the places in pip's configuration", ("--no-deps", cpu)),
        TorchSource(
            "PyTorch's own CPU index (about 200 MB)",
            ("--no-deps", "--index-url", PYTORCH_CPU_INDEX, cpu),
            probe=PYTORCH_CPU_INDEX + "/torch/",
        ),
        ordinary._replace(
            words="the ordinary index: it has no CPU build, so this is the CUDA build with all "
            "its libraries, about 3 GB (Ctrl-C stops it)"
        ),
    ]


def torch_suits(installed: str | None, version: str, build: str) -> bool:
    """Tell whether the installed torch will do; a larger build than needed does."""
    if installed is None:
        return False
    public, _, local = installed.partition("+")
    return public == version and not (build == "cuda" and local == "cpu")


def installed_torch() -> str | None:
    """Ask .venv for torch's version without importing it."""
    code = "from importlib.metadata import version; print(version('torch'))"
    return ask(str(PYTHON), "-c", code) or None


def install_torch(version: str, build: str) -> None:
    """Install the chosen build from the first place that has it."""
    drop_half_installed()
    if torch_suits(installed_torch(), version, build):
        return
    sources = torch_sources(version, build)
    for source in sources:
        print(f"      from {source.words}", flush=True)
        if source.probe and not is_reachable(source.probe):
            print("      which cannot be reached from here")
            continue
        try:
            run("torch", pip_install("--force-reinstall", *source.arguments), NETWORK_HINT)
        except CommandError as error:
            # Anything else, a full disk or a broken line, must not end in the larger download.
            if source is sources[-1] or not NO_SUCH_BUILD.search(str(error)):
                raise
            print("      which has no such build for this Python")
            continue
        return


def is_reachable(address: str) -> bool:
    """Tell whether a server answers at all; what it says is pip's business."""
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310 (a constant of ours)
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S):  # noqa: S310 (see above)
            return True
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError as error:
        # pip may know certificates that Python's own client does not.
        return "CERTIFICATE" in str(error.reason)
    except OSError:
        return False


# ---------------------------------------------------------------- the other packages


def install_packages() -> None:
    """Install everything else by uv when that works, else by pip."""
    drop_half_installed()
    uv = shutil.which("uv")
    if uv and ask(uv, "--version"):
        settings = read_pip_settings(ask(str(PYTHON), "-m", "pip", "config", "list"))
        command = [uv, "pip", "install", "--python", str(PYTHON), *project_arguments()]
        try:
            run("packages", command, NETWORK_HINT, env={**uv_environment(settings), **os.environ})
        except CommandError:
            print("      uv could not do it: pip takes over")
            drop_half_installed()
        else:
            return
    run("packages", pip_install(*project_arguments()), NETWORK_HINT)


def project_arguments() -> list[str]:
    """Name ProtoZoo itself with its development tools, at the pinned versions."""
    return [*constraint_arguments(), "-e", f"{ROOT}[dev]"]


def pip_install(*arguments: str) -> list[str]:
    """Write a call of pip for .venv."""
    return [str(PYTHON), "-m", "pip", "install", *arguments]


def constraint_arguments() -> list[str]:
    """Hold every version to the pinned one."""
    return ["-c", str(ROOT / "constraints.txt")]


def read_pip_settings(listing: str) -> dict[str, str]:
    """Merge what `pip config list` prints: for every command, for install, from the environment."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        match = re.fullmatch(r"(global|install|:env:)\.([\w-]+)=(.+)", line)
        if match:
            found[match[1]][match[2].replace("_", "-")] = str(ast.literal_eval(match[3]))
    return {**found["global"], **found["install"], **found[":env:"]}


def uv_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Say the same to uv, which does not read pip's settings."""
    names = {
        "index-url": ("UV_DEFAULT_INDEX", " "),
        "extra-index-url": ("UV_INDEX", " "),
        "find-links": ("UV_FIND_LINKS", ","),
        "trusted-host": ("UV_INSECURE_HOST", " "),
        "no-index": ("UV_NO_INDEX", " "),
        "cert": ("SSL_CERT_FILE", " "),
    }
    told = {
        name: separator.join(settings[key].split())
        for key, (name, separator) in names.items()
        if settings.get(key)
    }
    # pip takes the best version of all indexes, uv by itself only looks at the first that knows it.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **told}


# ---------------------------------------------------------------- running programs


def ask(*command: str) -> str:
    """Run a short question; what it prints, or nothing when it cannot answer."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def run(
    name: str,
    command: Sequence[str],
    hint: str,
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a program with its lines as progress; all of them go to a log beside the stamps."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    log = STAMPS / f"{name}.log"
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=program_environment(os.environ if env is None else env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,  # the lock stays with a program that outlives a killed set-up
        start_new_session=True,
    ) as process:
        try:
            with log.open("w", encoding="utf-8") as file:
                file.write(f"$ {shlex.join(command)}\n")
                for line in lines_of(process):
                    file.write(line)
                    show(line)
            code = process.wait()
        except BaseException:
            stop_program(process)
            raise
    if code:
        raise CommandError(command, code, log, hint)


def program_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Put the programs of .venv first, and keep pip to what was asked for."""
    return {
        **env,
        "PATH": f"{BIN}{os.pathsep}{env.get('PATH', os.defpath)}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_USER": "0",
        "PYTHONUNBUFFERED": "1",
    }


def lines_of(process: "subprocess.Popen[str]") -> Iterator[str]:
    """Yield a program's lines as they come, with a sign of life between when it is silent."""
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read_into, args=(process.stdout, lines), daemon=True).start()
    started = time.monotonic()
    while True:
        try:
            line = lines.get(timeout=HEARTBEAT_S)
        except queue.Empty:
            print(f"      ... at work for {time.monotonic() - started:.0f} s", flush=True)
            continue
        if line is None:
            return
        yield line


def _read_into(stream: Iterable[str], lines: "queue.Queue[str | None]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


# Lines that say nothing new. What pip indents are the files behind the line above, and its errors
# are shown with the end of the log when they stop the set-up.
NOISE = re.compile(
    r"\s|Requirement already|Looking in|WARNING: Location|ERROR: |npm warn|\[notice|> "
)


def show(line: str) -> None:
    """Print a line of a program, cut to the width of a screen."""
    if line.strip() and not NOISE.match(line):
        print(f"      {line.rstrip()}"[:LINE_WIDTH], flush=True)


def stop_program(process: "subprocess.Popen[str]") -> None:
    """Stop a program with all its children, the hard way when it does not listen."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            return


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait while another set-up works in this folder."""
    with Path(__file__).open(encoding="utf-8") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is at work in this folder: waiting for its end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
