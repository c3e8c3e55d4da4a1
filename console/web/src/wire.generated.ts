// Written by tools/generate_wire.py from console/wire.py and console/api/models.py: change those, then run it.

/* eslint-disable */

export const SUBPROTOCOL = "skb1";

export const PROTOCOL_VERSION = 1;

export const RATES_HZ = [5.0, 2.0, 1.0, 0.5] as const;

export const SNAPSHOT_EVERY_S = 10.0;

export const MAX_SUBSCRIBED_UNITS = 64;

/** 'SK' read as a little-endian u16. */
export const MAGIC = 19283;

export const HEADER_BYTES = 32;

export const ALIGNMENT_BYTES = 8;

/** Byte offsets of the header's fields, all little-endian. */
export const HEADER_OFFSET = {
  magic: 0, // u2
  version: 2, // u1
  kind: 3, // u1
  flags: 4, // u1
  n: 8, // u4
  epoch: 12, // u4
  seq: 16, // u8
  t_ms: 24, // f8
} as const;

export type ColumnType = "i1" | "i2" | "i4";

export const UNKNOWN: Readonly<Record<ColumnType, number>> = { i1: -128, i2: -32768, i4: -2147483648 };

/** Columns of SNAPSHOT and DELTA, in their order. */
export const UNIT_COLUMNS = [
  { name: "unit_id", type: "i4", bytes: 4, unknown: null },
  { name: "lat_e7", type: "i4", bytes: 4, unknown: -2147483648 },
  { name: "lon_e7", type: "i4", bytes: 4, unknown: -2147483648 },
  { name: "alt_msl_dm", type: "i4", bytes: 4, unknown: -2147483648 },
  { name: "alt_home_dm", type: "i4", bytes: 4, unknown: -2147483648 },
  { name: "age_ms", type: "i4", bytes: 4, unknown: -2147483648 },
  { name: "quality", type: "i4", bytes: 4, unknown: null },
  { name: "state", type: "i4", bytes: 4, unknown: null },
  { name: "speed_cmps", type: "i2", bytes: 2, unknown: -32768 },
  { name: "climb_cmps", type: "i2", bytes: 2, unknown: -32768 },
  { name: "heading_ddeg", type: "i2", bytes: 2, unknown: -32768 },
  { name: "course_ddeg", type: "i2", bytes: 2, unknown: -32768 },
  { name: "accuracy_dm", type: "i2", bytes: 2, unknown: -32768 },
  { name: "battery_pct", type: "i1", bytes: 1, unknown: -128 },
  { name: "satellites", type: "i1", bytes: 1, unknown: -128 },
  { name: "fix", type: "i1", bytes: 1, unknown: -128 },
  { name: "link", type: "i1", bytes: 1, unknown: null },
  { name: "duty", type: "i1", bytes: 1, unknown: null },
] as const;

/** Columns of TRAIL, behind one unit_id padded to 8 bytes. */
export const TRAIL_COLUMNS = [
  { name: "age_ms", type: "i4", bytes: 4, unknown: -2147483648 },
  { name: "lat_e7", type: "i4", bytes: 4, unknown: -2147483648 },
  { name: "lon_e7", type: "i4", bytes: 4, unknown: -2147483648 },
] as const;

/** Columns of GONE. */
export const GONE_COLUMNS = [
  { name: "unit_id", type: "i4", bytes: 4, unknown: null },
] as const;

export type UnitColumn = (typeof UNIT_COLUMNS)[number]["name"];

/** Keys of TrackReply.columns. */
export const REPORT_COLUMNS = ["device_id", "observed_us", "received_us", "lat_e7", "lon_e7", "alt_msl_dm", "alt_hae_dm", "alt_home_dm", "speed_cmps", "climb_cmps", "heading_ddeg", "course_ddeg", "accuracy_dm", "battery_pct", "satellites", "fix", "quality", "fix_hash"] as const;

export const UNIT_KINDS = ["drone", "officer", "motorcycle", "car", "mobile_room"] as const;
export type UnitKind = (typeof UNIT_KINDS)[number];

export const SERVICES = ["patrol", "traffic", "special", "station", "forest", "volunteer", "air"] as const;
export type Service = (typeof SERVICES)[number];

export const DUTY_STATUSES = ["off_duty", "standby", "free", "engaged", "en_route", "on_scene", "charging"] as const;
export type DutyStatus = (typeof DUTY_STATUSES)[number];

export const LINK_STATES = ["never", "live", "stale", "lost"] as const;
export type LinkState = (typeof LINK_STATES)[number];

