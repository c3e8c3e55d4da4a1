// Draws the supervisor's marks on the canvas over the map: pins, plates with leaders, crosses, lines to an incident, moved stations.
import type { DeskMarks, Pin } from "./deskMarks";
import { GLYPHS } from "./glyphs";
import { FONT, type Palette } from "./palette";
import { PLATE_FONT, PLATE_HEIGHT, type PlacedPlate, WORDS_FONT } from "./platePlaces";
import type { Projection } from "./projection";

type Pen = CanvasRenderingContext2D;

const PIN = new Path2D("M0 0-8-9.5V-23h16v13.5Z");
const SHIELD = new Path2D(GLYPHS.station.fill[0]);

function drawCross(pen: Pen, x: number, y: number, p: Palette): void {
  pen.beginPath();
  pen.arc(x, y, 9, 0, Math.PI * 2);
  pen.fillStyle = p.panel;
  pen.strokeStyle = p.gap;
  pen.lineWidth = 1.8;
  pen.fill();
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x - 3.6, y - 3.6);
  pen.lineTo(x + 3.6, y + 3.6);
  pen.moveTo(x + 3.6, y - 3.6);
  pen.lineTo(x - 3.6, y + 3.6);
  pen.stroke();
}

function drawPlateBox(pen: Pen, placed: PlacedPlate, x: number, y: number, p: Palette): void {
  const { plate, dx, dy, width } = placed;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  if (!plate.big) {
    pen.font = WORDS_FONT;
    pen.lineJoin = "round";
    pen.lineWidth = 3;
    pen.strokeStyle = p.halo;
    pen.strokeText(plate.text, x + dx, y + dy + 0.5);
    pen.fillStyle = p.gap;
    pen.fillText(plate.text, x + dx, y + dy + 0.5);
    return;
  }
  if (plate.cross && dy !== 0) {
    pen.strokeStyle = p.gap;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, y + Math.sign(dy) * 9);
    pen.lineTo(x, y + dy - Math.sign(dy) * (PLATE_HEIGHT / 2));
    pen.stroke();
  }
  pen.beginPath();
  pen.roundRect(x + dx - width / 2, y + dy - PLATE_HEIGHT / 2, width, PLATE_HEIGHT, 3);
  pen.fillStyle = p.panel;
  pen.strokeStyle = p.gap;
  pen.lineWidth = 1;
  pen.fill();
  pen.stroke();
  pen.font = PLATE_FONT;
  pen.fillStyle = p.gap;
  pen.fillText(plate.text, x + dx, y + dy + 1);
}

export function drawPlates(pen: Pen, placed: readonly PlacedPlate[], projection: Projection, p: Palette): void {
  for (const each of placed) {
    const [x, y] = [projection.x(each.plate.place[0]), projection.y(each.plate.place[1])];
    if (each.plate.cross) drawCross(pen, x, y, p);
    if (each.plate.text) drawPlateBox(pen, each, x, y, p);
  }
}

function pinColours(urgency: number, p: Palette): [string, string] {
  if (urgency === 1) return [p.alarm, p.alarmInk];
  return urgency === 2 ? [p.attn, p.attnInk] : [p.quiet, p.quietInk];
}

