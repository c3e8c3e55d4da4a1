// What becomes of an alarm: handed over to somebody else with a note, or closed with one.
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { RequestError } from "../api/client";
import { isUnacknowledged } from "../live/alarmBook";
import { closeAlarm, handOverAlarm } from "../state/actions";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import type { Alarm, AlarmOwnersReply } from "../wire.generated";

const OWNERS_EVERY_MS = 60_000;
const LONGEST_NOTE = 500;
type Deciding = "none" | "hand-over" | "close";

function Note() {
  const t = useText();
  return (
    <label>
      {t("alarms.note")}
      <input className="field" name="note" maxLength={LONGEST_NOTE} autoComplete="off" data-testid="alarm-note" />
    </label>
  );
}

function Owners({ alarm }: { alarm: Alarm }) {
  const t = useText();
  const { data } = usePolled<AlarmOwnersReply>("/api/alarms/owners", OWNERS_EVERY_MS);
  const others = (data?.owners ?? []).filter((each) => each.account_id !== alarm.owner_id);
  return (
    <label>
      {t("alarms.to")}
      <select className="field" name="owner" required data-testid="alarm-owner" defaultValue="">
        <option value="" disabled>
          {t(data && !others.length ? "alarms.noOwner" : "alarms.choose")}
        </option>
        {others.map((each) => (
          <option key={each.account_id} value={each.account_id}>
            {each.name} · {t(`role.${each.role}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Buttons that open a short form; the server decides who may own what. */
export function AlarmDecisions({ alarm }: { alarm: Alarm }) {
  const t = useText();
  const [deciding, setDeciding] = useState<Deciding>("none");
  const [problem, setProblem] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (deciding === "none") return;
    form.current?.querySelector<HTMLElement>("select, input")?.focus({ preventScroll: true });
    const pane = form.current?.closest(".detail");
    if (pane) pane.scrollTop = pane.scrollHeight;
  }, [deciding]);
  const done = (failure: RequestError | null): void => {
    setProblem(failure ? t("alarms.notDone", { why: failure.detail || t(failure.key, failure.figures) }) : "");
    if (!failure) setDeciding("none");
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const told = new FormData(event.currentTarget);
    const note = String(told.get("note") ?? "");
    const asked =
      deciding === "close"
        ? closeAlarm(alarm.alarm_id, note)
        : handOverAlarm(alarm.alarm_id, Number(told.get("owner")), note);
    void asked.then(done);
  };
  if (deciding === "none")
    return (
      <>
        {isUnacknowledged(alarm) ? null : (
          <button type="button" className="btn" data-testid="alarm-hand-over" onClick={() => setDeciding("hand-over")}>
            {t("alarms.handOver")}
          </button>
        )}
        <button type="button" className="btn ghost" data-testid="alarm-close" onClick={() => setDeciding("close")}>
          {t("alarms.close")}
        </button>
      </>
    );
  return (
    <form ref={form} className="form deciding" data-testid={`alarm-${deciding}-form`} onSubmit={submit}>
      {deciding === "hand-over" ? <Owners alarm={alarm} /> : null}
      <Note />
      <div className="row">
        <button type="button" className="btn ghost" onClick={() => setDeciding("none")}>
          {t("alarms.leave")}
        </button>
        <span className="sp" />
        <button type="submit" className="btn pri" data-testid="alarm-decide">
          {t(deciding === "close" ? "alarms.close" : "alarms.handOver")}
        </button>
      </div>
      {problem ? (
        <p className="c-alarm f12" role="alert">
          {problem}
        </p>
      ) : null}
    </form>
  );
}
