// Geofences on the page: shapes that can be changed, times and words, circles on the ground.
import { describe, expect, it } from "vitest";
import {
  beginFence,
  changeFence,
  discard,
  getFenceDesk,
  keepDrawing,
  redraft,
  shapeOf,
  stepBack,
} from "../src/geofences/fenceDesk";
import { boundsOf, draftFeatures, pixelsAtZoom0, ringOf } from "../src/geofences/fenceShapes";
import { heightText, minuteOf, minuteText, windowText } from "../src/geofences/words";
import { translator } from "../src/i18n/text";
import type { GeofenceView } from "../src/wire.generated";

const t = translator("en");

describe("a draft", () => {
  it("begins with a size, takes what is drawn, and is left step by step", () => {
    beginFence("circle", 3);
    expect(getFenceDesk().draft).toMatchObject({ geofenceId: null, geometry: null });
    expect(getFenceDesk().draft?.fields).toMatchObject({ radius_m: 200, width_m: null, station_id: 3 });
    redraft({ geometry: { type: "Point", coordinates: [103.8, 36] }, fields: { name_en: "Square" } });
    expect(draftFeatures(getFenceDesk().draft).features).toHaveLength(1);
    expect(stepBack()).toBe(true);
    expect(getFenceDesk()).toMatchObject({ isLeaving: true });
    keepDrawing();
    expect(getFenceDesk().draft).not.toBeNull();
    discard();
    expect(getFenceDesk().draft).toBeNull();
    expect(stepBack()).toBe(true);
    expect(stepBack()).toBe(false);
  });

  it("of a fence keeps its version, and its shape where the page cannot draw it", () => {
    const geometry = { type: "Polygon", coordinates: [[[0, 0]], [[0, 0]]] };
    changeFence({ geofence_id: 7, version: 4, geometry, name_en: "Two rings" } as unknown as GeofenceView);
    expect(getFenceDesk().draft).toMatchObject({ geofenceId: 7, version: 4, shape: null, geometry: null });
    stepBack();
    stepBack();
  });

  it("can change shapes of one ring, circles and corridors", () => {
    expect(shapeOf({ type: "Polygon", coordinates: [[]] })).toBe("polygon");
    expect(shapeOf({ type: "MultiPolygon", coordinates: [] })).toBeNull();
    expect(shapeOf({ type: "LineString", coordinates: [] })).toBe("corridor");
    expect(shapeOf({ type: "Point", coordinates: [] })).toBe("circle");
  });
});

describe("on the ground", () => {
  it("a circle's ring is closed and as far from its centre as its radius", () => {
    const ring = ringOf([103.8, 60], 111_320);
    expect(ring.at(-1)![0]).toBeCloseTo(ring[0]![0], 9);
    const [[west, south], [east, north]] = boundsOf(ring)!;
    expect(north - south).toBeCloseTo(2, 6);
    expect(east - west).toBeCloseTo(4, 2);
  });

  it("a corridor is as wide in pixels as the world's scale says", () => {
    expect(pixelsAtZoom0(40_075_016, 0)).toBeCloseTo(512, 6);
    expect(pixelsAtZoom0(40_075_016, 60)).toBeCloseTo(1024, 6);
  });
});

describe("words", () => {
  it("of times reach to the end of the day and refuse what is none", () => {
    expect(minuteOf("24:00")).toBe(1440);
    expect(minuteText(510)).toBe("08:30");
    for (const wrong of ["24:01", "8", "12:60", "noon"]) expect(minuteOf(wrong)).toBeNull();
  });

  it("say when a fence holds and at which heights", () => {
    const always = { days: [1, 2, 3, 4, 5, 6, 7], from_minute: 0, to_minute: 1440 };
    expect(windowText(t, always)).toBe("Always");
    expect(windowText(t, { days: [6, 7], from_minute: 1320, to_minute: 360 })).toBe("Sat Sun 22:00–06:00");
    expect(heightText(t, { lowest_m: null, highest_m: 120, height_above: "home" })).toBe("–120 m above take-off");
    expect(heightText(t, { lowest_m: null, highest_m: null, height_above: "msl" })).toBe("");
  });
});
