"""The JSON of devices and their enrolment, quarantine, commands and links: what is asked and what is answered."""

from typing import Annotated, Any

import msgspec

from console.wire_command import CommandKind, CommandView
from console.wire_flight import LinkWayView
from telemetry.model.enrolment import SecretKind
from telemetry.model.unit import LinkState, Service, UnitKind

Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Label = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
CallSign = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
IntervalS = Annotated[float, msgspec.Meta(ge=0.1, le=3600)]


class OptionsView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a device differs from its protocol's standard. `trust` null: its protocol's; no `allowed_hosts`: from anywhere."""

    utc_offset_s: Annotated[int, msgspec.Meta(ge=-43_200, le=50_400)] = 28_800
    crs: Annotated[str, msgspec.Meta(pattern="^(wgs84|gcj02|bd09|cgcs2000)$")] = "wgs84"
    ignores_checksum: bool = False
    ignores_length: bool = False
    trust: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    allowed_hosts: Annotated[list[str], msgspec.Meta(max_length=32)] = []


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the registry; never its secret. The address of a phone is a secret's shadow and null.

    `secret_state`: none, set, missing (an autopilot that does not sign), waiting (to be told its secret over the air until
    `pairs_until_ms`) or late (it was not told in time: rotate). `registered_at`: where a SIP device is reached, until
    `registered_until_ms`. `is_managed`: whether the account may change it.
    """

    device_id: int
    protocol: str
    address: str | None
    label: str
    report_interval_s: float
    revoked: bool
    unit_id: int | None
    link: LinkState
    heard_ms: float | None
    secret_state: str
    pairs_until_ms: float | None
    registered_at: str | None
    registered_until_ms: float | None
    options: OptionsView
    is_managed: bool


class DevicesReply(msgspec.Struct, frozen=True, kw_only=True):
    """All devices of the account's scope."""

    devices: list[DeviceView]


class EnrolmentRuleView(msgspec.Struct, frozen=True, kw_only=True):
    """How devices of a protocol are enrolled: the form of their address (a regular expression, "" for tokens) and their secret.

    `pairs`: the secret is told to the device when it registers within 24 h. `takes`: the commands that it understands.
    """

    protocol: str
    secret: SecretKind
    form: str
    example: str
    said: str
    pairs: bool
    takes: list[str]


class EnrolmentRulesReply(msgspec.Struct, frozen=True, kw_only=True):
    """The protocols whose devices can be enrolled, and whether the account may."""

    rules: list[EnrolmentRuleView]
    is_managed: bool
    needs_unit: bool
    """An account of some stations enrols devices for units of theirs alone."""


class NewUnitWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit to make with its first device."""

    call_sign: CallSign
    kind: UnitKind
    service: Service
    station_id: Number | None = None
    name_zh: Label = ""
    name_en: Label = ""


class EnrolDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device to enrol, for a unit that there is, for one that is made with it, or for nobody yet."""

    protocol: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    address: Annotated[str, msgspec.Meta(max_length=128)] = ""
    label: Label = ""
    report_interval_s: IntervalS = 1.0
    signs: bool = True
    options: OptionsView = OptionsView()
    unit_id: Number | None = None
    new_unit: NewUnitWish | None = None


class IssuedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A device and its secret, told this once: token, code, password, or a MAVLink key as hexadecimal digits; null: it has none.

    `place` is where phones and forwarding servers send to, as far as this console knows; null for other devices.
    """

    device_id: int
    protocol: str
    address: str | None
    unit_id: int | None
    secret: str | None
    secret_kind: SecretKind
    pairs_until_ms: float | None
    place: str | None


class ChangeDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a device is to be another; what is left out stays."""

    label: Label | None = None
    report_interval_s: IntervalS | None = None
    options: OptionsView | None = None


class AssignDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The unit that a device speaks for from now on; null: nobody."""

    unit_id: Number | None


class TrustDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The device that speaks for the unit as long as it is heard; null: the best one."""

    device_id: Number | None


