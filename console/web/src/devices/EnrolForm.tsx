// Enrolling a device, or adopting one from the quarantine: protocol, address, unit, options; its secret is shown once.
import { type FormEvent, useState } from "react";
import { RequestError } from "../api/client";
import { nameIn } from "../i18n/text";
import { usePlaces } from "../state/places";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import {
  type EnrolDevice,
  type EnrolmentRulesReply,
  type EnrolmentRuleView,
  type NewUnitWish,
  SERVICES,
  UNIT_KINDS,
} from "../wire.generated";
import { enrol } from "./acts";
import { closePanel, changeDeviceDesk, useDeviceDesk } from "./desk";
import { hasForm } from "./deviceList";
import { type Options, OptionsForm, STANDARD } from "./OptionsForm";
import { UnitPicker } from "./UnitPicker";
import { addressHelp, protocolName } from "./words";

type For = "unit" | "new" | "nobody";
const USUAL_INTERVAL_S: Readonly<Record<string, number>> = { mavlink: 0.25, jt808: 5, gb28181: 5, osmand: 5 };
const NO_UNIT: NewUnitWish = { call_sign: "", kind: "car", service: "patrol", station_id: null };

function AddressField({
  rule,
  address,
  isAdopted,
  onChange,
}: {
  rule: EnrolmentRuleView;
  address: string;
  isAdopted: boolean;
  onChange: (address: string) => void;
}) {
  const t = useText();
  const isWrong = address.trim() !== "" && !hasForm(rule, address);
  const help = addressHelp(t, rule.protocol);
  if (rule.secret === "token")
    return <p className="f13 t2">{t(isAdopted ? "devices.tokenAdopt" : "devices.tokenHint")}</p>;
  return (
    <label>
      {t("devices.address")}
      <input
        className="field num"
        data-testid="enrol-address"
        aria-invalid={isWrong}
        aria-describedby="address-help"
        autoComplete="off"
        spellCheck={false}
        required
        placeholder={rule.example}
        value={address}
        onChange={(event) => onChange(event.target.value)}
      />
      <span id="address-help" className={`f12 ${isWrong ? "c-attn" : "t3"}`} data-testid="address-help">
        {isWrong ? t("devices.addressWrong", { example: rule.example }) : help || rule.said}
      </span>
    </label>
  );
}

