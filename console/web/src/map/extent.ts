// How the whole city comes into view: its bounds with every station, and the room that the controls and panels over the map leave.

/** West, south, east, north in degrees. */
type Bounds = [number, number, number, number];
type Place = { readonly lon: number; readonly lat: number };

export interface Room {
  readonly top: number;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

const EDGE_PX = 24;
const TOOLS_PX = 60;
/** Of a small map's height or width no more than this is left free on one side. */
const MOST = 0.2;

/** The bounds, widened to hold every place. */
export function boundsWith(bounds: readonly number[], places: readonly Place[]): Bounds {
  let [west, south, east, north] = bounds as Bounds;
  for (const { lon, lat } of places) {
    west = Math.min(west, lon);
    south = Math.min(south, lat);
    east = Math.max(east, lon);
    north = Math.max(north, lat);
  }
  return [west, south, east, north];
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** What to leave free at each side (px): the tools above, the legend below, and a panel that lies over the map's right. */
export function roomIn(map: Box, panel: Box | null, hasTools: boolean): Room {
  const [width, height] = [map.right - map.left, map.bottom - map.top];
  const ends = Math.min(hasTools ? TOOLS_PX : EDGE_PX, height * MOST);
  const side = Math.min(EDGE_PX, width * MOST);
  const covered = panel ? Math.max(0, Math.min(map.right, panel.right) - Math.max(map.left, panel.left)) : 0;
  return { top: ends, left: side, right: side + (covered < width / 2 + side ? covered : 0), bottom: ends };
}

/** The room over a map that is drawn now; `sheet` is how much a phone's sheet covers below (px). */
export function freeRoom(map: HTMLElement, { hasTools, sheet }: { hasTools: boolean; sheet: number }): Room {
  const panel = sheet > 0 ? null : document.querySelector(".incident");
  const room = roomIn(map.getBoundingClientRect(), panel?.getBoundingClientRect() ?? null, hasTools);
  return { ...room, bottom: room.bottom + sheet };
}