class QuarantinedName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name in quarantine."""

    protocol: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class DeviceChangedReply(msgspec.Struct, frozen=True, kw_only=True):
    """The change is in the database; the registry follows within a moment. null: a name without device."""

    device_id: int | None


class OnBoardView(msgspec.Struct, frozen=True, kw_only=True):
    """Whose card is in the vehicle's reader."""

    name: str
    agency: str
    since_ms: float


class VideoView(msgspec.Struct, frozen=True, kw_only=True):
    """Where an open video channel is watched."""

    channel: str
    url: str


class UnitDeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A device that speaks for a unit: what it says and whether it is believed.

    `is_shown`: it speaks for the unit now; `is_trusted`: a person chose it. `distance_m`: from the one shown, null where either is
    unknown; `disagrees`: farther than their accuracies explain. `takes`: the commands that it understands. `links`: by which it is
    heard, where its protocol tells them apart.
    """

    device_id: int
    protocol: str
    label: str
    trust: int
    link: LinkState
    is_shown: bool
    is_trusted: bool
    observed_ms: float | None
    distance_m: float | None
    disagrees: bool
    accuracy_m: float | None
    battery_ratio: float | None
    quality: int
    takes: list[str]
    info: dict[str, str]
    parameters: dict[str, str]
    vendor: dict[str, str]
    on_board: OnBoardView | None
    video: list[VideoView]
    zone_offset_s: float | None
    links: list[LinkWayView] = []


class UnitDevicesReply(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's devices, the one shown first. `trusted_device_id` null: the best one is shown."""

    unit_id: int
    trusted_device_id: int | None
    devices: list[UnitDeviceView]


class GiveCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a unit's device is asked. Without `device_id` the one that people trust or see, of those that understand it."""

    kind: CommandKind
    device_id: Number | None = None
    text: Annotated[str, msgspec.Meta(max_length=500)] = ""
    is_spoken: bool = False
    is_urgent: bool = False
    interval_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 5.0
    duration_s: Annotated[float, msgspec.Meta(ge=1, le=86_400)] = 600.0
    channel: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[A-Za-z0-9._-]*(?!\n)$")] = ""


class CommandReply(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it stands."""

    command: CommandView


class CommandsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The commands of a unit of the last day, the newest first."""

    commands: list[CommandView]


class LinkHealth(msgspec.Struct, frozen=True, kw_only=True):
    """A link and what came over it since it was made; its address without secrets.

    `paused`: it does not read because the journal has no room. `strangers` have not proved yet who they are; `refused` says by
    limit who was sent away; `replies_refused` were not sent because the journal could not keep what they promise. `is_plain`: it
    listens beyond this machine in the clear. `advice` is a word for what to do, "" where nothing is wrong.
    """

    url: str
    protocol: str
    transport: str
    link_group: str
    state: str
    paused: bool
    is_plain: bool
    peers: int
    strangers: int
    devices: int
    datagrams: int
    datagrams_dropped: int
    bytes_received: int
    positions: int
    bad: dict[str, int]
    refused: dict[str, int]
    replies_waiting: int
    replies_refused: int
    heard_ms: float | None
    last_error: str | None
    advice: str


class LinkPeerView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at the other end of a link; counts since it came. Not `is_proven`: it has not shown yet which device it is."""

    host: str
    port: int
    device_ids: list[int]
    is_proven: bool
    since_ms: float
    heard_ms: float
    pieces: int
    bytes_received: int
    positions: int
    bad: int
    waiting_replies: int
    paused: bool


class LinkPeersReply(msgspec.Struct, frozen=True, kw_only=True):
    """The peers of a link, those heard last first; at most 200 of `peer_count`."""

    peer_count: int
    peers: list[LinkPeerView]


class ProtocolHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of a protocol's links, and its devices by their link state."""

    protocol: str
    links: int
    peers: int
    positions: int
    bad: int
    devices: int
    live: int
    stale: int
    lost: int
    never: int


class LinksReply(msgspec.Struct, frozen=True, kw_only=True):
    """Links and protocols, and the journal and recorder behind them. Counts only grow: rates are differences by `at_ms`."""

    at_ms: float
    links: list[LinkHealth]
    protocols: list[ProtocolHealth]
    journal: dict[str, Any]
    history_lag_s: float | None
    database_ok: bool
    checks: dict[str, str]
