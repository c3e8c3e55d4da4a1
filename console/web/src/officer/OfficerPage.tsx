// The officer's page at any width: strip, my task, my position, the rest, and the call for help always under the thumb.
import { useEffect, useRef, useState } from "react";
import { nameIn } from "../i18n/text";
import { live } from "../live/live";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { Icon, type IconName } from "../ui/icons";
import type { SessionReply } from "../wire.generated";
import { DutyRow } from "./DutyRow";
import { officer } from "./desk";
import { dutyOf } from "./duty";
import { HelpBanner } from "./HelpBanner";
import { HoldButton } from "../ui/HoldButton";
import { MorePane, PastTasks } from "./MorePane";
import { PositionPane, SharingCard } from "./PositionPane";
import { toneOfSharing } from "./sharing";
import { TaskPane } from "./TaskPane";
import { isWaiting, type ShownTask } from "./taskBook";
import { sharingWord, whyOf } from "./texts";
import { useOfficer } from "./useOfficer";
import { Voice } from "./Voice";

type OfficerTab = "task" | "position" | "more";
const TABS: readonly [OfficerTab, IconName][] = [
  ["task", "task"],
  ["position", "pin"],
  ["more", "menu"],
];

function Strip({ unitId, onPosition }: { unitId: number | null; onPosition: () => void }) {
  const { units, connection } = useLive();
  const { language } = useSettings();
  const summary = useOfficer();
  const t = useText();
  const meta = unitId === null ? undefined : units.get(unitId);
  const duty = dutyOf(meta);
  const { phase, lostAtMs } = connection;
  const seconds = lostAtMs === null ? 0 : Math.floor((performance.now() - lostAtMs) / 1000);
  return (
    <header className="ostrip">
      <h1 className="ell">{meta ? nameIn(language, meta) || meta.call_sign : t("officer.title")}</h1>
      {duty ? (
        <span className="badge" data-testid="duty" data-duty={duty}>
          {t(`duty.${duty}`)}
        </span>
      ) : null}
      <span className="sp" />
      <span data-testid="connection-state" data-phase={phase} className={phase === "lost" ? "badge alarm" : "unseen"}>
        {phase === "lost" ? t("live.lost", { seconds }) : t(phase === "live" ? "live.live" : "live.connecting")}
      </span>
      <button
        type="button"
        className={`oshare ${toneOfSharing(summary.sharing)} ${summary.sharing}`}
        data-testid="share-chip"
        onClick={onPosition}
      >
        <i className="omark" aria-hidden="true" />
        {sharingWord(summary, t)}
      </button>
    </header>
  );
}

function Notices() {
  const { notices } = useOfficer();
  const t = useText();
  return notices.map(({ id, what, error }) => (
    <div key={id} className="onotice" role="alert" data-testid="notice">
      <p>
        {what === "sos"
          ? t("officer.notice.sos", { why: whyOf(error, t) })
          : t("officer.notice.refused", { answer: t(`officer.answer.${what}`), why: whyOf(error, t) })}
      </p>
      <button
        type="button"
        className="iconbtn"
        aria-label={t("officer.notice.close")}
        onClick={() => officer.dropNotice(id)}
      >
        <Icon name="close" />
      </button>
    </div>
  ));
}

/** No task: how my position stands, and that tasks come by themselves. */
function Calm({ unitId }: { unitId: number | null }) {
  const { past } = useOfficer();
  const t = useText();
  return (
    <div className="opane" data-testid="no-task">
      <SharingCard />
      <section>
        <h2 className="h">{t("officer.task.none")}</h2>
        <p className="f13 t3">{t("officer.task.noneHint")}</p>
      </section>
      <DutyRow unitId={unitId} />
      {past.length > 0 ? <PastTasks /> : null}
    </div>
  );
}

interface SeveralProps {
  readonly tasks: readonly ShownTask[];
  readonly chosenId: number;
  readonly onChoose: (dispatchId: number) => void;
}

