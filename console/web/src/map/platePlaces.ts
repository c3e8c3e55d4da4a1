// Where the plates of gaps and open links stand over the map.
import type { DeskMarks, Pin, Plate } from "./deskMarks";
import { FONT } from "./palette";
import type { Box, View } from "./placement";
import type { Projection } from "./projection";

export const PLATE_FONT = `600 13px ${FONT}`;
export const WORDS_FONT = `500 13px ${FONT}`;
export const PLATE_HEIGHT = 24;
const CROSS_PX = 10;
const PIN_HALF_PX = 10;
const PIN_HEIGHT_PX = 25;

export interface PlacedPlate {
  readonly plate: Plate;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
}

const meets = (a: Box, b: Box): boolean => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

interface Mark {
  readonly of: Pin | Plate;
  readonly box: Box;
}

/** The ground that pins and crosses cover. */
function markBoxes({ pins, plates }: Pick<DeskMarks, "pins" | "plates">, projection: Projection): Mark[] {
  const at = (of: Pin | Plate, half: number, up: number, down: number): Mark => {
    const [x, y] = [projection.x(of.place[0]), projection.y(of.place[1])];
    return { of, box: [x - half, y - up, x + half, y + down] };
  };
  const crosses = plates.filter((each) => each.cross).map((each) => at(each, CROSS_PX, CROSS_PX, CROSS_PX));
  return [...pins.map((pin) => at(pin, PIN_HALF_PX, PIN_HEIGHT_PX, 0)), ...crosses];
}

/** Where plates stand: at their place or near it, off each other, off the panels and, where there is room, off pins and crosses; the worst first. */
export function placePlates(
  desk: Pick<DeskMarks, "pins" | "plates">,
  projection: Projection,
  view: View,
  pen: CanvasRenderingContext2D,
): PlacedPlate[] {
  const taken: Box[] = [...view.covered];
  const marks = markBoxes(desk, projection);
  const placed: PlacedPlate[] = [];
  for (const plate of desk.plates) {
    const [x, y] = [projection.x(plate.place[0]), projection.y(plate.place[1])];
    if (!projection.contains(x, y, 60)) continue;
    if (plate.text === "") {
      placed.push({ plate, dx: 0, dy: 0, width: 0 });
      continue;
    }
    pen.font = plate.big ? PLATE_FONT : WORDS_FONT;
    const width = Math.ceil(pen.measureText(plate.text).width) + (plate.big ? 20 : 4);
    const away = plate.cross ? 30 : 0;
    const sides: [number, number][] = plate.big
      ? [
          [0, away || 0],
          [0, -Math.max(away, 28)],
          [0, Math.max(away, 28)],
          [width / 2 + 20, 0],
          [-width / 2 - 20, 0],
          [0, -56],
          [0, 56],
        ]
      : [
          [width / 2 + 12, 0],
          [-width / 2 - 12, 0],
          [0, -22],
          [0, 22],
        ];
    const boxAt = ([dx, dy]: readonly [number, number]): Box => [
      x + dx - width / 2 - 2,
      y + dy - PLATE_HEIGHT / 2 - 2,
      x + dx + width / 2 + 2,
      y + dy + PLATE_HEIGHT / 2 + 2,
    ];
    const open = sides.filter((side) => {
      const box = boxAt(side);
      const isWithin = box[0] >= 0 && box[2] <= view.width && box[1] >= 0 && box[3] <= view.height;
      return isWithin && !taken.some((other) => meets(box, other));
    });
    const others = marks.filter((mark) => mark.of !== plate);
    const free = open.find((side) => !others.some((mark) => meets(boxAt(side), mark.box))) ?? open[0];
    if (!free) {
      if (plate.cross) placed.push({ plate: { ...plate, text: "" }, dx: 0, dy: 0, width: 0 });
      continue;
    }
    taken.push(boxAt(free));
    placed.push({ plate, dx: free[0], dy: free[1], width });
  }
  return placed;
}

/** The ground that a plate covers, for labels to keep off. */
export function plateBox({ plate, dx, dy, width }: PlacedPlate, projection: Projection): Box {
  const [x, y] = [projection.x(plate.place[0]) + dx, projection.y(plate.place[1]) + dy];
  return [x - width / 2, y - PLATE_HEIGHT / 2, x + width / 2, y + PLATE_HEIGHT / 2];
}
