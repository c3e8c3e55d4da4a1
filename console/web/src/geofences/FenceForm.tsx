// The form of a geofence that is drawn or changed: names, size, when, at which heights, for whom, what it watches for.
import { type FormEvent, useState } from "react";
import { RequestError } from "../api/client";
import { nameIn } from "../i18n/text";
import { usePlaces } from "../state/places";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { SERVICES, type Service, UNIT_KINDS, type UnitKind } from "../wire.generated";
import { saveFence } from "./acts";
import { FenceEnds } from "./FenceEnds";
import { changeFenceDesk, type Draft, type Fields, redraft, useFenceDesk } from "./fenceDesk";
import { minuteOf, minuteText, ofKmh, toKmh } from "./words";

const DAYS: readonly number[] = [1, 2, 3, 4, 5, 6, 7];

const toggled = <T,>(all: readonly T[], one: T): T[] =>
  all.includes(one) ? all.filter((each) => each !== one) : [...all, one];

const set = (fields: Partial<Fields>): void => redraft({ fields });

interface NumberProps {
  readonly label: string;
  readonly value: number | null;
  readonly onChange: (value: number | null) => void;
  readonly least?: number;
  readonly most?: number;
  readonly testId?: string;
  readonly isNeeded?: boolean;
}

function NumberField({ label, value, onChange, least, most, testId, isNeeded = false }: NumberProps) {
  return (
    <label>
      {label}
      <input
        className="field num"
        type="number"
        step="any"
        min={least}
        max={most}
        required={isNeeded}
        data-testid={testId}
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value === "" ? null : Number(event.target.value))}
      />
    </label>
  );
}

function Chips<T extends string | number>({
  all,
  on,
  word,
  onToggle,
  label,
}: {
  all: readonly T[];
  on: readonly T[];
  word: (one: T) => string;
  onToggle: (one: T) => void;
  label: string;
}) {
  return (
    <div className="chips wrap" role="group" aria-label={label}>
      {all.map((one) => (
        <button
          key={one}
          type="button"
          className={`chip ${on.includes(one) ? "on" : ""}`}
          aria-pressed={on.includes(one)}
          onClick={() => onToggle(one)}
        >
          {word(one)}
        </button>
      ))}
    </div>
  );
}

function TimeField({ label, minute, onChange }: { label: string; minute: number; onChange: (minute: number) => void }) {
  const t = useText();
  const [text, setText] = useState(minuteText(minute));
  const isWrong = minuteOf(text) === null;
  return (
    <label>
      {label}
      <input
        className="field num"
        inputMode="numeric"
        aria-invalid={isWrong}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          const told = minuteOf(event.target.value);
          if (told !== null) onChange(told);
        }}
      />
      {isWrong ? <span className="f12 c-attn">{t("fence.timeWrong")}</span> : null}
    </label>
  );
}

const dayText = (ms: number | null, offsetS: number): string =>
  ms === null ? "" : new Date(ms + offsetS * 1000).toISOString().slice(0, 10);

const dayMs = (text: string, offsetS: number): number | null =>
  text ? Date.parse(`${text}T00:00:00Z`) - offsetS * 1000 : null;

function When({ fields }: { fields: Fields }) {
  const t = useText();
  return (
    <fieldset className="form">
      <legend className="h">{t("fence.when")}</legend>
      <Chips
        all={DAYS}
        on={fields.days}
        word={(day) => t(`fence.day.${day as 1}`)}
        label={t("fence.when")}
        onToggle={(day) => {
          const days = toggled(fields.days, day).sort();
          if (days.length) set({ days });
        }}
      />
      <div className="two">
        <TimeField
          label={t("fence.from")}
          minute={fields.from_minute}
          onChange={(from_minute) => set({ from_minute })}
        />
        <TimeField label={t("fence.to")} minute={fields.to_minute} onChange={(to_minute) => set({ to_minute })} />
      </div>
      <div className="two">
        <label>
          {t("fence.validFrom")}
          <input
            className="field"
            type="date"
            value={dayText(fields.valid_from_ms, fields.utc_offset_s)}
            onChange={(event) => set({ valid_from_ms: dayMs(event.target.value, fields.utc_offset_s) })}
          />
        </label>
        <label>
          {t("fence.validTo")}
          <input
            className="field"
            type="date"
            value={dayText(fields.valid_to_ms, fields.utc_offset_s)}
            onChange={(event) => set({ valid_to_ms: dayMs(event.target.value, fields.utc_offset_s) })}
          />
        </label>
      </div>
    </fieldset>
  );
}

