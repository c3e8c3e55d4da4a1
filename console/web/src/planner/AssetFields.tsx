// The fields of zones and of what there is to fly with: airframes with their cameras, docks, batteries, crews, weather.
import { useState } from "react";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { Airframe, Battery, Camera, Crew, Dock, Programme, Weather, Zone, ZoneKind } from "../wire.generated";
import { CheckRow, ChoiceRow, type FieldKey, Group, MomentRow, NumberRow, ShareRow, TextRow } from "./fields";
import { type Items, NEW_CAMERA } from "./items";
import { redraft } from "./planDesk";
import { WindowRows } from "./TimeFields";
import { UnitChoice } from "./UnitChoice";

interface Place {
  readonly programme: Programme;
  readonly day: string;
}

/** A number field by its name in the model: its unit, what one of it is in the model's unit, whether it may be empty. */
type Spec = readonly [name: string, unit?: string, scale?: number, isFree?: boolean];

const FLIGHT: readonly Spec[] = [
  ["cruise_mps", "m/s"],
  ["fastest_mps", "m/s"],
  ["endurance_s", "min", 60],
  ["most_waypoints"],
  ["wind_limit_mps", "m/s"],
  ["gust_limit_mps", "m/s"],
  ["climb_mps", "m/s"],
  ["sink_mps", "m/s"],
  ["acceleration_mps2", "m/s²"],
  ["yaw_rate_degps", "°/s"],
  ["empty_kg", "kg"],
  ["takeoff_kg", "kg"],
];
const CAMERA: readonly Spec[] = [
  ["horizontal_fov_deg", "°"],
  ["vertical_fov_deg", "°"],
  ["width_px", "px"],
  ["height_px", "px"],
  ["least_interval_s", "s"],
];
const WEATHER: readonly Spec[] = [
  ["wind_from_deg", "°", 1, true],
  ["wind_mps", "m/s", 1, true],
  ["gust_mps", "m/s", 1, true],
  ["visibility_m", "m", 1, true],
  ["rain_mmph", "mm/h", 1, true],
  ["cloud_base_agl_m", "m", 1, true],
  ["temperature_c", "°C", 1, true],
];
const DOCK: readonly Spec[] = [["ground_msl_m", "m", 1, true], ["pad_count"], ["charger_count"]];

function Numbers<T extends object>({
  specs,
  of,
  onChange,
}: {
  specs: readonly Spec[];
  of: T;
  onChange: (part: Partial<T>) => void;
}) {
  const t = useText();
  return (
    <div className="two">
      {specs.map(([name, unit, scale, isFree]) => (
        <NumberRow
          key={name}
          name={name}
          label={t(`plan.f.${name}` as FieldKey)}
          unit={unit}
          scale={scale ?? 1}
          value={(of as Record<string, number | null>)[name] ?? null}
          isNeeded={!isFree}
          onChange={(value) => (value !== null || isFree) && onChange({ [name]: value } as Partial<T>)}
        />
      ))}
    </div>
  );
}

function Name<K extends "zones" | "docks" | "airframes" | "batteries" | "crews">({ name }: { name: string }) {
  const t = useText();
  return (
    <TextRow
      name="name"
      label={t("plan.f.name")}
      value={name}
      onChange={(value) => redraft<K>({ name: value } as Partial<Items[K]>)}
    />
  );
}

function DockChoice({ dockId, programme }: { dockId: number; programme: Programme }) {
  const t = useText();
  const names = new Map(programme.docks.map((dock) => [dock.dock_id, dock.name]));
  return (
    <ChoiceRow
      name="dock_id"
      label={t("plan.f.dock_id")}
      value={dockId}
      all={[...names.keys()]}
      word={(id) => names.get(id) ?? ""}
      onChange={(dock_id) => redraft<"airframes">({ dock_id })}
    />
  );
}

const ZONES: readonly ZoneKind[] = ["no_fly", "restricted", "keep_in", "traffic"];

