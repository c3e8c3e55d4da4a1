// Words for the quality bits that a person should know of.
import type { TextKey } from "../i18n/zh";
import { Quality } from "../wire.generated";

const SAID: readonly [number, TextKey][] = [
  [Quality.TIME_ESTIMATED, "quality.timeEstimated"],
  [Quality.TIME_OF_ARRIVAL, "quality.timeOfArrival"],
  [Quality.JUMPED, "quality.jumped"],
  [Quality.TOO_FAST, "quality.tooFast"],
  [Quality.NO_FIX, "quality.noFix"],
  [Quality.MOCK, "quality.mock"],
  [Quality.INACCURATE, "quality.inaccurate"],
  [Quality.UNSIGNED, "quality.unsigned"],
  [Quality.REPLAYED, "quality.replayed"],
  [Quality.SATURATED, "quality.saturated"],
];

/** The texts of the bits that stand, none for a clean fix. */
export const qualityTexts = (bits: number): TextKey[] =>
  SAID.filter(([bit]) => (bits & bit) !== 0).map(([, key]) => key);
