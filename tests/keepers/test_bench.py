# SPDX-License-Identifier: Apache-2.0
"""What a keeper attests of a machine: a name by which its results are compared later."""

from typing import Any

import pytest

from inferix.errors import InferixError
from inferix.machines import machine_name
from inferix.models.result import Result
from inferix.models.roles import TaskKind
from keepers.bench import attestable

KERNEL = "avx2 genuineintel-6-207 glibc-2.36"


def answer(**made: Any) -> Result:
    fields = {"device_class": "cpu", "kernel": KERNEL, **made}
    return Result(kind=TaskKind.RENDER, task=bytes(32), attempt=0, node=7, engine="blender", build="1", **fields)


def test_class_and_kernel_are_attested() -> None:
    assert attestable(answer(), uncalibrated=False) == machine_name("cpu", KERNEL)


def test_attack_a_device_class_that_nobody_compared_is_attested_by_who_wants_that_alone() -> None:
    """A difference blames nobody there, so that a cheat would have nothing to lose."""
    with pytest.raises(InferixError, match="never compared.*bench agreement"):
        attestable(answer(device_class="abacus"), uncalibrated=False)
    assert attestable(answer(device_class="abacus"), uncalibrated=True) == machine_name("abacus", KERNEL)


@pytest.mark.parametrize("device_class", ["a" * 40, "ünit", ""])
def test_what_has_no_place_on_chain_is_refused(device_class: str) -> None:
    with pytest.raises(InferixError, match="1 to 32"):
        attestable(answer(device_class=device_class), uncalibrated=True)
