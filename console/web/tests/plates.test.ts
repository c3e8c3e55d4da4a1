// Plates of gaps and open links keep off incidents' pins and off each other's crosses.
import { describe, expect, it } from "vitest";
import type { Pin, Plate } from "../src/map/deskMarks";
import { placePlates } from "../src/map/platePlaces";
import type { Projection } from "../src/map/projection";

const projection = { x: (lon: number) => lon, y: (lat: number) => lat, contains: () => true } as unknown as Projection;
const pen = { font: "", measureText: () => ({ width: 100 }) } as unknown as CanvasRenderingContext2D;
const view = { width: 1000, height: 1000, covered: [] };
const plate = (text: string, x: number, y: number, cross: boolean): Plate => ({
  text,
  place: [x, y],
  big: true,
  gapLabel: null,
  cross,
});
const pin = (x: number, y: number): Pin => ({
  incidentId: 1,
  place: [x, y],
  urgency: 1,
  chosen: false,
  toSend: true,
  title: "",
});

describe("plates over the map", () => {
  it("stand at their place where nothing else is", () => {
    expect(placePlates({ pins: [], plates: [plate("Gap A", 500, 500, false)] }, projection, view, pen)).toMatchObject([
      { dx: 0, dy: 0 },
    ]);
  });

  it("give way to an incident's pin and to another link's cross", () => {
    const plates = [plate("Ring 08–09", 500, 500, true), plate("", 500, 530, true), plate("Gap A", 200, 200, false)];
    const [first, , gap] = placePlates({ pins: [pin(200, 205)], plates }, projection, view, pen);
    expect(first).toMatchObject({ dx: 0, dy: -30 });
    expect(gap).toMatchObject({ dx: 0, dy: 28 });
  });

  it("keep their cross where there is no room for words", () => {
    const full = { ...view, covered: [[0, 0, 1000, 1000] as const] } as unknown as typeof view;
    const [only] = placePlates({ pins: [], plates: [plate("Ring", 500, 500, true)] }, projection, full, pen);
    expect(only!.plate).toMatchObject({ text: "", cross: true });
  });
});