function NewUnitFields({ wish, onChange }: { wish: NewUnitWish; onChange: (wish: NewUnitWish) => void }) {
  const { stations } = usePlaces();
  const { language } = useSettings();
  const t = useText();
  return (
    <div className="form" data-testid="new-unit">
      <label>
        {t("devices.callSign")}
        <input
          className="field"
          data-testid="new-unit-call-sign"
          required
          maxLength={64}
          value={wish.call_sign}
          onChange={(event) => onChange({ ...wish, call_sign: event.target.value })}
        />
      </label>
      <div className="two">
        <label>
          {t("devices.kind")}
          <select
            className="field"
            value={wish.kind}
            onChange={(event) => onChange({ ...wish, kind: event.target.value as NewUnitWish["kind"] })}
          >
            {UNIT_KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {t(`kind.${kind}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("devices.service")}
          <select
            className="field"
            value={wish.service}
            onChange={(event) => onChange({ ...wish, service: event.target.value as NewUnitWish["service"] })}
          >
            {SERVICES.map((service) => (
              <option key={service} value={service}>
                {t(`service.${service}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label>
        {t("inspector.station")}
        <select
          className="field"
          value={wish.station_id ?? ""}
          onChange={(event) => onChange({ ...wish, station_id: Number(event.target.value) || null })}
        >
          <option value="">{t("station.none")}</option>
          {stations.map((station) => (
            <option key={station.station_id} value={station.station_id}>
              {t("station.of", { number: String(station.number).padStart(2, "0"), name: nameIn(language, station) })}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

interface EnrolProps {
  readonly told: EnrolmentRulesReply;
  readonly onEnrolled: () => void;
}

export function EnrolForm({ told, onEnrolled }: EnrolProps) {
  const { beginning } = useDeviceDesk();
  const t = useText();
  const first = told.rules.find((rule) => rule.protocol === beginning?.protocol) ?? told.rules[0]!;
  const [protocol, setProtocol] = useState(first.protocol);
  const [address, setAddress] = useState(beginning && first.secret !== "token" ? beginning.address : "");
  const [label, setLabel] = useState("");
  const [interval, setInterval] = useState(String(USUAL_INTERVAL_S[first.protocol] ?? 5));
  const [whose, setWhose] = useState<For>("unit");
  const [unitId, setUnitId] = useState<number | null>(null);
  const [wish, setWish] = useState<NewUnitWish>(NO_UNIT);
  const [options, setOptions] = useState<Options>(STANDARD);
  const [error, setError] = useState<RequestError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const rule = told.rules.find((each) => each.protocol === protocol) ?? first;
  const isReady =
    hasForm(rule, address) &&
    (whose !== "unit" || unitId !== null) &&
    (whose !== "new" || wish.call_sign.trim() !== "") &&
    Number(interval) >= 0.1;

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!isReady || isBusy) return;
    setBusy(true);
    const wanted: EnrolDevice = { protocol, address, label, report_interval_s: Number(interval), options };
    const reply = await enrol({
      ...wanted,
      ...(whose === "unit" ? { unit_id: unitId } : whose === "new" ? { new_unit: wish } : {}),
    });
    setBusy(false);
    if (reply instanceof RequestError) {
      setError(reply);
      return;
    }
    changeDeviceDesk({ panel: "device", deviceId: reply.device_id, issued: reply, beginning: null });
    onEnrolled();
  };

  return (
    <form className="sec form" data-testid="enrol-form" onSubmit={(event) => void submit(event)}>
      <label>
        {t("devices.protocol")}
        <select
          className="field"
          data-testid="enrol-protocol"
          value={protocol}
          onChange={(event) => {
            setProtocol(event.target.value);
            setInterval(String(USUAL_INTERVAL_S[event.target.value] ?? 5));
          }}
        >
          {told.rules.map((each) => (
            <option key={each.protocol} value={each.protocol}>
              {protocolName(t, each.protocol)}
            </option>
          ))}
        </select>
      </label>
      <AddressField rule={rule} address={address} isAdopted={beginning !== null} onChange={setAddress} />
      {rule.pairs ? <p className="f12 t3">{t("devices.pairsHint")}</p> : null}
      <fieldset className="form">
        <legend className="unseen">{t("devices.whose")}</legend>
        <div className="row seg" role="radiogroup" aria-label={t("devices.whose")}>
          {(["unit", "new", ...(told.needs_unit ? [] : ["nobody" as const])] as const).map((each) => (
            <button
              key={each}
              type="button"
              role="radio"
              className="btn s"
              aria-checked={whose === each}
              data-testid={`enrol-for-${each}`}
              onClick={() => setWhose(each)}
            >
              {t(`devices.for.${each}`)}
            </button>
          ))}
        </div>
        {whose === "unit" ? <UnitPicker unitId={unitId} onPick={setUnitId} label={t("devices.unit")} /> : null}
        {whose === "new" ? <NewUnitFields wish={wish} onChange={setWish} /> : null}
      </fieldset>
      <div className="two">
        <label>
          {t("devices.label")}
          <input
            className="field"
            data-testid="enrol-label"
            maxLength={64}
            value={label}
            onChange={(event) => setLabel(event.target.value)}
          />
        </label>
        <label>
          {t("devices.intervalS")}
          <input
            className="field num"
            type="number"
            min={0.1}
            max={3600}
            step="any"
            value={interval}
            onChange={(event) => setInterval(event.target.value)}
          />
        </label>
      </div>
      <details>
        <summary>{t("devices.options")}</summary>
        <OptionsForm options={options} onChange={setOptions} />
      </details>
      {error ? (
        <p className="c-alarm f13" role="alert" data-testid="enrol-failed">
          {t("devices.failed", { why: error.detail || t(error.key, error.figures) })}
        </p>
      ) : null}
      <div className="row">
        <button type="button" className="btn ghost" onClick={closePanel}>
          {t("devices.cancel")}
        </button>
        <span className="sp" />
        <button type="submit" className="btn pri" data-testid="enrol-submit" disabled={!isReady || isBusy}>
          {t(beginning ? "devices.adopt" : "devices.enrol")}
        </button>
      </div>
    </form>
  );
}
