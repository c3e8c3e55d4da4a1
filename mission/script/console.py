"""A running console, spoken to by HTTP with a script's key: its programme, its plans, its drones."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final, Self

import httpx
import msgspec

from infra.clock import MICROSECONDS, SYSTEM_CLOCK
from mission.days import day_window, local_time, zone_of
from mission.formats.plan_files import find_sortie
from mission.model import Airframe, Battery, Dock, Programme, Window
from mission.plan import Plan, PlanState
from mission.programme_items import FORMS, Item, ItemKind, number_of, raw_of
from mission.schedule.change import Change, changed
from mission.script.day import PlannedDay, programme_of_things
from telemetry.model.errors import (
    ConflictError,
    InputError,
    NotAllowedError,
    NotFoundError,
    SkybeatError,
    UnavailableError,
)

URL: Final = "http://127.0.0.1:8420"
TIMEOUT_S: Final = 90.0
LOOK_EVERY_S: Final = 1.0
_ERRORS: Final[Mapping[int, type[SkybeatError]]] = {
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    422: InputError,
    429: NotAllowedError,
    503: UnavailableError,
}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a flight is: handed, uploading, ready, starting, flying, paused, returning, done, failed; none without a sortie.

    `flown` of `waypoint_count` waypoints lie behind it; `left_m` and `arrive_s` (from now) are those of its goal, `arrived_us` (UTC)
    is when it was there; `text` says why it waits, paused or failed.
    """

    unit_id: int
    step: str
    flown: int = 0
    waypoint_count: int = 0
    left_m: float | None = None
    arrive_s: float | None = None
    arrived_us: int | None = None
    text: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.step in {"done", "failed"}


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """A drone that was sent: which, when it is there (seconds from now), what its battery holds there and home again.

    `detection_ratio` (0..1) is how likely a search finds who is there; None for one that only flies there. `warnings` are
    what the rules say of it without refusing it, and what a plan needs it for before it is back.
    """

    unit_id: int
    name: str
    arrive_s: float
    battery_at_scene_ratio: float
    return_ratio: float
    detection_ratio: float | None = None
    warnings: tuple[str, ...] = ()


def connect(url: str | None = None, key: str | None = None) -> "Console":
    """Return a running console, for a key of `skybeat user key NAME --label L`; use it in a `with`.

    Without arguments the environment's SKYBEAT_URL and SKYBEAT_KEY count. Raises InputError without a key.
    """
    token = key or os.environ.get("SKYBEAT_KEY", "")
    if not token:
        message = "no key: give one, or set SKYBEAT_KEY; `skybeat user key NAME --label L` makes one"
        raise InputError(message)
    return Console(url or os.environ.get("SKYBEAT_URL", URL), token)


