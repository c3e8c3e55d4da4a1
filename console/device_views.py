"""Devices as people are shown them: never a secret, of a phone not even the name, which is its shadow."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Final

import msgspec

from console.api.models_devices import DeviceView, OnBoardView, OptionsView, UnitDeviceView, VideoView
from console.auth.policy import Scope
from console.flight.views import view_of_way
from console.sources import RegistrySource
from telemetry.model.batch import UNKNOWN_I1, UNKNOWN_I2
from telemetry.model.enrolment import EnrolmentRule, SecretKind, checked_hosts
from telemetry.model.link_ways import LinkWay
from telemetry.model.unit import Device, DeviceOptions, LinkState
from telemetry.picture.device_book import DeviceSaid
from telemetry.picture.devices import DeviceState
from telemetry.sources import find_enrolment_rules

_NEVER_HEARD: Final = (LinkState.NEVER, 0)


def sees_device(scope: Scope, registry: RegistrySource, device_id: int, now_us: int) -> bool:
    """Tell whether a device may be shown: its unit may, or it speaks for nobody and the scope is the whole force."""
    unit = registry.units.get(registry.unit_of(device_id, now_us) or 0)
    return scope.sees_unassigned() if unit is None else scope.sees(unit)


def view_of_device(
    device: Device,
    registry: RegistrySource,
    links: Mapping[int, tuple[LinkState, int]],
    *,
    now_us: int,
    is_managed: bool,
) -> DeviceView:
    """Return a device of the registry; `links` tells of each how it is heard and when it was last (UTC microseconds)."""
    link, heard_us = links.get(device.device_id, _NEVER_HEARD)
    registration = registry.registration(device.device_id)
    reached = registration is not None and registration.expires_us > now_us
    return DeviceView(
        device_id=device.device_id,
        protocol=device.protocol,
        address=shown_device(device.protocol, device.address),
        label=device.label,
        report_interval_s=device.report_interval_s,
        revoked=device.revoked,
        unit_id=registry.unit_of(device.device_id, now_us),
        link=link,
        heard_ms=heard_us / 1000 if heard_us else None,
        secret_state=secret_state(device, registry, now_us),
        pairs_until_ms=device.pairs_until_us / 1000 if device.pairs_until_us else None,
        registered_at=f"{registration.transport} {registration.host}:{registration.port}"
        if registration and reached
        else None,
        registered_until_ms=registration.expires_us / 1000 if registration and reached else None,
        options=_shown_options(device.options),
        is_managed=is_managed and not device.revoked,
    )


def shown_device(protocol: str, address: str) -> str | None:
    """Return a device's address, None where it is a secret's shadow or an account."""
    rule = _rules().get(protocol)
    return None if rule is None or rule.secret is SecretKind.TOKEN else address


def secret_state(device: Device, registry: RegistrySource, now_us: int) -> str:
    """Return none, set, missing, waiting or late: how it stands with what the device and we share."""
    rule = _rules().get(device.protocol)
    if rule is None or rule.secret is SecretKind.NONE:
        return "none"
    if rule.secret is SecretKind.SIGNING_KEY:
        return "missing" if registry.signing_key(device.device_id) is None else "set"
    if not device.pairs_until_us:
        return "set"
    if now_us >= device.pairs_until_us:
        return "late"
    return "waiting" if registry.may_pair(device.device_id, now_us) else "set"


@lru_cache(maxsize=1_000)
def _shown_options(options: DeviceOptions) -> OptionsView:
    """Return options as the interface has them; most devices have the same."""
    return msgspec.convert(msgspec.structs.asdict(options), OptionsView)


@cache
def _rules() -> dict[str, EnrolmentRule]:
    return find_enrolment_rules()


def options_of(view: OptionsView) -> DeviceOptions:
    """Return options as the registry keeps them. Raises InputError for a host that is no address and no network."""
    values = msgspec.structs.asdict(view) | {"allowed_hosts": checked_hosts(view.allowed_hosts)}
    return DeviceOptions(**values)


def view_of_state(
    state: DeviceState, said: DeviceSaid, takes: frozenset[str], *, ways: Iterable[LinkWay] = ()
) -> UnitDeviceView:
    """Return one of a unit's devices: how and by which links it is heard, whether it is believed, what it says of itself."""
    row = None if state.report is None else state.report[0]
    accuracy_dm = UNKNOWN_I2 if row is None else int(row["accuracy_dm"])
    battery_pct = UNKNOWN_I1 if row is None else int(row["battery_pct"])
    on_board = said.on_board
    return UnitDeviceView(
        device_id=state.device_id,
        protocol=state.protocol,
        label=state.label,
        trust=state.trust,
        link=state.link,
        is_shown=state.is_shown,
        is_trusted=state.is_chosen,
        observed_ms=state.observed_us / 1000 if state.observed_us else None,
        distance_m=None if state.distance_m is None else round(state.distance_m, 1),
        disagrees=state.disagrees,
        accuracy_m=None if accuracy_dm == UNKNOWN_I2 else accuracy_dm / 10,
        battery_ratio=None if battery_pct == UNKNOWN_I1 else battery_pct / 100,
        quality=0 if row is None else int(row["quality"]),
        takes=sorted(takes),
        info=said.info,
        parameters=said.parameters,
        vendor=said.vendor,
        on_board=None
        if on_board is None
        else OnBoardView(name=on_board.name, agency=on_board.agency, since_ms=on_board.since_us / 1000),
        video=[VideoView(channel=channel, url=url) for channel, url in sorted(said.video.items())],
        zone_offset_s=said.zone_offset_s,
        links=[view_of_way(way) for way in ways],
    )
