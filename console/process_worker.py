"""Heavy questions, answered in a process of their own so that neither the loop nor the live coverage waits for them.

This is the parent's side. The process is started by the first question and ends after a while without any; a question
that takes too long, or whose asker is gone, costs the process: the next question starts another.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from console import process_pipe
from console.process_pipe import Answered, Pipe, Progressed, Refused, Reply
from infra.logs import get_logger
from telemetry.model.errors import FileFormatError, InputError, NotFoundError, SkybeatError, UnavailableError

STARTED_WITHIN_S: Final = 20.0
"""What a new process may take beside its question's own time: the libraries, the map."""
IDLE_S: Final = 900.0
MOST_WAITING: Final = 6
Question = TypeVar("Question")
Tell = Callable[[bytes], None]
_LOG: Final = get_logger("worker")
_ERRORS: Final[dict[str, type[SkybeatError]]] = {"input": InputError, "not_found": NotFoundError}


class ProcessWorker(Generic[Question]):
    """Asks the process, a module of ours that speaks `pipe`, one question at a time; a few more may wait."""

    def __init__(
        self, module: str, pipe: Pipe[Question, Reply], *, arguments: Sequence[str] = (), idle_s: float = IDLE_S
    ) -> None:
        self._module, self._arguments = module, arguments
        self._pipe = pipe
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting_count = 0
        self._idle_s = idle_s
        self._retiring: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process, None while there is none."""
        return None if self._process is None else self._process.pid

    async def ask(self, question: Question, *, within_s: float, on_progress: Tell | None = None) -> bytes:
        """Return the answer as JSON; `on_progress` is given, as JSON, how far it is whenever the process says so.

        Raises InputError or NotFoundError for what cannot be asked, and UnavailableError when too many questions wait, the
        process died, or it took longer than `within_s`. A cancelled question ends the process: nobody waits for its answer.
        """
        if self._waiting_count >= MOST_WAITING:
            message = f"{MOST_WAITING} planning questions wait already: ask again in a minute"
            raise UnavailableError(message, f"已有 {MOST_WAITING} 个规划请求在排队：一分钟后再试")
        self._waiting_count += 1
        try:
            async with self._turn:
                self._stay()
                answer = await self._exchange(question, within_s, on_progress)
        finally:
            self._waiting_count -= 1
            self._retire_later()
        if isinstance(answer, Refused):
            raise _ERRORS.get(answer.word, UnavailableError)(answer.message, answer.zh)
        return answer.body

    async def stop(self) -> None:
        """End the process; a second call does nothing."""
        self._stay()
        await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        await process_pipe.end(process)
        if self._process is process:
            self._process = None

    async def _exchange(self, question: Question, within_s: float, on_progress: Tell | None) -> Answered | Refused:
        is_new = self._process is None
        process = self._process or await self._start()
        try:
            within_s += STARTED_WITHIN_S if is_new else 0.0
            async with asyncio.timeout(within_s):
                await process_pipe.tell(process, self._pipe.framed(question))
                while isinstance(reply := self._pipe.decode_answer(await process_pipe.hear(process)), Progressed):
                    if on_progress is not None:
                        on_progress(reply.body)
                return reply
        except TimeoutError as error:
            await self._lose(process)
            message = f"the answer was not ready within {within_s:.0f} s: ask for less, or with more time"
            zh = f"{within_s:.0f} 秒内没有算完：缩小范围，或多给些时间"
            raise UnavailableError(message, zh) from error
        except (OSError, EOFError, FileFormatError) as error:
            await self._lose(process)
            _LOG.warning("worker_lost", module=self._module, reason=type(error).__name__)
            message = f"the planning process gave no answer ({type(error).__name__}): ask again, another is started"
            zh = f"规划进程没有回答（{type(error).__name__}）：已另起一个，请再试"
            raise UnavailableError(message, zh) from error
        except asyncio.CancelledError:
            await asyncio.shield(self._lose(process))
            raise

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await process_pipe.start(self._module, *self._arguments)
        return self._process

    async def _lose(self, process: asyncio.subprocess.Process) -> None:
        self._process = None
        await process_pipe.kill(process)

    def _stay(self) -> None:
        if self._retiring is not None:
            self._retiring.cancel()
            self._retiring = None

    def _retire_later(self) -> None:
        self._stay()
        if self._process is not None and not self._waiting_count:
            self._retiring = asyncio.get_running_loop().create_task(self._retire(), name="worker-retire")

    async def _retire(self) -> None:
        await asyncio.sleep(self._idle_s)
        async with self._turn:
            await self._end()
