"""The directory of one embedded instance: its lock, its secrets, its address file, its logs."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.embedded import stale_address
from pipeline.errors import FULL, UserError
from pipeline.operations.observing import HEALTH_FILE
from pipeline.settings import OWNERS_TOKEN, PRIVATE_ENV, PUBLIC_ENV, read_env_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipeline.embedded.child import Child
    from pipeline.settings import Settings

_LOCK_SECONDS: Final = 0.5  # a killed predecessor's janitor holds the lock for a moment while it tidies up
_LOCK_PAUSE_SECONDS: Final = 0.01
_JANITOR: Final = Path(stale_address.__file__).resolve()


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an instance generates once and keeps: losing the pseudonym key would rename every customer."""

    reader_password: str
    writer_password: str
    pseudonym_key: str
    actor_password: str
    api_token: str


class InstanceDirectory:
    """Paths and files of one ``--data DIR``; everything in it is readable by its owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.public_env = self.root / PUBLIC_ENV
        self.private_env = self.root / PRIVATE_ENV
        self.clickhouse = self.root / "clickhouse"
        self.logs = self.root / "logs"
        self.scratch = self.root / "tmp"
        self.health = self.root / HEALTH_FILE
        self.lock = self.root / "lock"

    @contextmanager
    def locked(self, keeps: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Hold the directory exclusively, made and cleared of what a killed predecessor left behind.

        The lock is the kernel's: it ends with this process, however that ends.

        Args:
            keeps: asked at the end, whether what was made here stays; what was there before always does.

        Raises:
            UserError: another process holds it, or the directory cannot be made or written.
        """
        missing = self._missing()
        try:
            for path in (self.root, self.clickhouse, self.logs, self.scratch):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            _remove(missing)
            remedy = "choose another directory with --data"
            if error.errno in FULL:
                remedy = f"make room on its disk, or {remedy}"
            raise UserError(f"{self.root} cannot be used ({error.strerror})", remedy) from error
        try:
            self._lock(descriptor)  # one that another process holds is left as it is, whoever made it
            try:
                self._sign(descriptor)
                self.withdraw()
                self._clear_scratch()
                with self._janitor():
                    yield
            finally:
                if not keeps():
                    _remove(missing)
        finally:
            os.close(descriptor)

    def _missing(self) -> list[Path]:
        """Return what `locked` and `load_secrets` are to make, the outermost first."""
        directories = (*reversed(self.root.parents), self.root, self.clickhouse, self.logs, self.scratch)
        return [path for path in (*directories, self.lock, self.private_env) if not os.path.lexists(path)]

    @contextmanager
    def _janitor(self) -> Iterator[None]:
        """Have the address file removed also if this process is killed."""
        command = [sys.executable, "-I", "-S", str(_JANITOR), str(self.lock), str(self.public_env)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        try:
            yield
        finally:
            process.communicate()

    def _clear_scratch(self) -> None:
        shutil.rmtree(self.scratch)
        self.scratch.mkdir(mode=0o700)

    def _lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
                raise UserError(f"{self.root} is in use by process {owner}", "stop that one or choose another --data")
            time.sleep(_LOCK_PAUSE_SECONDS)

    def _sign(self, descriptor: int) -> None:
        with _naming(self.lock):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def load_secrets(self, settings: Settings) -> Secrets:
        """Return the directory's secrets, made on first use and written before they are used.

        Passwords and a key that are configured (environment, roi.toml) are taken instead of generated.

        Raises:
            UserError: another pseudonym key is configured than the one that the directory's data was written with.
        """
        kept = read_env_file(self.private_env)
        key = settings.pseudonym_key.get_secret_value()
        kept_key = kept.get("ROI_PSEUDONYM_KEY", "")
        if key and kept_key and not secrets.compare_digest(key.encode(), kept_key.encode()):
            raise UserError(
                f"ROI_PSEUDONYM_KEY is not the key that {self.root} was written with",
                "unset it or choose another --data",
            )
        reader, writer = settings.clickhouse_password, settings.clickhouse_writer_password
        found = Secrets(
            reader_password=_first(reader.get_secret_value(), kept.get("ROI_CLICKHOUSE_PASSWORD")),
            writer_password=_first(writer.get_secret_value(), kept.get("ROI_CLICKHOUSE_WRITER_PASSWORD")),
            pseudonym_key=_first(key, kept_key),
            actor_password=_first(
                settings.clickhouse_actor_password.get_secret_value(), kept.get("ROI_CLICKHOUSE_ACTOR_PASSWORD")
            ),
            api_token=_first(settings.api_token.get_secret_value(), kept.get(OWNERS_TOKEN)),
        )
        write_env_file(
            self.private_env,
            kept
            | {
                "ROI_CLICKHOUSE_PASSWORD": found.reader_password,
                "ROI_CLICKHOUSE_WRITER_PASSWORD": found.writer_password,
                "ROI_PSEUDONYM_KEY": found.pseudonym_key,
                "ROI_CLICKHOUSE_ACTOR_PASSWORD": found.actor_password,
                OWNERS_TOKEN: found.api_token,
            },
        )
        return found

    def keep(self, values: Mapping[str, str]) -> None:
        """Lay values over the private file, for commands that join the instance (`roi worker --data DIR`)."""
        write_env_file(self.private_env, read_env_file(self.private_env) | dict(values))

    def publish(self, settings: Settings) -> None:
        """Write the address file: from now on everything answers.

        Secrets in it are those of the read-only user, and the owner's token for actions where nobody else has one.
        """
        token = settings.api_token.get_secret_value()
        write_env_file(
            self.public_env,
            {
                "ROI_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
                "ROI_CLICKHOUSE_URL": settings.clickhouse_url,
                "ROI_CLICKHOUSE_USER": settings.clickhouse_user,
                "ROI_CLICKHOUSE_PASSWORD": settings.clickhouse_password.get_secret_value(),
                "ROI_BOARD_URL": settings.board_url,
            }
            | ({OWNERS_TOKEN: token} if token and not settings.api.tokens else {}),
        )

    def publish_health(self, children: Iterable[Child]) -> None:
        """Write what the supervisor knows of its parts, for `roi status` and others; a full disk keeps the old one."""
        parts = [
            {
                "name": child.part.name,
                "is_running": child.pid is not None,
                "pid": child.pid,
                "started": child.started_at,
                "url": child.part.health_url,
                "trouble": child.trouble,
                "since": child.trouble_since,
                "deaths": [asdict(death) for death in child.deaths],
            }
            for child in children
        ]
        with suppress(OSError):
            write_private_file(self.health, json.dumps({"supervisor": os.getpid(), "parts": parts}))

    def withdraw(self) -> None:
        """Remove the address file: nothing answers any more."""
        self.public_env.unlink(missing_ok=True)
        self.health.unlink(missing_ok=True)


def write_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Replace a KEY=VALUE file in one step, readable by its owner alone from its first byte on.

    Raises:
        UserError: a value holds a line break, which the format cannot carry.
    """
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise UserError(f"{name} holds a line break, which {path.name} cannot keep", "give it without one")
    write_private_file(path, "".join(f"{key}={value}\n" for key, value in values.items()))


def write_private_file(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, readable by its owner alone from its first byte on.

    Raises:
        OSError: it cannot be written; its ``filename`` is ``path``, whatever was tried.
    """
    with _naming(path):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have errors name a file: those of a descriptor name none, and are taken for errors of the terminal then."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _remove(paths: list[Path]) -> None:
    """Remove files and directories, the innermost last in the list; a directory that holds anything else stays."""
    for path in reversed(paths):
        with suppress(OSError):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _first(configured: str, kept: str | None) -> str:
    return configured or kept or secrets.token_urlsafe(24)
