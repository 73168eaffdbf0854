# SPDX-License-Identifier: Apache-2.0
"""A machine's name: one for what a benchmark attests, and for what a result says."""

import pytest

from inferix.errors import InvalidInput
from inferix.machines import class_of, from_bytes32, machine_name, to_bytes32
from inferix.proofs.calibration import load_calibration

KERNEL = "avx2 genuineintel-6-207 glibc-2.36"


def test_a_name_is_class_and_kernel_and_fits_its_32_bytes() -> None:
    name = machine_name("cpu-powerpc64le", KERNEL)
    assert (class_of(name), len(name)) == ("cpu-powerpc64le", 32)
    assert from_bytes32(to_bytes32(name)) == name
    assert machine_name("cpu", "") == "cpu" and class_of("cpu") == "cpu"


def test_machines_of_another_class_or_kernel_have_another_name() -> None:
    names = {machine_name(name, kernel) for name in ("cpu", "optix") for kernel in ("", KERNEL, KERNEL + "6")}
    assert len(names) == 6


def test_attack_a_slash_in_a_class_makes_no_kernel() -> None:
    """Else a result of class "cpu/<digits>", which nobody has compared, had its worker's name."""
    name = machine_name("cpu", KERNEL)
    assert machine_name(name, "") != name
    assert not load_calibration().rule(name, "cpu").calibrated, "it would blame nobody"


@pytest.mark.parametrize("name", ["", "/0123456789abcdef", "c" * 33, "cpu\n", "ünit"])
def test_what_has_no_place_on_chain_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 32 printable"):
        to_bytes32(name)


@pytest.mark.parametrize(
    ("value", "name"), [(bytes(32), ""), (b"cpu".ljust(32, b"\0"), "cpu"), (b"\xff" * 32, "�" * 32)]
)
def test_whatever_stands_on_chain_has_a_name(value: bytes, name: str) -> None:
    assert from_bytes32(value) == name
