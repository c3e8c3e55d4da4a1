// The icon atlas: every kind in every state, drawn once on a canvas for each theme; no picture is ever fetched.
import { UNIT_KINDS, type UnitKind } from "../wire.generated";
import { drawGlyph } from "./glyphs";
import type { Palette } from "./palette";

export const MARKER_STATES = ["free", "engaged", "selected", "alarm", "stale", "offline", "replayed"] as const;
export type MarkerState = (typeof MARKER_STATES)[number];
const CHEVRONS = ["plain", "accent", "alarm"] as const;

/** Logical pixels of a cell; a marker drawn at this size has the design's measures. */
export const CELL_PX = 48;
const RATIO = 2;
const CELL = CELL_PX * RATIO;
const COLUMNS = 12;
const MINI_STATES = MARKER_STATES.length;

export const GROUND_R = 11.5;
export const AIR_R = 14;

type Pen = CanvasRenderingContext2D;

export interface Atlas {
  readonly image: HTMLCanvasElement;
  /** What deck.gl's icon layer wants for each icon: offset, frame, colour mode; 7 numbers by icon index. */
  readonly frames: Float32Array;
}

const KINDS = UNIT_KINDS.length;
const PLATES = KINDS * MARKER_STATES.length;
const MINIS = KINDS * MINI_STATES;

export const plateIcon = (kind: number, state: MarkerState): number =>
  kind * MARKER_STATES.length + MARKER_STATES.indexOf(state);
export const miniIcon = (kind: number, state: MarkerState): number =>
  PLATES + kind * MINI_STATES + MARKER_STATES.indexOf(state);
/** The heading chevron: round an air plate or a ground plate. */
export const chevronIcon = (air: boolean, state: MarkerState): number =>
  PLATES + MINIS + (air ? CHEVRONS.length : 0) + (state === "alarm" ? 2 : state === "selected" ? 1 : 0);

const ICONS = PLATES + MINIS + CHEVRONS.length * 2;

function platePath(pen: Pen, kind: UnitKind): void {
  pen.beginPath();
  if (kind === "drone") {
    for (let i = 0; i < 6; i++) {
      const angle = (Math.PI / 3) * i - Math.PI / 2;
      pen.lineTo(AIR_R * Math.cos(angle), AIR_R * Math.sin(angle));
    }
    pen.closePath();
  } else if (kind === "mobile_room") {
    pen.roundRect(-GROUND_R * 1.25, -GROUND_R * 0.95, GROUND_R * 2.5, GROUND_R * 1.9, 5);
  } else pen.arc(0, 0, GROUND_R, 0, Math.PI * 2);
}

interface Look {
  readonly plate: string;
  readonly edge: string;
  readonly ink: string;
  readonly width: number;
  readonly dash: number[];
}

function lookOf(state: MarkerState, p: Palette): Look {
  if (state === "engaged") return { plate: p.busy, edge: p.line, ink: p.busyInk, width: 1.5, dash: [] };
  if (state === "selected") return { plate: p.plate, edge: p.accent, ink: p.accent, width: 2, dash: [] };
  if (state === "alarm") return { plate: p.alarm, edge: p.line, ink: p.alarmInk, width: 1.5, dash: [] };
  if (state === "stale" || state === "offline")
    return { plate: p.halo, edge: p.dim, ink: p.dim, width: 1.5, dash: [3, 2.4] };
  if (state === "replayed") return { plate: p.halo, edge: p.ink, ink: p.ink, width: 1.5, dash: [1.2, 2.6] };
  return { plate: p.plate, edge: p.line, ink: p.ink, width: 1.5, dash: [] };
}

