// Draws what lies over the markers on a plain canvas: labels, stations, docks, brackets, alarm rings, accuracy.
import type { DockMark, StationMark } from "./marks";
import { drawGlyph, GLYPHS } from "./glyphs";
import { FONT, type Palette } from "./palette";
import type { LabelTone, PlacedLabel } from "./placement";

type Pen = CanvasRenderingContext2D;

const SHIELD = new Path2D(GLYPHS.station.fill[0]);
const PULSE_MS = 1000;
const PULSES = 3;

const FONTS: Readonly<Record<LabelTone, string>> = {
  plain: `500 12px ${FONT}`,
  dim: `400 12px ${FONT}`,
  accent: `500 12px ${FONT}`,
  alarm: `500 12px ${FONT}`,
  attn: `500 12px ${FONT}`,
  station: `500 12px ${FONT}`,
};

export function fontOf(tone: LabelTone): string {
  return FONTS[tone];
}

function toneColour(tone: LabelTone, p: Palette): string {
  if (tone === "accent") return p.accent;
  if (tone === "alarm") return p.alarm;
  if (tone === "attn") return p.attn;
  return tone === "dim" ? p.labelPlace : p.ink;
}

/** A call for help stands on a plate, so that no name and no road runs through it. */
function drawPlate(pen: Pen, x: number, y: number, width: number, p: Palette): void {
  pen.beginPath();
  pen.roundRect(x - 4, y - 9, width + 8, 18, 3);
  pen.globalAlpha = 0.88;
  pen.fillStyle = p.halo;
  pen.fill();
  pen.globalAlpha = 1;
}

/** A label beside its mark, with a halo. */
export function drawLabel(pen: Pen, label: PlacedLabel, x: number, y: number, p: Palette): void {
  if (label.wish.tone === "alarm") drawPlate(pen, x + label.dx, y + label.dy, label.wish.width, p);
  pen.font = FONTS[label.wish.tone];
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = p.halo;
  pen.fillStyle = toneColour(label.wish.tone, p);
  pen.strokeText(label.wish.text, x + label.dx, y + label.dy + 0.5);
  pen.fillText(label.wish.text, x + label.dx, y + label.dy + 0.5);
}

/** A station's shield with its number. */
export function drawStation(pen: Pen, mark: StationMark, x: number, y: number, p: Palette, selected: boolean): void {
  pen.save();
  pen.translate(x - 13.5, y - 13.5);
  pen.scale(27 / 24, 27 / 24);
  pen.fillStyle = p.plate;
  pen.strokeStyle = selected ? p.accent : p.line;
  pen.lineWidth = selected ? 1.8 : 1.1;
  pen.fill(SHIELD);
  pen.stroke(SHIELD);
  pen.restore();
  pen.font = `600 11px ${FONT}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = selected ? p.accent : p.ink;
  pen.fillText(mark.number, x, y - 0.5);
}

/** A dock: a square plate with its glyph, or a tick where the map is small. */
export function drawDock(pen: Pen, _mark: DockMark, x: number, y: number, p: Palette, small: boolean): void {
  const half = small ? 4 : 9;
  pen.beginPath();
  pen.roundRect(x - half, y - half, half * 2, half * 2, small ? 1.5 : 3);
  pen.fillStyle = p.plate;
  pen.strokeStyle = p.line;
  pen.lineWidth = 1.2;
  pen.fill();
  pen.stroke();
  pen.save();
  pen.translate(x, y);
  drawGlyph(pen, "dock", small ? 6 : 13, p.ink);
  pen.restore();
}

/** Four corner brackets round the selected unit. */
export function drawBrackets(pen: Pen, x: number, y: number, radius: number, colour: string): void {
  const reach = radius + 9;
  const arm = 6;
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.lineCap = "butt";
  pen.beginPath();
  for (const [sx, sy] of [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ] as const) {
    pen.moveTo(x + sx * reach, y + sy * (reach - arm));
    pen.lineTo(x + sx * reach, y + sy * reach);
    pen.lineTo(x + sx * (reach - arm), y + sy * reach);
  }
  pen.stroke();
}

/** Rings round a unit that needs help; they pulse three times, then stand. */
export function drawAlarmRings(pen: Pen, x: number, y: number, radius: number, sinceMs: number, colour: string): void {
  const pulsing = sinceMs < PULSE_MS * PULSES;
  const swell = pulsing ? Math.sin((sinceMs / PULSE_MS) * Math.PI) ** 2 * 5 : 0;
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, radius + 6 + swell, 0, Math.PI * 2);
  pen.stroke();
  pen.globalAlpha = 0.35;
  pen.beginPath();
  pen.arc(x, y, radius + 10.5 + swell * 1.6, 0, Math.PI * 2);
  pen.stroke();
  pen.globalAlpha = 1;
}

/** The circle in which the unit is with 68 % probability; only where it is larger than the marker. */
export function drawAccuracy(pen: Pen, x: number, y: number, radius: number, colour: string): void {
  pen.setLineDash([1.2, 2.6]);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.arc(x, y, radius, 0, Math.PI * 2);
  pen.stroke();
  pen.setLineDash([]);
}
