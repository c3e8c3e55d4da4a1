// The moving layers for deck.gl: trails, chevrons, plates, fed from typed arrays.
import type { Layer } from "@deck.gl/core";
import { IconLayer, PathLayer } from "@deck.gl/layers";
import type { ShownTrack } from "../state/settings";
import type { UnitStore } from "../live/unitStore";
import type { Atlas } from "./atlas";
import { flightLayers, type ShownSortie } from "./flightLayers";
import type { Markers } from "./markers";
import { type Palette, rgba } from "./palette";

export const TRAIL_MS = 180_000;
const HALF = 0.5;

export interface TrailLine {
  readonly path: number[];
  readonly selected: boolean;
  readonly old: boolean;
}

function halves(path: number[], selected: boolean): TrailLine[] {
  if (path.length < 4) return [];
  const middle = Math.floor((path.length / 2) * HALF) * 2;
  const lines: TrailLine[] = [{ path: path.slice(middle), selected, old: false }];
  if (middle >= 2) lines.push({ path: path.slice(0, middle + 2), selected, old: true });
  return lines.filter((line) => line.path.length >= 4);
}

/** The trails to draw: the last three minutes, the older half fainter. */
export function trailLines(store: UnitStore, selectedId: number | null, nowMs: number): TrailLine[] {
  const lines: TrailLine[] = [];
  const { table } = store;
  for (let slot = 0; slot < table.count; slot++) {
    if (!table.shown[slot]) continue;
    const unitId = table.wire.unit_id[slot]!;
    lines.push(...halves(store.trails.path(unitId, nowMs - TRAIL_MS), unitId === selectedId));
  }
  return lines;
}

const FLAT = { positionFormat: "XY" as const, widthUnits: "pixels" as const, capRounded: true, jointRounded: true };

function trailLayer(lines: readonly TrailLine[], p: Palette): Layer {
  return new PathLayer<TrailLine>({
    id: "trails",
    data: lines as TrailLine[],
    ...FLAT,
    getPath: (line) => line.path as never,
    getColor: (line) => rgba(line.selected ? p.accent : p.dim, (line.selected ? 242 : 140) * (line.old ? 0.4 : 1)),
    getWidth: (line) => (line.selected ? 2 : 1.6),
    updateTriggers: { getColor: p },
  });
}

function trackLayer(track: ShownTrack, p: Palette): Layer {
  return new PathLayer<ShownTrack>({
    id: "track",
    data: [track],
    ...FLAT,
    getPath: (shown) => shown.path as never,
    getColor: rgba(p.accent, 230),
    getWidth: 2,
    updateTriggers: { getColor: p },
  });
}

interface Icons {
  readonly id: string;
  readonly icons: Float32Array;
  readonly sizes: Float32Array;
  readonly angles: Float32Array;
}

function iconLayer(store: UnitStore, atlas: Atlas, { id, icons, sizes, angles }: Icons): Layer {
  const attributes = {
    getPosition: { value: store.table.drawn, size: 3 },
    instanceIconDefs: { value: icons, size: 7 },
    getSize: { value: sizes, size: 1 },
    getAngle: { value: angles, size: 1 },
  };
  return new IconLayer({
    id,
    data: { length: store.table.count, attributes } as never,
    iconAtlas: atlas.image as never,
    iconMapping: {},
    sizeUnits: "pixels",
    getColor: [255, 255, 255, 255],
    pickable: false,
    alphaCutoff: 0.01,
  });
}

export interface LayerChoice {
  readonly palette: Palette;
  readonly atlas: Atlas;
  readonly trails: readonly TrailLine[];
  readonly track: ShownTrack | null;
  readonly sortie: ShownSortie | null;
}

/** All moving layers, lowest first. */
export function movingLayers(store: UnitStore, markers: Markers, choice: LayerChoice): Layer[] {
  const { atlas, palette } = choice;
  return [
    trailLayer(choice.trails, palette),
    ...(choice.track ? [trackLayer(choice.track, palette)] : []),
    ...flightLayers(choice.sortie, palette),
    iconLayer(store, atlas, { id: "plates", icons: markers.plates, sizes: markers.sizes, angles: markers.plateAngles }),
    iconLayer(store, atlas, {
      id: "chevrons",
      icons: markers.chevrons,
      sizes: markers.chevronSizes,
      angles: markers.angles,
    }),
    iconLayer(store, atlas, {
      id: "front",
      icons: markers.plates,
      sizes: markers.frontSizes,
      angles: markers.plateAngles,
    }),
  ];
}
