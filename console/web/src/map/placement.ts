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

type Box = readonly [number, number, number, number];

const HEIGHT = 16;
const CELL = 64;
/** From this rank on (pointed at, selected, in need) a label is shown even where it covers others. */
export const ALWAYS = 85;

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
    const meets = (other: Box): boolean =>
      box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];
    return !this.keys(box).some((key) => this.cells.get(key)?.some(meets));
  }
}

function sides(wish: LabelWish): [number, number][] {
  const { width, gap, tone } = wish;
  const around: [number, number][] = [
    [gap, 0],
    [-gap - width, 0],
    [-width / 2, -gap - HEIGHT / 2],
    [-width / 2, gap + HEIGHT / 2],
  ];
  return tone === "station" ? [around[3]!, around[2]!, around[0]!, around[1]!] : around;
}

const boxOf = ({ x, y, width }: LabelWish, [dx, dy]: readonly [number, number]): Box => [
  x + dx - 2,
  y + dy - HEIGHT / 2,
  x + dx + width + 2,
  y + dy + HEIGHT / 2,
];

/** The labels that find room, and those that must be read in any case; `marks` are squares ([x, y, half side]) that no label may cover, `width` is the view's. */
export function placeLabels(
  wishes: readonly LabelWish[],
  marks: readonly (readonly [number, number, number])[],
  width = Number.POSITIVE_INFINITY,
): PlacedLabel[] {
  const taken = new Taken();
  for (const [x, y, half] of marks) taken.add([x - half, y - half, x + half, y + half]);
  const placed: PlacedLabel[] = [];
  for (const wish of [...wishes].sort((a, b) => b.rank - a.rank)) {
    const inside = sides(wish).filter(([dx]) => wish.x + dx - 2 >= 0 && wish.x + dx + wish.width + 2 <= width);
    const side = inside.find((each) => taken.free(boxOf(wish, each))) ?? (wish.rank >= ALWAYS ? inside[0] : undefined);
    if (!side) continue;
    taken.add(boxOf(wish, side));
    placed.push({ wish, dx: side[0], dy: side[1] });
  }
  return placed;
}
