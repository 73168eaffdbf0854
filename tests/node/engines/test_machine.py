# SPDX-License-Identifier: Apache-2.0
"""Device classes: processors are of one class only where they were counted together."""

import platform
from dataclasses import dataclass, field

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


@dataclass
class Listed:
    """A device as Cycles lists it."""

    name: str
    type: str
    use: bool = False


@dataclass
class Preferences:
    """Cycles' preferences in a build without Metal, on a machine with one GPU of NVIDIA's; no driver is needed."""

    finds: tuple[str, ...] = ("OPTIX", "CUDA")
    devices: list[Listed] = field(default_factory=lambda: [Listed("a processor", "CPU", True)])
    _kernel: str = "NONE"

    @property
    def compute_device_type(self) -> str:
        return self._kernel

    @compute_device_type.setter
    def compute_device_type(self, kernel: str) -> None:
        if kernel == "METAL":
            raise TypeError("enum METAL not found")
        self._kernel = kernel

    def refresh_devices(self) -> None:
        if self._kernel in self.finds and all(item.type != self._kernel for item in self.devices):
            self.devices.append(Listed("NVIDIA H200", self._kernel))


def choose(monkeypatch: pytest.MonkeyPatch, device: str, *finds: str) -> tuple[str, str, list[str]]:
    """The device class, its kernel and what is used."""
    import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

    from node.engines.blender.inside import machine, raw

    there = Preferences(finds)
    for module in (machine, raw):
        monkeypatch.setattr(module, "cycles_preferences", lambda: there)
    name = raw.choose_device(bpy.context.scene, device)
    return name, machine.kernel(name), [item.type for item in there.devices if item.use]


def test_a_gpu_is_used_by_the_kernel_that_is_asked_for_or_by_the_first_that_finds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert choose(monkeypatch, "gpu", "OPTIX", "CUDA") == ("optix", "nvidia h200", ["OPTIX"])
    assert choose(monkeypatch, "cuda", "OPTIX", "CUDA") == ("cuda", "nvidia h200", ["CUDA"])
    assert choose(monkeypatch, "optix", "OPTIX", "CUDA") == ("optix", "nvidia h200", ["OPTIX"])
    assert choose(monkeypatch, "gpu", "CUDA") == ("cuda", "nvidia h200", ["CUDA"])


@pytest.mark.parametrize("device", ["hip", "oneapi", "metal"])
def test_a_kernel_that_finds_no_gpu_is_refused_and_those_that_do_are_named(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    from node.engines.blender.inside.scene import PackageError

    with pytest.raises(PackageError, match=f"no GPU by {device} here, but by optix, cuda") as refused:
        choose(monkeypatch, device, "OPTIX", "CUDA")
    assert refused.value.code == "no_gpu"
    with pytest.raises(PackageError, match="Cycles finds no GPU here: install the driver"):
        choose(monkeypatch, device)
