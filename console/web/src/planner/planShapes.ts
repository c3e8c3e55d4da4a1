// What the planner's map draws as GeoJSON: tasks, zones, docks, the ways of sorties, the preview of a drawing, conflicts.
import { boundsOf, type Features, ringOf } from "../geofences/fenceShapes";
import { type Language, nameIn } from "../i18n/text";
import type { Place } from "../map/drawingTool";
import type { Plan, Programme, Sketch, Sortie, Task } from "../wire.generated";
import { lettersOf } from "./gantt";
import { geometryOf, placesOf } from "./items";
import type { Chosen, Draft } from "./planDesk";
import { refusalsOf, sortiesFor } from "./planFigures";

export interface Shown {
  readonly programme: Programme | null;
  readonly plan: Plan | null;
  readonly chosen: Chosen | null;
  readonly sortieId: number | null;
  readonly draft: Draft | null;
  readonly preview: Sketch | null;
}

const collection = (features: readonly object[]): Features => ({ type: "FeatureCollection", features });
const feature = (geometry: unknown, properties: object): object => ({ type: "Feature", properties, geometry });
const point = (coordinates: Place): object => ({ type: "Point", coordinates });

const isDrawn = (shown: Shown, kind: Chosen["kind"], id: number): boolean =>
  shown.draft?.kind === kind && shown.draft.id === id;
const isChosen = ({ chosen }: Shown, kind: Chosen["kind"], id: number): boolean =>
  chosen?.kind === kind && chosen.id === id;

/** Tasks as they are asked for; an event and a search as a circle round their place. */
export function taskFeatures(shown: Shown): Features {
  const tasks = (shown.programme?.tasks ?? []).filter((task) => !isDrawn(shown, "tasks", task.task_id));
  return collection(
    tasks.map((task) =>
      feature(roundPlace(task), {
        kind: "tasks",
        id: task.task_id,
        chosen: isChosen(shown, "tasks", task.task_id),
        refused: refusalsOf(shown.plan, "tasks", task.task_id) > 0,
        event: task.kind === "event" || task.kind === "search",
      }),
    ),
  );
}

const EVENT_RADIUS_M = 150;

function roundPlace(task: Task): unknown {
  if (task.geometry.type !== "Point" || (task.kind !== "event" && task.kind !== "search")) return task.geometry;
  const radius = task.width_m ?? EVENT_RADIUS_M;
  return { type: "Polygon", coordinates: [ringOf(task.geometry.coordinates as unknown as Place, radius)] };
}

export function zoneFeatures(shown: Shown): Features {
  const zones = (shown.programme?.zones ?? []).filter((zone) => !isDrawn(shown, "zones", zone.zone_id));
  return collection(
    zones.map((zone) =>
      feature(zone.geometry, {
        kind: "zones",
        id: zone.zone_id,
        chosen: isChosen(shown, "zones", zone.zone_id),
        zone: zone.kind,
      }),
    ),
  );
}

/** The way of a sortie: from its dock over its waypoints and home. */
export function wayOf(sortie: Sortie, programme: Programme): Place[] {
  const dock = programme.docks.find((each) => each.dock_id === sortie.dock_id);
  const home: Place[] = dock ? [[dock.lon_deg, dock.lat_deg]] : [];
  return [...home, ...sortie.waypoints.map((each): Place => [each.lon_deg, each.lat_deg]), ...home];
}

/** The ways of the chosen task's sorties, or of the chosen sortie; with nothing chosen those of all. */
export function wayFeatures(shown: Shown): Features {
  const { plan, programme, sortieId, chosen } = shown;
  if (!plan || !programme || shown.draft) return collection([]);
  const taskId = chosen?.kind === "tasks" ? chosen.id : null;
  const concerns = (sortie: Sortie): boolean => sortie.task_ids.some((id) => id === taskId);
  const isAirframe = (sortie: Sortie): boolean => chosen?.kind === "airframes" && sortie.airframe_id === chosen.id;
  const seen = new Set<string>();
  const lines = plan.sorties.flatMap((sortie) => {
    if (sortie.is_standby) return [];
    const coordinates = wayOf(sortie, programme);
    const isSelected = sortie.sortie_id === sortieId;
    const key = JSON.stringify(coordinates);
    if (coordinates.length < 2 || (!isSelected && seen.has(key))) return [];
    seen.add(key);
    const strong = isSelected || (sortieId === null && (concerns(sortie) || isAirframe(sortie)));
    return [feature({ type: "LineString", coordinates }, { id: sortie.sortie_id, selected: isSelected, strong })];
  });
  return collection(lines);
}

