"""Serial lines: GNSS receivers and telemetry radios, read as their bytes come and opened again when the plug was pulled."""

import asyncio
import contextlib
import fcntl
import os
import random
import termios
import tty
from collections.abc import Callable, Sequence
from typing import Final

from infra.logs import get_logger
from telemetry.links.hub import Hub
from telemetry.links.limits import limits_of
from telemetry.links.link import FIRST_DELAY_S, LONGEST_DELAY_S, LinkContext, LinkStatus, PeerStatus
from telemetry.links.speaker import Speaker
from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Peer
from telemetry.model.errors import InputError

USUAL_BAUD: Final = 9_600
READ_BYTES: Final = 4_096
UNSENT_BYTES_AT_MOST: Final = 64 * 1024
_log: Final = get_logger("links")


class SerialSpeaker(Speaker):
    """What is at the other end of an open line."""

    def __init__(
        self, line: int, peer: Peer, decoder: Decoder, now_us: int, *, when_lost: Callable[[str], None], hub: Hub
    ) -> None:
        super().__init__(peer, decoder, now_us)
        self.is_chosen = True
        self._line = line
        self._hub = hub
        self._when_lost = when_lost
        self._unsent = bytearray()
        asyncio.get_running_loop().add_reader(line, self._read)

    def write(self, replies: Sequence[bytes]) -> None:
        """Send what the line takes at once, the rest when it is ready; too much at once is dropped and counted."""
        if len(self._unsent) > UNSENT_BYTES_AT_MOST:
            self._hub.bad["replies_unsent"] += len(replies)
            return
        self._unsent += b"".join(replies)
        self._send()

    def pause(self) -> None:
        """Leave what comes in the system's buffer."""
        if not self.is_paused:
            self.is_paused = True
            asyncio.get_running_loop().remove_reader(self._line)

    def resume(self) -> None:
        """Read again."""
        if self.is_paused:
            self.is_paused = False
            asyncio.get_running_loop().add_reader(self._line, self._read)

    def cut(self, reason: str) -> None:
        """Close the line and begin anew: what is at its other end cannot be sent away."""
        self._hub.refuse(reason)
        self._when_lost(reason)

    def let_go(self) -> None:
        """Close the line."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._line)
        loop.remove_writer(self._line)
        with contextlib.suppress(OSError):
            os.close(self._line)

    def _read(self) -> None:
        try:
            data = os.read(self._line, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._when_lost(str(error))
            return
        if not data:
            self._when_lost("the device is gone")
            return
        self._hub.hear(self, data, self._hub.clock.now_us())
        if self.begun_bytes > self._hub.limits.frame_bytes:
            self.cut("frame_too_long")

    def _send(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            sent = os.write(self._line, self._unsent)
            del self._unsent[:sent]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._when_lost(str(error))
            return
        if self._unsent:
            loop.add_writer(self._line, self._send)
        else:
            loop.remove_writer(self._line)


class SerialLink:
    """One line of this machine, as /dev/ttyUSB0; its option `baud` is the speed (default 9600)."""

    def __init__(self, url: LinkUrl, context: LinkContext) -> None:
        self._url = url
        self._speed = _speed_of(url)
        self._hub = Hub(url, context, limits_of(url.options), acknowledged=True)
        self._speaker: SerialSpeaker | None = None
        self._lost = asyncio.Event()
        self._last_error: str | None = None

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""
        return self._url

    async def open(self) -> None:
        """Open the line. Raises InputError for one that there is not, that another program has, or that is no serial line."""
        line = await asyncio.to_thread(_open_line, self._url, self._speed)
        peer = Peer(transport="serial", host=str(self._url.path), allow_unsigned=True)
        self._lost.clear()
        self._speaker = SerialSpeaker(
            line,
            peer,
            self._hub.decoder_for(peer),
            self._hub.clock.now_us(),
            when_lost=self._note_loss,
            hub=self._hub,
        )
        self._hub.join(self._url.path, self._speaker)

    async def run(self) -> None:
        """Keep the line open until cancelled: when it is lost, open it again after a growing, jittered pause."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                if self._speaker is None:
                    await self.open()
                    self._note_recovery()
                    delay_s = FIRST_DELAY_S
                await self._lost.wait()
            except InputError as error:
                self._note_loss(str(error))
            await asyncio.sleep(delay_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    def tick(self, now_us: int) -> None:
        """Let the decoder do what time asks for."""
        self._hub.tick(now_us)

    def send(self, command: Command, now_us: int) -> None:
        """Send a command to a device heard here. Raises NotFoundError when it is not."""
        self._hub.send(command, now_us)

    def status(self) -> LinkStatus:
        """Return how it does."""
        return self._hub.status(state="open" if self._speaker else "retrying", last_error=self._last_error)

    def peers(self) -> list[PeerStatus]:
        """Return what is at the other end, while the line is open."""
        return self._hub.peers()

    def close(self) -> None:
        """Let go of the line."""
        self._let_go()
        self._hub.close()

    def _let_go(self) -> None:
        speaker, self._speaker = self._speaker, None
        if speaker is not None:
            speaker.let_go()
            self._hub.leave(self._url.path)

    def _note_loss(self, reason: str) -> None:
        self._let_go()
        if self._last_error is None:
            _log.warning("link_lost", link=str(self._url), reason=reason)
        self._last_error = reason
        self._lost.set()

    def _note_recovery(self) -> None:
        if self._last_error is not None:
            _log.info("link_regained", link=str(self._url))
        self._last_error = None


def _speed_of(url: LinkUrl) -> int:
    baud = url.options.get("baud", str(USUAL_BAUD))
    speed = getattr(termios, f"B{baud}", None) if baud.isascii() and baud.isdigit() else None
    if speed is None:
        known = sorted(int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit())
        raise InputError(f"baud={baud} of {url}: give one of {', '.join(str(rate) for rate in known if rate)}")
    return int(speed)


def _open_line(url: LinkUrl, speed: int) -> int:
    """Return an open line: raw, eight bits, no parity, ours alone, never blocking, its modem lines left alone."""
    try:
        line = os.open(url.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(
            f"the serial line of {url} cannot be opened ({error.strerror}): plug it in, or let this account use it (group dialout)"
        ) from error
    try:
        tty.setraw(line)
        modes = termios.tcgetattr(line)
        modes[2] |= termios.CLOCAL | termios.CREAD
        modes[4] = modes[5] = speed
        termios.tcsetattr(line, termios.TCSANOW, modes)
        fcntl.ioctl(line, termios.TIOCEXCL)
    except (termios.error, OSError) as error:
        os.close(line)
        raise InputError(f"{url.path} of {url} is no serial line ({error}): give a device as /dev/ttyUSB0") from error
    return line
