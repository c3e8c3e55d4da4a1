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

export const ALARM_KINDS = ["sos", "link_lost", "battery_low", "identity_conflict", "collision", "rollover", "power_cut", "tamper", "stolen", "fatigue", "speeding", "device_fault", "geofence", "outside_area", "officer_alone", "traffic"] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

export const ALARM_STATES = ["raised", "acknowledged", "ended"] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

export const ROLES = ["viewer", "officer", "operator", "supervisor", "admin"] as const;
export type Role = (typeof ROLES)[number];

export const INCIDENT_STATES = ["new", "offered", "accepted", "under_way", "on_scene", "cleared", "handed_over", "non_police"] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

export const DISPATCH_STATES = ["queued", "sent", "received", "accepted", "under_way", "arrived", "cleared", "declined", "recalled"] as const;
export type DispatchState = (typeof DISPATCH_STATES)[number];

export const CATEGORIES = ["help", "violence", "dispute", "theft", "traffic", "missing_person", "crowd", "fire", "suspicious", "service", "other"] as const;
export type Category = (typeof CATEGORIES)[number];

export const EQUIPMENTS = ["aed", "first_aid", "life_ring", "extinguisher", "shield", "breath_tester", "speaker", "searchlight", "thermal_camera"] as const;
export type Equipment = (typeof EQUIPMENTS)[number];

export const PLAN_STATES = ["draft", "submitted", "approved", "published"] as const;
export type PlanState = (typeof PLAN_STATES)[number];

export const COMMAND_STATES = ["queued", "sent", "delivered", "refused", "expired"] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

export const HOLDER_KINDS = ["nobody", "account", "ground_station"] as const;
export type HolderKind = (typeof HOLDER_KINDS)[number];

export const CONTROL_CHANGES = ["taken", "offered", "accepted", "declined", "released", "forced", "lapsed"] as const;
export type ControlChange = (typeof CONTROL_CHANGES)[number];

export const FLIGHT_ACTIONS = ["arm", "disarm", "take_off", "start", "pause", "continue", "return_home", "hold", "go_to", "land", "set_current"] as const;
export type FlightAction = (typeof FLIGHT_ACTIONS)[number];

export const ACTION_WAIES = ["mavsdk", "own"] as const;
export type ActionWay = (typeof ACTION_WAIES)[number];

export const SORTIE_STEPS = ["handed", "uploading", "ready", "starting", "flying", "paused", "returning", "done", "failed"] as const;
export type SortieStep = (typeof SORTIE_STEPS)[number];

export const SIGHTING_SOURCES = ["adsb", "remote_id"] as const;
export type SightingSource = (typeof SIGHTING_SOURCES)[number];

export const DUTY_BY_HANDS = ["off_duty", "standby", "free"] as const;
export type DutyByHand = (typeof DUTY_BY_HANDS)[number];

export const SECRET_KINDS = ["none", "token", "signing_key", "code", "password"] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

export const COMMAND_KINDS = ["send_text", "request_position", "track_faster", "set_report_interval", "request_parameters", "open_video", "close_video"] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

export const SORTIE_STATES = ["planned", "handed", "uploaded", "flying", "flown", "broken_off", "cancelled"] as const;
export type SortieState = (typeof SORTIE_STATES)[number];

export const CRSES = ["wgs84", "gcj02", "bd09", "cgcs2000"] as const;
export type Crs = (typeof CRSES)[number];

export const UNSUITEDS = ["equipment", "service", "battery"] as const;
export type Unsuited = (typeof UNSUITEDS)[number];

export const TASK_KINDS = ["area", "corridor", "perimeter", "point", "event", "search", "streets"] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

export const LIGHTS = ["any", "day", "night"] as const;
export type Light = (typeof LIGHTS)[number];

export const PATTERN_KINDS = ["survey", "corridor", "perimeter", "orbit", "hold", "viewpoints", "expanding_square", "sector", "parallel_track", "patrol"] as const;
export type PatternKind = (typeof PATTERN_KINDS)[number];

export const ZONE_KINDS = ["no_fly", "restricted", "keep_in", "traffic"] as const;
export type ZoneKind = (typeof ZONE_KINDS)[number];

export const CAMERA_ACTIONS = ["none", "photo", "start_video", "stop_video", "photos_by_distance"] as const;
export type CameraAction = (typeof CAMERA_ACTIONS)[number];

export const HOLIDAY_USES = ["as_others", "never", "only"] as const;
export type HolidayUse = (typeof HOLIDAY_USES)[number];

export const ITEM_LISTS = ["tasks", "zones", "airframes", "docks", "batteries", "crews", "weather"] as const;
export type ItemList = (typeof ITEM_LISTS)[number];

export const TRAVEL_MODES = ["car", "blue_light", "motorcycle", "ebike", "foot", "drone"] as const;
export type TravelMode = (typeof TRAVEL_MODES)[number];

export const DEMAND_KINDS = ["roads", "people", "incidents"] as const;
export type DemandKind = (typeof DEMAND_KINDS)[number];

export const PROOFS = ["optimal", "feasible"] as const;
export type Proof = (typeof PROOFS)[number];

export const HOLDS = ["dwell", "moved_enough", "first_tier"] as const;
export type Hold = (typeof HOLDS)[number];

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
  DISAGREES: 512,
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
  NULL_ISLAND: 16384,
  ENCRYPTED: 32768,
  PARKED: 65536,
  ZONE_WRONG: 131072,
  ARCHIVE: 262144,
  LENGTH: 524288,
  CHECKSUM: 1048576,
} as const;

/** A command of the scope that was given or went on. Never dropped while connected; who comes back reads the list anew. */
export interface CommandChanged {
  type: "command";
  command: CommandView;
}

/** Contours since the last message: those gone and those new. `reset`: forget all others first. */
export interface ContoursChanged {
  type: "contours";
  at_ms: number;
  reset: boolean;
  gone: string[];
  added: Contour[];
}

/** How the available units cover the roads now. Shares are 0..1 for 1, 3 and 5 minutes; null where nothing is known. `double_shares`: reached by at least two units. `response_*_s`: expected travel to a call, mobilisation included. */
export interface CoverageChanged {
  type: "coverage";
  at_ms: number;
  shares: number[];
  stations: StationShares[];
  available_count: number;
  computed_ms: number;
  plan: number[];
  double_shares: number[];
  people_shares: number[] | null;
  incident_shares: number[] | null;
  response_p50_s: number | null;
  response_p90_s: number | null;
  tiers: TierShares[];
  gaps: Gap[];
  ring: RingState | null;
  off_map_count: number;
}

/** All sorties of published plans that are due at drones of the scope; a later one replaces it. */
export interface DueChanged {
  type: "due";
  sorties: DueView[];
}

/** A drone's flight as it stands now: all of the scope after `units`, then each that changed; a later one replaces it. */
export interface FlightChanged {
  type: "flight";
  flight: FlightView;
}

/** All hazards that are known now, at most once a second; what is not among them is gone. */
export interface TrafficChanged {
  type: "traffic";
  at_ms: number;
  hazards: HazardView[];
}

/** An incident of the scope as it stands now. Numbered by `seq`, never dropped, replayed from `resume.incident_seq`. */
export interface IncidentChanged {
  type: "incident";
  seq: number;
  incident: IncidentView;
}

/** An officer's own task as it stands now; pushed at once, and again on each connection until it is over. */
export interface TaskChanged {
  type: "task";
  seq: number;
  task: TaskView;
}

/** A plan is of another version or state now; `state` null: it was taken away. */
export interface PlanChanged {
  type: "plan_changed";
  plan_id: number;
  version: number;
  state: PlanState | null;
}

/** How far the plan is that this account asked for, while it waits: the best found so far. */
export interface PlanProgress {
  type: "plan_progress";
  score: number;
  sortie_count: number;
  elapsed_s: number;
  effort_s: number;
}

/** Somebody changed what patrols are asked for or with what: read it again. */
export interface ProgrammeChanged {
  type: "programme_changed";
}

