"""Questions and answers with a process of our own: msgpack behind its length over the process's pipes, for both sides."""

import asyncio
import contextlib
import os
import struct
import sys
from typing import BinaryIO, Final, Generic, TypeAlias, TypeVar

import msgspec

from telemetry.model.errors import FileFormatError, InputError

LENGTH: Final = struct.Struct("<I")
MAX_BYTES: Final = 64 * 1024 * 1024
STOPPED_WITHIN_S: Final = 2.0
Question = TypeVar("Question")
Answer = TypeVar("Answer")
_ENCODER: Final = msgspec.msgpack.Encoder()


class Progressed(msgspec.Struct, frozen=True, tag="progressed"):
    """How far an answer is, as JSON; the answer itself is still to come."""

    body: bytes


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """The answer as the JSON that the browser gets."""

    body: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Why there is none: input, not_found or unavailable, and a sentence for people, in Chinese too where there is one."""

    word: str
    message: str
    zh: str = ""


Reply: TypeAlias = Progressed | Answered | Refused
"""What the processes say that answer one question at a time for `console.process_worker`."""
REPLIES: Final[msgspec.msgpack.Decoder[Reply]] = msgspec.msgpack.Decoder(Reply)


class Pipe(Generic[Question, Answer]):
    """The language of one process: which structs it is asked and which it answers."""

    def __init__(
        self, name: str, questions: msgspec.msgpack.Decoder[Question], answers: msgspec.msgpack.Decoder[Answer]
    ) -> None:
        self._name = name
        self._questions = questions
        self._answers = answers

    def framed(self, message: Question | Answer) -> bytes:
        """Return a message behind its length (4 bytes, little-endian). Raises InputError for numbers past 64 bits."""
        try:
            data = _ENCODER.encode(message)
        except OverflowError as error:
            said = "a whole number in it is past 64 bits: give a smaller one"
            raise InputError(said, "其中有超过 64 位的整数：请改小") from error
        return LENGTH.pack(len(data)) + data

    def decode_answer(self, data: bytes) -> Answer:
        """Return what the process said. Raises FileFormatError for anything else."""
        try:
            return self._answers.decode(data)
        except msgspec.DecodeError as error:
            raise FileFormatError(f"the {self._name} process said something else than an answer ({error})") from error

    def read_question(self, source: BinaryIO) -> Question | None:
        """Return the next question from a pipe, None at its end. Raises FileFormatError for what is none."""
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack(head)
        if length > MAX_BYTES:
            raise FileFormatError(f"a question of {length} bytes: at most {MAX_BYTES} are allowed")
        data = source.read(length)
        if len(data) < length:
            return None
        try:
            return self._questions.decode(data)
        except msgspec.DecodeError as error:
            raise FileFormatError(f"the console said something else than a question ({error})") from error

    def write_answer(self, sink: BinaryIO, answer: Answer) -> None:
        """Write an answer to a pipe."""
        sink.write(self.framed(answer))
        sink.flush()


async def start(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """Start a module of ours as a process with pipes; one thread each, since it runs beside the loop."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


async def ask(process: asyncio.subprocess.Process, data: bytes) -> bytes:
    """Write a framed question and return the answer's bytes. Raises OSError or EOFError when the process is gone."""
    await tell(process, data)
    return await hear(process)


async def tell(process: asyncio.subprocess.Process, data: bytes) -> None:
    """Write a framed question. Raises OSError when the process is gone."""
    assert process.stdin is not None
    process.stdin.write(data)
    await process.stdin.drain()


async def hear(process: asyncio.subprocess.Process) -> bytes:
    """Return the bytes of the next thing that the process says. Raises OSError or EOFError when it is gone."""
    assert process.stdout is not None
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return await process.stdout.readexactly(length)


async def end(process: asyncio.subprocess.Process) -> None:
    """Close the process's input, which ends it; one that stays is killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOPPED_WITHIN_S)
    except TimeoutError:
        await kill(process)


async def kill(process: asyncio.subprocess.Process) -> None:
    """Kill the process, which may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
