// The pictures that the planner's map draws with: the dock's plate, and the hatch of closed air.
import { GLYPHS } from "../map/glyphs";
import type { Palette } from "../map/palette";

const SCALE = 2;
const PLATE = 22;
const HATCH = 10;

function canvas(size: number): CanvasRenderingContext2D | null {
  const made = document.createElement("canvas");
  made.width = size * SCALE;
  made.height = size * SCALE;
  const pen = made.getContext("2d");
  pen?.scale(SCALE, SCALE);
  return pen;
}

const pictureOf = (pen: CanvasRenderingContext2D): ImageData =>
  pen.getImageData(0, 0, pen.canvas.width, pen.canvas.height);

function dock(p: Palette, edge: string): ImageData | null {
  const pen = canvas(PLATE);
  if (!pen) return null;
  pen.fillStyle = p.plate;
  pen.strokeStyle = edge;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.roundRect(1, 1, PLATE - 2, PLATE - 2, 3);
  pen.fill();
  pen.stroke();
  pen.translate(4, 4);
  pen.scale(14 / 24, 14 / 24);
  pen.fillStyle = p.ink;
  for (const path of GLYPHS.dock.fill) pen.fill(new Path2D(path), "evenodd");
  return pictureOf(pen);
}

function hatch(p: Palette): ImageData | null {
  const pen = canvas(HATCH);
  if (!pen) return null;
  pen.strokeStyle = p.attn;
  pen.globalAlpha = 0.5;
  pen.lineWidth = 1.4;
  for (const shift of [-HATCH, 0, HATCH]) {
    pen.beginPath();
    pen.moveTo(shift, HATCH);
    pen.lineTo(shift + HATCH, 0);
    pen.stroke();
  }
  return pictureOf(pen);
}

/** The pictures by their names, in a theme's colours. */
export function picturesOf(p: Palette): readonly (readonly [string, ImageData])[] {
  const made = [
    ["dock", dock(p, p.line)],
    ["dock-chosen", dock(p, p.accent)],
    ["hatch", hatch(p)],
  ] as const;
  return made.flatMap(([name, picture]) => (picture ? [[name, picture] as const] : []));
}

export const PIXEL_RATIO = SCALE;
