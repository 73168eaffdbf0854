# SPDX-License-Identifier: Apache-2.0
"""Each purpose, task and attempt has a key of its own, and everybody derives the same one."""

from inferix import jobkeys
from inferix.sealing import JobKey

KEY = JobKey(bytes(range(32)))
TASK, OTHER = b"t" * 32, b"o" * 32


def test_keys__differ_by_purpose_task_and_attempt() -> None:
    keys = [
        KEY,
        jobkeys.input_key(KEY),
        jobkeys.task_key(KEY, TASK),
        jobkeys.task_key(KEY, OTHER),
        jobkeys.result_key(KEY, TASK, 0),
        jobkeys.result_key(KEY, TASK, 1),
        jobkeys.result_key(KEY, OTHER, 0),
        jobkeys.preview_key(KEY, TASK, 0),
    ]
    assert len(set(keys)) == len(keys)


def test_keys__are_those_of_the_written_schedule() -> None:
    assert jobkeys.input_key(KEY).hex() == "736fed799fc7c2d304f62efb498b45befcc498b5b48bfd4d3469d5d76969568b"
    assert jobkeys.result_key(KEY, TASK, 3).hex() == "9b2b25b8d1b9ad62fbe05d56fa0021debbb9aa6184e9f615e8973d1c3091c54d"


def test_commitment__is_the_keys_own_and_opens_nothing() -> None:
    other = JobKey(bytes(31) + b"\x01")
    assert jobkeys.commitment(KEY) == jobkeys.commitment(KEY) != jobkeys.commitment(other)
    assert jobkeys.commitment(KEY) not in (KEY, jobkeys.input_key(KEY), jobkeys.task_key(KEY, TASK))
