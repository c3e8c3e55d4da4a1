"""Geofences in the database: loaded for the bridge, drawn and assigned by the console, visits kept after late reports."""

from collections.abc import AsyncGenerator, Sequence
from importlib import resources
from typing import Any, Final

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from infra.clock import utc_of
from infra.database import load_queries
from telemetry.geofences.fence import AloneRule, AreaAssignment, Geofence, GeofencePlan
from telemetry.geofences.visits import Visit
from telemetry.model.unit import Service, UnitKind

CHANNEL: Final = "skybeat_geofence"
SETTLE_S: Final = 0.2
QUERIES: Final = load_queries(resources.files("telemetry") / "geofence_store.sql")


class GeofenceStore:
    """The bridge's way to geofences; `url` is the writer role's."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def load(self) -> GeofencePlan:
        """Return everything as of one moment. Raises psycopg.Error when the database is away."""
        async with await psycopg.AsyncConnection.connect(self._url, application_name="skybeat geofences") as connection:
            await connection.execute("set transaction isolation level repeatable read, read only")
            return await load_plan(connection)

    async def changes(self) -> AsyncGenerator[None]:
        """Yield at once, and after every change, until the connection is lost (psycopg.Error); then load."""
        connect = psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            application_name="skybeat geofence changes",
            keepalives_idle=20,
            keepalives_interval=5,
            keepalives_count=3,
        )
        async with await connect as connection:
            await connection.execute(f"listen {CHANNEL}")
            yield
            while True:
                async for _ in connection.notifies(stop_after=1):
                    pass
                async for _ in connection.notifies(timeout=SETTLE_S):
                    pass
                yield


async def load_plan(connection: psycopg.AsyncConnection[Any]) -> GeofencePlan:
    """Return what the connection's role and scope may see."""
    rows = {name: await _all(connection, name) for name in ("load_fences", "load_assignments", "load_alone_rules")}
    return GeofencePlan(
        fences=tuple(fence_of(row) for row in rows["load_fences"]),
        assignments=tuple(
            AreaAssignment(
                assignment_id=row[0],
                geofence_id=row[1],
                unit_id=row[2],
                station_id=row[3],
                from_us=row[4],
                to_us=row[5],
            )
            for row in rows["load_assignments"]
        ),
        alone_rules=tuple(
            AloneRule(limit_m=row[0], after_s=row[1], unit_id=row[2], station_id=row[3])
            for row in rows["load_alone_rules"]
        ),
    )


def fence_of(row: Sequence[Any]) -> Geofence:
    """Return the geofence in a row of `load_fences`."""
    fields = dict(zip(Geofence.__struct_fields__, row, strict=True))
    fields["kinds"] = tuple(map(UnitKind, fields["kinds"]))
    fields["services"] = tuple(map(Service, fields["services"]))
    fields["station_ids"], fields["unit_ids"] = tuple(fields["station_ids"]), tuple(fields["unit_ids"])
    return Geofence(**fields)


def parameters_of(fence: Geofence, *, now_us: int, by: str, source_ref: str | None = None) -> dict[str, Any]:
    """Return what `add_fence` and `change_fence` take."""
    fields = msgspec.structs.asdict(fence)
    for name in ("valid_from", "valid_to"):
        at_us = fields.pop(f"{name}_us")
        fields[name] = None if at_us is None else utc_of(at_us)
    fields["kinds"] = [kind.value for kind in fence.kinds]
    fields["services"] = [service.value for service in fence.services]
    fields["station_ids"], fields["unit_ids"] = list(fence.station_ids), list(fence.unit_ids)
    fields["geometry"] = Jsonb(dict(fence.geometry))
    return fields | {"changed_at": utc_of(now_us), "changed_by": by, "source_ref": source_ref}


def save_visits(
    connection: psycopg.Connection[Any], device_id: int, visits: Sequence[Visit], *, from_us: int, to_us: int
) -> None:
    """Write down the visits of a device's period as its whole track shows them, within the connection's transaction (writer)."""
    told = [
        {
            "geofence_id": visit.geofence_id,
            "entered_at": utc_of(visit.entered_us).isoformat(),
            "left_at": None if visit.left_us is None else utc_of(visit.left_us).isoformat(),
        }
        for visit in visits
    ]
    parameters = {"device_id": device_id, "from_at": utc_of(from_us), "to_at": utc_of(to_us), "visits": Jsonb(told)}
    connection.execute(QUERIES["replace_visits"], parameters)


async def _all(connection: psycopg.AsyncConnection[Any], query: str) -> list[tuple[Any, ...]]:
    return await (await connection.execute(QUERIES[query])).fetchall()
