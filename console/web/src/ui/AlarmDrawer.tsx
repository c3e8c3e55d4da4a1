// The alarm drawer: by priority then age; acknowledging is one button and one key; receipts say who and when.
import { useState } from "react";
import { clockTime } from "../format/figures";
import { isUnacknowledged } from "../live/alarmBook";
import { toggleSound } from "../state/actions";
import { useFences } from "../state/fences";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { Alarm } from "../wire.generated";
import { AlarmDetail, Priority, useAlarmUnit } from "./AlarmDetail";
import { AlarmIcon } from "./alarmIcons";
import { aboutText, standingText } from "./alarmWords";
import { Icon } from "./icons";

/** What an alarm is about; names of geofences are asked for only where one is needed. */
function useAboutAlarm(alarms: readonly Alarm[]): (alarm: Alarm) => string {
  const { language } = useSettings();
  const t = useText();
  const fences = useFences(alarms.some((alarm) => alarm.geofence_id !== null));
  return (alarm) => aboutText(t, language, alarm, fences);
}

function AlarmLine({
  alarm,
  about,
  selected,
  first,
  onSelect,
}: {
  alarm: Alarm;
  about: string;
  selected: boolean;
  first: boolean;
  onSelect: () => void;
}) {
  const { nowMs } = useLive();
  const unitOf = useAlarmUnit();
  const t = useText();
  const waiting = isUnacknowledged(alarm);
  const brief = alarm.kind === "officer_alone" ? alarm.text : about;
  const standing = standingText(t, alarm, nowMs);
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
      <AlarmIcon kind={alarm.kind} />
      <span className="k ell">
        {t(`alarms.${alarm.kind}`)}
        {brief ? <span className="t2 about"> · {brief}</span> : null}
        {waiting && alarm.escalated_us !== null ? <span className={tone}> · {t("alarms.escalated")}</span> : null}
        {alarm.is_late ? <span className="c-attn"> · {t("alarms.lateShort")}</span> : null}
        {alarm.ended_us === null ? "" : ` · ${t("alarms.ended")}`}
      </span>
      <span className="ell wide">{unitOf(alarm)}</span>
      <span className="num t2 wide">{clockTime(alarm.raised_us / 1000)}</span>
      <span className={`r ell ${tone}`}>{standing}</span>
    </button>
  );
}

const PRIORITIES = [1, 2, 3] as const;
const TONES = { 1: "solid", 2: "attn", 3: "" } as const;

/** How many there are of each priority; pressed, it leaves the others out. */
function Counts({ alarms, only, onOnly }: CountsProps) {
  const t = useText();
  return PRIORITIES.map((priority) => {
    const count = alarms.filter((alarm) => alarm.priority === priority).length;
    if (!count && only !== priority) return null;
    return (
      <button
        key={priority}
        type="button"
        className={`badge ${TONES[priority]} ${only !== null && only !== priority ? "faint" : ""}`}
        aria-pressed={only === priority}
        aria-label={t("alarms.only", { priority, count })}
        title={t("alarms.only", { priority, count })}
        data-testid={`alarm-only-${priority}`}
        onClick={() => onOnly(only === priority ? null : priority)}
      >
        {only === priority ? `P${priority} ` : ""}
        {count}
      </button>
    );
  });
}

interface CountsProps {
  readonly alarms: readonly Alarm[];
  readonly only: number | null;
  readonly onOnly: (only: number | null) => void;
}

export function AlarmDrawer() {
  const { alarms } = useLive();
  const { sound } = useSettings();
  const t = useText();
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [only, setOnly] = useState<number | null>(null);
  const aboutOf = useAboutAlarm(alarms);
  const shown = only === null ? alarms : alarms.filter((alarm) => alarm.priority === only);
  const chosen = shown.find((alarm) => alarm.alarm_id === chosenId) ?? shown[0];
  const soundText = t(sound ? "alarms.soundOn" : "alarms.soundOff");
  return (
    <section className="alarms" aria-label={t("alarms.title")} data-testid="alarm-drawer" id="alarms" tabIndex={-1}>
      <div className="alarmlist">
        <div className="dh">
          <b>{t("alarms.title")}</b>
          <Counts alarms={alarms} only={only} onOnly={setOnly} />
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
          {shown.map((alarm, i) => (
            <AlarmLine
              key={alarm.alarm_id}
              alarm={alarm}
              about={aboutOf(alarm)}
              first={i === 0}
              selected={alarm === chosen}
              onSelect={() => setChosenId(alarm.alarm_id)}
            />
          ))}
          {shown.length === 0 ? <p className="sentence">{t("alarms.none")}</p> : null}
        </div>
      </div>
      {chosen ? (
        <AlarmDetail alarm={chosen} about={aboutOf(chosen)} />
      ) : (
        <p className="detail sentence">{t("alarms.selectHint")}</p>
      )}
    </section>
  );
}
