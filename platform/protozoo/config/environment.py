"""Reads the settings that a site may set from its environment, and remembers what was wrong.

A wrong value never stops Python here: it is noted in `PROBLEMS`, the default takes its place, and
the system checks (`config/checks.py`) report it with a hint before anything runs.
"""

import os
import secrets
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

ROOT = Path(__file__).resolve().parents[3]

# Linux allows 108 bytes for the path of a unix socket, macOS 104.
SOCKET_PATH_LIMIT = 100
MAIL_SCHEMES = {"smtp", "smtp+tls", "smtp+ssl"}


@dataclass(frozen=True)
class Variable:
    """One environment variable that the site understands."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable(
        "STORAGE_FOLDER", "var", "Folder for pixels, maps, releases and the default database."
    ),
    Variable(
        "DATABASE_URL",
        "sqlite:///STORAGE_FOLDER/protozoo.sqlite3",
        "The database: sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME.",
    ),
    Variable(
        "REDIS_URL",
        "the bundled Valkey",
        "Redis or Valkey that wakes the workers: redis://, rediss:// or unix://.",
    ),
    Variable(
        "SECRET_KEY", "kept in STORAGE_FOLDER/secret_key", "Signs cookies; 32 characters or more."
    ),
    Variable("DEBUG", "false", "Show error pages with source code: true or false."),
    Variable("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "Host names of the site, by commas."),
    Variable(
        "CSRF_TRUSTED_ORIGINS",
        "",
        "Origins with scheme, by commas, when the site is behind a proxy.",
    ),
    Variable(
        "EMAIL_URL",
        "none: mail is printed by the server",
        "Server that sends mail: smtp://, smtp+tls:// or smtp+ssl://USER:PASSWORD@HOST:PORT.",
    ),
    Variable("EMAIL_FROM", "ProtoZoo <protozoo@localhost>", "Sender of the site's mail."),
    Variable("HTTPS", "false", "The site is served by HTTPS: secure cookies, HSTS."),
    Variable(
        "NEW_VOLUNTEERS_PER_HOUR",
        "1000",
        "New volunteers without an account from one address, for each server process; 0: any.",
    ),
    Variable("VOTES_PER_MINUTE", "300", "Votes of one volunteer, for each server process; 0: any."),
    Variable(
        "PROXIES", "0, with HTTPS 1", "Proxies before the site that name the visitor's address."
    ),
    Variable("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
)


@dataclass(frozen=True)
class Problem:
    """A variable whose value cannot be used, and what would be right."""

    variable: str
    message: str
    hint: str


PROBLEMS: list[Problem] = []


def _problem(variable: str, message: str, hint: str) -> None:
    PROBLEMS.append(Problem(variable, message, hint))


def boolean(name: str, *, default: bool) -> bool:
    """Read true or false."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value not in {"0", "false", "no", "off"}:
        _problem(name, f"{name} is {value!r}.", f"Set {name} to true or false.")
    return False