export function ZoneFields({ zone, programme, day }: Place & { zone: Zone }) {
  const t = useText();
  const set = (part: Partial<Zone>): void => redraft<"zones">(part);
  return (
    <>
      <div className="form">
        <Name<"zones"> name={zone.name} />
        <ChoiceRow
          name="kind"
          label={t("plan.f.kind")}
          value={zone.kind}
          all={ZONES}
          word={(kind) => t(`plan.zone.${kind}`)}
          onChange={(kind) => set({ kind })}
        />
        <div className="two">
          <NumberRow
            name="floor_agl_m"
            label={t("plan.f.floor_agl_m")}
            unit="m"
            value={zone.floor_agl_m}
            isNeeded
            onChange={(value) => value !== null && set({ floor_agl_m: value })}
          />
          <NumberRow
            name="ceiling_agl_m"
            label={t("plan.f.ceiling_agl_m")}
            unit="m"
            hint={zone.ceiling_agl_m === null ? t("plan.noCeiling") : undefined}
            value={zone.ceiling_agl_m}
            onChange={(ceiling_agl_m) => set({ ceiling_agl_m })}
          />
        </div>
      </div>
      <Group title={t("plan.group.when")}>
        <WindowRows
          name="windows"
          windows={zone.windows}
          zone={programme.zone}
          day={day}
          empty={t("plan.always")}
          onChange={(windows) => set({ windows })}
        />
      </Group>
      <Group title={t("plan.group.more")}>
        <TextRow
          name="approval"
          label={t("plan.f.approval")}
          value={zone.approval}
          onChange={(approval) => set({ approval })}
        />
        <TextRow name="source" label={t("plan.f.source")} value={zone.source} onChange={(source) => set({ source })} />
      </Group>
    </>
  );
}

const FIRMWARES = ["ardupilot", "px4", "dji"] as const;

export function AirframeFields({ airframe, programme }: { airframe: Airframe; programme: Programme }) {
  const t = useText();
  const set = (part: Partial<Airframe>): void => redraft<"airframes">(part);
  const putCamera = (i: number, part: Partial<Camera>): void =>
    set({ cameras: airframe.cameras.map((each, n) => (n === i ? { ...each, ...part } : each)) });
  return (
    <>
      <div className="form">
        <Name<"airframes"> name={airframe.name} />
        <CheckRow
          name="is_ready"
          label={t("plan.f.is_ready")}
          isOn={airframe.is_ready}
          onChange={(is_ready) => set({ is_ready })}
        />
        <div className="two">
          <DockChoice dockId={airframe.dock_id} programme={programme} />
          <UnitChoice airframe={airframe} onChange={set} />
        </div>
        <div className="two">
          <TextRow name="model" label={t("plan.f.model")} value={airframe.model} onChange={(model) => set({ model })} />
          <ChoiceRow
            name="firmware"
            label={t("plan.f.firmware")}
            value={airframe.firmware}
            all={[...new Set([...FIRMWARES, airframe.firmware])]}
            word={(each) => each}
            onChange={(firmware) => set({ firmware })}
          />
        </div>
      </div>
      <Group title={t("plan.group.flight")}>
        <Numbers specs={FLIGHT} of={airframe} onChange={set} />
        <CheckRow
          name="flies_in_rain"
          label={t("plan.f.flies_in_rain")}
          isOn={airframe.flies_in_rain}
          onChange={(flies_in_rain) => set({ flies_in_rain })}
        />
      </Group>
      <Group title={t("plan.group.cameras")} isOpen={false}>
        {airframe.cameras.map((camera, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a camera's name is being written
          <fieldset key={i} className="form subform">
            <div className="two">
              <TextRow
                name={`cameras[${i + 1}].name`}
                label={t("plan.f.name")}
                value={camera.name}
                onChange={(name) => putCamera(i, { name })}
              />
              <ChoiceRow
                name={`cameras[${i + 1}].kind`}
                label={t("plan.f.kind")}
                value={camera.kind}
                all={["wide", "zoom", "thermal", "multispectral"]}
                word={(kind) => t(`plan.camera.${kind as "wide"}`)}
                onChange={(kind) => putCamera(i, { kind })}
              />
            </div>
            <Numbers specs={CAMERA} of={camera} onChange={(part) => putCamera(i, part)} />
            <button
              type="button"
              className="btn s ghost"
              disabled={airframe.cameras.length === 1}
              onClick={() => set({ cameras: airframe.cameras.filter((_, n) => n !== i) })}
            >
              {t("plan.removeCamera")}
            </button>
          </fieldset>
        ))}
        <button type="button" className="btn s" onClick={() => set({ cameras: [...airframe.cameras, NEW_CAMERA] })}>
          <Icon name="plus" size={14} /> {t("plan.addCamera")}
        </button>
      </Group>
    </>
  );
}