export function conflictFeatures({ plan }: Shown): Features {
  const open = (plan?.conflicts ?? []).filter((each) => !each.mended_by);
  return collection(open.map((each, i) => feature(point([each.lon_deg, each.lat_deg]), { number: i + 1 })));
}

/** The lines and the seen ground of what is being drawn, and what the drawing tool does not draw of it. */
export function previewFeatures({ draft, preview }: Shown): Features {
  if (!draft) return collection([]);
  const geometry = geometryOf(draft.kind, draft.item);
  const task = draft.kind === "tasks" ? (draft.item as Task) : null;
  const round = task && geometry?.type === "Point" ? [feature(roundPlace(task), { part: "round" })] : [];
  const holes =
    geometry?.type === "Polygon"
      ? geometry.coordinates
          .slice(1)
          .map((ring) => feature({ type: "LineString", coordinates: ring }, { part: "hole" }))
      : [];
  const border =
    draft.isHole && geometry?.type === "Polygon"
      ? [feature({ type: "LineString", coordinates: geometry.coordinates[0] }, { part: "hole" })]
      : [];
  const seen = preview
    ? [feature(preview.footprint, { part: "footprint" }), feature(preview.line, { part: "line" })]
    : [];
  return collection([...seen, ...round, ...holes, ...border]);
}

/** Docks with their names, and the letters of the events. */
export function markFeatures(shown: Shown, language: Language, letters: ReadonlySet<string>): Features {
  const { programme } = shown;
  if (!programme) return collection([]);
  const written = (name: string): string => ([...name].every((each) => letters.has(each)) ? name : "");
  const docks = programme.docks
    .filter((dock) => !isDrawn(shown, "docks", dock.dock_id))
    .map((dock) =>
      feature(point([dock.lon_deg, dock.lat_deg]), {
        kind: "docks",
        id: dock.dock_id,
        mark: "dock",
        name: written(dock.name),
        chosen: isChosen(shown, "docks", dock.dock_id),
      }),
    );
  const events = lettersOf(programme.tasks);
  const places = programme.tasks
    .filter((task) => task.geometry.type === "Point" && !isDrawn(shown, "tasks", task.task_id))
    .map((task) =>
      feature(point(task.geometry.coordinates as unknown as Place), {
        kind: "tasks",
        id: task.task_id,
        mark: events.has(task.task_id) ? "event" : "point",
        letter: events.get(task.task_id) ?? "",
        name: written(nameIn(language, task)),
        chosen: isChosen(shown, "tasks", task.task_id),
      }),
    );
  return collection([...docks, ...places]);
}

/** The names of areas, lines and zones, each at the middle of its box. */
export function nameFeatures(shown: Shown, language: Language, letters: ReadonlySet<string>): Features {
  const { programme, plan } = shown;
  if (!programme) return collection([]);
  const named = [
    ...programme.tasks
      .filter((task) => task.geometry.type !== "Point")
      .map((task) => ({
        geometry: task.geometry,
        name: nameIn(language, task),
        count: sortiesFor(plan, task.task_id),
        zone: false,
        kind: "tasks",
        id: task.task_id,
      })),
    ...programme.zones.map((zone) => ({
      geometry: zone.geometry,
      name: zone.name,
      count: 0,
      zone: true,
      kind: "zones",
      id: zone.zone_id,
    })),
  ];
  return collection(
    named.flatMap(({ geometry, name, zone, kind, id }) => {
      const bounds = boundsOf(placesOf(geometry));
      if (!bounds || ![...name].every((each) => letters.has(each))) return [];
      const [[west, south], [east, north]] = bounds;
      const isLine = geometry.type === "LineString" || geometry.type === "MultiLineString";
      const at: Place = isLine ? placesOf(geometry)[0]! : [(west + east) / 2, zone ? north : (south + north) / 2];
      return [feature(point(at), { name, zone, kind, id })];
    }),
  );
}

/** All that the map shall show of the programme: tasks and docks, else nothing. */
export function boundsOfProgramme(programme: Programme): [Place, Place] | null {
  const docks = programme.docks.map((dock): Place => [dock.lon_deg, dock.lat_deg]);
  return boundsOf([...programme.tasks.flatMap((task) => placesOf(task.geometry)), ...docks]);
}
