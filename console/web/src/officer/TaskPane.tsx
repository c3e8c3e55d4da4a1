// My task: what, where, who called, the way, who else goes, the receipts, and the one next step.
import { useState } from "react";
import { clockTime, duration } from "../format/figures";
import { nameIn } from "../i18n/text";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { Icon, UnitGlyph } from "../ui/icons";
import type { TaskView } from "../wire.generated";
import { officer } from "./desk";
import { ClearedDialog, DeclineDialog } from "./dialogs";
import { MapView } from "./MapView";
import type { TaskAnswer } from "./outbox";
import { isWaiting, type ShownTask, type Step, stepsOf, stepsShown } from "./taskBook";
import { useOfficer } from "./useOfficer";

const KEPT_DIGITS = [3, 4] as const;
const BADGES = { 1: "solid", 2: "attn", 3: "" } as const;

/** A phone number with its middle hidden, for eyes beside the screen; the link dials the whole. */
export function masked(phone: string): string {
  const [head, tail] = KEPT_DIGITS;
  return phone.length > head + tail ? `${phone.slice(0, head)}****${phone.slice(-tail)}` : phone;
}

function Since({ task, nowMs }: { task: TaskView; nowMs: number }) {
  const { reported_ms, target_s, urgency } = task.incident;
  const t = useText();
  const elapsedMs = nowMs - reported_ms;
  const late = elapsedMs > target_s * 1000;
  const tone = urgency === 1 ? "c-alarm" : late ? "c-attn" : "t2";
  const time = duration(elapsedMs);
  return (
    <span className={`num osince ${tone}`} role="timer" aria-live="off" aria-label={t("officer.task.since", { time })}>
      {time}
    </span>
  );
}

function Links({ task }: { task: TaskView }) {
  const { audio_url, recording_url, caller_phone } = task.incident;
  const t = useText();
  const opens = t("officer.task.opens");
  return (
    <div className="row olinks">
      {audio_url ? (
        <a className="btn" href={audio_url} target="_blank" rel="noreferrer noopener" title={opens} data-testid="audio">
          <Icon name="play" size={16} />
          {t("officer.task.call")}
        </a>
      ) : null}
      {recording_url ? (
        <a className="btn" href={recording_url} target="_blank" rel="noreferrer noopener" title={opens}>
          <Icon name="play" size={16} />
          {t("officer.task.recording")}
        </a>
      ) : null}
      {caller_phone ? (
        <a
          className="btn"
          href={`tel:${caller_phone.replace(/[^0-9+*#]/g, "")}`}
          data-testid="caller"
          aria-label={t("officer.task.phone", { phone: masked(caller_phone) })}
        >
          <Icon name="phone" size={16} />
          <span className="num">{masked(caller_phone)}</span>
        </a>
      ) : null}
    </div>
  );
}

function Head({ shown, nowMs }: { shown: ShownTask; nowMs: number }) {
  const { incident } = shown.task;
  const t = useText();
  const priority = `P${incident.urgency}`;
  const fresh = shown.ending === null && isWaiting(shown.state);
  return (
    <div className={`ohead ${fresh ? "fresh" : ""}`}>
      <div className="row">
        <span className={`badge ${BADGES[incident.urgency as 1 | 2 | 3] ?? ""}`}>{priority}</span>
        <h2 data-testid="task-title">{incident.title}</h2>
        <span className="sp" />
        {shown.ending === null ? <Since task={shown.task} nowMs={nowMs} /> : null}
      </div>
      <p className={incident.place_text ? "" : "c-attn"} data-testid="task-place">
        {incident.place_text || (incident.lat_deg === null ? t("officer.task.noPlace") : "")}
      </p>
      {incident.text ? <p className="f13 t2 said">{t("officer.task.quote", { text: incident.text })}</p> : null}
      {incident.needs.length > 0 ? (
        <p className="f13 c-attn">
          {t("officer.task.needs", { what: incident.needs.map((item) => t(`officer.equip.${item}`)).join(" · ") })}
        </p>
      ) : null}
      <Links task={shown.task} />
    </div>
  );
}

function Companions({ task }: { task: TaskView }) {
  const { language } = useSettings();
  const t = useText();
  if (task.companions.length === 0) return <p className="f13 t3">{t("officer.task.alone")}</p>;
  return (
    <ul className="oalso" aria-label={t("officer.task.also")}>
      {task.companions.map((unit) => (
        <li key={unit.unit_id} className="row">
          <UnitGlyph name={unit.kind} />
          <span className="nw">{nameIn(language, unit)}</span>
          <span className="t2 f13 ell">
            {[...unit.equipment.map((item) => t(`officer.equip.${item}`)), t(`officer.dispatch.${unit.state}`)].join(
              " · ",
            )}
          </span>
          <span className="sp" />
          {unit.travel_s === null ? null : <span className="num">{duration(unit.travel_s * 1000)}</span>}
        </li>
      ))}
    </ul>
  );
}

function StepView({ step, isNext }: { step: Step; isNext: boolean }) {
  const t = useText();
  const done = step.atMs !== null;
  const name = isNext && step.name !== "pushed" ? t(`officer.next.${step.name}`) : t(`officer.step.${step.name}`);
  return (
    <li className={done ? (step.unsent ? "k" : "d") : isNext ? "n" : ""} data-testid={`step-${step.name}`}>
      <i />
      <span>
        {name} {done ? <span className="num">{clockTime(step.atMs)}</span> : null}
      </span>
      {step.byTrack ? <span className="t3">{t("officer.step.byTrack")}</span> : null}
      {step.unsent ? <span className="c-attn">{t("officer.step.kept")}</span> : null}
    </li>
  );
}

