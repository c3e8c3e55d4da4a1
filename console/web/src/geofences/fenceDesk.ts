// What the geofences' page has open: the fence looked at, the one being drawn. Kept outside React, never stored.
import { useSyncExternalStore } from "react";
import type { Geometry, Place } from "../map/drawingTool";
import type { GeofenceView, GeofenceWish } from "../wire.generated";

export type Shape = "polygon" | "circle" | "corridor";
export type Fields = Required<Omit<GeofenceWish, "geometry" | "crs" | "unit_ids">>;

/** A fence while it is drawn or changed. */
export interface Draft {
  readonly geofenceId: number | null;
  readonly version: number | null;
  /** Null: its shape was made elsewhere and stays. */
  readonly shape: Shape | null;
  readonly geometry: Geometry | null;
  readonly fields: Fields;
  /** Something was drawn or written that leaving would lose. */
  readonly isTouched: boolean;
}

export interface FenceDesk {
  readonly geofenceId: number | null;
  readonly draft: Draft | null;
  readonly query: string;
  /** Below 1280 px the panel lies over the map and can be closed. */
  readonly isPanelOpen: boolean;
  /** Leaving the draft was asked for: it would lose what was drawn. */
  readonly isLeaving: boolean;
  /** The border that is being drawn crosses itself. */
  readonly isCrossing: boolean;
}

const UTC_OFFSET_S = 28_800;
const START_RADIUS_M = 200;
const START_WIDTH_M = 60;

export const NEW_FIELDS: Fields = {
  name_zh: "",
  name_en: "",
  radius_m: null,
  width_m: null,
  valid_from_ms: null,
  valid_to_ms: null,
  days: [1, 2, 3, 4, 5, 6, 7],
  from_minute: 0,
  to_minute: 1440,
  utc_offset_s: UTC_OFFSET_S,
  lowest_m: null,
  highest_m: null,
  height_above: "msl",
  kinds: [],
  services: [],
  station_ids: [],
  minimum_stay_s: 0,
  dwell_s: null,
  limit_mps: null,
  raises_alarm: false,
  station_id: null,
};

let desk: FenceDesk = {
  geofenceId: null,
  draft: null,
  query: "",
  isPanelOpen: false,
  isLeaving: false,
  isCrossing: false,
};
const listeners = new Set<() => void>();

export const getFenceDesk = (): FenceDesk => desk;

export function changeFenceDesk(part: Partial<FenceDesk>): void {
  desk = { ...desk, ...part };
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useFenceDesk = (): FenceDesk => useSyncExternalStore(subscribe, getFenceDesk);

export const openFence = (geofenceId: number): void => changeFenceDesk({ geofenceId, draft: null, isPanelOpen: true });

/** Begin to draw a fence of a shape: on the map first, where the panel would lie over it. */
export function beginFence(shape: Shape, stationId: number | null): void {
  const size =
    shape === "circle" ? { radius_m: START_RADIUS_M } : shape === "corridor" ? { width_m: START_WIDTH_M } : {};
  const fields = { ...NEW_FIELDS, ...size, station_id: stationId };
  changeFenceDesk({
    geofenceId: null,
    draft: { geofenceId: null, version: null, shape, geometry: null, fields, isTouched: false },
    isPanelOpen: false,
  });
}

/** The shape that this page can change, null for one made elsewhere (several parts, holes). */
export function shapeOf(geometry: GeofenceView["geometry"]): Shape | null {
  if (geometry.type === "Point") return "circle";
  if (geometry.type === "LineString") return "corridor";
  return geometry.type === "Polygon" && (geometry.coordinates as Place[][]).length === 1 ? "polygon" : null;
}

/** Begin to change a fence. */
export function changeFence(fence: GeofenceView): void {
  const names = Object.keys(NEW_FIELDS) as (keyof Fields)[];
  const fields = Object.fromEntries(names.map((name) => [name, fence[name]])) as unknown as Fields;
  const shape = shapeOf(fence.geometry);
  changeFenceDesk({
    geofenceId: fence.geofence_id,
    draft: {
      geofenceId: fence.geofence_id,
      version: fence.version,
      shape,
      geometry: shape ? (fence.geometry as unknown as Geometry) : null,
      fields,
      isTouched: false,
    },
    isPanelOpen: shape === null,
  });
}

/** Change what is drawn, or what is said of it. */
export function redraft(part: Partial<Pick<Draft, "geometry">> & { readonly fields?: Partial<Fields> }): void {
  const { draft } = desk;
  if (!draft) return;
  const geometry = part.geometry === undefined ? draft.geometry : part.geometry;
  const isPanelOpen = desk.isPanelOpen || (draft.geometry === null && geometry !== null);
  changeFenceDesk({
    isPanelOpen,
    draft: { ...draft, geometry, fields: { ...draft.fields, ...part.fields }, isTouched: true },
  });
}

/** Leave the draft for good, or go on with it. */
export const discard = (): void => changeFenceDesk({ draft: null, isLeaving: false });
export const keepDrawing = (): void => changeFenceDesk({ isLeaving: false });

/** Leave the draft (asking first where that loses something), or the fence; false where neither is open. */
export function stepBack(): boolean {
  if (desk.isLeaving) keepDrawing();
  else if (desk.draft?.isTouched) changeFenceDesk({ isLeaving: true });
  else if (desk.draft) discard();
  else if (desk.geofenceId !== null || desk.isPanelOpen) changeFenceDesk({ geofenceId: null, isPanelOpen: false });
  else return false;
  return true;
}
