"""The raw log: every received byte as it came, sealed, for a few days, so that a repaired decoder can read it again."""

import os
import re
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from infra.clock import Clock, utc_of
from infra.errors import SecretError
from infra.logs import get_logger
from infra.metrics import RAW_LOG_DROPPED
from infra.vault import Vault
from telemetry.links.tap import RawChunk

MAGIC: Final = b"SKR1"
LENGTH_BYTES: Final = 4
WAITING_BYTES: Final = 32 << 20
"""So much may wait for the thread; what comes beyond it is dropped and counted."""
BLOCK_BYTES: Final = 1 << 20
FLUSH_S: Final = 1.0
CHUNK_OVERHEAD_BYTES: Final = 200
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
START: Final = "start"
GAP: Final = "gap"
"""Marks in the stream, told by `transport`: the program began here; some chunks were dropped here."""
_NAME: Final = re.compile(r"\d{8}T\d{2}\.raw")
_log: Final = get_logger("raw log")
_encode: Final = msgspec.msgpack.encode
_decode: Final = msgspec.msgpack.Decoder(list[RawChunk]).decode


class RawLogStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the raw log has taken since the start, and how much room its files take."""

    chunks: int
    chunks_dropped: int
    used_bytes: int
    last_error: str | None


class RawLog:
    """Hourly append-only files under `directory`, mode 600: compressed blocks of chunks, each sealed with the vault's key.

    It promises nothing: `take` never waits; when the disk or this thread is too slow, chunks are dropped, counted and the
    place is marked. Devices' passwords and codes travel in these bytes, so nothing is readable without the vault.
    """

    def __init__(self, directory: Path, vault: Vault, clock: Clock, *, keep_days: int, max_bytes: int) -> None:
        self._directory = directory
        self._vault = vault
        self._clock = clock
        self._keep_us = keep_days * DAY_US
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._waiting: list[RawChunk] = [_mark(START, clock.now_us())]
        self._waiting_bytes = 0
        self._is_closing = False
        self._has_gap = False
        self._chunks = self._dropped = self._used_bytes = 0
        self._last_error: str | None = None
        self._cleaned_hour = -1
        self._thread = threading.Thread(target=self._write_forever, name="raw log", daemon=True)
        self._thread.start()

    @property
    def status(self) -> RawLogStatus:
        """How it does."""
        return RawLogStatus(
            chunks=self._chunks,
            chunks_dropped=self._dropped,
            used_bytes=self._used_bytes,
            last_error=self._last_error,
        )

    def take(self, chunk: RawChunk) -> None:
        """Take a chunk at once; the tap of every link."""
        with self._changed:
            if self._waiting_bytes > WAITING_BYTES:
                self._drop(1)
                return
            if self._has_gap:
                self._waiting.append(_mark(GAP, chunk.received_us))
                self._has_gap = False
            self._waiting.append(chunk)
            self._waiting_bytes += len(chunk.data) + CHUNK_OVERHEAD_BYTES
            self._chunks += 1
            if self._waiting_bytes > BLOCK_BYTES:
                self._changed.notify()

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(10)

    def _drop(self, count: int) -> None:
        self._has_gap = True
        self._dropped += count
        RAW_LOG_DROPPED.inc(count)

    def _write_forever(self) -> None:
        is_closing = False
        while not is_closing:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing or self._waiting_bytes > BLOCK_BYTES, FLUSH_S)
                chunks, self._waiting, self._waiting_bytes = self._waiting, [], 0
                is_closing = self._is_closing
            if not chunks:
                continue
            try:
                self._write(chunks)
            except OSError as error:
                self._note_loss(chunks, error)

    def _write(self, chunks: list[RawChunk]) -> None:
        now_us = self._clock.now_us()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sealed = self._vault.seal(zlib.compress(_encode(chunks), 1))
        path = self._directory / f"{utc_of(now_us):%Y%m%dT%H}.raw"
        with open(path, "ab", opener=_private) as file:
            file.write(MAGIC + len(sealed).to_bytes(LENGTH_BYTES, "little") + sealed)
        self._used_bytes += len(sealed)
        if now_us // HOUR_US != self._cleaned_hour:
            self._cleaned_hour = now_us // HOUR_US
            self._clean(now_us)
        if self._used_bytes > self._max_bytes:
            self._clean(now_us)
        if self._last_error is not None:
            self._last_error = None
            _log.info("raw_log_goes_on")

    def _clean(self, now_us: int) -> None:
        """Delete files past their days, then the oldest beyond the room; the file being written stays."""
        files = _files(self._directory)
        sizes = {path: path.stat().st_size for path in files}
        for path in files[:-1]:
            is_old = _begins_us(path) + HOUR_US < now_us - self._keep_us
            if is_old or sum(sizes.values()) > self._max_bytes:
                path.unlink()
                del sizes[path]
        self._used_bytes = sum(sizes.values())

    def _note_loss(self, chunks: list[RawChunk], error: OSError) -> None:
        with self._changed:
            self._drop(len(chunks))
        if self._last_error is None:
            _log.error("raw_log_not_written", error=str(error))
        self._last_error = str(error)


def read_chunks(directory: Path, vault: Vault, *, from_us: int, to_us: int) -> Iterator[RawChunk]:
    """Give the chunks received in [from_us, to_us) and the marks among them, in order of writing.

    A block torn by a crash is stepped over with a mark. Raises SecretError when nothing of a file fits the vault's key, OSError.
    """
    for path in _files(directory):
        if from_us - HOUR_US < _begins_us(path) + HOUR_US and _begins_us(path) < to_us + HOUR_US:
            for chunk in _chunks_of(path.read_bytes(), vault):
                if from_us <= chunk.received_us < to_us:
                    yield chunk


def _chunks_of(data: bytes, vault: Vault) -> Iterator[RawChunk]:
    position, is_readable, is_foreign, last_us = 0, False, False, 0
    while (position := data.find(MAGIC, position)) >= 0:
        begin = position + len(MAGIC) + LENGTH_BYTES
        end = begin + int.from_bytes(data[begin - LENGTH_BYTES : begin], "little")
        chunks = _open_block(data[begin:end], vault)
        if chunks is not None:
            is_readable, last_us, position = True, chunks[-1].received_us, end
            yield from chunks
            continue
        is_foreign |= end <= len(data)
        position += len(MAGIC)
        if is_readable:
            yield _mark(GAP, last_us)
    if is_foreign and not is_readable:
        message = "the raw log does not fit vault.key: restore the key file that belongs to it"
        raise SecretError(message)


def _open_block(sealed: bytes, vault: Vault) -> list[RawChunk] | None:
    """Return a block's chunks, None for bytes that are none: torn, damaged, or sealed by another key."""
    try:
        return _decode(zlib.decompress(vault.unseal(sealed)))
    except (SecretError, zlib.error, msgspec.DecodeError):
        return None


def _mark(transport: str, now_us: int) -> RawChunk:
    return RawChunk(
        link="",
        protocol="",
        link_group="",
        transport=transport,
        host="",
        port=0,
        received_us=now_us,
        device_ids=(),
        data=b"",
    )


def _files(directory: Path) -> list[Path]:
    """Return the log's files, oldest first; none when there is no log."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if _NAME.fullmatch(path.name))


def _begins_us(path: Path) -> int:
    return round(datetime.strptime(path.stem, "%Y%m%dT%H").replace(tzinfo=UTC).timestamp()) * 1_000_000


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
