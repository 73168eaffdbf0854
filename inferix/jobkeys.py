# SPDX-License-Identifier: Apache-2.0
"""What is derived from a job's key, and for what: one schedule for client, worker, verifier and manager.

    input     the sealed package that the client stores                  one per job
    task      the secret behind the seeds of a task's frames             one per task
    result    the files that a worker stores: raw frames or the film     one per attempt
    preview   the quick looks that a worker sends while it works         one per attempt
    marks     the secret behind the marks of its frames, if it has any   one per job

Whoever has the job key has them all; a key for one purpose opens nothing of another. See `inferix.sealing.subkey`.
"""

from hashlib import sha256

from inferix.sealing import JobKey, subkey

_COMMITMENT = b"inferix/job-key"


def commitment(job_key: JobKey) -> bytes:
    """What a job's spec, and with it the order on chain, holds of its key, 32 bytes.

    Before anybody is drawn the seeds of all its frames are fixed, and nobody has two keys for one job.
    """
    return sha256(_COMMITMENT + job_key).digest()


def input_key(job_key: JobKey) -> JobKey:
    """Seals the package; the CID of the sealed file is ``QuoteRequest.input``."""
    return subkey(job_key, "input")


def marks_key(job_key: JobKey) -> JobKey:
    """The ``task_key`` of `inferix.proofs.rendering.angv.angv_key`."""
    return subkey(job_key, "marks")


def task_key(job_key: JobKey, task: bytes) -> JobKey:
    """The ``task_key`` of `inferix.proofs.rendering.frame_seed`; ``task``: the task's id, 32 bytes."""
    return subkey(job_key, "task", task)


def result_key(job_key: JobKey, task: bytes, attempt: int) -> JobKey:
    """Seals every file that the Result document of this attempt names."""
    return subkey(job_key, "result", task, attempt.to_bytes(1, "big"))


def preview_key(job_key: JobKey, task: bytes, attempt: int) -> JobKey:
    """Seals the quick looks of this attempt."""
    return subkey(job_key, "preview", task, attempt.to_bytes(1, "big"))
