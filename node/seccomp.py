# SPDX-License-Identifier: Apache-2.0
"""A system call filter for the sandbox, as the classic BPF program that `bwrap --seccomp` takes.

Refused with EPERM: what a renderer never needs and kernel bugs love. With ``fork=False`` new processes are refused too
(threads are not), which turns the limits of one process (memory, CPU time) into limits of everything that runs.
See seccomp(2) and linux/filter.h.
"""

import errno
import platform
import struct
from typing import Final

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_ALLOW: Final = 0x7FFF0000
_ERROR: Final = 0x00050000
_KILL: Final = 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_THREAD: Final = 0x00010000

# machine: (AUDIT_ARCH, clone, clone3, other ways to fork, refused calls)
# refused: ptrace, mount, umount2, pivot_root, unshare, setns, keyctl, add_key, request_key, bpf, perf_event_open,
# userfaultfd, io_uring_setup, kexec_load, init_module, process_vm_readv, process_vm_writev
_MACHINES: Final[dict[str, tuple[int, int, int, tuple[int, ...], tuple[int, ...]]]] = {
    "x86_64": (
        0xC000003E,
        56,
        435,
        (57, 58),
        (101, 165, 166, 155, 272, 308, 250, 248, 249, 321, 298, 323, 425, 246, 175, 310, 311),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        435,
        (),
        (117, 40, 39, 41, 97, 268, 219, 217, 218, 280, 241, 282, 425, 104, 105, 270, 271),
    ),
}
_X32: Final = 0x40000000  # a second set of call numbers on x86_64, refused as a whole


def program(fork: bool) -> bytes | None:
    """The filter for this machine; None where its system calls are not known (then namespaces have to do)."""
    known = _MACHINES.get(platform.machine())
    if known is None:
        return None
    architecture, clone, clone3, forks, refused = known
    refuse, allow = _statement(_RETURN, _ERROR | errno.EPERM), _statement(_RETURN, _ALLOW)
    code = [_statement(_LOAD, _ARCHITECTURE), _jump(_EQUAL, architecture, 1, 0), _statement(_RETURN, _KILL)]
    code += [_statement(_LOAD, _NUMBER), _jump(_AT_LEAST, _X32, 0, 1), refuse]
    for number in refused + (() if fork else forks):
        code += [_jump(_EQUAL, number, 0, 1), refuse]
    if not fork:
        # clone3 hides its flags behind a pointer; libraries fall back to clone when it is not implemented.
        code += [_jump(_EQUAL, clone3, 0, 1), _statement(_RETURN, _ERROR | errno.ENOSYS)]
        code += [_jump(_EQUAL, clone, 1, 0), allow, _statement(_LOAD, _FIRST_ARGUMENT)]
        code += [_jump(_ANY_BIT, _CLONE_THREAD, 1, 0), refuse]
    return b"".join([*code, allow])


def _statement(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _jump(code: int, value: int, when_true: int, when_false: int) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, value)