def names(name: str, *, default: str) -> list[str]:
    """Read a list of names separated by commas."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def new_volunteers_per_hour() -> int:
    """Read how many new volunteers may come from one address."""
    name = "NEW_VOLUNTEERS_PER_HOUR"
    return _whole_number(name, os.environ.get("NEW_VOLUNTEERS_PER_HOUR", ""), default=1000)


def votes_per_minute() -> int:
    """Read how often one volunteer may vote."""
    return _whole_number("VOTES_PER_MINUTE", os.environ.get("VOTES_PER_MINUTE", ""), default=300)


def proxies() -> int:
    """Read how many proxies stand before the site; one speaks HTTPS for it if nothing is said."""
    default = 1 if boolean("HTTPS", default=False) else 0
    return _whole_number("PROXIES", os.environ.get("PROXIES", ""), default=default)


def _whole_number(name: str, value: str, *, default: int) -> int:
    if not value.strip():
        return default
    if value.strip().isdecimal():
        return int(value)
    _problem(name, f"{name} is {value!r}.", f"Set {name} to a whole number, 0 or more.")
    return default


def hosts() -> list[str]:
    """Read the host names of the site; without any it would refuse every visitor."""
    default = "localhost,127.0.0.1,[::1]"
    found = names("ALLOWED_HOSTS", default=default)
    wrong = [name for name in found if "/" in name or " " in name or name.count(":") == 1]
    if found and not wrong:
        return found
    _problem(
        "ALLOWED_HOSTS",
        f"ALLOWED_HOSTS holds {wrong[0]!r}." if wrong else "ALLOWED_HOSTS is empty.",
        "Give bare host names by commas, such as zoo.example.org,localhost; no scheme, no port.",
    )
    return default.split(",")


def log_level() -> str:
    """Read the level of the log."""
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    if level in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        return level
    _problem("LOG_LEVEL", f"LOG_LEVEL is {level!r}.", "Use DEBUG, INFO, WARNING or ERROR.")
    return "INFO"


def storage_folder() -> Path:
    """Read the storage folder and make it."""
    folder = Path(os.environ.get("STORAGE_FOLDER") or ROOT / "var").expanduser().resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _problem(
            "STORAGE_FOLDER",
            f"The storage folder {folder} cannot be made: {error.strerror}.",
            "Set STORAGE_FOLDER to a folder that this user may write.",
        )
        return Path(tempfile.gettempdir())
    if not os.access(folder, os.W_OK):
        _problem(
            "STORAGE_FOLDER",
            f"The storage folder {folder} is read-only.",
            "Set STORAGE_FOLDER to a folder that this user may write.",
        )
    return folder


def secret_key(storage: Path) -> str:
    """Read the secret key, or make one and keep it in the storage folder."""
    key = os.environ.get("SECRET_KEY")
    if key is not None:
        if len(key) < 32:
            _problem(
                "SECRET_KEY",
                f"SECRET_KEY has {len(key)} characters.",
                "Use 32 random characters or more, or unset it to have one made.",
            )
        return key or "unusable"
    if any(problem.variable == "STORAGE_FOLDER" for problem in PROBLEMS):
        return secrets.token_urlsafe(48)  # nothing will start; leave no key elsewhere
    path = storage / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _kept_key(path)
    except OSError as error:
        _problem(
            "SECRET_KEY",
            f"{path} cannot be written: {error.strerror}.",
            "Make room or set SECRET_KEY to 32 random characters or more.",
        )
        return secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _kept_key(path: Path) -> str:
    try:
        key = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        _problem("SECRET_KEY", f"{path} cannot be read: {error}.", "Let this user read it.")
        return "unusable"
    if not key:
        _problem("SECRET_KEY", f"{path} is empty.", f"Delete {path} to have a new key made.")
    return key or "unusable"


def database(storage: Path) -> dict[str, Any]:
    """Read the database's address into Django's form."""
    default = f"sqlite:///{storage / 'protozoo.sqlite3'}"
    url = os.environ.get("DATABASE_URL") or default
    fault = _address_fault("DATABASE_URL", url, {"sqlite", "postgres", "postgresql"})
    fault = fault or _sqlite_fault(url)
    if fault:
        _problem(
            "DATABASE_URL",
            fault,
            "Use sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME.",
        )
        url = default
    settings: dict[str, Any] = environ.Env.db_url_config(url)
    if settings["ENGINE"].endswith("sqlite3"):
        # Writers queue for up to 20 s instead of failing half-way through a transaction.
        settings["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        # Compiling a question for the next items takes longer than answering it.
        options = settings.setdefault("OPTIONS", {})
        options["options"] = f"-c jit=off {options.get('options', '')}".strip()
    # A new connection takes longer than all queries of a vote: each thread keeps its own.
    settings["CONN_MAX_AGE"] = 60
    settings["CONN_HEALTH_CHECKS"] = True
    return settings


def _address_fault(name: str, url: str, schemes: set[str]) -> str:
    """Say what is wrong with an address; never repeat it whole, for it may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"{name} is no address: {error}."
    if parts.scheme not in schemes:
        return f"{name} begins with {parts.scheme or url[:12]!r}."
    return ""


def _sqlite_fault(url: str) -> str:
    if urlsplit(url).scheme != "sqlite":
        return ""
    name = environ.Env.db_url_config(url)["NAME"]
    if not name or ":memory:" in name:
        return "DATABASE_URL names no file, and a database in memory is forgotten at once."
    path = Path(name)
    if path.is_dir():
        return f"The database {path} is a folder."
    if not path.parent.is_dir():
        return f"The folder {path.parent} of the database is not there."
    return ""


def redis_url(bundled: str) -> str:
    """Read the queue's address; without one, that of the bundled Valkey."""
    url = os.environ.get("REDIS_URL", "")
    if not url:
        return bundled
    fault = _address_fault("REDIS_URL", url, {"redis", "rediss", "unix"})
    if fault:
        _problem(
            "REDIS_URL",
            fault,
            "Use redis://HOST:PORT/0, rediss://HOST:PORT/0 or unix:///PATH, or unset it.",
        )
        return bundled
    return url


def mail() -> dict[str, Any]:
    """Read how mail is sent into Django's form; without a server it is printed."""
    default = "consolemail://"
    url = os.environ.get("EMAIL_URL") or default
    fault = "" if url == default else _address_fault("EMAIL_URL", url, MAIL_SCHEMES)
    if fault:
        _problem("EMAIL_URL", fault, "Use smtp+tls://USER:PASSWORD@HOST:587, or unset it.")
        url = default
    settings: dict[str, Any] = environ.Env.email_url_config(url)
    sender = os.environ.get("EMAIL_FROM") or "ProtoZoo <protozoo@localhost>"
    return {**settings, "DEFAULT_FROM_EMAIL": sender}


def valkey_socket(storage: Path) -> Path:
    """Name the socket of the bundled Valkey, short enough for the operating system."""
    path = storage / "valkey" / "valkey.sock"
    if len(str(path)) <= SOCKET_PATH_LIMIT:
        return path
    digest = sha256(str(storage).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"protozoo-{digest}.sock"
