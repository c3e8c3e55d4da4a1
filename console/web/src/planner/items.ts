// The items of a programme on the screen: what a new one is, what is drawn of it, its number, its names.
import { type Language, nameIn } from "../i18n/text";
import type { DrawnKind, Geometry, Place } from "../map/drawingTool";
import type {
  Airframe,
  Battery,
  Crew,
  Dock,
  Programme,
  ProgrammeReply,
  Task,
  TaskKind,
  Weather,
  Zone,
} from "../wire.generated";

export interface Items {
  readonly tasks: Task;
  readonly zones: Zone;
  readonly airframes: Airframe;
  readonly docks: Dock;
  readonly batteries: Battery;
  readonly crews: Crew;
  readonly weather: Weather;
}
export type ItemKind = keyof Items;
export type Item = Items[ItemKind];
export const ITEM_KINDS: readonly ItemKind[] = [
  "tasks",
  "zones",
  "docks",
  "airframes",
  "batteries",
  "crews",
  "weather",
];

const IDS = {
  tasks: "task_id",
  zones: "zone_id",
  airframes: "airframe_id",
  docks: "dock_id",
  batteries: "battery_id",
  crews: "crew_id",
} as const;

export interface Listed<K extends ItemKind = ItemKind> {
  readonly kind: K;
  readonly id: number;
  readonly item: Items[K];
}

/** The items of a list with their numbers; weather has its numbers beside it. */
export function listed<K extends ItemKind>(kind: K, programme: Programme, weatherIds: readonly number[]): Listed<K>[] {
  const items = programme[kind] as unknown as readonly Items[K][];
  return items.map((item, i) => ({ kind, id: idOf(kind, item) || weatherIds[i] || 0, item }));
}

export function idOf(kind: ItemKind, item: Item): number {
  return kind === "weather" ? 0 : (item as unknown as Record<string, number>)[IDS[kind]]!;
}

export function findItem<K extends ItemKind>(reply: ProgrammeReply, kind: K, id: number): Listed<K> | undefined {
  return listed(kind, reply.programme, reply.weather_ids).find((each) => each.id === id);
}

/** How an item is called. */
export function nameOf(item: Item, language: Language): string {
  if ("name_zh" in item) return nameIn(language, item);
  return "name" in item ? item.name : item.source;
}

const NEW_TASK: Task = {
  name_zh: "",
  name_en: "",
  kind: "area",
  geometry: {},
  task_id: 0,
  priority: 5,
  windows: [],
  recurrence: null,
  revisit_s: null,
  dwell_s: 0,
  ground_pixel_m: null,
  alt_agl_m: 100,
  width_m: null,
  camera: "",
  light: "any",
  pattern: null,
  side_overlap_ratio: 0.2,
  watcher_count: 1,
  overlap_s: 60,
  approval: "",
  note: "",
};
const WIDTHS: Partial<Record<TaskKind, number>> = { corridor: 80, perimeter: 60, search: 500, streets: 40 };

/** What a task begins as; an event has the window in which it is watched. */
export function newTask(kind: TaskKind, window: { start_us: number; end_us: number } | null): Task {
  const dwell_s = kind === "point" ? 120 : 0;
  const windows = kind === "event" && window ? [window] : [];
  const priority = kind === "search" ? 10 : kind === "event" ? 9 : 5;
  return { ...NEW_TASK, kind, priority, dwell_s, windows, width_m: WIDTHS[kind] ?? null };
}

const NO_PLACE = { lat_deg: Number.NaN, lon_deg: Number.NaN };

/** What another item begins as: a dock that exists for what stands in one, a crew without shifts. */
export function newItem<K extends Exclude<ItemKind, "tasks">>(kind: K, programme: Programme, nowUs: number): Items[K] {
  const dock_id = programme.docks[0]?.dock_id ?? 0;
  const made: Omit<Items, "tasks"> = {
    zones: {
      name: "",
      kind: "no_fly",
      geometry: {},
      zone_id: 0,
      floor_agl_m: 0,
      ceiling_agl_m: null,
      windows: [],
      approval: "",
      source: "",
    },
    docks: {
      ...NO_PLACE,
      dock_id: 0,
      name: "",
      ground_msl_m: null,
      pad_count: 1,
      charger_count: 1,
      station_id: null,
      is_automatic: false,
    },
    airframes: {
      airframe_id: 0,
      name: "",
      dock_id,
      unit_id: null,
      device_id: null,
      model: "",
      firmware: "ardupilot",
      cruise_mps: 12,
      fastest_mps: 15,
      climb_mps: 3,
      sink_mps: 2,
      acceleration_mps2: 2,
      yaw_rate_degps: 60,
      endurance_s: 1500,
      wind_limit_mps: 10,
      gust_limit_mps: 12,
      flies_in_rain: false,
      empty_kg: 1.4,
      takeoff_kg: 1.8,
      cameras: [NEW_CAMERA],
      most_waypoints: 200,
      is_ready: true,
    },
    batteries: {
      battery_id: 0,
      name: "",
      dock_id,
      model: "",
      health_ratio: 1,
      charge_ratio: 1,
      charge_s: 1800,
      is_ready: true,
    },
    crews: { crew_id: 0, name: "", shifts: [], drone_count: 1, is_ready: true },
    weather: {
      from_us: nowUs,
      observed_us: nowUs,
      source: "",
      wind_from_deg: null,
      wind_mps: null,
      gust_mps: null,
      visibility_m: null,
      rain_mmph: null,
      cloud_base_agl_m: null,
      temperature_c: null,
      thunderstorm: false,
    },
  };
  return made[kind] as Items[K];
}