function drawPin(pen: Pen, pin: Pin, x: number, y: number, p: Palette): void {
  const [fill, ink] = pinColours(pin.urgency, p);
  pen.save();
  pen.translate(x, y);
  if (pin.chosen) pen.scale(1.25, 1.25);
  pen.fillStyle = fill;
  pen.strokeStyle = pin.chosen ? p.accent : p.line;
  pen.lineWidth = pin.chosen ? 1.8 : 1.2;
  pen.fill(PIN);
  pen.stroke(PIN);
  pen.font = `600 12px ${FONT}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = ink;
  pen.fillText(String(pin.urgency), 0, -14.5);
  pen.restore();
}

function drawLegs(pen: Pen, { legs }: DeskMarks, projection: Projection, p: Palette): void {
  pen.lineCap = "round";
  for (const { from, to, isSent } of legs) {
    pen.strokeStyle = p.accent;
    pen.globalAlpha = isSent ? 0.95 : 0.6;
    pen.lineWidth = isSent ? 2 : 1.6;
    pen.setLineDash(isSent ? [] : [4, 5]);
    pen.beginPath();
    pen.moveTo(projection.x(from[0]), projection.y(from[1]));
    pen.lineTo(projection.x(to[0]), projection.y(to[1]));
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function drawWays(pen: Pen, { ways }: DeskMarks, projection: Projection, p: Palette): void {
  for (const { path, isClosed } of ways) {
    pen.strokeStyle = isClosed ? p.gap : p.accent;
    pen.lineWidth = isClosed ? 4 : 2.4;
    pen.setLineDash(isClosed ? [2, 6] : []);
    pen.beginPath();
    for (const [i, [lon, lat]] of path.entries()) {
      const [x, y] = [projection.x(lon!), projection.y(lat!)];
      if (i) pen.lineTo(x, y);
      else pen.moveTo(x, y);
    }
    pen.stroke();
    const end = path.at(-1);
    if (isClosed || !end) continue;
    pen.beginPath();
    pen.arc(projection.x(end[0]!), projection.y(end[1]!), 6, 0, Math.PI * 2);
    pen.stroke();
  }
  pen.setLineDash([]);
}

function drawGhosts(pen: Pen, { ghosts }: DeskMarks, projection: Projection, p: Palette): void {
  for (const { from, to, number } of ghosts) {
    const [x0, y0] = [projection.x(from[0]), projection.y(from[1])];
    const [x, y] = [projection.x(to[0]), projection.y(to[1])];
    pen.strokeStyle = p.accent;
    pen.lineWidth = 1.6;
    pen.setLineDash([4, 4]);
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.save();
    pen.translate(x - 16, y - 16);
    pen.scale(32 / 24, 32 / 24);
    pen.fillStyle = p.accent;
    pen.fill(SHIELD);
    pen.restore();
    pen.font = `600 12px ${FONT}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = p.accentInk;
    pen.fillText(number, x, y - 0.5);
  }
}

/** Bridges that the what-if closes, and the place that was just picked. */
function drawPlaces(pen: Pen, { closed, picked }: DeskMarks, projection: Projection, p: Palette): void {
  for (const [lon, lat] of closed) drawCross(pen, projection.x(lon), projection.y(lat), p);
  if (!picked) return;
  const [x, y] = [projection.x(picked[0]), projection.y(picked[1])];
  pen.strokeStyle = p.accent;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 7, 0, Math.PI * 2);
  pen.moveTo(x - 14, y);
  pen.lineTo(x - 4, y);
  pen.moveTo(x + 4, y);
  pen.lineTo(x + 14, y);
  pen.moveTo(x, y - 14);
  pen.lineTo(x, y - 4);
  pen.moveTo(x, y + 4);
  pen.lineTo(x, y + 14);
  pen.stroke();
}

/** Lines and moved stations: under the markers' labels. */
export function drawUnder(pen: Pen, marks: DeskMarks, projection: Projection, p: Palette): void {
  drawWays(pen, marks, projection, p);
  drawLegs(pen, marks, projection, p);
  drawGhosts(pen, marks, projection, p);
}

/** Pins and picked places: above stations and units. */
export function drawOver(pen: Pen, marks: DeskMarks, projection: Projection, p: Palette): void {
  for (const pin of marks.pins) {
    const [x, y] = [projection.x(pin.place[0]), projection.y(pin.place[1])];
    if (projection.contains(x, y, 30)) drawPin(pen, pin, x, y, p);
  }
  drawPlaces(pen, marks, projection, p);
}

const PIN_REACH_PX = 16;

/** The pin under a point: its head stands above its place. */
export function pinAt(marks: DeskMarks, projection: Projection, x: number, y: number): number | null {
  const hit = [...marks.pins]
    .reverse()
    .find(({ place }) => Math.hypot(projection.x(place[0]) - x, projection.y(place[1]) - 14 - y) <= PIN_REACH_PX);
  return hit?.incidentId ?? null;
}
