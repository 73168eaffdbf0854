# SPDX-License-Identifier: Apache-2.0
"""What a client must not lose: the job's key and ids, in a file of mode 0600, written before anything is uploaded."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inferix.errors import Corrupt, NotFound
from inferix.sealing import KEY_SIZE, JobKey
from inferix.storage.files import sync_directory, write_atomic


@dataclass
class JobFile:
    """One order. ``key``: hex of the job key; ``job``: hex of the job id once the order was signed.

    Until it is placed: ``package``: the sealed package's path; ``package_bytes``: its plain size; ``engine``: name and
    build; ``settings`` and ``terms`` as they were asked for. ``order``: what was signed and is sent
    until it is placed, with ``signed_at``, this machine's time [s]. ``marks``: where they are (`inferix.client.marks`).
    """

    name: str
    key: str
    api: str
    input: str = ""
    job: str = ""
    path: str = ""
    package: str = ""
    package_bytes: int = 0
    engine: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    marks: dict[str, Any] = field(default_factory=dict)
    order: dict[str, Any] = field(default_factory=dict)

    @property
    def job_key(self) -> JobKey:
        """The key that opens everything of this job."""
        return JobKey(bytes.fromhex(self.key))

    @property
    def label(self) -> str:
        """What names it before it has an id."""
        return Path(self.path).stem

    def save(self) -> None:
        """Writes the file whole or not at all."""
        target = Path(self.path)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(target, (json.dumps(asdict(self), indent=1).encode(),))
        sync_directory(target.parent)

    def drop_package(self) -> None:
        """Forgets the sealed package: the network has it, or refuses it."""
        if self.package:
            Path(self.package).unlink(missing_ok=True)
        self.package = ""
        self.save()


class JobFileDamaged(Corrupt):
    """A job file that cannot be read. ``text``: what is in it, as far as it is text; ``why``: what the system says."""

    def __init__(self, path: Path, text: str, why: str = "is damaged") -> None:
        super().__init__(f"{path} {why}: without its key the results cannot be opened; restore a backup")
        self._label = path.stem
        self._text = text

    def is_named(self, name: str, job: str) -> bool:
        """Whether it is the file of a label, or says that it is that of the job whose id begins so."""
        return self._label == name or f'"job": "{job}' in self._text


def load_job(home: Path, name: str) -> JobFile:
    """The file of a job id or of its beginning, or of a label. Raises NotFound; JobFileDamaged where it is damaged."""
    wanted = name.removeprefix("0x").lower()
    files, damaged = read_jobs(home)
    found = [item for item in files if wanted and (item.job.startswith(wanted) or item.label == name)]
    if len(found) == 1:
        return found[0]
    for error in damaged:
        if wanted and not found and error.is_named(name, wanted):
            raise error
    unread = "".join(f"; {error}" for error in damaged)
    raise NotFound(f"{len(found)} jobs of yours begin with {name!r}: `inferix jobs` lists them{unread}")


def list_jobs(home: Path) -> list[JobFile]:
    """Every job file that can be read, oldest first."""
    return read_jobs(home)[0]


def read_jobs(home: Path) -> tuple[list[JobFile], list[JobFileDamaged]]:
    """Every job file, oldest first, and those that are damaged: they do not stand in the way of the others."""
    files, damaged = list[JobFile](), list[JobFileDamaged]()
    for path in sorted((home / "jobs").glob("*.json"), key=lambda path: path.stat().st_mtime):
        text = ""
        try:
            text = path.read_text(errors="replace")
            files.append(_parsed(text))
        except (ValueError, TypeError):
            damaged.append(JobFileDamaged(path, text))
        except OSError as error:
            damaged.append(JobFileDamaged(path, text, f"cannot be read ({error.strerror})"))
    return files, damaged


def _parsed(text: str) -> JobFile:
    """Raises ValueError or TypeError. Texts are taken as they are: paths may have bytes that are no characters."""
    found, empty = JobFile(**json.loads(text)), JobFile("", "", "")
    for name, value in vars(found).items():
        if type(value) is not type(getattr(empty, name)):
            raise TypeError(name)
    if len(found.job_key) != KEY_SIZE:
        raise ValueError("key")
    return found