class Console:
    """Everything that a script asks of a console; its account's role and stations decide what it may.

    Every call raises NotAllowedError, NotFoundError, ConflictError, InputError or UnavailableError with the console's own words.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        headers = {"authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        """Return the console itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; what was ordered goes on."""
        self._http.close()

    # --- what is asked for -------------------------------------------------------------------------------------------

    def programme(self) -> Programme:
        """Return what patrols are asked for and with what, as the account sees it."""
        return msgspec.convert(self._ask("GET", "/api/programme")["programme"], Programme)

    def add(self, *things: Programme | Item, station_id: int | None = None) -> list[int]:
        """Add tasks, docks, drones, zones, weather; return their numbers in the console, in their order. Docks may come with their drones."""
        brought = programme_of_things(things, None)
        docks: dict[int, int] = {}
        numbers: dict[int, int] = {}
        for kind, item in _docks_first(brought):
            placed = item
            if isinstance(item, Airframe | Battery):
                placed = msgspec.structs.replace(item, dock_id=docks.get(item.dock_id, item.dock_id))
            body = {"item": raw_of(placed)} | ({} if station_id is None else {"station_id": station_id})
            number = int(self._ask("POST", f"/api/programme/{FORMS[kind].field}", body)["item_id"])
            numbers[id(item)] = number
            if isinstance(item, Dock):
                docks[number_of(kind, item)] = number
        return [numbers[id(item)] for _, item in _in_order(brought)]

    def remove(self, kind: str, item_id: int) -> None:
        """Take an item away; `kind` is its list: tasks, zones, airframes, docks, batteries, crews or weather."""
        self._ask("DELETE", f"/api/programme/{kind}/{item_id}")

    # --- plans -------------------------------------------------------------------------------------------------------

    def plan(
        self,
        day: str | date | None = None,
        *,
        window: Window | None = None,
        effort_s: float = 10.0,
        keep: bool = True,
        seed: int = 1,
    ) -> PlannedDay:
        """Return the plan of a day (today by default) of what the console is asked for; kept there as a draft."""
        programme = self.programme()
        wanted = window or _day(day, programme.zone)
        wish = {
            "from_us": wanted.start_us,
            "until_us": wanted.end_us,
            "effort_s": effort_s,
            "is_kept": keep,
            "seed": seed,
        }
        found = self._ask("POST", "/api/plans", wish)
        return PlannedDay(msgspec.convert(found["plan"], Plan), programme)

    def read_plan(self, plan_id: int) -> PlannedDay:
        """Return a kept plan."""
        found = self._ask("GET", f"/api/plans/{plan_id}")
        return PlannedDay(msgspec.convert(found["plan"], Plan), msgspec.convert(found["programme"], Programme))

    def submit(self, day: PlannedDay) -> PlannedDay:
        """Submit a draft to whoever approves it."""
        return self._set_state(day, PlanState.SUBMITTED)

    def approve(self, day: PlannedDay, *, reason: str = "") -> PlannedDay:
        """Approve what another submitted; an administrator who approves its own says why."""
        return self._set_state(day, PlanState.APPROVED, reason=reason)

    def publish(self, day: PlannedDay, *, reason: str = "") -> PlannedDay:
        """Publish a plan; an administrator's draft goes all the way, with the reason why nobody else looked at it."""
        state = day.plan.state
        if state is PlanState.DRAFT:
            day = self.submit(day)
        if day.plan.state is PlanState.SUBMITTED:
            day = self.approve(day, reason=reason)
        return self._set_state(day, PlanState.PUBLISHED)

    def repair(self, day: PlannedDay, change: Change) -> PlannedDay:
        """Mend a plan of this version after a change; return it as it is kept."""
        return self._mended(day, change, "repair")

    def what_if(self, day: PlannedDay, change: Change) -> PlannedDay:
        """Return what a plan would be after a change; nothing is kept."""
        return self._mended(day, change, "what_if")

    def report(self, day: PlannedDay, *, language: str = "en") -> str:
        """Return what tracks prove of a plan as a page to print (HTML)."""
        path = f"/api/plans/{day.plan.plan_id}/report"
        return self._send("GET", path, params={"format": "html", "language": language}).text

    # --- flights -----------------------------------------------------------------------------------------------------

    def fly(self, day: PlannedDay, sortie_id: int, *, tell: Callable[[Progress], None] | None = None) -> int:
        """Give a published sortie to its drone and start it once it is on board; return the drone's unit_id.

        What stands in its way is waited for; `tell` is given each state until it starts, with the reason as its text.
        """
        sortie = find_sortie(day.plan, sortie_id)
        airframe = next(one for one in day.programme.airframes if one.airframe_id == sortie.airframe_id)
        if airframe.unit_id is None:
            message = f"sortie {sortie_id} is of {airframe.name}, which has no unit_id: say in the programme which drone it is"
            raise InputError(message)
        unit_id = airframe.unit_id
        self._ask("POST", f"/api/flights/{unit_id}/sortie", {"plan_id": day.plan.plan_id, "sortie_id": sortie_id})
        self._start_when_ready(unit_id, tell)
        return unit_id

    def due(self) -> list[dict[str, Any]]:
        """Return the sorties of published plans whose time has come, as GET /api/sorties/due tells them."""
        return list(self._ask("GET", "/api/sorties/due")["sorties"])

    def fly_to(
        self,
        lat_deg: float,
        lon_deg: float,
        *,
        crs: str = "wgs84",
        alt_agl_m: float | None = None,
        stay_s: float | None = None,
        dry_run: bool = False,
    ) -> Flight:
        """Send the drone that is there soonest (or only say which); it stays so long, or as its battery lets it.

        Raises NotFoundError with every reason where none can go.
        """
        wish = {"lat_deg": lat_deg, "lon_deg": lon_deg, "crs": crs, "dry_run": dry_run}
        return self._sent(wish | {"alt_agl_m": alt_agl_m, "stay_s": stay_s})

    def search(
        self, at: tuple[float, float], *, radius_m: float = 300.0, crs: str = "wgs84", dry_run: bool = False
    ) -> Flight:
        """Send the drone that is there soonest to search round a place (lat, lon) where somebody was last seen."""
        wish = {"lat_deg": at[0], "lon_deg": at[1], "crs": crs, "search_radius_m": radius_m, "dry_run": dry_run}
        return self._sent(wish)

    def progress(self, unit_id: int, *, every_s: float | None = None) -> Iterator[Progress]:
        """Give how far a drone's sortie is, whenever that changes, until it is over."""
        last: Progress | None = None
        while True:
            found = self.flight(unit_id)
            if found != last:
                yield found
                last = found
            if found.is_over:
                return
            time.sleep(LOOK_EVERY_S if every_s is None else every_s)

    def flight(self, unit_id: int) -> Progress:
        """Return how far a drone's sortie is now; step "none" where it has none."""
        sortie = self._ask("GET", f"/api/flights/{unit_id}")["flight"]["sortie"]
        if sortie is None:
            return Progress(unit_id=unit_id, step="none")
        arrive_ms = sortie["arrive_ms"]
        arrive_s = None if arrive_ms is None else round(arrive_ms / 1000 - SYSTEM_CLOCK.now_us() / MICROSECONDS)
        arrived_us = None if sortie["arrived_ms"] is None else round(sortie["arrived_ms"] * 1000)
        told = {name: sortie[name] for name in ("step", "flown", "waypoint_count", "left_m")}
        return Progress(unit_id=unit_id, arrive_s=arrive_s, arrived_us=arrived_us, text=sortie["reason_en"], **told)

    # -----------------------------------------------------------------------------------------------------------------

    def _sent(self, wish: dict[str, Any]) -> Flight:
        found = self._ask("POST", "/api/flights/to", wish)
        if found["chosen"] is None:
            reasons = [f"{one['name']}: {_why(one['refusals'])}" for one in found["candidates"]]
            message = f"no drone can go there: {'; '.join(reasons) or 'there is none'}"
            raise NotFoundError(message)
        best = next(one for one in found["candidates"] if one["airframe_id"] == found["chosen"])
        told = {name: best[name] for name in Flight.__struct_fields__ if name in best}
        warnings = [f"{one['reason_en']} ({one['rule_id']}): {one['remedy_en']}" for one in best["refusals"]]
        return msgspec.convert(told | {"warnings": warnings}, Flight)

    def _start_when_ready(self, unit_id: int, tell: Callable[[Progress], None] | None = None) -> None:
        for found in self.progress(unit_id):
            if tell is not None:
                tell(found)
            if found.step == "ready":
                prepared = self._ask("POST", f"/api/flights/{unit_id}/actions/prepare", {"action": "start"})
                if not prepared["token"]:
                    message = f"unit {unit_id} may not take off now: {_why(prepared['refusals'])}"
                    raise ConflictError(message)
                self._ask("POST", f"/api/flights/{unit_id}/actions", {"action": "start", "token": prepared["token"]})
                return
            if found.is_over:
                message = f"unit {unit_id} did not take the sortie: {found.text or found.step}"
                raise UnavailableError(message)

    def _mended(self, day: PlannedDay, change: Change, how: str) -> PlannedDay:
        wish = msgspec.to_builtins(change, str_keys=True) | {"version": day.plan.version}
        found = self._ask("POST", f"/api/plans/{day.plan.plan_id}/{how}", wish)
        return PlannedDay(msgspec.convert(found["plan"], Plan), changed(day.programme, change))

    def _set_state(self, day: PlannedDay, state: PlanState, *, reason: str = "") -> PlannedDay:
        wish = {"state": state.value, "version": day.plan.version, "reason": reason}
        found = self._ask("POST", f"/api/plans/{day.plan.plan_id}/state", wish)
        return PlannedDay(msgspec.convert(found["plan"], Plan), day.programme)

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        return self._send(method, path, json=body).json()

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        try:
            answer = self._http.request(
                method, path, **{name: value for name, value in more.items() if value is not None}
            )
        except httpx.HTTPError as error:
            message = f"the console at {self._url} does not answer ({error}): is `skybeat serve` running there?"
            raise UnavailableError(message) from error
        if answer.is_success:
            return answer
        raise _ERRORS.get(answer.status_code, SkybeatError)(_words(answer))


def _why(refusals: list[dict[str, Any]]) -> str:
    """Return why a drone cannot go and what would let it: the first refusal that is no warning."""
    first = next((one for one in refusals if not one["is_warning"]), None)
    return "nothing is said" if first is None else f"{first['reason_en']} ({first['remedy_en']})"


def _words(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the console answered {answer.status_code}: is this the address of a skybeat console?"


def _day(day: str | date | None, zone: str) -> Window:
    wanted = local_time(SYSTEM_CLOCK.now_us(), zone_of(zone)).date() if day is None else day
    return day_window(wanted if isinstance(wanted, date) else date.fromisoformat(wanted), zone_of(zone))


def _in_order(programme: Programme) -> Iterator[tuple[ItemKind, Item]]:
    for kind, form in FORMS.items():
        for item in getattr(programme, form.field):
            yield kind, item


def _docks_first(programme: Programme) -> list[tuple[ItemKind, Item]]:
    return sorted(_in_order(programme), key=lambda one: one[0] is not ItemKind.DOCK)
