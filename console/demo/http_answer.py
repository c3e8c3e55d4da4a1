"""One HTTP/1.1 answer as the demo's small clients read it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

HTTP_OK: Final = 200
HTTP_CONFLICT: Final = 409


class Answer(NamedTuple):
    """A status (0: there was no answer), the fields by lower-case name and the body."""

    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return HTTP_OK <= self.status < 300

    def decoded(self, kind: type[Any]) -> Any:  # noqa: ANN401 - of the kind that was asked for
        """Return the body as a struct; fields that it does not name are passed over. Raises msgspec.DecodeError."""
        return msgspec.json.decode(self.body, type=kind)


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one answer. Raises asyncio.IncompleteReadError when the connection ends within it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    body = b""
    if fields.get("transfer-encoding", "").lower() == "chunked":
        while (size := int((await reader.readline()).split(b";")[0], 16)) > 0:
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Answer(int(head[0].split(" ")[1]), fields, body)
