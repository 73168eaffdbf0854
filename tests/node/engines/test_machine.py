# SPDX-License-Identifier: Apache-2.0
"""Device classes: processors are of one class only where they were counted together."""

import platform

import pytest

from inferix.proofs.rendering import load_calibration

pytestmark = pytest.mark.integration  # it needs Blender


@pytest.mark.parametrize(
    ("says", "device_class"),
    [
        ("x86_64", "cpu"),
        ("AMD64", "cpu"),
        ("aarch64", "cpu-aarch64"),
        ("arm64", "cpu-arm64"),
        ("", "cpu-unknown"),
        ("x" * 40, "cpu-" + "x" * 28),
    ],
)
def test_processors_of_another_architecture_are_of_another_class_and_blame_nobody(
    monkeypatch: pytest.MonkeyPatch, says: str, device_class: str
) -> None:
    from node.engines.blender.inside import machine

    monkeypatch.setattr(platform, "machine", lambda: says)
    assert machine.cpu_class() == device_class
    assert machine.is_cpu(device_class) and not machine.is_cpu("cuda")
    for other in ("cpu", "optix", device_class):
        pair = load_calibration().rule(device_class, other)
        assert pair.calibrated == (device_class == "cpu" and load_calibration().rule("cpu", other).calibrated)
    assert load_calibration().rule("cpu", "cpu").calibrated


def test_the_device_that_is_set_names_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

    from node.engines.blender.inside import machine, raw

    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert raw.choose_device(bpy.context.scene, "cpu") == "cpu-aarch64"
    assert machine.kernel("cpu-aarch64") == machine.kernel("cpu"), "a processor's, no GPU's"
