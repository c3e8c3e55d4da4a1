// Places labels greedily: the most important first, right, left, above or below its mark, dropped rather than overlapping.
export interface LabelWish {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Distance from the mark's middle to the label's edge. */
  readonly gap: number;
  /** Higher comes first. */
  readonly rank: number;
  readonly tone: LabelTone;
  /** The unit's slot, so that the label moves with it; null for what stands still. */
  readonly slot: number | null;
  readonly lon: number;
  readonly lat: number;
}

export type LabelTone = "plain" | "dim" | "accent" | "alarm" | "attn" | "station";

export interface PlacedLabel {
  readonly wish: LabelWish;
  /** Left edge and middle line, relative to the mark. */
  readonly dx: number;
  readonly dy: number;
}

/** Left, top, right, bottom in the view's pixels. */
export type Box = readonly [number, number, number, number];

/** What bounds the labels: the view's size and the panels that float over it. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly covered: readonly Box[];
}

const OPEN: View = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY, covered: [] };

const HEIGHT = 16;
const CELL = 64;
/** From this rank on (pointed at, selected, in need) a label is shown even where it covers others. */
export const ALWAYS = 85;

const meets = (a: Box, b: Box): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/** Boxes in a coarse grid, so that thousands of labels are cheap. */
class Taken {
  private cells = new Map<number, Box[]>();

  private keys([left, top, right, bottom]: Box): number[] {
    const keys: number[] = [];
    for (let x = Math.floor(left / CELL); x <= Math.floor(right / CELL); x++) {
      for (let y = Math.floor(top / CELL); y <= Math.floor(bottom / CELL); y++) keys.push(x * 4096 + y);
    }
    return keys;
  }

  add(box: Box): void {
    for (const key of this.keys(box)) {
      const cell = this.cells.get(key);
      if (cell) cell.push(box);
      else this.cells.set(key, [box]);
    }
  }

  free(box: Box): boolean {
    return !this.keys(box).some((key) => this.cells.get(key)?.some((other) => meets(box, other)));
  }

  /** How many others the box covers; one that reaches over several cells counts in each. */
  covers(box: Box): number {
    return this.keys(box).reduce(
      (sum, key) => sum + (this.cells.get(key)?.filter((other) => meets(box, other)).length ?? 0),
      0,
    );
  }
}

type Side = readonly [number, number];

function sides(wish: LabelWish): Side[] {
  const { width, gap, tone, rank } = wish;
  const below = gap + HEIGHT / 2;
  const around: Side[] = [
    [gap, 0],
    [-gap - width, 0],
    [-width / 2, -below],
    [-width / 2, below],
  ];
  if (tone === "station") return [around[3]!, around[2]!, around[0]!, around[1]!];
  if (rank < ALWAYS) return around;
  return [...around, [0, -below], [-width, -below], [0, below], [-width, below]];
}

const boxOf = ({ x, y, width }: LabelWish, [dx, dy]: readonly [number, number]): Box => [
  x + dx - 2,
  y + dy - HEIGHT / 2,
  x + dx + width + 2,
  y + dy + HEIGHT / 2,
];

function inside(box: Box, { width, height, covered }: View): boolean {
  const within = box[0] >= 0 && box[2] <= width && box[1] >= 0 && box[3] <= height;
  return within && !covered.some((other) => meets(box, other));
}

/** The side nearest to the view for a mark at its very edge. */
function pushedInside(wish: LabelWish, { width, height }: View): Side {
  const within = (low: number, high: number, value: number): number => Math.max(low, Math.min(high, value));
  const below = wish.gap + HEIGHT / 2;
  const left = within(4, Math.max(4, width - wish.width - 4), wish.x - wish.width / 2);
  return [left - wish.x, wish.y + below + HEIGHT / 2 < height ? below : -below];
}

/** Where a label that must be read stands best: free, else where it hides least, always within the view. */
function bestSide(wish: LabelWish, taken: Taken, view: View): Side {
  const around = sides(wish).filter((side) => inside(boxOf(wish, side), view));
  let best = around[0] ?? pushedInside(wish, view);
  let least = Number.POSITIVE_INFINITY;
  for (const side of around) {
    const hidden = taken.covers(boxOf(wish, side));
    if (hidden < least) [best, least] = [side, hidden];
  }
  return best;
}

/** The labels that find room, and those that must be read in any case; `marks` are squares ([x, y, half side]) that no label may cover. */
export function placeLabels(
  wishes: readonly LabelWish[],
  marks: readonly (readonly [number, number, number])[],
  view: View = OPEN,
): PlacedLabel[] {
  const taken = new Taken();
  for (const [x, y, half] of marks) taken.add([x - half, y - half, x + half, y + half]);
  const placed: PlacedLabel[] = [];
  for (const wish of [...wishes].sort((a, b) => b.rank - a.rank)) {
    const fits = (side: Side): boolean => inside(boxOf(wish, side), view) && taken.free(boxOf(wish, side));
    const side = wish.rank >= ALWAYS ? bestSide(wish, taken, view) : sides(wish).find(fits);
    if (!side) continue;
    taken.add(boxOf(wish, side));
    placed.push({ wish, dx: side[0], dy: side[1] });
  }
  return placed;
}
