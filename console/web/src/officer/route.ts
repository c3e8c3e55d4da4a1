// How far it still is along the way that was drawn, and how long at the pace that was reckoned.
export type Place = readonly [lon: number, lat: number];

const METRES_PER_DEGREE = 111_320;
/** Further from the drawn way than this, the officer goes another one. */
const OFF_WAY_M = 150;

export interface Remaining {
  readonly metres: number;
  readonly seconds: number | null;
  /** False: no way is known, or it was left; the distance is as the crow flies. */
  readonly alongWay: boolean;
}

interface Plane {
  x(place: Place): number;
  y(place: Place): number;
}

function planeAt([, lat]: Place): Plane {
  const east = METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  return { x: (place) => place[0] * east, y: (place) => place[1] * METRES_PER_DEGREE };
}

/** Metres between two places a few kilometres apart. */
export function metresBetween(a: Place, b: Place): number {
  const plane = planeAt(a);
  return Math.hypot(plane.x(b) - plane.x(a), plane.y(b) - plane.y(a));
}

interface OnWay {
  readonly awayM: number;
  readonly restM: number;
}

/** The place of the way nearest to `me`: how far off it is, and how much of the way lies before it. */
function nearestOn(way: readonly Place[], me: Place): OnWay {
  const plane = planeAt(me);
  const px = way.map((place) => plane.x(place) - plane.x(me));
  const py = way.map((place) => plane.y(place) - plane.y(me));
  let restM = 0;
  let best: OnWay = { awayM: Number.POSITIVE_INFINITY, restM: 0 };
  for (let i = way.length - 2; i >= 0; i--) {
    const dx = px[i + 1]! - px[i]!;
    const dy = py[i + 1]! - py[i]!;
    const length = Math.hypot(dx, dy);
    const part = length === 0 ? 0 : Math.min(1, Math.max(0, -(px[i]! * dx + py[i]! * dy) / (length * length)));
    const awayM = Math.hypot(px[i]! + dx * part, py[i]! + dy * part);
    if (awayM < best.awayM) best = { awayM, restM: restM + length * (1 - part) };
    restM += length;
  }
  return best;
}

export interface Reckoned {
  readonly way: readonly Place[];
  readonly target: Place | null;
  readonly travelS: number | null;
  readonly distanceM: number | null;
}

/** What is left to go from `me`; as reckoned at the push while the own place is unknown; null where nothing is known. */
export function remainingOf({ way, target, travelS, distanceM }: Reckoned, me: Place | null): Remaining | null {
  if (me === null) return distanceM === null ? null : { metres: distanceM, seconds: travelS, alongWay: way.length > 1 };
  if (way.length > 1) {
    const { awayM, restM } = nearestOn(way, me);
    const wholeM = distanceM ?? 0;
    const seconds = travelS !== null && wholeM > 0 ? travelS * Math.min(1, (restM + awayM) / wholeM) : travelS;
    if (awayM <= OFF_WAY_M) return { metres: restM + awayM, seconds, alongWay: true };
  }
  return target === null ? null : { metres: metresBetween(me, target), seconds: null, alongWay: false };
}
