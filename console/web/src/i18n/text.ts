// Looks up texts in the chosen language and fills in their figures.
import { en } from "./en";
import { type TextKey, zh } from "./zh";

export type Language = "zh" | "en";
export type Figures = Readonly<Record<string, string | number>>;
export type Translate = (key: TextKey, figures?: Figures) => string;

const TEXTS: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = { zh, en };

/** The text of `key`; `{name}` is replaced by the figure of that name. */
export function text(language: Language, key: TextKey, figures: Figures = {}): string {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(figures[name] ?? whole));
}

/** A translator bound to a language. */
export const translator =
  (language: Language): Translate =>
  (key, figures) =>
    text(language, key, figures);

/** The name in the chosen language, the other one where it is missing. */
export const nameIn = (language: Language, named: { name_zh: string; name_en: string }): string =>
  language === "zh" ? named.name_zh || named.name_en : named.name_en || named.name_zh;
