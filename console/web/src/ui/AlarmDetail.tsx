// One alarm: what it is about, its receipts, who owns it, and what can be done with it.
import { useState } from "react";
import { clockTime } from "../format/figures";
import { nameIn } from "../i18n/text";
import { isUnacknowledged } from "../live/alarmBook";
import { acknowledge, mostUrgent, selectUnit } from "../state/actions";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { Alarm } from "../wire.generated";
import { AlarmDecisions } from "./AlarmDecisions";
import { AlarmIcon } from "./alarmIcons";
import { lateText } from "./alarmWords";

const ms = (us: number | null): number | null => (us === null ? null : us / 1000);

export function Priority({ alarm }: { alarm: Alarm }) {
  const tone = alarm.priority === 1 ? "solid" : alarm.priority === 2 ? "attn" : "";
  return <span className={`badge ${tone}`}>P{alarm.priority}</span>;
}

export function useAlarmUnit(): (alarm: Alarm) => string {
  const { units } = useLive();
  const { language } = useSettings();
  const t = useText();
  return (alarm) => {
    const meta = alarm.unit_id === null ? undefined : units.get(alarm.unit_id);
    return meta ? nameIn(language, meta) || meta.call_sign : t("alarms.unknownUnit");
  };
}

/** A button that acknowledges and says so if it could not. */
export function AcknowledgeButton({ alarm, primary = true }: { alarm: Alarm; primary?: boolean }) {
  const t = useText();
  const [error, setError] = useState("");
  if (!isUnacknowledged(alarm)) return null;
  const onClick = async (): Promise<void> => {
    const failure = await acknowledge(alarm.alarm_id);
    setError(failure ? t("alarms.failed", { why: failure.detail || t(failure.key, failure.figures) }) : "");
  };
  return (
    <>
      <button
        type="button"
        className={`btn ${primary ? "pri" : ""}`}
        data-testid="alarm-ack"
        data-alarm-id={alarm.alarm_id}
        onClick={() => void onClick()}
      >
        {t("alarms.acknowledge")}
        {primary && mostUrgent()?.alarm_id === alarm.alarm_id ? <span className="kbd">Space</span> : null}
      </button>
      {error ? <span className="c-alarm f12">{error}</span> : null}
    </>
  );
}

function Receipts({ alarm }: { alarm: Alarm }) {
  const t = useText();
  const waiting = isUnacknowledged(alarm);
  const steps: [string, string, string][] = [["d", t("alarms.raised"), clockTime(ms(alarm.raised_us))]];
  if (alarm.escalated_us !== null) steps.push(["d", t("alarms.escalatedStep"), clockTime(ms(alarm.escalated_us))]);
  const taken = waiting ? t("alarms.waiting") : clockTime(ms(alarm.acknowledged_us));
  steps.push([waiting ? "n" : "d", t("alarms.ack"), taken]);
  steps.push([alarm.ended_us === null ? "" : "d", t("alarms.over"), clockTime(ms(alarm.ended_us))]);
  return (
    <ol className={`receipts ${steps.length === 4 ? "four" : ""}`}>
      {steps.map(([tone, name, value]) => (
        <li key={name} className={tone}>
          <i />
          <b>{name}</b>
          <span className="num">{value}</span>
        </li>
      ))}
    </ol>
  );
}

/** Who took it, who has it now, and what was written. */
function Owned({ alarm }: { alarm: Alarm }) {
  const t = useText();
  if (isUnacknowledged(alarm)) return null;
  const isGiven = alarm.owner !== null && alarm.owner !== alarm.acknowledged_by;
  return (
    <p className="f13 t2" data-testid="alarm-receipt">
      {t("alarms.acknowledged", { who: alarm.acknowledged_by ?? "" })}
      {isGiven ? ` · ${t("alarms.ownedBy", { who: alarm.owner ?? "" })}` : ""}
      {alarm.note ? <span className="t3"> · {t("alarms.noted", { note: alarm.note })}</span> : null}
    </p>
  );
}

export function AlarmDetail({ alarm, about }: { alarm: Alarm; about: string }) {
  const unitOf = useAlarmUnit();
  const t = useText();
  const late = lateText(t, alarm);
  return (
    <section className="detail" data-testid="alarm-detail">
      <div className="dh">
        <Priority alarm={alarm} />
        <AlarmIcon kind={alarm.kind} />
        <b className="ell">{t(`alarms.${alarm.kind}`)}</b>
        <span className="t2 ell">{unitOf(alarm)}</span>
        <span className="sp" />
        <span className="t3 f12 num">{t("alarms.number", { number: alarm.number })}</span>
      </div>
      <div className="detailbody">
        {about || alarm.code ? (
          <p className="f13 t2" data-testid="alarm-about">
            {about}
            {alarm.code ? <span className="t3 num"> {alarm.code}</span> : null}
          </p>
        ) : null}
        {late ? (
          <p className="f13 c-attn" data-testid="alarm-late">
            {late}
          </p>
        ) : null}
        <Receipts alarm={alarm} />
        <Owned alarm={alarm} />
        <div className="row">
          <AcknowledgeButton alarm={alarm} />
          {alarm.unit_id === null ? null : (
            <button type="button" className="btn" data-testid="alarm-locate" onClick={() => selectUnit(alarm.unit_id!)}>
              {t("inspector.place")}
            </button>
          )}
          <AlarmDecisions key={alarm.alarm_id} alarm={alarm} />
        </div>
      </div>
    </section>
  );
}