function Receipts({ shown }: { shown: ShownTask }) {
  const all = stepsOf(shown, officer.unsentAnswers(shown.task.dispatch.dispatch_id));
  const next = all.find((step) => step.atMs === null);
  return (
    <ol className="osteps3" data-testid="receipts">
      {stepsShown(all).map((step) => (
        <StepView key={step.name} step={step} isNext={step === next} />
      ))}
    </ol>
  );
}

interface Choice {
  readonly main: TaskAnswer;
  readonly mainKey:
    | "officer.task.accept"
    | "officer.task.goUnderWay"
    | "officer.task.goArrived"
    | "officer.task.goCleared";
  readonly hintKey: "officer.task.offlineOk" | "officer.task.selfUnderWay" | "officer.task.selfArrived";
  readonly second: "declined" | "arrived" | null;
}

function choiceOf(state: ShownTask["state"]): Choice {
  if (isWaiting(state))
    return { main: "accepted", mainKey: "officer.task.accept", hintKey: "officer.task.offlineOk", second: "declined" };
  if (state === "accepted")
    return {
      main: "under_way",
      mainKey: "officer.task.goUnderWay",
      hintKey: "officer.task.selfUnderWay",
      second: "declined",
    };
  if (state === "under_way")
    return {
      main: "arrived",
      mainKey: "officer.task.goArrived",
      hintKey: "officer.task.selfArrived",
      second: "declined",
    };
  return { main: "cleared", mainKey: "officer.task.goCleared", hintKey: "officer.task.offlineOk", second: null };
}

function Actions({ shown }: { shown: ShownTask }) {
  const t = useText();
  const [asks, setAsks] = useState<"declined" | "cleared" | null>(null);
  const id = shown.task.dispatch.dispatch_id;
  const { main, mainKey, hintKey, second } = choiceOf(shown.state);
  const { unsent } = shown;
  const close = (): void => setAsks(null);
  const say =
    (answer: TaskAnswer) =>
    (reason = ""): void => {
      officer.answer(id, answer, reason);
      close();
    };
  return (
    <div className="oactions">
      <p className={`f12 ${unsent ? "c-attn" : "t3"}`} data-testid="task-hint">
        {unsent
          ? t("officer.task.unsent", { answer: t(`officer.answer.${unsent.answer}`), time: clockTime(unsent.saidMs) })
          : t(hintKey)}
      </p>
      <div className={second ? "otwo" : ""}>
        <button
          type="button"
          className="btn pri"
          data-testid={`task-${main}`}
          onClick={() => (main === "cleared" ? setAsks("cleared") : say(main)())}
        >
          {t(mainKey)}
        </button>
        {second ? (
          <button type="button" className="btn" data-testid="task-declined" onClick={() => setAsks("declined")}>
            {t("officer.task.decline")}
          </button>
        ) : null}
      </div>
      {asks === "declined" ? <DeclineDialog onSend={say("declined")} onClose={close} /> : null}
      {asks === "cleared" ? <ClearedDialog onSend={say("cleared")} onClose={close} /> : null}
    </div>
  );
}

/** A task that others ended: told plainly, until it was read. */
function Over({ shown }: { shown: ShownTask }) {
  const t = useText();
  const { dispatch } = shown.task;
  const isGone = shown.ending === "gone";
  const answeredMs = dispatch.accepted_ms ?? shown.unsent?.saidMs ?? null;
  return (
    <div className="ocard attn" role="alert" data-testid="task-over" data-ending={shown.ending}>
      <p className="obig">{t(isGone ? "officer.over.gone" : "officer.over.recalled")}</p>
      <p>
        {isGone
          ? t("officer.over.goneText")
          : t("officer.over.recalledText", { time: clockTime(dispatch.recalled_ms) })}
      </p>
      {dispatch.reason && !isGone ? <p>{t("officer.over.reason", { why: dispatch.reason })}</p> : null}
      {answeredMs === null ? null : (
        <p className="t2">
          {t("officer.over.answered", { time: clockTime(answeredMs), answer: t("officer.answer.accepted") })}
        </p>
      )}
      <button
        type="button"
        className="btn pri"
        data-testid="task-read"
        onClick={() => officer.dismiss(dispatch.dispatch_id)}
      >
        {t("officer.over.read")}
      </button>
    </div>
  );
}

export interface TaskPaneProps {
  readonly shown: ShownTask;
  readonly unitId: number | null;
  readonly nowMs: number;
}

export function TaskPane({ shown, unitId, nowMs }: TaskPaneProps) {
  const { me, facts } = useOfficer();
  const t = useText();
  if (shown.ending !== null) {
    return (
      <div className="opane">
        <Over shown={shown} />
        <Head shown={shown} nowMs={nowMs} />
      </div>
    );
  }
  return (
    <>
      <article className="otask" data-testid="task" data-state={shown.state}>
        <Head shown={shown} nowMs={nowMs} />
        <MapView task={shown.task} me={me} accuracyM={facts.accuracyM} unitId={unitId} />
        <div className="odetails">
          <h3 className="h">{t("officer.task.also")}</h3>
          <Companions task={shown.task} />
          <Receipts shown={shown} />
        </div>
      </article>
      <Actions key={shown.task.dispatch.dispatch_id} shown={shown} />
    </>
  );
}
