# SPDX-License-Identifier: Apache-2.0
"""The GPU probe: what it says of a machine with and without one."""

import pynvml
import pytest

from inferix.errors import Misconfigured
from node import gpu
from node.gpu import Gpu, GpuReport, NvmlProbe


class FakeProbe:
    """A machine with one GPU, chosen by its name like any other probe."""

    def report(self) -> GpuReport:
        return GpuReport((Gpu(0, "NVIDIA GeForce RTX 4090", "rtx-4090", 24 << 30, "570.00"),))


def test_a_probe_is_chosen_by_name() -> None:
    assert isinstance(gpu.load_probe(), NvmlProbe)
    assert gpu.find(gpu.load_probe("tests.node.test_gpu:FakeProbe"))[0].memory_bytes == 24 << 30


@pytest.mark.parametrize("name", ["no.such.module:Probe", "node.gpu:NoProbe", "node.gpu", ""])
def test_an_unknown_probe_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="nvml or module:Class"):
        gpu.load_probe(name)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "driver is not installed"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "not loaded"),
        (pynvml.NVML_ERROR_UNKNOWN, "no GPU"),
    ],
)
def test_no_driver_is_no_gpu_said_plainly(monkeypatch: pytest.MonkeyPatch, code: int, reason: str) -> None:
    def refuse() -> None:
        raise pynvml.NVMLError(code)

    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    report = NvmlProbe().report()
    assert report.gpus == ()
    assert reason in report.reason


@pytest.mark.integration
def test_this_machine_is_asked_without_an_error() -> None:
    report = NvmlProbe().report()
    assert bool(report.gpus) != bool(report.reason)
    assert gpu.find() == report.gpus


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", "rtx-4070-ti-super"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada"),
        ("Tesla T4", "t4"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA H200", "h200"),
        ("Graphics Device", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_unknown_name_is_unknown_and_no_error(name: str, model: str) -> None:
    assert gpu.model_of(name) == model


def test_without_cuda_there_is_no_measurement() -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert gpu.matmul_tflops() is None