/** More than one task: newest first. */
function Several({ tasks, chosenId, onChoose }: SeveralProps) {
  const t = useText();
  if (tasks.length < 2) return null;
  return (
    <div className="oseveral" role="group" aria-label={t("officer.task.list", { n: tasks.length })}>
      {tasks.map(({ task, state, ending }) => (
        <button
          key={task.dispatch.dispatch_id}
          type="button"
          className={`chip ${task.dispatch.dispatch_id === chosenId ? "on" : ""}`}
          aria-pressed={task.dispatch.dispatch_id === chosenId}
          data-testid="task-chip"
          onClick={() => onChoose(task.dispatch.dispatch_id)}
        >
          <span className={`badge ${task.incident.urgency === 1 ? "solid" : ""}`}>P{task.incident.urgency}</span>
          <b>{task.incident.title}</b>
          {ending === null && isWaiting(state) ? <span className="c-acc">{t("officer.task.waiting")}</span> : null}
        </button>
      ))}
    </div>
  );
}

/** The chosen task; a newer one that waits takes its place. */
function useChosen(tasks: readonly ShownTask[]): [ShownTask | null, (dispatchId: number) => void] {
  const [chosenId, choose] = useState<number | null>(null);
  const newestId = tasks[0]?.task.dispatch.dispatch_id ?? null;
  const seen = useRef(newestId);
  useEffect(() => {
    if (newestId !== seen.current) choose(newestId);
    seen.current = newestId;
  }, [newestId]);
  const chosen = tasks.find(({ task }) => task.dispatch.dispatch_id === chosenId) ?? tasks[0] ?? null;
  return [chosen, choose];
}

function Nav({ tab, waiting, onTab }: { tab: OfficerTab; waiting: number; onTab: (tab: OfficerTab) => void }) {
  const t = useText();
  return (
    <nav className="onav" aria-label={t("officer.tabs")}>
      {TABS.map(([name, icon]) => (
        <button
          key={name}
          type="button"
          className="otab"
          aria-current={tab === name ? "page" : undefined}
          data-testid={`tab-${name}`}
          onClick={() => onTab(name)}
        >
          <Icon name={icon} size={22} />
          {t(`officer.tab.${name}`)}
          {name === "task" && waiting > 0 ? <span className="badge solid">{waiting}</span> : null}
        </button>
      ))}
      <HoldButton className="osos" testId="sos" onDone={() => void officer.callHelp()}>
        <span className="ososname">{t("officer.sos.button")}</span>
        <span className="ososhint">{t("officer.sos.hintShort")}</span>
      </HoldButton>
    </nav>
  );
}

export interface OfficerPageProps {
  readonly session: SessionReply;
  readonly onSignOut: () => void;
}

export function OfficerPage({ session, onSignOut }: OfficerPageProps) {
  const { tasks } = useOfficer();
  const { nowMs } = useLive();
  const t = useText();
  const [tab, setTab] = useState<OfficerTab>("task");
  const [chosen, choose] = useChosen(tasks);
  const waiting = tasks.filter(({ state, ending }) => ending === null && isWaiting(state)).length;
  const unitId = session.unit_id;

  useEffect(() => {
    officer.start(session);
    live.start();
    return () => {
      officer.stop();
      live.stop();
    };
  }, [session]);
  // A new task comes to the front, whatever is read just now.
  const newestId = tasks[0]?.task.dispatch.dispatch_id ?? null;
  useEffect(() => {
    if (newestId !== null) setTab("task");
  }, [newestId]);

  return (
    <div className="officer" data-testid="officer">
      <Strip unitId={unitId} onPosition={() => setTab("position")} />
      <HelpBanner />
      <Notices />
      {unitId === null ? (
        <p className="onotice" role="alert">
          {t("officer.noUnit")}
        </p>
      ) : null}
      <main className={`obody at-${tab}`}>
        {/* The task stays mounted behind the other pages: its map must not be read anew in a weak network. */}
        <div className="otaskpage" hidden={tab !== "task"}>
          {chosen ? (
            <>
              <Several tasks={tasks} chosenId={chosen.task.dispatch.dispatch_id} onChoose={choose} />
              <TaskPane shown={chosen} unitId={unitId} nowMs={nowMs} />
            </>
          ) : (
            <Calm unitId={unitId} />
          )}
        </div>
        {tab === "position" ? <PositionPane unitId={unitId} /> : null}
        {tab === "more" ? <MorePane session={session} onSignOut={onSignOut} /> : null}
      </main>
      <Nav tab={tab} waiting={waiting} onTab={setTab} />
      <Voice />
    </div>
  );
}
