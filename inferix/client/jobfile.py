# SPDX-License-Identifier: Apache-2.0
"""What a client must not lose: the job's key and ids, in a file of mode 0600, written before anything is uploaded."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inferix.errors import Corrupt, NotFound
from inferix.sealing import JobKey
from inferix.storage.files import sync_directory, write_atomic


@dataclass
class JobFile:
    """One order. ``key``: hex of the job key; ``job``: hex of the job id once the order was signed.

    Until it is placed: ``package``: the sealed package's path; ``package_bytes``: its plain size; ``engine``: name and
    build; ``settings`` and ``terms`` as they were asked for. ``marks``: where they are (`inferix.client.marks`).
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


def load_job(home: Path, name: str) -> JobFile:
    """The file of a job id or of its beginning, or of a label. Raises NotFound."""
    wanted = name.removeprefix("0x").lower()
    found = [item for item in list_jobs(home) if wanted and (item.job.startswith(wanted) or item.label == name)]
    if len(found) != 1:
        raise NotFound(f"{len(found)} jobs of yours begin with {name!r}: `inferix jobs` lists them")
    return found[0]


def list_jobs(home: Path) -> list[JobFile]:
    """Every job file, oldest first."""
    files = sorted((home / "jobs").glob("*.json"), key=lambda path: path.stat().st_mtime)
    return [_read(path) for path in files]


def _read(path: Path) -> JobFile:
    try:
        return JobFile(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise Corrupt(f"{path} is damaged: without its key the results cannot be opened; restore a backup") from error