function drawPlate(pen: Pen, kind: UnitKind, state: MarkerState, p: Palette): void {
  const look = lookOf(state, p);
  if (state === "offline") pen.globalAlpha = 0.62;
  platePath(pen, kind);
  pen.fillStyle = look.plate;
  pen.strokeStyle = look.edge;
  pen.lineWidth = look.width;
  pen.setLineDash(look.dash);
  pen.fill();
  pen.stroke();
  pen.setLineDash([]);
  drawGlyph(pen, kind, kind === "drone" ? 17 : 14, look.ink);
  if (state !== "offline") return;
  pen.beginPath();
  pen.moveTo(-11, 11);
  pen.lineTo(11, -11);
  pen.lineWidth = 1.6;
  pen.stroke();
}

function miniPath(pen: Pen, kind: UnitKind): void {
  pen.beginPath();
  if (kind === "motorcycle") {
    pen.moveTo(0, -5);
    pen.lineTo(4, 4);
    pen.lineTo(0, 2);
    pen.lineTo(-4, 4);
    pen.closePath();
  } else if (kind === "car") pen.rect(-4.3, -4.3, 8.6, 8.6);
  else if (kind === "mobile_room") pen.rect(-7, -4.2, 14, 8.4);
  else pen.arc(0, 0, 3, 0, Math.PI * 2);
}

function drawMini(pen: Pen, kind: UnitKind, state: MarkerState, p: Palette): void {
  if (kind === "drone") {
    pen.scale(21 / 27, 21 / 27);
    drawPlate(pen, kind, state, p);
    return;
  }
  const hollow = state === "stale" || state === "offline" || state === "replayed";
  const fills = {
    free: p.mini,
    engaged: p.busy,
    selected: p.accent,
    alarm: p.alarm,
    stale: p.halo,
    offline: p.halo,
    replayed: p.halo,
  };
  if (state === "offline") pen.globalAlpha = 0.62;
  miniPath(pen, kind);
  pen.fillStyle = fills[state];
  pen.strokeStyle = hollow ? p.dim : p.line;
  pen.lineWidth = 1;
  pen.fill();
  pen.stroke();
}

function drawChevron(pen: Pen, r: number, colour: string, p: Palette): void {
  pen.beginPath();
  pen.moveTo(0, -r - 6.2);
  pen.lineTo(3.6, -r - 0.6);
  pen.lineTo(-3.6, -r - 0.6);
  pen.closePath();
  pen.fillStyle = colour;
  pen.strokeStyle = p.line;
  pen.lineWidth = 1;
  pen.fill();
  pen.stroke();
}

function drawIcon(pen: Pen, icon: number, p: Palette): void {
  if (icon < PLATES) {
    drawPlate(
      pen,
      UNIT_KINDS[Math.floor(icon / MARKER_STATES.length)]!,
      MARKER_STATES[icon % MARKER_STATES.length]!,
      p,
    );
  } else if (icon < PLATES + MINIS) {
    const mini = icon - PLATES;
    drawMini(pen, UNIT_KINDS[Math.floor(mini / MINI_STATES)]!, MARKER_STATES[mini % MINI_STATES]!, p);
  } else {
    const chevron = icon - PLATES - MINIS;
    const colour = [p.ink, p.accent, p.alarm][chevron % CHEVRONS.length]!;
    drawChevron(pen, chevron < CHEVRONS.length ? GROUND_R : AIR_R, colour, p);
  }
}

/** Draw the atlas in a theme's colours. */
export function drawAtlas(palette: Palette): Atlas {
  const image = document.createElement("canvas");
  image.width = COLUMNS * CELL;
  image.height = Math.ceil(ICONS / COLUMNS) * CELL;
  const pen = image.getContext("2d")!;
  const frames = new Float32Array(ICONS * 7);
  for (let icon = 0; icon < ICONS; icon++) {
    const x = (icon % COLUMNS) * CELL;
    const y = Math.floor(icon / COLUMNS) * CELL;
    pen.save();
    pen.translate(x + CELL / 2, y + CELL / 2);
    pen.scale(RATIO, RATIO);
    drawIcon(pen, icon, palette);
    pen.restore();
    frames.set([0, 0, x, y, CELL, CELL, 0], icon * 7);
  }
  return { image, frames };
}