export function DockFields({ dock }: { dock: Dock }) {
  const t = useText();
  const set = (part: Partial<Dock>): void => redraft<"docks">(part);
  return (
    <div className="form">
      <Name<"docks"> name={dock.name} />
      <Numbers specs={DOCK} of={dock} onChange={set} />
      <CheckRow
        name="is_automatic"
        label={t("plan.f.is_automatic")}
        isOn={dock.is_automatic}
        onChange={(is_automatic) => set({ is_automatic })}
      />
      {dock.is_automatic ? <p className="f12 t3">{t("plan.automaticSaid")}</p> : null}
    </div>
  );
}

export function BatteryFields({ battery, programme }: { battery: Battery; programme: Programme }) {
  const t = useText();
  const set = (part: Partial<Battery>): void => redraft<"batteries">(part);
  return (
    <div className="form">
      <Name<"batteries"> name={battery.name} />
      <CheckRow
        name="is_ready"
        label={t("plan.f.is_ready")}
        isOn={battery.is_ready}
        onChange={(is_ready) => set({ is_ready })}
      />
      <div className="two">
        <DockChoice dockId={battery.dock_id} programme={programme} />
        <TextRow name="model" label={t("plan.f.model")} value={battery.model} onChange={(model) => set({ model })} />
        <ShareRow
          name="health_ratio"
          label={t("plan.f.health_ratio")}
          value={battery.health_ratio}
          isNeeded
          onChange={(value) => value !== null && set({ health_ratio: value })}
        />
        <ShareRow
          name="charge_ratio"
          label={t("plan.f.charge_ratio")}
          value={battery.charge_ratio}
          isNeeded
          onChange={(value) => value !== null && set({ charge_ratio: value })}
        />
      </div>
      <Numbers specs={[["charge_s", "min", 60]]} of={battery} onChange={set} />
    </div>
  );
}

export function CrewFields({ crew, programme, day }: Place & { crew: Crew }) {
  const t = useText();
  return (
    <>
      <div className="form">
        <Name<"crews"> name={crew.name} />
        <CheckRow
          name="is_ready"
          label={t("plan.f.is_ready")}
          isOn={crew.is_ready}
          onChange={(is_ready) => redraft<"crews">({ is_ready })}
        />
        <Numbers specs={[["drone_count"]]} of={crew} onChange={(part) => redraft<"crews">(part)} />
      </div>
      <Group title={t("plan.f.shifts")}>
        <WindowRows
          name="shifts"
          windows={crew.shifts}
          zone={programme.zone}
          day={day}
          empty={t("plan.noShifts")}
          onChange={(shifts) => redraft<"crews">({ shifts })}
        />
      </Group>
    </>
  );
}

export function WeatherFields({
  weather,
  zone,
  onMetar,
}: {
  weather: Weather;
  zone: string;
  onMetar: ((text: string) => void) | null;
}) {
  const t = useText();
  const [metar, setMetar] = useState("");
  const set = (part: Partial<Weather>): void => redraft<"weather">(part);
  return (
    <>
      {onMetar ? (
        <div className="form subform">
          <TextRow name="metar" rows={2} label="METAR" hint={t("plan.metarHint")} value={metar} onChange={setMetar} />
          <button
            type="button"
            className="btn s"
            data-testid="metar-read"
            disabled={!metar.trim()}
            onClick={() => onMetar(metar.trim())}
          >
            {t("plan.metarRead")}
          </button>
        </div>
      ) : null}
      <div className="form">
        <MomentRow
          name="from_us"
          label={t("plan.f.from_us")}
          us={weather.from_us}
          zone={zone}
          onChange={(from_us) => set({ from_us })}
        />
        <MomentRow
          name="observed_us"
          label={t("plan.f.observed_us")}
          us={weather.observed_us}
          zone={zone}
          onChange={(observed_us) => set({ observed_us })}
        />
        <Numbers specs={WEATHER} of={weather} onChange={set} />
        <CheckRow
          name="thunderstorm"
          label={t("plan.f.thunderstorm")}
          isOn={weather.thunderstorm}
          onChange={(thunderstorm) => set({ thunderstorm })}
        />
        <TextRow
          name="source"
          label={t("plan.f.source")}
          value={weather.source}
          onChange={(source) => set({ source })}
        />
      </div>
    </>
  );
}