export const NEW_CAMERA = {
  name: "wide",
  kind: "wide",
  horizontal_fov_deg: 70,
  vertical_fov_deg: 43,
  width_px: 3840,
  height_px: 2160,
  least_interval_s: 1,
};

/** With which tool an item of a kind is drawn; null: it has no place on the map, or not one that this screen draws. */
export function drawnAs(kind: ItemKind, item: Item): DrawnKind | null {
  if (kind === "docks") return "point";
  if (kind === "zones") return "polygon";
  if (kind !== "tasks") return null;
  const task = (item as Task).kind;
  if (task === "point" || task === "event" || task === "search") return "point";
  return task === "corridor" || task === "streets" ? "linestring" : "polygon";
}

const DRAWABLE: Readonly<Record<string, DrawnKind>> = { Polygon: "polygon", LineString: "linestring", Point: "point" };

/** The shape of an item as the drawing tool takes it: its own geometry, a dock's place, or null for none. */
export function geometryOf(kind: ItemKind, item: Item): Geometry | null {
  if (kind === "docks") {
    const { lat_deg, lon_deg } = item as Dock;
    return Number.isFinite(lat_deg) ? { type: "Point", coordinates: [lon_deg, lat_deg] } : null;
  }
  const geometry = "geometry" in item ? item.geometry : {};
  return DRAWABLE[geometry.type as string] ? (geometry as unknown as Geometry) : null;
}

/** Whether items of a kind have a place on the map. */
export const hasShape = (kind: ItemKind): boolean => kind === "tasks" || kind === "zones" || kind === "docks";

/** The tool for the shape that an item has, or would have. */
export function toolOf(kind: ItemKind, item: Item): DrawnKind | null {
  const geometry = geometryOf(kind, item);
  if (geometry) return DRAWABLE[geometry.type] ?? null;
  const isElsewhere = "geometry" in item && typeof item.geometry.type === "string";
  return isElsewhere ? null : drawnAs(kind, item);
}

/** All places of any GeoJSON geometry. */
export function placesOf(geometry: unknown): Place[] {
  const found: Place[] = [];
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number") found.push([part[0], part[1] as number]);
    else for (const each of part) walk(each);
  };
  walk((geometry as { coordinates?: unknown } | null)?.coordinates);
  return found;
}

/** Places as lines of text, latitude first as people write it, a blank line between rings; and back, null where a line is none. */
export function placesText(geometry: Geometry | null): string {
  if (!geometry) return "";
  const line = ([lon, lat]: Place): string => `${lat}, ${lon}`;
  if (geometry.type === "Point") return line(geometry.coordinates);
  if (geometry.type === "LineString") return geometry.coordinates.map(line).join("\n");
  return geometry.coordinates.map((ring) => ring.slice(0, -1).map(line).join("\n")).join("\n\n");
}

export function geometryFrom(text: string, tool: DrawnKind): Geometry | null {
  const rings = text
    .trim()
    .split(/\n\s*\n/)
    .map((ring) => ring.trim().split("\n").map(placeOf));
  if (rings.some((ring) => ring.includes(null))) return null;
  const sound = rings as Place[][];
  if (tool === "point") return sound[0]?.length === 1 ? { type: "Point", coordinates: sound[0][0]! } : null;
  if (tool === "linestring") return sound[0]!.length > 1 ? { type: "LineString", coordinates: sound[0]! } : null;
  if (sound.some((ring) => ring.length < 3)) return null;
  return { type: "Polygon", coordinates: sound.map((ring) => [...ring, ring[0]!]) };
}

function placeOf(line: string): Place | null {
  const figures = line
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
  const [lat, lon] = figures;
  const isSound = figures.length === 2 && Math.abs(lat!) <= 90 && Math.abs(lon!) <= 180;
  return isSound ? [lon!, lat!] : null;
}
