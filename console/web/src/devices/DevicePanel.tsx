// One device: how it is heard and known, and what may be changed of it; what cannot be undone asks first.
import { useRef, useState } from "react";
import { RequestError } from "../api/client";
import { age, clockTime, day } from "../format/figures";
import { selectUnit } from "../state/actions";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { showScreen } from "../supervisor/keys";
import { UnitGlyph } from "../ui/icons";
import type { EnrolmentRuleView } from "../wire.generated";
import { assign, changeDevice, revoke, rotate } from "./acts";
import { LINK_TONE, SecretBadge } from "./DeviceTable";
import { changeDeviceDesk } from "./desk";
import type { DeviceRow } from "./deviceList";
import { type Options, OptionsForm } from "./OptionsForm";
import { UnitPicker } from "./UnitPicker";
import { protocolName, wordOf } from "./words";

type Question = "rotate" | "revoke";

interface PanelProps {
  readonly row: DeviceRow;
  readonly rule: EnrolmentRuleView | undefined;
  readonly onChanged: () => void;
}

function Facts({ row }: { row: DeviceRow }) {
  const { nowMs } = useLive();
  const { language } = useSettings();
  const t = useText();
  const { device } = row;
  const facts: [string, string][] = [
    [t("devices.protocol"), protocolName(t, device.protocol)],
    [t("devices.address"), device.address ?? t("devices.addressHidden")],
    [t("devices.heard"), age(device.heard_ms === null ? null : Math.max(0, nowMs - device.heard_ms), t)],
    [t("devices.interval"), `${device.report_interval_s}\u2009s`],
  ];
  if (device.registered_at)
    facts.push([
      t("devices.registered"),
      `${device.registered_at} · ${clockTime(device.registered_until_ms).slice(0, 5)}`,
    ]);
  if (device.pairs_until_ms && device.secret_state === "waiting")
    facts.push([
      t("devices.pairing"),
      `${day(device.pairs_until_ms, language)} ${clockTime(device.pairs_until_ms).slice(0, 5)}`,
    ]);
  return (
    <dl className="kv">
      {facts.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd className="num said">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Confirm({
  question,
  name,
  onYes,
  onNo,
}: {
  question: Question;
  name: string;
  onYes: () => void;
  onNo: () => void;
}) {
  const t = useText();
  return (
    <div
      className="failure attn"
      role="alertdialog"
      aria-labelledby="device-question"
      data-testid={`confirm-${question}`}
    >
      <p id="device-question">{t(`devices.${question}Ask`, { name })}</p>
      <div className="row">
        {/* biome-ignore lint/a11y/noAutofocus: the safe answer has the focus */}
        <button type="button" className="btn s" autoFocus onClick={onNo}>
          {t("devices.cancel")}
        </button>
        <button type="button" className="btn s" data-testid={`confirm-${question}-yes`} onClick={onYes}>
          {t(`devices.${question}`)}
        </button>
      </div>
    </div>
  );
}

export function DevicePanel({ row, rule, onChanged }: PanelProps) {
  const t = useText();
  const { device, unit, unitName } = row;
  const [question, setQuestion] = useState<Question | null>(null);
  const [isMoving, setMoving] = useState(false);
  const [options, setOptions] = useState<Options | null>(null);
  const [error, setError] = useState<RequestError | null>(null);
  const label = useRef<HTMLInputElement>(null);
  const name = device.label || unitName || `#${device.device_id}`;

  const act = async <T,>(asked: Promise<T | RequestError>): Promise<T | null> => {
    const reply = await asked;
    setQuestion(null);
    setError(reply instanceof RequestError ? reply : null);
    onChanged();
    return reply instanceof RequestError ? null : reply;
  };
  const newSecret = async (): Promise<void> => {
    const reply = await act(rotate(device.device_id));
    if (reply) changeDeviceDesk({ issued: reply });
  };
  const move = async (unitId: number | null): Promise<void> => {
    await act(assign(device.device_id, unitId));
    setMoving(false);
  };
  const save = async (): Promise<void> => {
    if (!options) return;
    const part = { label: label.current?.value ?? device.label, options };
    if (await act(changeDevice(device.device_id, part))) setOptions(null);
  };

  return (
    <div data-testid="device-panel" data-device-id={device.device_id}>
      <div className="sec">
        <div className="unithead">
          <div style={{ minWidth: 0 }}>
            <h2 className="ell">{name}</h2>
            <div className="f12 t3">#{device.device_id}</div>
          </div>
          <span className="sp" />
          <span className={`badge ${device.revoked ? "line" : LINK_TONE[device.link]}`}>
            {device.revoked ? t("devices.revoked") : wordOf(t, "fresh", device.link)}
          </span>
        </div>
      </div>
      <div className="sec">
        <Facts row={row} />
        <div className="row" style={{ marginTop: 10 }}>
          <span className="f13 t3">{t("devices.secret")}</span>
          <span className="sp" />
          <SecretBadge state={device.secret_state} />
        </div>
      </div>
      <div className="sec">
        <div className="h">{t("devices.speaksFor")}</div>
        {unit ? (
          <button
            type="button"
            className="row picked"
            data-testid="device-unit"
            onClick={() => {
              showScreen("operator");
              selectUnit(unit.unit_id);
            }}
          >
            <UnitGlyph name={unit.kind} size={18} />
            <b className="ell">{unitName}</b>
            <span className="t3 f12 ell">{unit.call_sign}</span>
            <span className="sp" />
            <span className="c-acc f12">{t("inspector.place")}</span>
          </button>
        ) : (
          <p className="f13 t3">{t("devices.idleHint")}</p>
        )}
        {device.is_managed && rule ? (
          isMoving ? (
            <div className="hint">
              <UnitPicker unitId={null} onPick={(unitId) => void move(unitId)} label={t("devices.assign")} />
            </div>
          ) : (
            <div className="row hint">
              <button type="button" className="btn s" data-testid="device-assign" onClick={() => setMoving(true)}>
                {t("devices.assign")}
              </button>
              {unit ? (
                <button
                  type="button"
                  className="btn s ghost"
                  data-testid="device-unassign"
                  onClick={() => void move(null)}
                >
                  {t("devices.unassign")}
                </button>
              ) : null}
            </div>
          )
        ) : null}
      </div>
      {error ? (
        <p className="sec c-alarm f13" role="alert">
          {t("devices.failed", { why: error.detail || t(error.key, error.figures) })}
        </p>
      ) : null}
      {device.is_managed ? (
        <div className="sec form">
          {options ? (
            <>
              <label>
                {t("devices.label")}
                <input className="field" ref={label} maxLength={64} defaultValue={device.label} />
              </label>
              <OptionsForm options={options} onChange={setOptions} />
              <div className="row">
                <button type="button" className="btn ghost" onClick={() => setOptions(null)}>
                  {t("devices.cancel")}
                </button>
                <span className="sp" />
                <button type="button" className="btn pri" data-testid="options-save" onClick={() => void save()}>
                  {t("devices.save")}
                </button>
              </div>
            </>
          ) : question ? (
            <Confirm
              question={question}
              name={name}
              onNo={() => setQuestion(null)}
              onYes={() => void (question === "rotate" ? newSecret() : act(revoke(device.device_id)))}
            />
          ) : (
            <div className="actions">
              {rule ? (
                <button
                  type="button"
                  className="btn"
                  data-testid="device-options"
                  onClick={() => setOptions(device.options as Options)}
                >
                  {t("devices.options")}
                </button>
              ) : null}
              {rule && rule.secret !== "none" ? (
                <button type="button" className="btn" data-testid="device-rotate" onClick={() => setQuestion("rotate")}>
                  {t("devices.rotate")}
                </button>
              ) : null}
              <button type="button" className="btn" data-testid="device-revoke" onClick={() => setQuestion("revoke")}>
                {t("devices.revoke")}
              </button>
            </div>
          )}
        </div>
      ) : null}
    </div>
  );
}
