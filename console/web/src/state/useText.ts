// The translator of the chosen language, for components.
import { useMemo } from "react";
import { type Translate, translator } from "../i18n/text";
import { useSettings } from "./settings";

export function useText(): Translate {
  const { language } = useSettings();
  return useMemo(() => translator(language), [language]);
}
