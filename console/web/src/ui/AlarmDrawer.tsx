// The alarm drawer: by priority then age; acknowledging is one button and one key; receipts say who and when.
import { useState } from "react";
import { clockTime, duration } from "../format/figures";
import { nameIn } from "../i18n/text";
import { isUnacknowledged } from "../live/alarmBook";
import { acknowledge, mostUrgent, selectUnit, toggleSound } from "../state/actions";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { Alarm } from "../wire.generated";
import { Icon } from "./icons";

const ms = (us: number | null): number | null => (us === null ? null : us / 1000);

function Priority({ alarm }: { alarm: Alarm }) {
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

function AlarmLine({
  alarm,
  selected,
  first,
  onSelect,
}: {
  alarm: Alarm;
  selected: boolean;
  first: boolean;
  onSelect: () => void;
}) {
  const { nowMs } = useLive();
  const unitOf = useAlarmUnit();
  const t = useText();
  const waiting = isUnacknowledged(alarm);
  const standing = waiting
    ? t("alarms.unacknowledged", { age: duration(nowMs - alarm.raised_us / 1000) })
    : t("alarms.acknowledged", { who: alarm.acknowledged_by ?? "" });
  const tone = waiting ? (alarm.priority === 1 ? "c-alarm" : "c-attn") : "t2";
  return (
    <button
      type="button"
      className={`al p${alarm.priority} ${waiting && first ? "hot" : ""} ${selected ? "sel" : ""}`}
      aria-pressed={selected}
      data-testid="alarm-row"
      data-alarm-id={alarm.alarm_id}
      data-kind={alarm.kind}
      onClick={onSelect}
    >
      <Priority alarm={alarm} />
      <span className="k ell">
        {t(`alarms.${alarm.kind}`)}
        {alarm.ended_us === null ? "" : ` · ${t("alarms.ended")}`}
      </span>
      <span className="ell wide">{unitOf(alarm)}</span>
      <span className="num t2 wide">{clockTime(alarm.raised_us / 1000)}</span>
      <span className={`r ell ${tone}`}>{standing}</span>
    </button>
  );
}

function Receipts({ alarm }: { alarm: Alarm }) {
  const t = useText();
  const waiting = isUnacknowledged(alarm);
  const raised = clockTime(ms(alarm.raised_us));
  const steps: [string, string, string][] = [
    ["d", t("alarms.raised"), raised],
    [waiting ? "n" : "d", t("alarms.ack"), waiting ? t("alarms.waiting") : clockTime(ms(alarm.acknowledged_us))],
    [alarm.ended_us === null ? "" : "d", t("alarms.over"), clockTime(ms(alarm.ended_us))],
  ];
  return (
    <ol className="receipts">
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

function AlarmDetail({ alarm }: { alarm: Alarm }) {
  const unitOf = useAlarmUnit();
  const t = useText();
  return (
    <section className="detail" data-testid="alarm-detail">
      <div className="dh">
        <Priority alarm={alarm} />
        <b>{t(`alarms.${alarm.kind}`)}</b>
        <span className="t2 ell">{unitOf(alarm)}</span>
        <span className="sp" />
        <span className="t3 f12 num">{t("alarms.number", { number: alarm.number })}</span>
      </div>
      <div className="detailbody">
        {alarm.text ? <p className="f13 t2 ell">{alarm.text}</p> : null}
        <Receipts alarm={alarm} />
        <div className="row">
          <AcknowledgeButton alarm={alarm} />
          {alarm.unit_id === null ? null : (
            <button type="button" className="btn" data-testid="alarm-locate" onClick={() => selectUnit(alarm.unit_id!)}>
              {t("inspector.place")}
            </button>
          )}
        </div>
        {isUnacknowledged(alarm) ? null : (
          <p className="f13 t2" data-testid="alarm-receipt">
            {t("alarms.acknowledged", { who: alarm.acknowledged_by ?? "" })}
          </p>
        )}
      </div>
    </section>
  );
}

export function AlarmDrawer() {
  const { alarms } = useLive();
  const { sound } = useSettings();
  const t = useText();
  const [chosenId, setChosenId] = useState<string | null>(null);
  const chosen = alarms.find((alarm) => alarm.alarm_id === chosenId) ?? alarms[0];
  const soundText = t(sound ? "alarms.soundOn" : "alarms.soundOff");
  const count = (priority: number): number => alarms.filter((alarm) => alarm.priority === priority).length;
  return (
    <section className="alarms" aria-label={t("alarms.title")} data-testid="alarm-drawer" id="alarms" tabIndex={-1}>
      <div className="alarmlist">
        <div className="dh">
          <b>{t("alarms.title")}</b>
          {count(1) ? <span className="badge solid">{count(1)}</span> : null}
          {count(2) ? <span className="badge attn">{count(2)}</span> : null}
          {count(3) ? <span className="badge">{count(3)}</span> : null}
          <span className="sp" />
          <button
            type="button"
            className="iconbtn"
            aria-pressed={sound}
            aria-label={soundText}
            title={soundText}
            data-testid="sound-switch"
            onClick={toggleSound}
          >
            <Icon name={sound ? "bell" : "mute"} size={16} />
          </button>
          <span className="t3 f12">{t("alarms.order")}</span>
          <span className="kbd">A</span>
        </div>
        <div className="alarmrows">
          {alarms.map((alarm, i) => (
            <AlarmLine
              key={alarm.alarm_id}
              alarm={alarm}
              first={i === 0}
              selected={alarm === chosen}
              onSelect={() => setChosenId(alarm.alarm_id)}
            />
          ))}
          {alarms.length === 0 ? <p className="sentence">{t("alarms.none")}</p> : null}
        </div>
      </div>
      {chosen ? <AlarmDetail alarm={chosen} /> : <p className="detail sentence">{t("alarms.selectHint")}</p>}
    </section>
  );
}
