// Which drone of the registry an airframe of the programme is.
import { useMemo } from "react";
import { nameIn } from "../i18n/text";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { Airframe } from "../wire.generated";
import { ChoiceRow } from "./fields";

const NONE = 0;

export function UnitChoice({
  airframe,
  onChange,
}: {
  airframe: Airframe;
  onChange: (part: Partial<Airframe>) => void;
}) {
  const t = useText();
  const { language } = useSettings();
  const { units } = useLive();
  const names = useMemo(() => {
    const drones = [...units.values()].filter((unit) => unit.kind === "drone" || unit.unit_id === airframe.unit_id);
    return new Map(drones.map((unit) => [unit.unit_id, nameIn(language, unit) || unit.call_sign]));
  }, [units, language, airframe.unit_id]);
  return (
    <ChoiceRow
      name="unit_id"
      label={t("plan.f.unit_id")}
      value={airframe.unit_id ?? NONE}
      all={[...new Set([NONE, ...(airframe.unit_id === null ? [] : [airframe.unit_id]), ...names.keys()])]}
      word={(id) => (id === NONE ? t("plan.noUnit") : (names.get(id) ?? `#${id}`))}
      onChange={(id) =>
        onChange({ unit_id: id || null, device_id: id === airframe.unit_id ? airframe.device_id : null })
      }
    />
  );
}
