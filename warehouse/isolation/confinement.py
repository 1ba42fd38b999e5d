"""The child's side: it gives up what it does not need, then does one piece of work after the other.

It opens no socket and starts no program: a filter of the kernel refuses both. It dies with whoever started it.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from warehouse.isolation import frames

OPEN_FILES: Final = 256
TIMES_MEMORY: Final = 4
"""Addresses that a child may ask for against the memory it may hold: allocators keep what they gave back."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | 13  # EACCES
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32: Final = 0x40000000
_REFUSED: Final = {
    # socket, connect, sendto, sendmsg, bind, listen, execve, ptrace, io_uring_setup, execveat, process_vm_writev
    "x86_64": (0xC000003E, (41, 42, 44, 46, 49, 50, 59, 101, 425, 322, 311)),
    "aarch64": (0xC00000B7, (198, 203, 206, 211, 200, 201, 221, 117, 425, 281, 271)),
}
"""By machine: its number in the kernel's books, and the calls that are refused."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def serve(work: Callable[[bytes], bytes]) -> None:
    """Answer requests until the other side closes; standard output belongs to the answers alone."""
    requests, answers = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    confine()
    frames.write(answers, b"")
    while (request := frames.read(requests)) is not None:
        _limit(frames.Limits(*frames.LIMITS.unpack_from(request)))
        try:
            answer = work(request[frames.LIMITS.size :])
        except MemoryError:
            os._exit(frames.OUT_OF_MEMORY)
        try:
            frames.write(answers, answer)
        except BrokenPipeError:
            return


def confine() -> None:
    """Die with the parent, open few files, leave no core, and let the kernel refuse network and programs."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    parent, system = os.getppid(), ctypes.CDLL(None, use_errno=True)
    system.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
    if platform.machine() in _REFUSED and system.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        program = _program(*_REFUSED[platform.machine()])
        system.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)


def _program(machine: int, refused: tuple[int, ...]) -> _Program:
    """Refuse calls of another machine's numbering, then those listed; allow the rest."""
    to_refuse = len(refused)
    lines = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, to_refuse + 1, 0, _X32),
        *((_EQUAL, to_refuse - number, 0, call) for number, call in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    instructions = (_Instruction * len(lines))(*(_Instruction(*line) for line in lines))
    return _Program(len(lines), instructions)


def _limit(limits: frames.Limits) -> None:
    """Bounds of the kernel behind those that the parent watches; they hold also when the parent is gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + limits.seconds * (os.cpu_count() or 1)) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_DATA, (_data_bytes() + TIMES_MEMORY * limits.memory, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.written, resource.RLIM_INFINITY))


def _data_bytes() -> int:
    """Bytes of addresses that the process has for data."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except OSError:
        return struct.calcsize("P") << 27
