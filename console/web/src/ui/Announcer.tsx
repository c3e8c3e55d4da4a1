// Speaks to screen readers: counts politely and seldom, a call for help at once; sounds what it says.
import { useEffect, useRef, useState } from "react";
import { clockTime } from "../format/figures";
import { nameIn, translator } from "../i18n/text";
import { isUnacknowledged } from "../live/alarmBook";
import { live } from "../live/live";
import type { Counts } from "../state/rows";
import { getSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { Alarm, IncidentView } from "../wire.generated";
import { soundAlarm, wakeSound } from "./sound";

const POLITE_EVERY_MS = 5000;
/** Counts change all the time; they are told this seldom unless the connection or an alarm changes. */
const COUNTS_EVERY_MS = 30_000;
const REPEAT_EVERY_MS = 10_000;
/** A call that is older was not just taken: it comes with the connection. */
const FRESH_CALL_MS = 60_000;

function spoken(alarm: Alarm): string {
  const { language } = getSettings();
  const t = translator(language);
  const meta = alarm.unit_id === null ? undefined : live.store.meta.get(alarm.unit_id);
  const unit = meta ? nameIn(language, meta) || meta.call_sign : t("alarms.unknownUnit");
  return t(alarm.priority === 1 ? "alarms.announce" : "alarms.announceSoon", { kind: t(`alarms.${alarm.kind}`), unit });
}

function spokenCall(incident: IncidentView): string {
  const t = translator(getSettings().language);
  const title = incident.title || t(`category.${incident.category}`);
  const place = incident.place_text || t("incident.placeMissing");
  return t("announce.incident", { urgency: incident.urgency, title, place });
}

export function Announcer({ counts }: { counts: Counts }) {
  const { alarms, connection } = useLive();
  const t = useText();
  const [urgent, setUrgent] = useState("");
  const [polite, setPolite] = useState("");
  const waiting = alarms.filter(isUnacknowledged).length;
  const sentence =
    connection.phase === "lost"
      ? t("live.lostSentence", { time: clockTime(live.drawnAtMs()), attempts: connection.attempts })
      : t("announce.counts", { online: counts.online, attention: counts.attention, alarms: waiting });
  const newest = useRef({ sentence, matter: "" });
  newest.current = { sentence, matter: `${connection.phase} ${waiting}` };

  useEffect(() => {
    let told = { matter: "", atMs: Number.NEGATIVE_INFINITY };
    const timer = setInterval(() => {
      const { sentence: now, matter } = newest.current;
      const atMs = performance.now();
      if (matter === told.matter && atMs - told.atMs < COUNTS_EVERY_MS) return;
      told = { matter, atMs };
      setPolite(now);
    }, POLITE_EVERY_MS);
    return () => clearInterval(timer);
  }, []);

  useEffect(() => {
    const off = live.onAlarm((alarm) => {
      if (alarm.priority === 1) setUrgent(spoken(alarm));
      if (alarm.priority === 2) setPolite(spoken(alarm));
      const isPast = alarm.priority > 1 && alarm.is_late;
      if (alarm.priority > 2 || isPast || !getSettings().sound) return;
      soundAlarm(alarm.priority === 1 ? "urgent" : "soon");
    });
    const offIncidents = live.onIncident(({ incident, isNew }) => {
      if (!isNew || live.nowMs() - incident.reported_ms > FRESH_CALL_MS) return;
      if (incident.urgency === 1) setUrgent(spokenCall(incident));
      else setPolite(spokenCall(incident));
      if (incident.urgency === 1 && getSettings().sound) soundAlarm();
    });
    const again = setInterval(() => {
      const calls = live.book.open().some((alarm) => alarm.priority === 1 && isUnacknowledged(alarm));
      if (calls && getSettings().sound) soundAlarm();
    }, REPEAT_EVERY_MS);
    globalThis.addEventListener("pointerdown", wakeSound, { once: true });
    globalThis.addEventListener("keydown", wakeSound, { once: true });
    return () => {
      off();
      offIncidents();
      clearInterval(again);
    };
  }, []);

  return (
    <div className="unseen">
      <div role="status" aria-live="polite" aria-label={t("region.live")} data-testid="announce-polite">
        {polite}
      </div>
      <div role="alert" aria-live="assertive" data-testid="announce-urgent">
        {urgent}
      </div>
    </div>
  );
}
