# SPDX-License-Identifier: Apache-2.0
"""Results on their way home: fetched by CID, opened with the job's key, checked, and only then given their names."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from inferix import sealing
from inferix.errors import Corrupt, NotFound
from inferix.models.result import FileRef, Result
from inferix.sealing import JobKey, SealError
from inferix.storage.blobs import BlobStore
from inferix.storage.cid import Cid
from inferix.storage.documents import get_document
from inferix.storage.errors import BlockMissing
from inferix.storage.files import write_atomic


def files_of(result: Result, first_frame: int, *, raw: bool) -> list[tuple[FileRef, str]]:
    """The files of a result with the names they get at home; ``first_frame``: of its task."""
    files = [(frame.raw, f"raw/{frame.frame:04d}.exr") for frame in result.frames] if raw else []
    if result.film is not None:
        stills = enumerate(result.film.stills, start=first_frame)
        files += [(still, f"frames/{frame:04d}.png") for frame, still in stills]
        files += [(result.film.movie, "film.mp4"), (result.film.contact_sheet, "contact_sheet.png")]
    return files


def read_result(store: BlobStore, digest: bytes) -> Result:
    """What a task delivered. Raises NotFound when its document is not in storage now."""
    try:
        return get_document(store, Result, digest)
    except BlockMissing as error:
        raise _absent(f"the list of files of result {digest.hex()[:12]}") from error


def fetch_file(store: BlobStore, ref: FileRef, key: JobKey, target: Path) -> bool:
    """Brings one file home; False when it was there. Raises, and leaves nothing, NotFound when it is not in storage now
    and Corrupt when it is not the one."""
    if target.is_file() and target.stat().st_size == ref.size:
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").digest() == ref.sha256:
                return False
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_atomic(target, _opened(store, ref, key, target.name))
    except BlockMissing as error:
        raise _absent(target.name) from error
    except SealError as error:
        raise Corrupt(
            f"{target.name} does not open ({error}): fetch again; if it stays so, claim the result"
        ) from error
    return True


def _absent(name: str) -> NotFound:
    return NotFound(f"{name} is not in storage now: `inferix fetch` again later; what is home already stays")


def _opened(store: BlobStore, ref: FileRef, key: JobKey, name: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for piece in sealing.open_stream(key, store.open(Cid.parse(ref.cid), sealing.sealed_size(ref.size))):
        digest.update(piece)
        yield piece
    if digest.digest() != ref.sha256:
        raise Corrupt(f"{name} is not the file that was accepted; claim the result")
