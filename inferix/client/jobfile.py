# SPDX-License-Identifier: Apache-2.0
"""What a client must not lose: the job's key and ids, in a file of mode 0600, written before anything is uploaded."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from inferix.errors import Corrupt, NotFound
from inferix.sealing import JobKey


@dataclass
class JobFile:
    """One order. ``key``: hex of the job key; ``job``: hex of the job id once it was signed."""

    name: str
    key: str
    api: str
    input: str = ""
    job: str = ""
    path: str = ""

    @property
    def job_key(self) -> JobKey:
        """The key that opens everything of this job."""
        return JobKey(bytes.fromhex(self.key))

    def save(self) -> None:
        """Writes the file whole or not at all."""
        target = Path(self.path)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = target.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(target)


def load_job(home: Path, job: str) -> JobFile:
    """The file of a job id or of its beginning. Raises NotFound."""
    wanted = job.removeprefix("0x").lower()
    found = [item for item in list_jobs(home) if item.job.startswith(wanted)] if wanted else []
    if len(found) != 1:
        raise NotFound(f"{len(found)} jobs of yours begin with {job!r}: `inferix jobs` lists them")
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
