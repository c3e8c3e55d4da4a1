// Both languages have the same keys and the same figures in each text, and no text is empty.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { text } from "../src/i18n/text";
import { zh } from "../src/i18n/zh";

const figuresIn = (sentence: string): string[] => [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();

describe("texts", () => {
  it("have the same keys in Chinese and English", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  });

  it("have the same figures in both languages, or fewer only where a language needs none", () => {
    for (const key of Object.keys(zh) as (keyof typeof zh)[])
      expect([key, figuresIn(en[key])]).toEqual([key, figuresIn(zh[key])]);
  });

  it("are never empty", () => {
    for (const value of [...Object.values(zh), ...Object.values(en)]) expect(value.trim()).not.toBe("");
  });

  it("fill in their figures", () => {
    expect(text("en", "live.lost", { seconds: 34 })).toBe("Connection lost 34 s");
    expect(text("zh", "live.lost", { seconds: 34 })).toBe("链路中断 34 s");
  });

  it("are not written into components: no Chinese outside the language files", () => {
    const root = new URL("../src", import.meta.url).pathname;
    const sources = (readdirSync(root, { recursive: true }) as string[]).filter(
      (name) => /\.tsx?$/.test(name) && !name.startsWith("i18n"),
    );
    const spoken = sources.filter(
      (name) => name !== join("format", "figures.ts") && /[\u4e00-\u9fff]/.test(readFileSync(join(root, name), "utf8")),
    );
    expect(spoken).toEqual([]);
  });
});
