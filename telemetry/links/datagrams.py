"""Receiving datagrams: many by one call where the system can, one by one elsewhere; with the kernel's count of those it dropped."""

import socket
import struct
from typing import Any, Final, NamedTuple, Protocol

DATAGRAM_BYTES: Final = 65_536
DATAGRAMS_A_TURN: Final = 256
_SO_RXQ_OVFL: Final = 40
_U32: Final = struct.Struct("=I")


class Arrived(NamedTuple):
    """One datagram and the address that it came from."""

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
        """Return what waits, at most a turn of it."""
        arrived: list[Arrived] = []
        dropped = 0
        for _ in range(DATAGRAMS_A_TURN):
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


def receiver_of(opened: socket.socket) -> Receiver:
    """Return the quickest way to read this socket."""
    return SingleReceiver(opened)
