"""Receiving datagrams: many by one call where the system can, one by one elsewhere; with the kernel's count of those it dropped."""

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

DATAGRAM_BYTES: Final = 65_536
DATAGRAMS_A_CALL: Final = 512
_SO_RXQ_OVFL: Final = 40
_U32: Final = struct.Struct("=I")


class Arrived(NamedTuple):
    """One datagram and the address that it came from, as the socket module writes it."""

    address: Any
    data: bytes


class Receiver(Protocol):
    """What reads a socket."""

    def receive(self) -> tuple[list[Arrived], int, bool]:
        """Return the datagrams that wait (bounded), how many the kernel dropped since, and whether more may wait.

        Raises OSError as the socket does, but not for an empty one.
        """


class SingleReceiver:
    """Reads one datagram by a call: for every system."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._dropped_before = 0

    def receive(self) -> tuple[list[Arrived], int, bool]:
        """Return what waits, at most a call's worth."""
        arrived: list[Arrived] = []
        dropped = 0
        for _ in range(DATAGRAMS_A_CALL):
            try:
                data, extras, _flags, address = self._socket.recvmsg(DATAGRAM_BYTES, socket.CMSG_SPACE(_U32.size))
            except (BlockingIOError, InterruptedError):
                return arrived, dropped, False
            except OSError:
                if arrived:  # these first: the error comes again, or is gone
                    return arrived, dropped, False
                raise
            dropped += self._dropped(extras)
            arrived.append(Arrived(address, data))
        return arrived, dropped, True

    def _dropped(self, extras: list[tuple[int, int, bytes]]) -> int:
        for level, kind, data in extras:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL) and len(data) >= _U32.size:
                (total,) = _U32.unpack_from(data)
                new = (total - self._dropped_before) & 0xFFFFFFFF
                self._dropped_before = total
                return int(new)
        return 0


_MESSAGE: Final = np.dtype(
    {
        "names": ["name", "name_bytes", "parts", "part_count", "extra", "extra_bytes", "flags", "data_bytes"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
"""struct mmsghdr of a 64-bit Linux."""
_PART: Final = np.dtype([("at", "u8"), ("bytes", "u8")])
_NAME_BYTES: Final = 32
_EXTRA_BYTES: Final = 32
_STRIDE_BYTES: Final = DATAGRAM_BYTES + 192
"""Not a power of two: else the first bytes of all datagrams would fall into the same few lines of the processor's cache."""
_MSG_DONTWAIT: Final = 0x40
_EXTRA_HEADER: Final = struct.Struct("=Qii")
_EMPTY: Final = (errno.EAGAIN, errno.EINTR)


class ManyReceiver:
    """Reads up to 512 datagrams by one call of recvmmsg, into memory that is there once and touched as far as it is needed."""

    def __init__(self, opened: socket.socket) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        self._call = library.recvmmsg
        self._call.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
        self._call.restype = ctypes.c_int
        self._file = opened.fileno()
        self._is_v6 = opened.family == socket.AF_INET6
        self._space = mmap.mmap(-1, DATAGRAMS_A_CALL * _STRIDE_BYTES)
        self._view = memoryview(self._space)
        self._names = np.zeros((DATAGRAMS_A_CALL, _NAME_BYTES), np.uint8)
        self._extras = np.zeros((DATAGRAMS_A_CALL, _EXTRA_BYTES), np.uint8)
        self._parts = np.zeros(DATAGRAMS_A_CALL, _PART)
        self._messages = np.zeros(DATAGRAMS_A_CALL, _MESSAGE)
        self._at = self._messages.ctypes.data
        self._prepare()
        self._addresses: dict[bytes, Any] = {}
        self._dropped_before = 0

    def receive(self) -> tuple[list[Arrived], int, bool]:
        """Return what one call gave."""
        count = self._call(self._file, self._at, DATAGRAMS_A_CALL, _MSG_DONTWAIT, None)
        if count <= 0:
            number = ctypes.get_errno()
            if count == 0 or number in _EMPTY:
                return [], 0, False
            raise OSError(number, os.strerror(number))
        sizes = self._messages["data_bytes"][:count].tolist()
        names = self._names[:count].tobytes()
        view, addresses = self._view, self._addresses
        arrived = []
        at = name_at = 0
        for size in sizes:
            name = names[name_at : name_at + _NAME_BYTES]
            address = addresses.get(name)
            if address is None:
                address = self._address(name)
            arrived.append(Arrived(address, bytes(view[at : at + size])))
            at += _STRIDE_BYTES
            name_at += _NAME_BYTES
        dropped = self._dropped(count - 1)
        self._messages["name_bytes"][:count] = _NAME_BYTES
        self._messages["extra_bytes"][:count] = _EXTRA_BYTES
        return arrived, dropped, count == DATAGRAMS_A_CALL

    def _prepare(self) -> None:
        numbers = np.arange(DATAGRAMS_A_CALL, dtype=np.uint64)
        self._parts["at"] = ctypes.addressof(ctypes.c_char.from_buffer(self._space)) + numbers * np.uint64(
            _STRIDE_BYTES
        )
        self._parts["bytes"] = DATAGRAM_BYTES
        self._messages["name"] = self._names.ctypes.data + numbers * np.uint64(_NAME_BYTES)
        self._messages["name_bytes"] = _NAME_BYTES
        self._messages["parts"] = self._parts.ctypes.data + numbers * np.uint64(_PART.itemsize)
        self._messages["part_count"] = 1
        self._messages["extra"] = self._extras.ctypes.data + numbers * np.uint64(_EXTRA_BYTES)
        self._messages["extra_bytes"] = _EXTRA_BYTES

    def _address(self, name: bytes) -> Any:  # noqa: ANN401 - as the socket module's addresses
        """Return what the socket module would say; it is remembered, since the same few speak again and again."""
        if len(self._addresses) >= DATAGRAM_BYTES:
            self._addresses.clear()
        port = int.from_bytes(name[2:4])
        if self._is_v6:
            flow, scope = int.from_bytes(name[4:8]), int.from_bytes(name[24:28], sys.byteorder)
            address: Any = (socket.inet_ntop(socket.AF_INET6, name[8:24]), port, flow, scope)
        else:
            address = (socket.inet_ntop(socket.AF_INET, name[4:8]), port)
        self._addresses[name] = address
        return address

    def _dropped(self, last: int) -> int:
        """Return how many the kernel dropped, by what it says with the last datagram."""
        if int(self._messages["extra_bytes"][last]) < _EXTRA_HEADER.size + _U32.size:
            return 0
        extra = self._extras[last].tobytes()
        _, level, kind = _EXTRA_HEADER.unpack_from(extra)
        if (level, kind) != (socket.SOL_SOCKET, _SO_RXQ_OVFL):
            return 0
        (total,) = _U32.unpack_from(extra, _EXTRA_HEADER.size)
        new = (total - self._dropped_before) & 0xFFFFFFFF
        self._dropped_before = total
        return int(new)


def receiver_of(opened: socket.socket) -> Receiver:
    """Return the quickest way to read this socket."""
    is_known = sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == 8
    return ManyReceiver(opened) if is_known else SingleReceiver(opened)