export const ALARM_KINDS = ["sos", "link_lost", "battery_low", "identity_conflict"] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

export const ALARM_STATES = ["raised", "acknowledged", "ended"] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

export const ROLES = ["viewer", "officer", "operator", "supervisor", "admin"] as const;
export type Role = (typeof ROLES)[number];

export const FrameKind = {
  SNAPSHOT: 1,
  DELTA: 2,
  GONE: 3,
  TRAIL: 4,
} as const;

export const UnitBit = {
  ARMED: 1,
  ARMED_KNOWN: 2,
  AIRBORNE: 4,
  AIRBORNE_KNOWN: 8,
  SOS: 16,
  ALARMED: 32,
  COVERT: 64,
  REPLAYED: 128,
  IDENTITY_CONFLICT: 256,
} as const;

export const Quality = {
  TIME_ESTIMATED: 1,
  TIME_OF_ARRIVAL: 2,
  ODD_TIME: 4,
  SATURATED: 8,
  REPLAYED: 16,
  JUMPED: 32,
  TOO_FAST: 64,
  NO_FIX: 128,
  MOCK: 256,
  SECONDARY: 512,
  SPARSE: 1024,
  INACCURATE: 2048,
  OUT_OF_ORDER: 4096,
  UNSIGNED: 8192,
} as const;

/** One alarm. `alarm_id` follows from its cause (kind, device, time), so that replaying events makes the same one. `priority` is 1 (a person needs help now) .. 3; times are UTC microseconds. */
export interface Alarm {
  alarm_id: string;
  number: number;
  kind: AlarmKind;
  priority: number;
  device_id: number;
  unit_id: number | null;
  raised_us: number;
  state: AlarmState;
  text: string;
  acknowledged_us: number | null;
  acknowledged_by: string | null;
  ended_us: number | null;
  escalated_us: number | null;
}

/** Where a browser that was connected before stands: the server's epoch and the last alarm number that it saw. */
export interface Resume {
  epoch: number;
  alarm_seq: number;
}

/** The first message: the protocol's version and, on reconnection, what was seen. */
export interface Hello {
  type: "hello";
  v: number;
  resume?: Resume | null;
}

/** The view: [west, south, east, north] degrees (null: everywhere), units wanted wherever they are, the rate wanted. */
export interface Subscribe {
  type: "sub";
  bbox?: number[] | null;
  unit_ids?: number[];
  hz?: number;
}

/** A sign of life; needs no answer. */
export interface Pong {
  type: "pong";
}

/** A device that speaks for a unit now. Its address is a secret's shadow and stays on the server. */
export interface UnitDevice {
  device_id: number;
  protocol: string;
  label: string;
  report_interval_s: number;
}

/** What is known of a unit apart from where it is. */
export interface UnitMeta {
  unit_id: number;
  call_sign: string;
  kind: UnitKind;
  service: Service;
  duty_status: DutyStatus;
  station_id: number | null;
  name_zh: string;
  name_en: string;
  covert: boolean;
  devices: UnitDevice[];
}

/** The answer to hello. An `epoch` other than the one resumed means that the server started anew. */
export interface Welcome {
  type: "welcome";
  epoch: number;
  server_time_ms: number;
  role: Role;
  station_ids: number[];
  unit_id: number | null;
  hz: number;
}

/** All units of the account's scope; sent after welcome and whenever the registry changed. */
export interface UnitsChanged {
  type: "units";
  units: UnitMeta[];
}

/** What a unit's vehicle said last; null is what it never said. `mode` is the firmware's own name, `text_level` MAV_SEVERITY. */
export interface StatusView {
  unit_id: number;
  mode: string | null;
  mission_item: number | null;
  mission_total: number | null;
  text: string | null;
  text_level: number | null;
  text_at_ms: number | null;
}

/** Units of the scope whose status is another one: all after `units`, then those that changed, at most once a turn. */
export interface StatusChanged {
  type: "status";
  statuses: StatusView[];
}

/** An alarm as it stands now. Numbered by `seq`, never dropped, replayed from `resume.alarm_seq`; numbers may have gaps. */
export interface AlarmChanged {
  type: "alarm";
  seq: number;
  alarm: Alarm;
}

/** The share of a station's road length that available units reach within 1, 3 and 5 minutes, 0..1. */
export interface StationShares {
  station_id: number;
  shares: number[];
}

/** The share of road length that available units reach within 1, 3 and 5 minutes, 0..1. */
export interface CoverageChanged {
  type: "coverage";
  at_ms: number;
  shares: number[];
  stations: StationShares[];
  available_count: number;
  computed_ms: number;
}

