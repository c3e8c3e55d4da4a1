// Contours come and go by their ids; a reset begins anew.
import { describe, expect, it } from "vitest";
import { ContourBook } from "../src/live/contourBook";

const contour = (contour_id: string, minutes = 3) => ({ contour_id, minutes, polygon: [[[103, 36]]] });
const message = (reset: boolean, gone: string[], added: ReturnType<typeof contour>[]) =>
  ({ type: "contours", at_ms: 1, reset, gone, added }) as const;

describe("ContourBook", () => {
  it("keeps what did not change, takes what came, forgets what went", () => {
    const book = new ContourBook();
    book.take(message(true, [], [contour("a"), contour("b", 5)]));
    book.take(message(false, ["a"], [contour("c")]));
    expect(book.all().map((each) => each.contour_id)).toEqual(["b", "c"]);
    expect(book.within(5).length).toBe(1);
  });

  it("forgets all others on a reset, and counts every change", () => {
    const book = new ContourBook();
    book.take(message(true, [], [contour("a")]));
    book.take(message(true, [], [contour("z")]));
    expect(book.all().map((each) => each.contour_id)).toEqual(["z"]);
    expect(book.version).toBe(2);
  });
});
