// Whether a drawn border crosses itself: a polygon of such a border encloses nothing that anybody means.

type Place = readonly [number, number];

/** Whether a ring (its last place is its first again) crosses itself. */
export const ringCrosses = (ring: readonly Place[]): boolean => crossesItself(ring, { isClosed: true });

/** Whether a line that is still being drawn crosses itself. */
export const pathCrosses = (path: readonly Place[]): boolean => crossesItself(path, { isClosed: false });

function crossesItself(places: readonly Place[], { isClosed }: { isClosed: boolean }): boolean {
  const path = places.filter((place, i) => i === 0 || !isSame(place, places[i - 1]!));
  const last = path.length - 2;
  for (let i = 0; i <= last; i++)
    for (let j = i + 2; j <= last; j++) {
      if (isClosed && i === 0 && j === last) continue; // neighbours, over the first place
      if (meet(path[i]!, path[i + 1]!, path[j]!, path[j + 1]!)) return true;
    }
  return false;
}

const isSame = (a: Place, b: Place): boolean => a[0] === b[0] && a[1] === b[1];

/** On which side of a line a place lies: above 0 left, below 0 right. */
const side = (a: Place, b: Place, of: Place): number =>
  Math.sign((b[0] - a[0]) * (of[1] - a[1]) - (b[1] - a[1]) * (of[0] - a[0]));

function meet(a: Place, b: Place, c: Place, d: Place): boolean {
  const [c1, d1, a2, b2] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (c1 !== d1 && a2 !== b2) return true;
  return c1 === 0 && d1 === 0 && isBetween(a, b, c);
}

/** Whether a place on a line's direction lies between its ends. */
const isBetween = (a: Place, b: Place, of: Place): boolean =>
  (of[0] - a[0]) * (of[0] - b[0]) + (of[1] - a[1]) * (of[1] - b[1]) <= 0;