/** Frames come at this rate from now on, because the connection did or did not keep up. */
export interface RateChanged {
  type: "rate";
  hz: number;
}

/** A part that the map can live without is late or away ("history", "journal"); `since_ms` null: it is well again. */
export interface Degraded {
  type: "degraded";
  what: string;
  since_ms: number | null;
  lag_s: number;
}

/** What every refusal looks like: a word for programs and a sentence for people (what, value, allowed, next step). */
export interface ErrorReply {
  error: string;
  detail: string;
}

/** The token of a one-time sign-in link. */
export interface LinkSignIn {
  token: string;
}

/** An account's name and password. */
export interface PasswordSignIn {
  name: string;
  password: string;
}

/** The password that the signed-in account wants, at least 12 characters, and the one that it has. `current` may be left out by an account without a password, and within 15 minutes of signing in by a one-time link. */
export interface NewPassword {
  password: string;
  current: string;
}

/** Who is signed in. Empty `station_ids`: all stations. `must_set_password`: it has none yet. */
export interface SessionReply {
  account_id: number;
  name: string;
  role: Role;
  station_ids: number[];
  unit_id: number | null;
  must_set_password: boolean;
  expires_at: string;
}

/** All units of the account's scope. */
export interface UnitsReply {
  units: UnitMeta[];
}

/** A unit's track, oldest first: REPORT's columns by name, each `point_count` long, unknown as null. `truncated`: the limit cut the oldest points off; ask again with `to` set to the first one's time. */
export interface TrackReply {
  unit_id: number;
  point_count: number;
  truncated: boolean;
  columns: Record<string, (number | null)[]>;
}

/** A device of the registry. Addresses of phones are secrets' shadows: only MAVLink's are shown. */
export interface DeviceView {
  device_id: number;
  protocol: string;
  address: string | null;
  label: string;
  report_interval_s: number;
  revoked: boolean;
  unit_id: number | null;
}

/** All devices of the account's scope. */
export interface DevicesReply {
  devices: DeviceView[];
}

/** A name that spoke without being known; of a phone only the first 8 hexadecimal digits of its token's SHA-256. */
export interface QuarantineView {
  protocol: string;
  address: string;
  reason: string;
  first_seen_at: string;
  last_seen_at: string;
  seen_count: number;
}

/** Unknown and refused names, newest first. */
export interface QuarantineReply {
  quarantine: QuarantineView[];
}

/** A street police station. */
export interface StationView {
  station_id: number;
  number: number;
  name_zh: string;
  name_en: string;
  lat_deg: number;
  lon_deg: number;
  ring_order: number | null;
}

/** All stations by number. */
export interface StationsReply {
  stations: StationView[];
}

/** A place of the force: standing_post, safety_post, checkpoint or dock. */
export interface PostView {
  post_id: number;
  kind: string;
  name_zh: string;
  name_en: string;
  lat_deg: number;
  lon_deg: number;
  station_id: number | null;
}

/** All posts of the account's scope. */
export interface PostsReply {
  posts: PostView[];
}

/** A fixed camera. */
export interface CameraView {
  camera_id: number;
  name_zh: string;
  name_en: string;
  lat_deg: number;
  lon_deg: number;
  station_id: number | null;
}

/** All cameras of the account's scope. */
export interface CamerasReply {
  cameras: CameraView[];
}

/** The open alarms of the account's scope, most urgent first. */
export interface AlarmsReply {
  alarms: Alarm[];
}

/** One alarm as it stands after the request. */
export interface AlarmReply {
  alarm: Alarm;
}

/** The base map: [west, south, east, north] and [lon, lat] in degrees WGS-84, and the layers that exist. */
export interface MapReply {
  name_zh: string;
  name_en: string;
  bounds: number[];
  center: number[];
  layers: string[];
}

/** A link and what came over it. */
export interface LinkView {
  url: string;
  link_group: string;
  state: string;
  figures: Record<string, unknown>;
}

/** The system's own state; null where a part does not run here. */
export interface SystemReply {
  version: string;
  epoch: number;
  uptime_s: number;
  clients: number;
  clock_offset_s: number | null;
  schema_version: number | null;
  database_ok: boolean;
  history_lag_s: number | null;
  journal: Record<string, unknown>;
  links: LinkView[];
  checks: Record<string, string>;
}

export type FromBrowser = Hello | Subscribe | Pong;

export type ToBrowser = Welcome | UnitsChanged | StatusChanged | AlarmChanged | CoverageChanged | RateChanged | Degraded;
