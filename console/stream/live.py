"""The live stream: every turn it packs one set of frames a group and offers it to each browser, which takes it or falls behind."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from console.auth.policy import Scope
from console.sources import CoverageSource, LiveSource
from console.stream.client import Client
from console.stream.coverage import CoverageFeed
from console.stream.feed import Feed
from console.stream.group import Changes, Group, Mask, View, snapped_box
from console.stream.status import StatusTexts
from console.stream.units import UnitTexts
from console.wire import (
    CLOSE_NOT_ALLOWED,
    CLOSE_SIGNED_OUT,
    RATES_HZ,
    AlarmChanged,
    Degraded,
    RateChanged,
    Resume,
    Role,
    Subscribe,
    UnitMeta,
    Welcome,
    encode_message,
    pack_trail,
)
from infra.clock import MICROSECONDS, Clock
from infra.metrics import FIX_TO_FRAME_S, STREAM_CLIENTS, STREAM_DROPPED, STREAM_FRAMES
from telemetry.model.alarm import Alarm
from telemetry.model.errors import NotFoundError
from telemetry.model.unit import UnitKind

TURN_S: Final = 1 / RATES_HZ[0]
UNITS_AT_MOST_EVERY_S: Final = 1.0
ALARM_TEXTS: Final = 2_000


class LiveStream:
    """Who watches and what they have been shown. `turn` is one step; `run` makes one every 0.2 s."""

    def __init__(self, bridge: LiveSource, clock: Clock, *, coverage: CoverageSource | None = None) -> None:
        self.epoch = (clock.now_us() // MICROSECONDS) & 0xFFFFFFFF
        self.clients: set[Client] = set()
        self.feeds: list[Feed] = [] if coverage is None else [CoverageFeed(coverage)]
        """What else browsers are told: add to it before the first one joins."""
        self._bridge = bridge
        self._clock = clock
        self._groups: dict[View, Group] = {}
        self._masks: dict[Scope, Mask] = {}
        self._masks_of: tuple[int, int] = (-1, -1)
        self._units = UnitTexts(bridge, clock)
        self._units_due_s = 0.0
        self._alarm_seq = 0
        self._alarm_texts: OrderedDict[int, str] = OrderedDict()
        self._statuses = StatusTexts(bridge)
        self._degraded: dict[str, Degraded] = {}
        self._timed_version = 0
        self.turned_s = clock.monotonic_s()
        """When the last turn was made, on the monotonic clock."""

    # --- browsers come and go ------------------------------------------------------------------------------------

    def join(self, client: Client, resume: Resume | None) -> None:
        """Take a browser in: welcome, units and statuses, alarms (those missed when it resumes this epoch, else the open ones)."""
        self._read_alarms()
        self._statuses.read()
        hello = Welcome(
            epoch=self.epoch,
            server_time_ms=self._clock.now_us() / 1000,
            role=client.scope.role,
            station_ids=sorted(client.scope.station_ids),
            unit_id=client.scope.unit_id,
            hz=client.hz,
        )
        client.first_texts.append(encode_message(hello))
        client.latest_texts["units"] = self._units.text(client.scope)
        for what, degraded in self._degraded.items():
            client.latest_texts[f"degraded {what}"] = encode_message(degraded)
        self._start_alarms(client, resume)
        for feed in self.feeds:
            feed.start(client, resume)
        self.clients.add(client)
        STREAM_CLIENTS.set(len(self.clients))
        self._place(client)
        client.wake()

    def leave(self, client: Client) -> None:
        """Let a browser go."""
        self.clients.discard(client)
        for feed in self.feeds:
            feed.leave(client)
        STREAM_CLIENTS.set(len(self.clients))
        self._leave_group(client)

    def subscribe(self, client: Client, wanted: Subscribe) -> None:
        """Change what a browser sees: its box, the units that it follows (their trails come once), its rate."""
        added = set(wanted.unit_ids) - client.unit_ids
        client.unit_ids = frozenset(wanted.unit_ids)
        client.box_deg = snapped_box(wanted.bbox)
        client.wanted_hz = max((hz for hz in RATES_HZ if hz <= wanted.hz), default=RATES_HZ[-1])
        client.hz = min(client.hz, client.wanted_hz) if client.dropped_count else client.wanted_hz
        for unit_id in sorted(added):
            self._add_trail(client, unit_id)
        self._place(client)
        client.wake()

    def close_sessions(self, over: Callable[[Client], int | None]) -> None:
        """Close every browser for which `over` names a code: its session ended or its rights changed."""
        for client in list(self.clients):
            code = over(client)
            if code is not None:
                client.close(code)

    # --- what everyone is told -----------------------------------------------------------------------------------

    def tell_degraded(self, degraded: Degraded) -> None:
        """Tell everyone that a part is late, away, or (since_ms null) well again."""
        if degraded.since_ms is None:
            self._degraded.pop(degraded.what, None)
        else:
            self._degraded[degraded.what] = degraded
        text = encode_message(degraded)
        for client in self.clients:
            client.latest_texts[f"degraded {degraded.what}"] = text
            client.wake()

    def due_texts(self, client: Client) -> list[str]:
        """Return what a browser has not been sent of alarms, statuses and feeds, and move its cursors past it."""
        status = self._statuses.since(client.status_version, client.scope)
        client.status_version = self._statuses.version
        texts = self._alarm_texts_of(client) + ([] if status is None else [status])
        return texts + [text for feed in self.feeds for text in feed.due(client)]

    def _alarm_texts_of(self, client: Client) -> list[str]:
        if client.alarm_seq >= self._alarm_seq:
            return []
        changes = self._bridge.alarms.changes_since(client.alarm_seq)
        client.alarm_seq = self._alarm_seq = max(self._alarm_seq, changes[-1][0] if changes else 0)
        return [self._alarm_text(seq, alarm) for seq, alarm in changes if self.shows_alarm(client.scope, alarm)]

    async def run(self) -> None:
        """Make a turn every 0.2 s until cancelled; turns missed on a loaded machine are skipped."""
        due_s = self._clock.monotonic_s()
        while True:
            self.turn()
            now_s = self._clock.monotonic_s()
            due_s = max(due_s + TURN_S, now_s)
            await asyncio.sleep(due_s - now_s)

    def turn(self) -> None:
        """Bring every browser up to date with one set of frames a group."""
        now_us, now_s = self._clock.now_us(), self._clock.monotonic_s()
        self.turned_s = now_s
        self._read_alarms()
        self._refresh_units(now_s)
        self._statuses.refresh(self.clients)
        self._read_feeds()
        self._note_latency(now_us)
        due = self._frames_of_due_groups(now_us, now_s)
        for client in list(self.clients):
            group = client.group
            if group is None or group not in due:
                continue
            self._serve(client, group, due[group], now_us=now_us, now_s=now_s)

    # --- frames --------------------------------------------------------------------------------------------------

    def _frames_of_due_groups(self, now_us: int, now_s: float) -> dict[Group, tuple[bytes, ...]]:
        due: dict[Group, tuple[bytes, ...]] = {}
        changes = Changes(self._bridge.picture)
        for view, group in self._groups.items():
            if now_s + TURN_S / 4 < group.next_due_s:
                continue
            group.next_due_s = now_s + 1 / view.hz
            due[group] = group.frames(changes, self._mask(view.scope), now_us=now_us, now_s=now_s)
        return due

    def _serve(self, client: Client, group: Group, frames: tuple[bytes, ...], *, now_us: int, now_s: float) -> None:
        if client.behind:
            if client.owes_snapshot():
                allowed = self._mask(client.scope)
                client.give_snapshot(group.snapshot(self._bridge.picture, allowed, now_us=now_us))
        elif frames:
            dropped = client.dropped_count
            client.offer(frames, now_s)
            STREAM_FRAMES.inc(len(frames))
            STREAM_DROPPED.inc(client.dropped_count - dropped)
        hz = client.better_rate(now_s)
        if hz != client.hz:
            client.hz = hz
            client.latest_texts["rate"] = encode_message(RateChanged(hz=hz))
            self._place(client)
            client.wake()

    def _place(self, client: Client) -> None:
        wanted_anyway = client.unit_ids if client.box_deg is not None else frozenset()
        view = View(client.scope, client.box_deg, wanted_anyway, client.hz)
        if client.group is not None and client.group.view == view:
            return
        self._leave_group(client)
        group = self._groups.get(view)
        if group is None:
            group = self._groups[view] = Group(view, epoch=self.epoch)
        group.members += 1
        client.group = group
        client.behind = True

    def _leave_group(self, client: Client) -> None:
        group, client.group = client.group, None
        if group is None:
            return
        group.members -= 1
        if group.members == 0:
            self._groups.pop(group.view, None)

    def _mask(self, scope: Scope) -> Mask:
        units = self._bridge.picture.units
        registry = self._bridge.registry
        stamp = (registry.version, len(units))
        if stamp != self._masks_of:
            self._masks.clear()
            self._masks_of = stamp
        mask = self._masks.get(scope)
        if mask is None:
            seen = [unit.unit_id for unit in registry.units.values() if scope.sees(unit)]
            mask = self._masks[scope] = np.isin(units["unit_id"], np.array(seen, np.int32))
        return mask

    def _add_trail(self, client: Client, unit_id: int) -> None:
        unit = self._bridge.registry.units.get(unit_id)
        if unit is None or not client.scope.sees(unit):
            return
        if unit.kind is UnitKind.OFFICER and client.scope.role is not Role.OFFICER:
            return  # where an officer was needs a reason and is audited: the HTTP track asks for it
        try:
            fixes = self._bridge.picture.trail(unit_id)
        except NotFoundError:
            return  # the registry knows it already, the picture will with the next report
        t_ms = self._clock.now_us() / 1000
        client.trails[unit_id] = pack_trail(unit_id, fixes, epoch=self.epoch, seq=0, t_ms=t_ms)

    def _note_latency(self, now_us: int) -> None:
        picture = self._bridge.picture
        if not self.clients or picture.version == self._timed_version:
            return
        received_us = picture.units["received_us"][picture.changed_since(self._timed_version)]
        self._timed_version = picture.version
        if len(received_us) and received_us.max() > 0:
            FIX_TO_FRAME_S.observe(max(0.0, (now_us - int(received_us.max())) / MICROSECONDS))

    # --- units, alarms ---------------------------------------------------------------------------------

    def unit_metas(self, scope: Scope) -> list[UnitMeta]:
        """Return the units of a scope with the devices that speak for them now."""
        return self._units.metas(scope)

    def _refresh_units(self, now_s: float) -> None:
        if not self._units.is_news() or now_s < self._units_due_s:
            return
        self._units_due_s = now_s + UNITS_AT_MOST_EVERY_S
        self._units.tell()
        for group in self._groups.values():
            group.renew()
        for client in self.clients:
            client.latest_texts["units"] = self._units.text(client.scope)
            client.status_version = 0  # units that came into the scope are told with theirs
            client.wake()

    def _read_feeds(self) -> None:
        news = [feed.read() for feed in self.feeds]  # each reads, whatever the others found
        if any(news):
            for client in self.clients:
                client.wake()

    def _read_alarms(self) -> None:
        changes = self._bridge.alarms.changes_since(self._alarm_seq)
        if not changes:
            return
        self._alarm_seq = changes[-1][0]
        for client in self.clients:
            client.wake()

    def _start_alarms(self, client: Client, resume: Resume | None) -> None:
        if resume is not None and resume.epoch == self.epoch and self._still_kept(resume.alarm_seq):
            client.alarm_seq = resume.alarm_seq
            return
        client.alarm_seq = self._alarm_seq
        for alarm in self.open_alarms(client.scope):
            client.first_texts.append(encode_message(AlarmChanged(seq=self._alarm_seq, alarm=alarm)))

    def _still_kept(self, seq: int) -> bool:
        if seq >= self._alarm_seq:
            return seq == self._alarm_seq
        return self._bridge.alarms.changes_since(seq)[0][0] == seq + 1

    def open_alarms(self, scope: Scope) -> list[Alarm]:
        """Return the open alarms of a scope, most urgent and newest first."""
        shown = [alarm for alarm in self._bridge.alarms.open() if self.shows_alarm(scope, alarm)]
        return sorted(shown, key=lambda alarm: (alarm.priority, -alarm.raised_us))

    def shows_alarm(self, scope: Scope, alarm: Alarm) -> bool:
        """Tell whether an alarm may be shown to a scope."""
        unit = None if alarm.unit_id is None else self._bridge.registry.units.get(alarm.unit_id)
        return scope.sees_unassigned() if unit is None else scope.sees(unit)

    def _alarm_text(self, seq: int, alarm: Alarm) -> str:
        text = self._alarm_texts.get(seq)
        if text is None:
            text = self._alarm_texts[seq] = encode_message(AlarmChanged(seq=seq, alarm=alarm))
            if len(self._alarm_texts) > ALARM_TEXTS:
                self._alarm_texts.popitem(last=False)
        return text


def session_codes(ended: Sequence[bytes], changed: Sequence[bytes]) -> Callable[[Client], int | None]:
    """Return what `close_sessions` asks: 4401 for ended sessions, 4403 for those whose rights are others now."""
    gone, other = frozenset(ended), frozenset(changed)

    def over(client: Client) -> int | None:
        if client.session_sha256 in gone:
            return CLOSE_SIGNED_OUT
        return CLOSE_NOT_ALLOWED if client.session_sha256 in other else None

    return over
