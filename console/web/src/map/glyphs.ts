// The unit glyphs on their 24-px grid, for canvas and for SVG: shape says kind.
import type { UnitKind } from "../wire.generated";

export type GlyphName = UnitKind | "station" | "dock";

export interface Glyph {
  /** Filled with the even-odd rule. */
  readonly fill: readonly string[];
  /** Stroked 1.9 wide. */
  readonly stroke?: string;
}

const ring = (x: number, y: number): string => `M${x + 3} ${y}a3 3 0 1 1-6 0 3 3 0 0 1 6 0z`;

export const GLYPHS: Readonly<Record<GlyphName, Glyph>> = {
  drone: {
    fill: ["M8.6 7.4 12 9.2l3.4-1.8 1.2 1.2-1.8 3.4 1.8 3.4-1.2 1.2-3.4-1.8-3.4 1.8-1.2-1.2L9.2 12 7.4 8.6z"],
    stroke: ring(6.2, 6.2) + ring(17.8, 6.2) + ring(6.2, 17.8) + ring(17.8, 17.8),
  },
  officer: {
    fill: ["M12 3.2a4.1 4.1 0 1 1 0 8.2 4.1 4.1 0 0 1 0-8.2zM4.2 20.6c0-4.7 3.3-7.6 7.8-7.6s7.8 2.9 7.8 7.6z"],
  },
  motorcycle: {
    fill: [
      "M6 13.1a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm0 2.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3zM18 13.1a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm0 2.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z",
      "M13.2 5.2h3.1l.5 1.4 2.7.2v1.9l-2.2.2 1.6 3.4a5.6 5.6 0 0 0-5.6 4.6h-3.2A5.6 5.6 0 0 0 5 11.7l1.2-2.5h5.3l3.1-.7-.6-1.4h-.8z",
    ],
  },
  car: {
    fill: [
      "M2.5 17v-4.3c0-.8.5-1.4 1.3-1.6l2-.5 2.5-4c.4-.7 1.1-1.1 1.9-1.1h4.9c.8 0 1.5.4 1.9 1l2.8 4.2 1.1.5c.7.3 1.1.9 1.1 1.7V17h-2.2a2.7 2.7 0 0 1-5.4 0H9.8a2.7 2.7 0 0 1-5.4 0zM8.4 10.3h3.3V7.2H10.4zM13.4 10.3h4.1l-1.9-2.8a.7.7 0 0 0-.6-.3h-1.6z",
      "M10.3 3.3h4v1.4h-4z",
    ],
  },
  mobile_room: {
    fill: [
      "M2 6.2C2 5.5 2.5 5 3.2 5h12.3c.4 0 .7.1.9.4l4.9 5.3c.4.4.7 1 .7 1.6v4.9h-2.3a2.8 2.8 0 0 1-5.6 0h-4a2.8 2.8 0 0 1-5.6 0H2zM4.5 7.5v3.4h3.2V7.5zm5.2 0v3.4h3.2V7.5zm5.2 0v3.4h3.6l-3.1-3.4z",
    ],
  },
  station: { fill: ["M12 1.8 20.4 5v6.3c0 5.3-3.5 8.9-8.4 10.9-4.9-2-8.4-5.6-8.4-10.9V5z"] },
  dock: {
    fill: [
      "M4.5 3h15A1.5 1.5 0 0 1 21 4.5v15a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 19.5v-15A1.5 1.5 0 0 1 4.5 3zm1 2.5v13h13v-13z",
      "M8 7.5h2.2v3.4h3.6V7.5H16v9h-2.2V13h-3.6v3.5H8z",
    ],
  },
};

/** Draw a glyph, `size` pixels wide, its middle at the origin. */
export function drawGlyph(context: CanvasRenderingContext2D, name: GlyphName, size: number, colour: string): void {
  const { fill, stroke } = GLYPHS[name];
  context.save();
  context.scale(size / 24, size / 24);
  context.translate(-12, -12);
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 1.9;
  for (const path of fill) context.fill(new Path2D(path), "evenodd");
  if (stroke) context.stroke(new Path2D(stroke));
  context.restore();
}