function Concerns({ fields }: { fields: Fields }) {
  const isEverybody = !fields.kinds.length && !fields.services.length && !fields.station_ids.length;
  const { stations } = usePlaces();
  const { language } = useSettings();
  const t = useText();
  return (
    <fieldset className="form">
      <legend className="h">
        {t("fence.concerns")} <span className="t3">{isEverybody ? t("fence.everyUnit") : ""}</span>
      </legend>
      <Chips
        all={UNIT_KINDS}
        on={fields.kinds}
        word={(kind) => t(`kind.${kind}`)}
        label={t("devices.kind")}
        onToggle={(kind: UnitKind) => set({ kinds: toggled(fields.kinds, kind) })}
      />
      <Chips
        all={SERVICES}
        on={fields.services}
        word={(service) => t(`service.${service}`)}
        label={t("devices.service")}
        onToggle={(service: Service) => set({ services: toggled(fields.services, service) })}
      />
      <details>
        <summary>{t("fence.stationsNamed")}</summary>
        <Chips
          all={stations.map((station) => station.station_id)}
          on={fields.station_ids}
          word={(id) => nameIn(language, stations.find((station) => station.station_id === id)!)}
          label={t("fence.stationsNamed")}
          onToggle={(id) => set({ station_ids: toggled(fields.station_ids, id) })}
        />
      </details>
    </fieldset>
  );
}

function Watches({ fields }: { fields: Fields }) {
  const t = useText();
  return (
    <fieldset className="form">
      <legend className="h">{t("fence.watches")}</legend>
      <div className="two">
        <NumberField
          label={t("fence.stay")}
          value={fields.minimum_stay_s}
          least={0}
          onChange={(value) => set({ minimum_stay_s: value ?? 0 })}
        />
        <NumberField
          label={t("fence.dwell")}
          value={fields.dwell_s}
          least={1}
          onChange={(dwell_s) => set({ dwell_s })}
        />
      </div>
      <NumberField
        label={t("fence.limit")}
        value={toKmh(fields.limit_mps) === null ? null : Math.round(toKmh(fields.limit_mps)! * 10) / 10}
        least={1}
        testId="fence-limit"
        onChange={(kmh) => set({ limit_mps: ofKmh(kmh) })}
      />
      <label className="check">
        <input
          type="checkbox"
          data-testid="fence-alarm"
          checked={fields.raises_alarm}
          onChange={(event) => set({ raises_alarm: event.target.checked })}
        />
        {t("fence.alarm")}
      </label>
    </fieldset>
  );
}

function Heights({ fields }: { fields: Fields }) {
  const t = useText();
  return (
    <details>
      <summary>{t("fence.height")}</summary>
      <div className="two">
        <NumberField label={t("fence.lowest")} value={fields.lowest_m} onChange={(lowest_m) => set({ lowest_m })} />
        <NumberField label={t("fence.highest")} value={fields.highest_m} onChange={(highest_m) => set({ highest_m })} />
      </div>
      <Chips
        all={["msl", "home"]}
        on={[fields.height_above]}
        word={(above) => t(above === "home" ? "fence.aboveHome" : "fence.aboveSea")}
        label={t("fence.height")}
        onToggle={(height_above) => set({ height_above })}
      />
    </details>
  );
}

export function FenceForm({ draft, onSaved }: { draft: Draft; onSaved: () => void }) {
  const t = useText();
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const { isCrossing } = useFenceDesk();
  const { fields, shape } = draft;

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy || isCrossing) return;
    if (shape && !draft.geometry) return setProblem(t("fence.notShaped"));
    if (!fields.name_zh.trim() && !fields.name_en.trim()) return setProblem(t("fence.notNamed"));
    setBusy(true);
    const reply = await saveFence(draft);
    setBusy(false);
    if (reply instanceof RequestError) {
      const why = reply.detail || t(reply.key, reply.figures);
      return setProblem(t(reply.status === 409 ? "fence.conflict" : "fence.failed", { why }));
    }
    changeFenceDesk({ draft: null, isLeaving: false, geofenceId: reply.geofence.geofence_id });
    onSaved();
  };

  return (
    <form className="sec form" data-testid="fence-form" onSubmit={(event) => void submit(event)}>
      <label>
        {t("fence.nameZh")}
        <input
          className="field"
          data-testid="fence-name-zh"
          maxLength={80}
          value={fields.name_zh}
          onChange={(event) => set({ name_zh: event.target.value })}
        />
      </label>
      <label>
        {t("fence.nameEn")}
        <input
          className="field"
          data-testid="fence-name-en"
          maxLength={80}
          value={fields.name_en}
          onChange={(event) => set({ name_en: event.target.value })}
        />
      </label>
      {shape === "circle" ? (
        <NumberField
          label={t("fence.radius")}
          value={fields.radius_m}
          least={1}
          testId="fence-radius"
          isNeeded
          onChange={(radius_m) => set({ radius_m })}
        />
      ) : null}
      {shape === "corridor" ? (
        <NumberField
          label={t("fence.width")}
          value={fields.width_m}
          least={1}
          testId="fence-width"
          isNeeded
          onChange={(width_m) => set({ width_m })}
        />
      ) : null}
      <Concerns fields={fields} />
      <Watches fields={fields} />
      <When fields={fields} />
      <Heights fields={fields} />
      <div className="formend">
        {problem ? (
          <p className="c-alarm f13" role="alert" data-testid="fence-problem">
            {problem}
          </p>
        ) : null}
        {isCrossing ? <p className="f13 c-alarm">{t("fence.crosses")}</p> : null}
        <FenceEnds isLocked={isBusy || isCrossing} />
      </div>
    </form>
  );
}