/** One alarm. `alarm_id` follows from its cause (kind, device, time), so that replaying events makes the same one. `priority` is 1 (a person needs help now) .. 3; times are UTC microseconds. `observed_us` is when the device saw its cause: `is_late` where that was long before it could tell us. The owner is who acknowledged it, or to whom it was handed over. `code` is the device's own name of it, `geofence_id` the fence that it is about. `note` is what was written last when it was handed over or closed, `closed_by` who said that it is over where the device did not. */
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
  observed_us: number;
  is_late: boolean;
  code: string;
  geofence_id: number | null;
  owner_id: number | null;
  owner: string | null;
  note: string;
  closed_by: string | null;
}

/** Where a browser that was connected before stands: the server's epoch, the last alarm and incident numbers that it saw. */
export interface Resume {
  epoch: number;
  alarm_seq: number;
  incident_seq?: number;
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
  equipment: Equipment[];
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

/** A station's zone: shares of its road length (0..1) within 1, 3 and 5 minutes, now and as planned. The plan is the crew on duty at its points (station, posts), on its lines to the neighbours and in its area. `crew` counts the station's units on duty, `on_duty` those of them that are online. `missing_unit_ids`: units on duty that are silent, engaged or away and explain most of what is lost, worst first. `crew` 0: nobody is on duty, while the plan has one car there. `post_away_m`: how far its post is from the nearest road; beyond 250 m it has no zone, and `shares` and `plan` are empty. */
export interface StationShares {
  station_id: number;
  shares: number[];
  plan: number[];
  on_duty: number;
  crew: number;
  missing_unit_ids: number[];
  post_away_m: number;
}

/** A unit that would close a gap, and how soon it stands in its middle (s, mobilisation included). */
export interface GapCloser {
  unit_id: number;
  travel_s: number;
}

/** Connected ground that no available unit reaches within 5 minutes; `label` is A, B, C from the worst. `polygon` is a list of rings of [lon, lat], the first the outline; `worst_s` null: nobody gets there at all. */
export interface Gap {
  label: string;
  area_km2: number;
  road_km: number;
  people_ratio: number | null;
  worst_s: number | null;
  lat_deg: number;
  lon_deg: number;
  station_id: number | null;
  polygon: number[][][];
  closers: GapCloser[];
}

/** Two neighbouring stations whose zones must overlap at their far ends. `missing_s` and the worst point where it is open. */
export interface RingLink {
  from_station_id: number;
  to_station_id: number;
  closed: boolean;
  overlap_ratio: number;
  missing_s: number | null;
  worst_lat_deg: number | null;
  worst_lon_deg: number | null;
}

/** The chain of stations in ring order; closed when every link is. */
export interface RingState {
  closed: boolean;
  limit_s: number;
  links: RingLink[];
}

/** Places that must be reached within 1, 3 or 5 minutes: how many there are, how many are, and the names of those missed. */
export interface TierShares {
  minutes: number;
  total: number;
  met: number;
  misses_zh: string[];
  misses_en: string[];
}

/** One polygon of what is reached within `minutes`: rings of [lon, lat], the first the outline. */
export interface Contour {
  contour_id: string;
  minutes: number;
  polygon: number[][][];
}

/** One unit sent to an incident. Times are UTC milliseconds, null while it has not happened. */
export interface DispatchView {
  dispatch_id: number;
  unit_id: number;
  state: DispatchState;
  channel: string;
  travel_s: number | null;
  distance_m: number | null;
  sent_by: string;
  queued_ms: number;
  sent_ms: number | null;
  received_ms: number | null;
  accepted_ms: number | null;
  under_way_ms: number | null;
  arrived_ms: number | null;
  arrived_by: string;
  cleared_ms: number | null;
  declined_ms: number | null;
  recalled_ms: number | null;
  reason: string;
}

/** A call as it stands. A place that nobody told is null and asked for. `version` grows with every decision of a person (what units answer is none) and is what a change must name; `seq` grows with every change of any incident: of two views the one with the higher `seq` is newer. `place_note` says what is to be asked about the place: "missing", "off_map", "maybe_shifted" (off the roads, on one if the coordinates are GCJ-02), or nothing. The caller's phone and name are masked for those who only watch. `response_s`: call to first arrival, null before it. */
export interface IncidentView {
  incident_id: number;
  number: string;
  version: number;
  seq: number;
  state: IncidentState;
  urgency: number;
  category: Category;
  title: string;
  text: string;
  place_text: string;
  lat_deg: number | null;
  lon_deg: number | null;
  place_note: string;
  caller_name: string;
  caller_phone: string;
  audio_url: string;
  recording_url: string;
  station_id: number | null;
  source: string;
  needs: Equipment[];
  agency_id: number | null;
  reported_ms: number;
  closed_ms: number | null;
  target_s: number;
  response_s: number | null;
  on_target: boolean | null;
  dispatches: DispatchView[];
}

/** Another unit sent to the same incident, named here because an officer's own list holds only their own unit. */
export interface CompanionView {
  unit_id: number;
  kind: UnitKind;
  name_zh: string;
  name_en: string;
  state: DispatchState;
  travel_s: number | null;
  equipment: Equipment[];
}

/** What an officer is asked to do: the dispatch, its incident with the caller's phone, and who else goes. */
export interface TaskView {
  dispatch: DispatchView;
  incident: IncidentView;
  way: number[][];
  companions: CompanionView[];
}

/** A command to a device as it stands; times are UTC milliseconds, null while it has not happened. `kind` is a CommandKind or, of what the console itself sends, another name. `answer`: what the device said, or why it went no further. A command that was sent may stay so: not every device answers. */
export interface CommandView {
  command_id: number;
  unit_id: number | null;
  device_id: number;
  kind: string;
  state: CommandState;
  ordered_by: string;
  queued_ms: number;
  expires_ms: number;
  sent_ms: number | null;
  ended_ms: number | null;
  answer: string;
  text: string | null;
  is_spoken: boolean;
  is_urgent: boolean;
  interval_s: number | null;
  duration_s: number | null;
  channel: string | null;
}

/** Who may be in control: an account by its number, a ground station by its name. */
export interface HolderView {
  kind: HolderKind;
  account_id: number | null;
  name: string;
}

/** Who is in control of a drone, and to whom the holder offers it. `change`, `by` and `reason` say how it came. */
export interface ControlView {
  holder: HolderView;
  offered: HolderView;
  by: HolderView;
  change: ControlChange;
  since_ms: number | null;
  reason: string;
}

/** One of the links by which a drone is heard. `loss_ratio` of the last minute; `rtt_ms` by TIMESYNC; orders leave by the best. */
export interface LinkWayView {
  link: string;
  peer: string;
  loss_ratio: number | null;
  rtt_ms: number | null;
  heard_ms: number;
  duplicates: number;
  is_best: boolean;
}

/** An order to a drone as it stands; null is what has not happened. `answer`: what the drone said, or why it went no further. */
export interface ActionView {
  command_id: number;
  action: FlightAction;
  way: ActionWay;
  state: CommandState;
  ordered_by: string;
  at_ms: number;
  ended_ms: number | null;
  answer: string;
  lat_deg: number | null;
  lon_deg: number | null;
  alt_home_m: number | null;
  item: number | null;
}

/** The sortie that a drone was given last; `plan_id` null where it stands in no plan. `sent_items` of `item_count` are on board, `flown` of `waypoint_count` waypoints behind it; `left_m` is what is left of the way to its goal (where a first responder was sent to, else the last waypoint), `arrive_ms` when it will be there, `arrived_ms` when it was: nothing is left then, though it may stay. `cause` and its sentences say why it waits, paused or failed; empty where all is well. `moved_ms` is when the step changed. */
export interface SortieView {
  plan_id: number | null;
  sortie_id: number;
  step: SortieStep;
  given_by: string;
  moved_ms: number;
  sent_items: number;
  item_count: number | null;
  flown: number;
  waypoint_count: number;
  left_m: number | null;
  arrive_ms: number | null;
  arrived_ms: number | null;
  cause: string;
  reason_zh: string;
  reason_en: string;
}

/** A drone as whoever flies it needs it: `actions` are its last orders, the newest first. Home is what it told, else where it was seen to be armed, else the dock of its sortie; `endurance_s` (full to empty) and `reserve_ratio` (what it should land with) are known of drones that have a sortie. */
export interface FlightView {
  unit_id: number;
  device_id: number;
  is_armed: boolean | null;
  home_lat_deg: number | null;
  home_lon_deg: number | null;
  endurance_s: number | null;
  reserve_ratio: number | null;
  control: ControlView;
  sortie: SortieView | null;
  actions: ActionView[];
  links: LinkWayView[];
}

/** How near a hazard comes to one of our drones if both go on: in `in_s` seconds (0: now). Unknown height apart is null. */
export interface ApproachView {
  unit_id: number;
  in_s: number;
  distance_m: number;
  height_apart_m: number | null;
  is_near: boolean;
}

/** Somebody else in the air, by a name of this process alone. Who that is is neither asked nor kept. */
export interface HazardView {
  hazard_id: string;
  source: SightingSource;
  lat_deg: number;
  lon_deg: number;
  alt_msl_m: number | null;
  speed_mps: number | null;
  climb_mps: number | null;
  course_deg: number | null;
  seen_ms: number;
  approaches: ApproachView[];
}

/** A sortie whose time has come, by the names of its tasks; `is_automatic`: its dock gives and starts it without a pilot. `busy_until_us` is until about when its drone flies something else, null: it is free; `is_called_away`: that is no sortie of a plan, somebody sent it as a first responder. */
export interface DueView {
  plan_id: number;
  sortie_id: number;
  unit_id: number;
  takeoff_us: number;
  landing_us: number;
  task_ids: number[];
  name_zh: string;
  name_en: string;
  is_automatic: boolean;
  busy_until_us: number | null;
  is_called_away: boolean;
}

/** How much room history takes and will take; None for what is not known yet. `bytes_a_day` is what the database grew by over `seen_s` (seven days at most), what left it subtracted: negative when it shrinks. `days_until_full` is None too when the disk does not fill at this rate, or is another machine's. */
export interface DiskForecast {
  database_bytes: number;
  raw_bytes: number;
  rollup_bytes: number;
  seen_s: number | null;
  bytes_a_day: number | null;
  free_bytes: number | null;
  days_until_full: number | null;
}

/** What every refusal looks like: a word for programs and a sentence for people (what, value, allowed, next step). */
export interface ErrorReply {
  error: string;
  detail: string;
  detail_zh: string;
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
  current?: string;
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

/** The base map: [west, south, east, north] and [lon, lat] in degrees WGS-84, and the layers that exist. `attribution` must be shown on the map ("" where nothing is asked); `tiles_url` is where vector tiles of the same layers are, with {z}, {x} and {y} to fill in (8 <= z <= 14), null where there are none. */
export interface MapReply {
  name_zh: string;
  name_en: string;
  bounds: number[];
  center: number[];
  layers: string[];
  attribution: string;
  tiles_url: string | null;
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
  storage: DiskForecast | null;
  raw_retention_days: number | null;
}

/** Who shall own the alarm, and what they must know. */
export interface HandOverAlarm {
  account_id: number;
  note?: string;
}

/** What became of it. */
export interface CloseAlarm {
  note?: string;
}

/** An account that may own alarms. */
export interface AlarmOwner {
  account_id: number;
  name: string;
  role: Role;
}

/** Accounts to which an alarm may be handed over. */
export interface AlarmOwnersReply {
  owners: AlarmOwner[];
}

/** Shares (0..1) of road length within 1, 3 and 5 minutes over the last minutes: one row each, oldest first. */
export interface TrendReply {
  at_ms: number[];
  shares: number[][];
  plan: number[];
}

/** What the force loses if the unit leaves: 3-minute share of road length (0..1), a gap or ring links that would open. */
export interface UnitLoss {
  unit_id: number;
  loss_ratio: number;
  opens_gap: string | null;
  opens_ring: number[] | null;
}

/** Every available unit of the scope, the dearest first; `as_of_ms` is the time of the reckoning. */
export interface UnitLossesReply {
  as_of_ms: number;
  units: UnitLoss[];
}

/** Wind as an operator knows it: where it comes from (degrees, true) and how fast. Null: not known, reckoned as none. */
export interface Conditions {
  wind_from_deg?: number | null;
  wind_mps?: number | null;
}

/** The conditions, who told them and when; null while nobody did. */
export interface ConditionsReply {
  conditions: Conditions;
  told_by: string | null;
  told_ms: number | null;
}

/** What was reported is on the disk. `ignored` says what of it could not be understood and was left out. */
export interface KeptReply {
  kept: boolean;
  ignored: string[];
}

/** On or off duty. */
export interface SetDuty {
  duty_status: DutyByHand;
}

/** A unit's duty status as it stands after the request. */
export interface UnitDutyReply {
  unit_id: number;
  duty_status: DutyStatus;
}

/** How a device differs from its protocol's standard. `trust` null: its protocol's; no `allowed_hosts`: from anywhere. */
export interface OptionsView {
  utc_offset_s?: number;
  crs?: string;
  ignores_checksum?: boolean;
  ignores_length?: boolean;
  trust?: number | null;
  allowed_hosts?: string[];
}

/** A device of the registry; never its secret. The address of a phone is a secret's shadow and null. `secret_state`: none, set, missing (an autopilot that does not sign), waiting (to be told its secret over the air until `pairs_until_ms`) or late (it was not told in time: rotate). `registered_at`: where a SIP device is reached, until `registered_until_ms`. `is_managed`: whether the account may change it. */
export interface DeviceView {
  device_id: number;
  protocol: string;
  address: string | null;
  label: string;
  report_interval_s: number;
  revoked: boolean;
  unit_id: number | null;
  link: LinkState;
  heard_ms: number | null;
  secret_state: string;
  pairs_until_ms: number | null;
  registered_at: string | null;
  registered_until_ms: number | null;
  options: OptionsView;
  is_managed: boolean;
}

/** All devices of the account's scope. */
export interface DevicesReply {
  devices: DeviceView[];
}

/** How devices of a protocol are enrolled: the form of their address (a regular expression, "" for tokens) and their secret. `pairs`: the secret is told to the device when it registers within 24 h. `takes`: the commands that it understands. */
export interface EnrolmentRuleView {
  protocol: string;
  secret: SecretKind;
  form: string;
  example: string;
  said: string;
  pairs: boolean;
  takes: string[];
}

/** The protocols whose devices can be enrolled, and whether the account may. */
export interface EnrolmentRulesReply {
  rules: EnrolmentRuleView[];
  is_managed: boolean;
  needs_unit: boolean;
}

/** A unit to make with its first device. */
export interface NewUnitWish {
  call_sign: string;
  kind: UnitKind;
  service: Service;
  station_id?: number | null;
  name_zh?: string;
  name_en?: string;
}

/** A device to enrol, for a unit that there is, for one that is made with it, or for nobody yet. */
export interface EnrolDevice {
  protocol: string;
  address?: string;
  label?: string;
  report_interval_s?: number;
  signs?: boolean;
  options?: OptionsView;
  unit_id?: number | null;
  new_unit?: NewUnitWish | null;
}

/** A device and its secret, told this once: token, code, password, or a MAVLink key as hexadecimal digits; null: it has none. `place` is where phones and forwarding servers send to, as far as this console knows; null for other devices. */
export interface IssuedReply {
  device_id: number;
  protocol: string;
  address: string | null;
  unit_id: number | null;
  secret: string | null;
  secret_kind: SecretKind;
  pairs_until_ms: number | null;
  place: string | null;
}

/** What of a device is to be another; what is left out stays. */
export interface ChangeDevice {
  label?: string | null;
  report_interval_s?: number | null;
  options?: OptionsView | null;
}

/** The unit that a device speaks for from now on; null: nobody. */
export interface AssignDevice {
  unit_id: number | null;
}

/** The device that speaks for the unit as long as it is heard; null: the best one. */
export interface TrustDevice {
  device_id: number | null;
}

/** A name in quarantine. */
export interface QuarantinedName {
  protocol: string;
  address: string;
}

/** The change is in the database; the registry follows within a moment. null: a name without device. */
export interface DeviceChangedReply {
  device_id: number | null;
}

/** Whose card is in the vehicle's reader. */
export interface OnBoardView {
  name: string;
  agency: string;
  since_ms: number;
}

/** Where an open video channel is watched. */
export interface VideoView {
  channel: string;
  url: string;
}

/** A device that speaks for a unit: what it says and whether it is believed. `is_shown`: it speaks for the unit now; `is_trusted`: a person chose it. `distance_m`: from the one shown, null where either is unknown; `disagrees`: farther than their accuracies explain. `takes`: the commands that it understands. `links`: by which it is heard, where its protocol tells them apart. */
export interface UnitDeviceView {
  device_id: number;
  protocol: string;
  label: string;
  trust: number;
  link: LinkState;
  is_shown: boolean;
  is_trusted: boolean;
  observed_ms: number | null;
  distance_m: number | null;
  disagrees: boolean;
  accuracy_m: number | null;
  battery_ratio: number | null;
  quality: number;
  takes: string[];
  info: Record<string, string>;
  parameters: Record<string, string>;
  vendor: Record<string, string>;
  on_board: OnBoardView | null;
  video: VideoView[];
  zone_offset_s: number | null;
  links: LinkWayView[];
}

/** A unit's devices, the one shown first. `trusted_device_id` null: the best one is shown. */
export interface UnitDevicesReply {
  unit_id: number;
  trusted_device_id: number | null;
  devices: UnitDeviceView[];
}

/** What a unit's device is asked. Without `device_id` the one that people trust or see, of those that understand it. */
export interface GiveCommand {
  kind: CommandKind;
  device_id?: number | null;
  text?: string;
  is_spoken?: boolean;
  is_urgent?: boolean;
  interval_s?: number;
  duration_s?: number;
  channel?: string;
}

/** A command as it stands. */
export interface CommandReply {
  command: CommandView;
}

/** The commands of a unit of the last day, the newest first. */
export interface CommandsReply {
  commands: CommandView[];
}

/** A link and what came over it since it was made; its address without secrets. `paused`: it does not read because the journal has no room. `strangers` have not proved yet who they are; `refused` says by limit who was sent away; `replies_refused` were not sent because the journal could not keep what they promise. `is_plain`: it listens beyond this machine in the clear. `advice` is a word for what to do, "" where nothing is wrong. */
export interface LinkHealth {
  url: string;
  protocol: string;
  transport: string;
  link_group: string;
  state: string;
  paused: boolean;
  is_plain: boolean;
  peers: number;
  strangers: number;
  devices: number;
  datagrams: number;
  datagrams_dropped: number;
  bytes_received: number;
  positions: number;
  bad: Record<string, number>;
  refused: Record<string, number>;
  replies_waiting: number;
  replies_refused: number;
  heard_ms: number | null;
  last_error: string | null;
  advice: string;
}

/** Who is at the other end of a link; counts since it came. Not `is_proven`: it has not shown yet which device it is. */
export interface LinkPeerView {
  host: string;
  port: number;
  device_ids: number[];
  is_proven: boolean;
  since_ms: number;
  heard_ms: number;
  pieces: number;
  bytes_received: number;
  positions: number;
  bad: number;
  waiting_replies: number;
  paused: boolean;
}

/** The peers of a link, those heard last first; at most 200 of `peer_count`. */
export interface LinkPeersReply {
  peer_count: number;
  peers: LinkPeerView[];
}

/** The sums of a protocol's links, and its devices by their link state. */
export interface ProtocolHealth {
  protocol: string;
  links: number;
  peers: number;
  positions: number;
  bad: number;
  devices: number;
  live: number;
  stale: number;
  lost: number;
  never: number;
}

/** Links and protocols, and the journal and recorder behind them. Counts only grow: rates are differences by `at_ms`. */
export interface LinksReply {
  at_ms: number;
  links: LinkHealth[];
  protocols: ProtocolHealth[];
  journal: Record<string, unknown>;
  history_lag_s: number | null;
  database_ok: boolean;
  checks: Record<string, string>;
}

/** What is due, by its take-off. */
export interface DueReply {
  sorties: DueView[];
}

/** What cannot be done: which rule, its numbers, and what would make it possible, in both languages. `remedy` says the same to a program: the field of the task, asset or sortie to change, and its value. */
export interface Refusal {
  rule_id: string;
  reason_zh: string;
  reason_en: string;
  remedy_zh: string;
  remedy_en: string;
  numbers: Record<string, number | string>;
  remedy: Record<string, number | string>;
  task_id: number | null;
  visit_id: number | null;
  airframe_id: number | null;
  window: Window | null;
  is_warning: boolean;
}

/** One flight from take-off to landing: who, when, where along, and what is left of the battery (0..1) when it lands. `free_us` is when airframe and battery may go again; `on_watch` the time that it stands over its event. */
export interface Sortie {
  sortie_id: number;
  airframe_id: number;
  dock_id: number;
  takeoff_us: number;
  landing_us: number;
  free_us: number;
  visit_ids: number[];
  task_ids: number[];
  waypoints: Waypoint[];
  length_m: number;
  landing_battery_ratio: number;
  transit_alt_home_m: number;
  battery_id: number | null;
  crew_id: number | null;
  on_watch: Window | null;
  is_standby: boolean;
  visit_parts: VisitPart[];
  approval: string;
  delayed_s: number;
  state: SortieState;
  flown_waypoints: number;
  handed_us: number | null;
  started_us: number | null;
  ended_us: number | null;
  reason_zh: string;
  reason_en: string;
  is_refused: boolean;
}

/** The drones of the scope, and the ground stations that control may be lent to. */
export interface FlightsReply {
  flights: FlightView[];
  ground_stations: string[];
}

/** One drone's flight as it stands. */
export interface FlightReply {
  flight: FlightView;
}

/** Which sortie of which plan a drone is given. */
export interface GiveSortie {
  plan_id: number;
  sortie_id: number;
}

/** The sortie that a drone was given last, with its waypoints; null: none that is known. */
export interface SortieReply {
  sortie: Sortie | null;
}

/** An account that control of a drone may be offered to. */
export interface PilotView {
  account_id: number;
  name: string;
  is_signed_in: boolean;
}

/** Who may fly a drone, those who are signed in first. */
export interface PilotsReply {
  pilots: PilotView[];
}

/** To whom control is offered: an account, or a ground station, which has it at once. */
export interface OfferControl {
  account_id?: number | null;
  ground_station?: string;
}

/** Why control is taken from its holder. */
export interface ForceControl {
  reason: string;
}

/** What a drone shall do: `lat_deg`, `lon_deg` (in `crs`) of go_to, `alt_home_m` of go_to and take_off, `item` of set_current. `token` is that of the preparation of this very action; without it nothing is ordered. */
export interface WantAction {
  action: FlightAction;
  lat_deg?: number | null;
  lon_deg?: number | null;
  crs?: Crs;
  alt_home_m?: number | null;
  speed_mps?: number | null;
  item?: number | null;
  token?: string;
}

/** What an action costs, and the token that confirms it until `valid_until_ms`; null is what is not known. `distance_m`, `duration_s` are of the way that it flies; `battery_ratio` is what the battery holds now. `breaks_off_sortie`: the sortie goes on no more by itself. `warnings` are words: not_heard, no_position, low_battery, no_home, beyond_reach. `refusals` is what the rules say now, warnings too: with one that is no warning the token is empty, and it cannot be ordered. */
export interface ActionPrepared {
  token: string;
  valid_until_ms: number;
  distance_m: number | null;
  home_distance_m: number | null;
  duration_s: number | null;
  battery_ratio: number | null;
  breaks_off_sortie: boolean;
  warnings: string[];
  refusals: Refusal[];
}

/** Who else is in the air near the drones of the scope. */
export interface TrafficReply {
  at_ms: number;
  hazards: HazardView[];
}

/** The log of one flight: a .tlog that pymavlink, QGroundControl and Mission Planner read. `ended_ms` null: it is being written. */
export interface FlightLogView {
  name: string;
  unit_id: number | null;
  device_id: number;
  started_ms: number;
  ended_ms: number | null;
  size_bytes: number;
}

/** The flight logs of the scope, the newest first, and what they take of the disk. */
export interface FlightLogsReply {
  logs: FlightLogView[];
  used_bytes: number;
  is_stopped: boolean;
}

/** A geofence as it shall be. `geometry` is GeoJSON, [lon, lat] in `crs`: a Polygon or MultiPolygon; a Point with `radius_m`; a LineString with `width_m`. `days` are 1 (Monday) .. 7; the hours are minutes of the local day, to at or before from: over midnight. `height_above` is msl or home. It concerns units that match each of kinds, services and station_ids that names any, and those in unit_ids besides; nothing named: all. `station_id`: whose it is; null: the whole force's, which only who has the whole force may draw. */
export interface GeofenceWish {
  name_zh?: string;
  name_en?: string;
  geometry: Record<string, unknown>;
  crs?: Crs;
  radius_m?: number | null;
  width_m?: number | null;
  valid_from_ms?: number | null;
  valid_to_ms?: number | null;
  days?: number[];
  from_minute?: number;
  to_minute?: number;
  utc_offset_s?: number;
  lowest_m?: number | null;
  highest_m?: number | null;
  height_above?: string;
  kinds?: UnitKind[];
  services?: Service[];
  station_ids?: number[];
  unit_ids?: number[];
  minimum_stay_s?: number;
  dwell_s?: number | null;
  limit_mps?: number | null;
  raises_alarm?: boolean;
  station_id?: number | null;
}

/** A geofence as it is, WGS-84. `is_managed`: whether the account may change it; `inside_unit_ids`: units of the scope inside now. `rings` is its border as it is watched, of [lon, lat], holes among them: what a circle or a corridor looks like on the map. */
export interface GeofenceView {
  geofence_id: number;
  version: number;
  name_zh: string;
  name_en: string;
  geometry: Record<string, unknown>;
  rings: number[][][];
  radius_m: number | null;
  width_m: number | null;
  valid_from_ms: number | null;
  valid_to_ms: number | null;
  days: number[];
  from_minute: number;
  to_minute: number;
  utc_offset_s: number;
  lowest_m: number | null;
  highest_m: number | null;
  height_above: string;
  kinds: UnitKind[];
  services: Service[];
  station_ids: number[];
  unit_ids: number[];
  minimum_stay_s: number;
  dwell_s: number | null;
  limit_mps: number | null;
  raises_alarm: boolean;
  station_id: number | null;
  changed_by: string;
  changed_ms: number;
  is_managed: boolean;
  inside_unit_ids: number[];
}

/** All geofences of the scope. */
export interface GeofencesReply {
  geofences: GeofenceView[];
}

/** One geofence. */
export interface GeofenceReply {
  geofence: GeofenceView;
}

/** A geofence that was taken away, with its assignments. */
export interface GeofenceGoneReply {
  geofence_id: number;
}

/** A unit, or every unit of a station, shall stay in a geofence; from now if `from_ms` is null, until told otherwise if `to_ms` is. */
export interface AreaAssignmentWish {
  geofence_id: number;
  unit_id?: number | null;
  station_id?: number | null;
  from_ms?: number | null;
  to_ms?: number | null;
}

/** Assignments that come as data, at most 500 at once: all are taken, or none. */
export interface AreaAssignmentsWish {
  assignments: AreaAssignmentWish[];
}

/** An assignment; `to_ms` null: until told otherwise. */
export interface AreaAssignmentView {
  assignment_id: number;
  geofence_id: number;
  unit_id: number | null;
  station_id: number | null;
  from_ms: number;
  to_ms: number | null;
}

/** All assignments of the scope. */
export interface AreaAssignmentsReply {
  assignments: AreaAssignmentView[];
}

/** Officers on duty and outdoors without another unit within `limit_m` for `after_s` are alone; null: no rule. Holds for a unit, a station, or (both null) the whole force; the nearer one counts. */
export interface AloneRuleView {
  limit_m: number | null;
  after_s?: number;
  unit_id?: number | null;
  station_id?: number | null;
}

/** All rules of the scope. */
export interface AloneRulesReply {
  rules: AloneRuleView[];
}

/** A unit in a geofence; `left_ms` null: it is inside now. `is_judged_late`: reports that came late changed it. */
export interface VisitView {
  device_id: number;
  unit_id: number;
  entered_ms: number;
  left_ms: number | null;
  is_judged_late: boolean;
}

/** Visits of a geofence, newest first; those that last come first. `truncated`: there are more. */
export interface VisitsReply {
  geofence_id: number;
  visits: VisitView[];
  truncated: boolean;
}

/** A trip or a stop of one device; null where it reaches beyond the time that the device spoke for the unit. */
export interface MovementView {
  device_id: number;
  kind: string;
  started_us: number;
  ended_us: number;
  distance_m: number | null;
  start_lat_e7: number | null;
  start_lon_e7: number | null;
  end_lat_e7: number | null;
  end_lon_e7: number | null;
}

/** A unit's trips and stops, oldest first. */
export interface MovementsReply {
  unit_id: number;
  movements: MovementView[];
}

/** A unit's track in steps, by device and time: columns by name, each `step_count` long, unknown as null. */
export interface StepsReply {
  unit_id: number;
  step_s: number;
  step_count: number;
  columns: Record<string, (number | number | null)[]>;
}

/** A call. `source_ref` makes it the same call when it is sent twice; without a place it is kept and the place asked for. Coordinates are in `crs`: wgs84 (default), gcj02, bd09 or cgcs2000. */
export interface NewIncident {
  source_ref: string;
  title: string;
  text?: string;
  urgency?: number;
  category?: Category;
  place_text?: string;
  lat_deg?: number | null;
  lon_deg?: number | null;
  crs?: string;
  caller_name?: string;
  caller_phone?: string;
  audio_url?: string;
  recording_url?: string;
  needs?: Equipment[];
  reported_at?: string | null;
}

/** A call that a webhook brings; without `source_ref` its webhook-id is what makes it the same call when it comes again. */
export interface HookIncident {
  source_ref?: string;
  title: string;
  text?: string;
  urgency?: number;
  category?: Category;
  place_text?: string;
  lat_deg?: number | null;
  lon_deg?: number | null;
  crs?: string;
  caller_name?: string;
  caller_phone?: string;
  audio_url?: string;
  recording_url?: string;
  needs?: Equipment[];
  reported_at?: string | null;
}

/** What a call centre's program is answered: which incident its call is, and what is to be asked about the place. `place_note`: "missing", "off_map", "maybe_shifted" (the coordinates may be GCJ-02 that was not declared), or nothing. */
export interface IncidentTaken {
  incident_id: number;
  number: string;
  state: IncidentState;
  place_note: string;
  created: boolean;
}

/** What is to be changed of an incident that stands at `version`; what is left out stays. */
export interface EditIncident {
  version: number;
  title?: string;
  text?: string;
  urgency?: number;
  category?: Category;
  place_text?: string;
  lat_deg?: number;
  lon_deg?: number;
  crs?: string;
  caller_name?: string;
  caller_phone?: string;
  audio_url?: string;
  recording_url?: string;
  needs?: Equipment[];
}

/** Another state for an incident that stands at `version`; handed_over and non_police name the agency that takes it. */
export interface SetIncidentState {
  version: number;
  state: IncidentState;
  note?: string;
  agency_id?: number | null;
}

/** Units to send to an incident that stands at `version`: one push each. */
export interface SendUnits {
  version: number;
  unit_ids: number[];
}

/** Why a unit is no longer wanted. */
export interface RecallUnit {
  reason?: string;
}

/** One incident as it stands after the request. `created`: false when the same call was there already. */
export interface IncidentReply {
  incident: IncidentView;
  created: boolean;
}

/** Incidents of the scope, the most urgent and oldest first; `next_before`: ask again with it for older ones. */
export interface IncidentsReply {
  incidents: IncidentView[];
  next_before: number | null;
}

/** One line of an incident's history. */
export interface EntryView {
  entry_id: number;
  at_ms: number;
  account_name: string;
  action: string;
  unit_id: number | null;
  state: IncidentState | null;
  note: string;
  changes: Record<string, string>;
}

/** An incident's history, oldest first. */
export interface EntriesReply {
  entries: EntryView[];
}

/** A unit that could go: when it would be there, and what its leaving uncovers. `travel_s` is the way alone, mobilisation (`turnout_s`) apart; `distance_m` by air. `suits`: it has what the call asks for; `unsuited` says why not ("equipment", "service", "battery") and `lacks` what it does not carry. `cover_change_ratio`: change of the 3-minute share (0..1, negative is a loss); null where it is not known. `opens_gap` and `opens_ring` name what would open. */
export interface CandidateView {
  unit_id: number;
  in_air: boolean;
  travel_s: number;
  turnout_s: number;
  distance_m: number;
  suits: boolean;
  unsuited: Unsuited[];
  lacks: Equipment[];
  cover_change_ratio: number | null;
  opens_gap: string | null;
  opens_ring: number[] | null;
  battery_ratio: number | null;
  advised: boolean;
}

/** Who could go: ground by arrival, then air; at most ten each. `as_of_ms`: the positions' time. `wanted` and `wanted_in_air`: what the call asks a unit to carry. Told and not offered: units on duty that stand off the map's streets (`off_map_unit_ids`) or of which nobody knows where they are (`unlocated_unit_ids`). `estimated`: there is no road network to ask, the times are guessed from the distance by air. */
export interface CandidatesReply {
  ground: CandidateView[];
  air: CandidateView[];
  as_of_ms: number;
  place_is_known: boolean;
  off_map_count: number;
  wanted: Equipment[];
  wanted_in_air: Equipment[];
  off_map_unit_ids: number[];
  unlocated_unit_ids: number[];
  estimated: boolean;
}

/** Who handles what is not police work. */
export interface AgencyView {
  agency_id: number;
  name_zh: string;
  name_en: string;
  phone: string;
  categories: Category[];
}

/** All agencies. */
export interface AgenciesReply {
  agencies: AgencyView[];
}

/** Responses of one urgency today: how many, how soon (s from the call to the first arrival), how many in time (0..1). */
export interface UrgencyFigures {
  urgency: number;
  count: number;
  answered: number;
  p50_s: number | null;
  p90_s: number | null;
  on_target_ratio: number | null;
}

/** Figures of the scope: today's since midnight of China Standard Time, or a shift's since its beginning. `to_send_count`: new ones to which nobody is sent; `oldest_to_send_ms`: when the oldest of them was reported. */
export interface FiguresReply {
  since_ms: number;
  response_p50_s: number | null;
  response_p90_s: number | null;
  open_count: number;
  to_send_count: number;
  oldest_to_send_ms: number | null;
  by_urgency: UrgencyFigures[];
}

/** A shift to print: its figures, its incidents with their times, the units' work. */
export interface ShiftReport {
  from_ms: number;
  to_ms: number;
  figures: FiguresReply;
  incidents: IncidentView[];
  unit_rows: UnitShiftRow[];
}

/** A unit's shift: how often it was sent, accepted, was there, and its median seconds from the push to its arrival. */
export interface UnitShiftRow {
  unit_id: number;
  sent: number;
  accepted: number;
  declined: number;
  arrived: number;
  p50_s: number | null;
}

/** Where the officer's phone is, as its browser says it. `observed_ms` is the phone's clock, UTC. */
export interface PositionReport {
  observed_ms: number;
  lat_deg: number;
  lon_deg: number;
  crs?: string;
  accuracy_m?: number | null;
  alt_hae_m?: number | null;
  speed_mps?: number | null;
  course_deg?: number | null;
  battery_ratio?: number | null;
}

/** A call for help, with the place where it is known. */
export interface SosReport {
  observed_ms: number;
  text?: string;
  position?: PositionReport | null;
}

/** The officer's answer to a task, with the phone's time: one given offline keeps the time when it was given. */
export interface AnswerTask {
  answer: string;
  answered_ms: number;
  reason?: string;
}

/** The tasks of the signed-in officer that are not over, newest first. */
export interface TasksReply {
  tasks: TaskView[];
}

/** One task as it stands after the answer. */
export interface TaskReply {
  task: TaskView;
}

/** A drone as the planner needs it; `endurance_s` is from full to empty in calm air, a new battery given. `unit_id` and `device_id` say whom of the registry it is; `firmware` is ardupilot, px4 or dji. `empty_kg` and `takeoff_kg` decide the class of the law. `most_waypoints` is what its controller takes. */
export interface Airframe {
  airframe_id: number;
  name: string;
  dock_id: number;
  unit_id: number | null;
  device_id: number | null;
  model: string;
  firmware: string;
  cruise_mps: number;
  fastest_mps: number;
  climb_mps: number;
  sink_mps: number;
  acceleration_mps2: number;
  yaw_rate_degps: number;
  endurance_s: number;
  wind_limit_mps: number;
  gust_limit_mps: number;
  flies_in_rain: boolean;
  empty_kg: number;
  takeoff_kg: number;
  cameras: Camera[];
  most_waypoints: number;
  is_ready: boolean;
}

/** All that a plan is made of: what is asked, what there is, where and in what weather; a mission file holds one. */
export interface Programme {
  zone: string;
  tasks: Task[];
  airframes: Airframe[];
  docks: Dock[];
  batteries: Battery[];
  crews: Crew[];
  zones: Zone[];
  weather: Weather[];
  holidays: string[];
  rule_set: string;
  rules: Record<string, Record<string, number | string | boolean>>;
}

/** What shall be seen, how often and how well. It is done within `windows` and the hours of its `recurrence`; with `revisit_s` again and again within them, never more than so many seconds apart. Its height follows from `ground_pixel_m` and the camera unless `alt_agl_m` says it. `watcher_count` drones watch an event at once, each handover overlapping by `overlap_s`. */
export interface Task {
  name_zh: string;
  name_en: string;
  kind: TaskKind;
  geometry: Record<string, unknown>;
  task_id: number;
  priority: number;
  windows: Window[];
  recurrence: Recurrence | null;
  revisit_s: number | null;
  dwell_s: number;
  ground_pixel_m: number | null;
  alt_agl_m: number | null;
  width_m: number | null;
  camera: string;
  light: Light;
  pattern: PatternKind | null;
  side_overlap_ratio: number;
  watcher_count: number;
  overlap_s: number;
  approval: string;
  note: string;
}

/** Weather that holds from `from_us` on; None is unknown. `source` is the METAR's text or who entered it. */
export interface Weather {
  from_us: number;
  observed_us: number;
  source: string;
  wind_from_deg: number | null;
  wind_mps: number | null;
  gust_mps: number | null;
  visibility_m: number | null;
  rain_mmph: number | null;
  cloud_base_agl_m: number | null;
  temperature_c: number | null;
  thunderstorm: boolean;
}

/** A time from `start_us` to `end_us`, UTC microseconds, the end not included. */
export interface Window {
  start_us: number;
  end_us: number;
}

/** A part of the air, from `floor_agl_m` to `ceiling_agl_m` above ground (None: no limit), always or in its windows. */
export interface Zone {
  name: string;
  kind: ZoneKind;
  geometry: Record<string, unknown>;
  zone_id: number;
  floor_agl_m: number;
  ceiling_agl_m: number | null;
  windows: Window[];
  approval: string;
  source: string;
}

/** Two sorties, or a sortie and a zone, in one part of the air at one time; `mended_by` is layer, delay or empty. */
export interface Conflict {
  sortie_id: number;
  window: Window;
  lat_deg: number;
  lon_deg: number;
  alt_home_m: number;
  distance_m: number;
  height_apart_m: number;
  other_sortie_id: number | null;
  zone_id: number | null;
  mended_by: string;
}

/** A day of patrols, from `window.start_us` to `window.end_us`; the same programme, seed and effort give the same plan. */
export interface Plan {
  window: Window;
  visits: Visit[];
  sorties: Sortie[];
  refusals: Refusal[];
  conflicts: Conflict[];
  figures: TaskFigures[];
  plan_id: number;
  version: number;
  state: PlanState;
  seed: number;
  score: number;
  made_us: number;
  made_by: string;
  note: string;
  terrain: string;
}

/** How far a plan does what a task asks for. Ratios 0..1; None where the task does not ask for it. What a rule refuses counts for nothing: `refused_count` are visits that only refused sorties fly. */
export interface TaskFigures {
  task_id: number;
  visit_count: number;
  planned_count: number;
  refused_count: number;
  covered_ratio: number | null;
  watched_ratio: number | null;
  longest_gap_s: number | null;
  least_overlap_s: number | null;
  longest_revisit_s: number | null;
}

/** One time that a task is wanted: to be begun within `window`; `number` counts the task's visits of the day from 1. */
export interface Visit {
  visit_id: number;
  task_id: number;
  number: number;
  window: Window;
}

/** What a sortie flies of a visit: part `number` of `part_count` (from 0), its waypoints from first to last (from 0). */
export interface VisitPart {
  visit_id: number;
  number: number;
  part_count: number;
  first_waypoint: number;
  last_waypoint: number;
}

/** A place of a sortie: `alt_home_m` above the take-off place, flown to at `speed_mps` over ground. `task_id` None is transit. `gaze_lat_deg`, `gaze_lon_deg` is what the camera looks at from here on, `heading_deg` the nose (None: along the track), `trigger_m` the distance between photos, `arrive_us` when it is planned to be there. `ground_above_home_m` is how much higher the ground beneath is than the take-off place; 0 where the ground is taken as flat. */
export interface Waypoint {
  lat_deg: number;
  lon_deg: number;
  alt_home_m: number;
  speed_mps: number;
  hold_s: number;
  heading_deg: number | null;
  gimbal_pitch_deg: number | null;
  gaze_lat_deg: number | null;
  gaze_lon_deg: number | null;
  action: CameraAction;
  trigger_m: number | null;
  task_id: number | null;
  arrive_us: number | null;
  ground_above_home_m: number;
}

/** A plan in a list. */
export interface PlanLine {
  plan_id: number;
  window: Window;
  version: number;
  state: PlanState;
  score: number;
  sortie_count: number;
  refusal_count: number;
  made_us: number;
  made_by: string;
}

/** A plan that is wanted, for at most two days. `is_kept` false: looked at and forgotten (a dry run). The same programme, `seed` and `iterations` (instead of `effort_s`) give the same plan. */
export interface PlanWish {
  from_us: number;
  until_us: number;
  effort_s?: number;
  iterations?: number | null;
  seed?: number;
  is_kept?: boolean;
}

/** A plan, kept (`plan_id` is not 0) or not. */
export interface PlanReply {
  plan: Plan;
}

/** A plan with the programme that it was made of, and who submitted and approved it. */
export interface PlanFullReply {
  plan: Plan;
  programme: Programme;
  submitted_by: string | null;
  approved_by: string | null;
}

/** Plans that touch a period, the newest first. */
export interface PlansReply {
  plans: PlanLine[];
}

/** What a plan of `version` shall become: submitted, approved by another account than the one that submitted, published. Back to draft at any time before it is published. `reason`: why an administrator approves alone what it submitted. */
export interface PlanStateWish {
  state: PlanState;
  version: number;
  reason?: string;
}

/** What is different from what a plan was made of; what is not named stays. `priorities` are by task id; `tasks` and `zones` are new, or take the place of those with their ids; `weather` is added. What was flown until `now_us` (by the server's clock if null) stays as it is. With `version` the plan must still be of it. */
export interface PlanChange {
  without_airframe_ids?: number[];
  without_battery_ids?: number[];
  without_crew_ids?: number[];
  without_task_ids?: number[];
  priorities?: Record<number, number>;
  tasks?: Task[];
  zones?: Zone[];
  weather?: Weather[];
  now_us?: number | null;
  version?: number | null;
}

/** A draft that was taken away. */
export interface PlanGoneReply {
  plan_id: number;
}

/** How far a sortie has come. */
export interface SortieStateWish {
  state: SortieState;
}

/** A sentence in both languages, or a part of one: what of a file is wrong, and where. */
export interface Said {
  en: string;
  zh: string;
}

/** A battery of a dock: `health_ratio` of a new one's capacity, `charge_ratio` now, `charge_s` from empty to full. Where a dock lists none, each of its airframes has one that is charged in place; where none of those listed is ready, nothing takes off there. */
export interface Battery {
  battery_id: number;
  name: string;
  dock_id: number;
  model: string;
  health_ratio: number;
  charge_ratio: number;
  charge_s: number;
  is_ready: boolean;
}

/** A camera by its angles of view and its picture; `kind` is wide, zoom, thermal or multispectral. */
export interface Camera {
  name: string;
  kind: string;
  horizontal_fov_deg: number;
  vertical_fov_deg: number;
  width_px: number;
  height_px: number;
  least_interval_s: number;
}

/** A pilot or a crew: when they work, and how many drones they fly at once. Where none of those listed is ready, nothing takes off. */
export interface Crew {
  crew_id: number;
  name: string;
  shifts: Window[];
  drone_count: number;
  is_ready: boolean;
}

/** Where drones stand, start, land and charge; `ground_msl_m` None where it is not known. */
export interface Dock {
  dock_id: number;
  name: string;
  lat_deg: number;
  lon_deg: number;
  ground_msl_m: number | null;
  pad_count: number;
  charger_count: number;
  station_id: number | null;
  is_automatic: boolean;
}

/** When a task comes back: an RFC 5545 RRULE of days, and the hours of such a day in a time zone of the tz database. `until` not later than `since` means the next morning. `skip` and `extra` are single days taken out and put in. */
export interface Recurrence {
  rule: string;
  first_on: string;
  since: string;
  until: string;
  zone: string;
  skip: string[];
  extra: string[];
  holidays: HolidayUse;
}

/** How a task would be flown: GeoJSON in WGS-84. `duration_s` of all its sorties without their ways there and home. `battery_ratio` is what the longest of them takes of a new battery, `detection_ratio` how likely a search finds. */
export interface Sketch {
  line: Record<string, unknown>;
  footprint: Record<string, unknown>;
  alt_agl_m: number;
  length_m: number;
  duration_s: number;
  battery_ratio: number;
  sortie_count: number;
  airframe_id: number;
  detection_ratio: number | null;
}

/** A rule in force with its values as they hold; `level` among them is refuse, warn or off. */
export interface RuleView {
  rule_id: string;
  name_zh: string;
  name_en: string;
  source: string;
  source_zh: string;
  values: Record<string, number | string | boolean>;
}

/** A rule set that may be chosen. */
export interface RuleSetView {
  name: string;
  name_zh: string;
  name_en: string;
  source: string;
  source_zh: string;
}

/** What is asked for, with what, and the rules. WGS-84. `version` is that of zone, holidays and rules; `versions` those of the items by their list and number, such as {"tasks": {"7": 2}}; `weather_ids` the numbers of `programme.weather`, in its order; `station_ids` whose items are a station's, by list and number. `is_managed`: whether the account may change what is the whole force's. */
export interface ProgrammeReply {
  programme: Programme;
  version: number;
  versions: Record<string, Record<string, number>>;
  station_ids: Record<string, Record<string, number>>;
  weather_ids: number[];
  rule_set: string;
  rule_sets: RuleSetView[];
  rules: RuleView[];
  is_managed: boolean;
}

/** An item as it shall be: a Task, Zone, Airframe, Dock, Battery, Crew or Weather by the list that it is sent to. Its places are in `crs`, its number is not looked at. `station_id`: whose it is; null: the whole force's, or the station's of an account that has one alone; an airframe's and a battery's is their dock's. With `version` it must still be of it. */
export interface ItemWish {
  item: unknown;
  crs?: Crs;
  station_id?: number | null;
  version?: number | null;
}

/** Weather: as an `item`, or the text of a METAR, SPECI or TAF, which is read. */
export interface WeatherWish {
  item?: unknown;
  metar?: string | null;
  station_id?: number | null;
}

/** An item as it is kept, in WGS-84, with its number and version, and what is to be said of it. */
export interface ItemReply {
  item_id: number;
  item: unknown;
  version: number;
  warnings: Refusal[];
}

/** An item that was taken away. */
export interface ItemGoneReply {
  item_id: number;
}

/** What shall hold for the whole programme: the time zone of its days, public holidays, rule set and what differs from it. */
export interface SettingWish {
  zone: string;
  holidays?: string[];
  rule_set?: string;
  rules?: Record<string, Record<string, number | string | boolean>>;
  version?: number | null;
}

/** An item that is being drawn, to be looked at and not kept: `kind` is the list that it would be sent to. `item_id` of one that is changed; `day` (in the programme's zone; the 24 hours from now on if left out) is when it is looked at. */
export interface CheckWish {
  kind?: ItemList;
  item: unknown;
  item_id?: number;
  crs?: Crs;
  day?: string | null;
}

/** What is to be said of it; `preview` of a task that can be flown, with the airframe that would fly it. */
export interface CheckReply {
  refusals: Refusal[];
  preview: Sketch | null;
}

/** What a file brought, or (`is_kept` false: a dry run, or a refusal that is no warning) would bring. How many items are new to the programme (`added`), otherwise than when a file of this name brought them (`changed`), and there already (`unchanged`); `programme` holds them all. `notes` says of everything in the file that was left out what and where it was. */
export interface ImportReply {
  is_kept: boolean;
  added: number;
  changed: number;
  unchanged: number;
  refusals: Refusal[];
  notes: Said[];
  programme: Programme;
}

/** Where a drone is wanted, in `crs`. `unit_id`: that one and no other; null: the one that is there soonest. With `search_radius_m` it searches round the place instead of standing there. `dry_run`: only say who would go. `incident_id` is written down with the flight. */
export interface FlyToWish {
  lat_deg: number;
  lon_deg: number;
  crs?: Crs;
  alt_agl_m?: number | null;
  stay_s?: number | null;
  search_radius_m?: number | null;
  unit_id?: number | null;
  incident_id?: number | null;
  dry_run?: boolean;
}

/** A drone for it: in how many seconds it is there, what its battery holds then (0..1) and once it is home again. `way` is GeoJSON, WGS-84; null, as the figures, where it cannot go. With a refusal that is no warning it is not chosen. `detection_ratio`: how likely its search finds who is there. */
export interface CandidateFlight {
  airframe_id: number;
  unit_id: number | null;
  name: string;
  arrive_s: number | null;
  battery_at_scene_ratio: number | null;
  return_ratio: number | null;
  way: Record<string, unknown> | null;
  refusals: Refusal[];
  detection_ratio: number | null;
}

/** Those that could go, the soonest first, then those that cannot, with why; `chosen` is the airframe_id of the first. `sent_unit_id` is the drone that was sent, null in a dry run: GET /api/flights/{unit_id} tells how far it is. */
export interface FlyToReply {
  candidates: CandidateFlight[];
  chosen: number | null;
  sent_unit_id: number | null;
  arrive_ms: number | null;
}

/** A place where something could stand, in the question's crs. */
export interface SitePlace {
  lat_deg: number;
  lon_deg: number;
}

/** A kind to place: how many new ones (null: the fewest that cover all), the limit of its crew's travel and how it moves. Without `candidates`, stations may stand at junctions of main roads, posts there and at the force's posts, mobile rooms at the city's places with a tier and at the force's posts. `keep_existing`: those of the force stay and count. */
export interface SiteKindWanted {
  kind: string;
  new_count?: number | null;
  limit_s?: number;
  mode?: TravelMode;
  keep_existing?: boolean;
  candidates?: SitePlace[] | null;
  candidate_count?: number;
}

/** Where should they stand? Coordinates are in `crs`: wgs84 (default), gcj02, bd09 or cgcs2000. `backup_share`: what a second cover is worth beside a first. `must_reach_first_tier`: places of the one-minute tier are reached within it whatever else is. */
export interface SitingRequest {
  kinds: SiteKindWanted[];
  demand?: DemandKind;
  demand_count?: number;
  hour_of_week?: number | null;
  backup_share?: number;
  must_reach_first_tier?: boolean;
  within_s?: number;
  seed?: number;
  crs?: string;
}

/** A new site, WGS-84: the street it stands at, and the share of demand (0..1) that only it covers. */
export interface SiteView {
  kind: string;
  lat_deg: number;
  lon_deg: number;
  street_zh: string;
  street_en: string;
  alone_share: number;
}

/** The new sites, and what they and those that stand cover; shares are of all demand (0..1). `proof` optimal: no other choice is better; else `bound_share` is the most that another could reach, and `gap_ratio` how far below it this one stays. `covered_share` counts what at least one place covers, `backup_share` what at least two do, `beyond_share` what no site could cover. */
export interface SitingReply {
  sites: SiteView[];
  proof: Proof;
  before_share: number;
  covered_share: number;
  backup_share: number;
  beyond_share: number;
  bound_share: number;
  gap_ratio: number;
  solver_s: number;
  demand_count: number;
  site_count: number;
}

/** Share the streets out among the stations (`station_ids` null: all), `beats_per_station` each, by this demand. */
export interface BeatsRequest {
  beats_per_station?: number;
  station_ids?: number[] | null;
  demand?: DemandKind;
  hour_of_week?: number | null;
  tolerance_ratio?: number;
  mode?: TravelMode;
}

/** A beat, one piece of the street net: its part of all demand and of road length, seconds from its centre (WGS-84). `polygons`: its ground as GeoJSON coordinates of a MultiPolygon, [lon, lat]. */
export interface BeatView {
  station_id: number;
  number: number;
  weight_share: number;
  road_km: number;
  mean_s: number;
  worst_s: number;
  lat_deg: number;
  lon_deg: number;
  polygons: number[][][][];
}

/** All beats. `imbalance_ratio`: how far the worst beat is from the even share; `is_balanced`: within the tolerance. */
export interface BeatsReply {
  beats: BeatView[];
  imbalance_ratio: number;
  is_balanced: boolean;
  beyond_share: number;
}

/** One move: where to, what expected coverage wins (share of demand), what leaving costs and arriving wins, the drive. `covered_gain_share` is what the plain share within the limit wins (negative: width lost for backup won). `kept_count`: places of the first tier that the unit holds and that stay held. `way`: the drive as [lon, lat]. */
export interface MoveView {
  unit_id: number;
  post_id: number | null;
  lat_deg: number;
  lon_deg: number;
  name_zh: string;
  name_en: string;
  gain_share: number;
  covered_gain_share: number;
  left_share: number;
  won_share: number;
  drive_s: number;
  drive_km: number;
  kept_count: number;
  stood_s: number | null;
  move_count: number;
  way: number[][];
}

/** A unit that stays, and why: dwell, moved_enough or first_tier. */
export interface UnitHeld {
  unit_id: number;
  reason: Hold;
}

/** At most three moves, the best first. Shares (0..1) of demand: expected coverage and plain cover, before and after. */
export interface MoveUpReply {
  as_of_ms: number;
  limit_s: number;
  busy_ratio: number;
  moves: MoveView[];
  expected_before_share: number;
  expected_after_share: number;
  covered_before_share: number;
  covered_after_share: number;
  available_count: number;
  off_map_count: number;
  held: UnitHeld[];
}

/** A station dragged to another place, in the question's crs; units that stand at it go with it. */
export interface StationMoved {
  station_id: number;
  lat_deg: number;
  lon_deg: number;
}

/** A street closed: by its name (all of it), or by a place on it (that stretch; a bridge as a whole). */
export interface StreetClosed {
  name?: string | null;
  lat_deg?: number | null;
  lon_deg?: number | null;
}

/** What if stations stood elsewhere, streets were closed, units were away? Coordinates are in `crs`. */
export interface WhatIfRequest {
  stations?: StationMoved[];
  closed?: StreetClosed[];
  away_unit_ids?: number[];
  crs?: string;
}

/** How the city is covered in one case: the figures, gaps and ring as the live message tells them, and the contours. */
export interface Picture {
  coverage: CoverageChanged;
  contours: Contour[];
}

/** What was closed: its name, length and the stretches as lines of [lon, lat]. */
export interface ClosedView {
  name_zh: string;
  name_en: string;
  length_km: number;
  lines: number[][][];
}

/** The coverage before and after; `lost_km` of road were within 3 minutes and are not, `won_km` the other way round. `opened_links` and `closed_links`: links of the ring (two station ids) that are open only after, closed only after. */
export interface WhatIfReply {
  before: Picture;
  after: Picture;
  lost_km: number;
  won_km: number;
  opened_links: number[][];
  closed_links: number[][];
  closed: ClosedView[];
}

export type FromBrowser = Hello | Subscribe | Pong;

export type ToBrowser = Welcome | UnitsChanged | StatusChanged | AlarmChanged | CoverageChanged | ContoursChanged | IncidentChanged | TaskChanged | CommandChanged | FlightChanged | TrafficChanged | DueChanged | PlanChanged | PlanProgress | ProgrammeChanged | RateChanged | Degraded;
