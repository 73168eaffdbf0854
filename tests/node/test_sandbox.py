# SPDX-License-Identifier: Apache-2.0
"""What runs in the sandbox sees no network, no secrets, and cannot outgrow its limits."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from inferix.storage.files import remove_folder
from node import sandbox, seccomp
from node.sandbox import Completed, Limits, SandboxLimit, SandboxUnavailable
from node.watchdog import folder_bytes
from tests.storage.test_files import dig

isolated = pytest.mark.integration


def run_python(code: str, work: Path, *, limits: Limits | None = None, **options: bool) -> Completed:
    command = [sys.executable, "-I", "-B", "-c", code]
    folders = sandbox.python_folders()
    return sandbox.run(command, work=work, read_only=folders, limits=limits or Limits(), **options)


@isolated
def test_it_runs_a_command_and_gives_its_output(tmp_path: Path) -> None:
    done = sandbox.run(["/usr/bin/tr", "a-z", "A-Z"], work=tmp_path, stdin=b"hello")
    assert (done.returncode, done.stdout) == (0, b"HELLO")


@isolated
def test_an_exit_status_is_given_as_it_is(tmp_path: Path) -> None:
    assert run_python("raise SystemExit(7)", tmp_path).returncode == 7


@isolated
@pytest.mark.parametrize("address", ["('192.0.2.1', 80)", "('127.0.0.1', 22)"])
def test_the_network_is_out_of_reach(tmp_path: Path, address: str) -> None:
    code = f"import socket; s = socket.socket(); s.settimeout(3); s.connect({address})"
    done = run_python(code, tmp_path)
    assert done.returncode == 1
    assert b"unreachable" in done.stderr or b"refused" in done.stderr


@isolated
def test_only_the_work_folder_can_be_written(tmp_path: Path) -> None:
    run_python("open('mine', 'w').write('x')", tmp_path)
    assert (tmp_path / "mine").read_text() == "x"


@isolated
@pytest.mark.parametrize("folder", ["/", "/usr", "/etc", "/dev/shm", "/tmp", sys.prefix])
def test_everything_else_is_read_only_or_not_there(tmp_path: Path, folder: str) -> None:
    done = run_python(f"open({folder!r} + '/inferix-test', 'w')", tmp_path)
    assert done.returncode == 1
    assert b"Read-only file system" in done.stderr
    assert not Path(folder, "inferix-test").exists()


@isolated
def test_what_is_not_lent_is_not_there(tmp_path: Path) -> None:
    secret, work = tmp_path / "secret", tmp_path / "work"
    secret.write_text("s")
    work.mkdir()
    for path in (secret, Path("/etc/shadow"), Path("/etc/passwd"), Path.home() / ".ssh"):
        assert b"False" in run_python(f"import os; print(os.path.exists({str(path)!r}))", work).stdout
    lent = sandbox.run(["/bin/cat", str(secret)], work=work, read_only=[secret])
    assert lent.stdout == b"s"


@isolated
def test_no_environment_no_root_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERIX_SECRET", "hush")
    code = "import os; print(sorted(os.environ), os.getuid(), len([p for p in os.listdir('/proc') if p.isdigit()]))"
    names = "['HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR']"
    assert run_python(code, tmp_path).stdout.decode().strip() == f"{names} 65534 2"


@isolated
def test_no_capabilities_and_no_new_namespaces(tmp_path: Path) -> None:
    code = (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True);"
        "print([l for l in open('/proc/self/status') if l.startswith('CapEff')][0].split()[1],"
        " libc.unshare(0x10000000), libc.ptrace(0, 0, 0, 0), libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))"
    )
    assert run_python(code, tmp_path).stdout.split() == [b"0000000000000000", b"-1", b"-1", b"-1"]


@isolated
def test_memory_is_limited_for_one_allocation(tmp_path: Path) -> None:
    done = run_python("bytearray(300_000_000)", tmp_path, limits=Limits(memory_bytes=200_000_000))
    assert b"MemoryError" in done.stderr
    assert run_python("bytearray(100_000_000)", tmp_path, limits=Limits(memory_bytes=200_000_000)).returncode == 0


@isolated
def test_memory_is_limited_for_a_whole_tree(tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(6):\n"
        "    if os.fork() == 0:\n"
        "        block = b'x' * 80_000_000\n"
        "        break\n"
        "time.sleep(30)"
    )
    with pytest.raises(SandboxLimit) as caught:
        run_python(code, tmp_path, limits=Limits(memory_bytes=250_000_000), fork=True)
    assert caught.value.limit == "memory"


@isolated
@pytest.mark.parametrize(
    ("code", "limits", "limit"),
    [
        ("while True: pass", Limits(cpu_seconds=1), "cpu"),
        ("import time; time.sleep(60)", Limits(wall_seconds=0.5), "wall"),
        (
            "import time\nfor n in range(9):\n    open(f'f{n}', 'wb').write(bytes(400_000))\ntime.sleep(60)",
            Limits(disk_bytes=1_000_000),
            "disk",
        ),
    ],
)
def test_a_limit_ends_it_and_is_named(tmp_path: Path, code: str, limits: Limits, limit: str) -> None:
    started = time.monotonic()
    with pytest.raises(SandboxLimit) as caught:
        run_python(code, tmp_path, limits=limits, fork=True)
    assert caught.value.limit == limit
    assert time.monotonic() - started < 40


@isolated
def test_processes_are_limited_by_the_kernel_or_by_the_watch(tmp_path: Path) -> None:
    """The kernel counts an ordinary user's processes in the sandbox; root's it does not, so they are watched too."""
    code = (
        "import os, time\n"
        "for made in range(40):\n"
        "    try: child = os.fork()\n"
        "    except BlockingIOError: break\n"
        "    if not child: time.sleep(60)\n"
        "print(made, flush=True)\n"
        "time.sleep(3)\n"
        "os._exit(0)"
    )
    try:
        ended = int(run_python(code, tmp_path, limits=Limits(processes=10), fork=True).stdout)
    except SandboxLimit as error:
        ended = error.limit
    assert ended == "processes" or ended < 10


@isolated
def test_one_file_cannot_be_larger_than_the_disk_limit(tmp_path: Path) -> None:
    done = run_python("open('f', 'wb').write(bytes(2_000_000))", tmp_path, limits=Limits(disk_bytes=1_000_000))
    assert b"File too large" in done.stderr


@isolated
def test_threads_are_allowed_and_processes_only_when_asked_for(tmp_path: Path) -> None:
    thread = "import threading; t = threading.Thread(target=print, args=('ran',)); t.start(); t.join()"
    assert run_python(thread, tmp_path).stdout == b"ran\n"
    fork = "import subprocess; print(subprocess.run(['/usr/bin/id', '-u'], capture_output=True).stdout)"
    assert b"Operation not permitted" in run_python(fork, tmp_path).stderr
    assert b"65534" in run_python(fork, tmp_path, fork=True).stdout


@isolated
def test_kill_ends_everything_below(tmp_path: Path) -> None:
    code = "import os, time\nos.fork()\nprint('up', flush=True)\ntime.sleep(600)"
    command = [sys.executable, "-I", "-c", code]
    process = sandbox.start(command, work=tmp_path, read_only=sandbox.python_folders(), fork=True)
    assert process.stdout.readline() == b"up\n"
    process.kill()
    assert process.wait() == 137
    until = time.monotonic() + 20  # the kernel takes the rest of a pid namespace down by itself
    while left := [pid for pid in os.listdir("/proc") if pid.isdigit() and _runs(pid, str(tmp_path))]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


@isolated
def test_it_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    started = []
    thread = threading.Thread(target=lambda: started.append(sandbox.start(["/bin/cat"], work=tmp_path)))
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert started[0].communicate(b"alive")[0] == b"alive"
    assert started[0].wait() == 0


@isolated
def test_unsafe_has_limits_only(tmp_path: Path) -> None:
    assert run_python("print(open('/etc/passwd').read(4))", tmp_path, unsafe=True).stdout == b"root\n"
    with pytest.raises(SandboxLimit):
        run_python("import time; time.sleep(60)", tmp_path, unsafe=True, limits=Limits(wall_seconds=0.3))


def test_without_bubblewrap_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    sandbox._bwrap.cache_clear()
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewrap"):
        sandbox.run(["/bin/true"], work=tmp_path)
    sandbox._bwrap.cache_clear()


def test_a_refusing_kernel_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox._bwrap.cache_clear()
    with pytest.raises(SandboxUnavailable, match=r"uid map: Permission denied.*user\.max_user_namespaces"):
        sandbox.check()
    sandbox._bwrap.cache_clear()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_whole_instructions_and_longer_without_fork(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    with_fork, without = seccomp.program(fork=True), seccomp.program(fork=False)
    assert with_fork
    assert without
    assert len(with_fork) % 8 == len(without) % 8 == 0
    assert len(without) > len(with_fork)


def test_an_unknown_machine_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "sparc64")
    assert seccomp.program(fork=False) is None


def _runs(pid: str, text: str) -> bool:
    try:
        return text in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def test_folder_bytes__files_and_a_block_a_name(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(bytes(10_000))
    (tmp_path / "link").symlink_to("/usr")
    assert folder_bytes(tmp_path, 1 << 20) == 3 * 4096 + 10_000 + len("/usr")
    assert folder_bytes(tmp_path / "gone", 1 << 20) == 0


def test_attack_folders_without_files_count_against_the_disk_limit(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / str(number)).mkdir()
    assert folder_bytes(tmp_path, 1 << 20) > 1 << 20
    assert folder_bytes(tmp_path, 2 << 20) <= 2 << 20


def test_attack_folders_too_deep_to_be_counted_are_too_much(tmp_path: Path) -> None:
    dig(tmp_path, 3_000)
    assert folder_bytes(tmp_path, 1 << 40) > 1 << 40
    remove_folder(tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason="the superuser looks into everything")
def test_attack_a_folder_that_cannot_be_looked_into_is_too_much(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o300)
    assert folder_bytes(tmp_path, 1 << 40) > 1 << 40
    (tmp_path / "closed").chmod(0o700)


@isolated
def test_attack_a_program_that_makes_folders_only_is_stopped(tmp_path: Path) -> None:
    code = "import os, time\nfor n in range(2000):\n    os.mkdir(str(n))\ntime.sleep(60)"
    with pytest.raises(SandboxLimit) as caught:
        run_python(code, tmp_path, limits=Limits(disk_bytes=1 << 20))
    assert caught.value.limit == "disk"
