"""How patrols' desks ask the database: as who asks; what it refuses in words for people who plan."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.asking import Words, asking_as
from infra.database import Scope

_WORDS: Final = Words(
    outside=(
        "that is outside your scope: what is the whole force's is changed with the whole force in scope, else name your station_id",
        "不在您的管辖范围内：属于全局的内容须有全局权限才能修改，否则请填写所属警务站",
    ),
    nothing=("there is no such station: read the lists again", "没有这个警务站：请重新读取列表"),
    twice=("somebody brought the same at this moment: read it again", "刚有人提交了同样的内容：请重新读取"),
    away=(
        "the database does not answer: patrols that fly go on, changing them must wait",
        "数据库没有应答：正在飞行的巡逻照常，修改须等恢复后进行",
    ),
)


def asking(pool: AsyncConnectionPool, scope: Scope) -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
    """Give a connection in one transaction of the scope; raises as `asking_as` does."""
    return asking_as(pool, scope, _WORDS)
