// The keys that change the screen: Alt with a digit always, whatever sign the keyboard writes for it.
import { describe, expect, it } from "vitest";
import { screenDigit } from "../src/supervisor/screenDigit";

const pressed = (code: string, held: Partial<Record<"altKey" | "ctrlKey" | "metaKey", boolean>> = {}) => ({
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  ...held,
  code,
});

describe("Alt with a digit", () => {
  it("is told by the key's place", () => {
    expect(screenDigit(pressed("Digit1", { altKey: true }))).toBe("1");
    expect(screenDigit(pressed("Numpad2", { altKey: true }))).toBe("2");
  });

  it("is nothing with 0, without Alt or with more than it", () => {
    expect(screenDigit(pressed("Digit0", { altKey: true }))).toBeNull();
    expect(screenDigit(pressed("KeyA", { altKey: true }))).toBeNull();
    expect(screenDigit(pressed("Digit1"))).toBeNull();
    expect(screenDigit(pressed("Digit1", { altKey: true, ctrlKey: true }))).toBeNull();
  });
});
