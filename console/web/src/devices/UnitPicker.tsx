// A field that finds a unit by call sign or name: the fitting ones below it, chosen by click, arrows and Enter.
import { useId, useState } from "react";
import { nameIn } from "../i18n/text";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { UnitGlyph } from "../ui/icons";
import type { UnitMeta } from "../wire.generated";

const SHOWN = 6;

interface PickerProps {
  readonly unitId: number | null;
  readonly onPick: (unitId: number | null) => void;
  readonly label: string;
}

function fitting(units: ReadonlyMap<number, UnitMeta>, query: string): UnitMeta[] {
  const words = query.toLowerCase().split(/\s+/);
  const fits = (unit: UnitMeta): boolean => {
    const haystack = `${unit.call_sign} ${unit.name_zh} ${unit.name_en}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  };
  return [...units.values()].filter(fits).slice(0, SHOWN);
}

export function UnitPicker({ unitId, onPick, label }: PickerProps) {
  const { units } = useLive();
  const { language } = useSettings();
  const t = useText();
  const listId = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const chosen = unitId === null ? null : units.get(unitId);
  const found = query.trim() ? fitting(units, query.trim()) : [];
  const pick = (unit: UnitMeta | undefined): void => {
    if (!unit) return;
    onPick(unit.unit_id);
    setQuery("");
  };

  if (chosen) {
    return (
      <div className="row picked">
        <UnitGlyph name={chosen.kind} size={18} />
        <b className="ell">{nameIn(language, chosen) || chosen.call_sign}</b>
        <span className="t3 f12 ell">{chosen.call_sign}</span>
        <span className="sp" />
        <button type="button" className="btn s ghost" data-testid="unit-picker-clear" onClick={() => onPick(null)}>
          {t("devices.otherUnit")}
        </button>
      </div>
    );
  }
  return (
    <div className="picker">
      <input
        className="field"
        role="combobox"
        aria-label={label}
        aria-expanded={found.length > 0}
        aria-controls={listId}
        aria-activedescendant={found[at] ? `${listId}-${found[at].unit_id}` : undefined}
        data-testid="unit-picker"
        autoComplete="off"
        spellCheck={false}
        placeholder={t("devices.findUnit")}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt(Math.min(found.length - 1, at + 1));
          else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
          else if (event.key === "Enter") pick(found[at]);
          else return;
          event.preventDefault();
        }}
      />
      {found.length > 0 ? (
        <div className="options" role="listbox" id={listId} aria-label={label}>
          {found.map((unit, index) => (
            <button
              key={unit.unit_id}
              id={`${listId}-${unit.unit_id}`}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              data-testid={`unit-option-${unit.unit_id}`}
              onClick={() => pick(unit)}
            >
              <UnitGlyph name={unit.kind} size={18} />
              <span className="ell">{nameIn(language, unit) || unit.call_sign}</span>
              <span className="t3 f12 ell">{unit.call_sign}</span>
            </button>
          ))}
        </div>
      ) : query.trim() ? (
        <p className="f12 t3 hint">{t("units.none")}</p>
      ) : null}
    </div>
  );
}
