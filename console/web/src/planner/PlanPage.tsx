// The planner's screen: the day and what is asked for, the map, the chart of sorties, refusals with their remedies, publishing.
import { useEffect, useMemo } from "react";
import { live } from "../live/live";
import { mayFly, mayPlan as mayPlanAs } from "../state/roles";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { Plan, Programme, SessionReply } from "../wire.generated";
import { readPlan } from "./acts";
import { DayHead } from "./DayHead";
import { dayWindow } from "./days";
import { Conflicts, Gusts, Relay } from "./Findings";
import { FigureList } from "./FigureList";
import { GanttPane } from "./GanttPane";
import { ImportDialog } from "./ImportDialog";
import { ItemForm } from "./ItemForm";
import { ItemList } from "./ItemList";
import { allowPlanning } from "./keys";
import { PlanFooter, step } from "./PlanFooter";
import { PlanPane } from "./PlanPane";
import { changePlanDesk, dayShown, planShown, type Tab, usePlanDesk, zoneOf } from "./planDesk";
import { Refusals } from "./Refusals";
import { SettingsDialog } from "./SettingsDialog";
import { SortieDetail } from "./SortieDetail";
import { StateDialog } from "./StateDialog";
import { useCheck, usePlans } from "./usePlan";
import { WhatIf } from "./WhatIf";
import { problemText } from "./words";

const TABS: readonly Tab[] = ["list", "map", "plan", "side"];

/** Another version of the plan, by somebody else: take it, or go on looking at the old one. */
function Newer() {
  const t = useText();
  const { newerVersion, full } = usePlanDesk();
  if (newerVersion === null || !full) return null;
  return (
    <div className="newer row" role="status" data-testid="plan-newer">
      <span className="f13">{t("plan.newer", { version: newerVersion })}</span>
      <span className="sp" />
      <button type="button" className="btn s" data-testid="plan-take" onClick={() => void readPlan(full.plan.plan_id)}>
        {t("plan.takeNewer")}
      </button>
    </div>
  );
}

function Skeleton() {
  const t = useText();
  return (
    <div className="skeleton" role="status" aria-label={t("plan.loading")}>
      {[70, 90, 60, 80, 50, 85].map((width) => (
        <i key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

interface SideProps {
  readonly session: SessionReply;
  readonly plan: Plan | null;
  readonly programme: Programme | null;
  readonly mayPlan: boolean;
  readonly isLoaded: boolean;
}

function Side({ session, plan, programme, mayPlan, isLoaded }: SideProps) {
  const t = useText();
  const { sortieId, whatIf, programme: reply } = usePlanDesk();
  const sortie = plan?.sorties.find((each) => each.sortie_id === sortieId);
  const isEmpty = reply?.programme.tasks.length === 0;
  const blown = whatIf?.change.weather ?? [];
  const windy = programme && { ...programme, weather: [...programme.weather, ...blown] };
  if (plan && programme && sortie)
    return <SortieDetail plan={plan} programme={programme} sortie={sortie} mayFly={mayFly(session.role)} />;
  return (
    <>
      <div className="sidebody">
        {plan && programme && windy ? (
          <>
            <Refusals plan={plan} programme={programme} mayPlan={mayPlan} />
            <Conflicts plan={plan} programme={programme} />
            <Relay plan={plan} programme={programme} />
            <Gusts plan={plan} programme={windy} />
            {mayPlan ? <WhatIf plan={plan} programme={programme} /> : null}
          </>
        ) : isLoaded && reply ? (
          <div className="sec" data-testid="plan-empty">
            <div className="h">{t(isEmpty ? "plan.emptyTitle" : "plan.none")}</div>
            <p className="f13 t2">{t(isEmpty ? (mayPlan ? "plan.emptySaid" : "plan.emptyRead") : "plan.noneSaid")}</p>
          </div>
        ) : (
          <Skeleton />
        )}
      </div>
      <PlanFooter session={session} mayPlan={mayPlan} isEmpty={isEmpty ?? true} />
    </>
  );
}

export function PlanPage({ session }: { session: SessionReply }) {
  const t = useText();
  const { language } = useSettings();
  const desk = usePlanDesk();
  useLive();
  const { programme: reply, full, draft, tab, problem } = desk;
  const { lines, ofDay, isLoaded, error } = usePlans();
  const day = dayShown(live.nowMs(), desk);
  const zone = zoneOf(desk);
  const span = useMemo(() => dayWindow(day, zone), [day, zone]);
  const plan = planShown(desk);
  const check = useCheck(draft, day);
  const mayPlan = mayPlanAs(session.role);
  const shown = desk.dry ? (reply?.programme ?? null) : (full?.programme ?? reply?.programme ?? null);
  const isReady = reply !== null && (full !== null || (isLoaded && ofDay.length === 0));
  useEffect(() => allowPlanning(mayPlan), [mayPlan]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "Enter" || document.querySelector("dialog[open]")) return;
      const form = document.querySelector<HTMLFormElement>(".planform");
      event.preventDefault();
      if (form) form.requestSubmit();
      else if (mayPlan) step(session);
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  }, [mayPlan, session]);
  return (
    <main
      className={`planpage tab-${tab}`}
      lang={language === "zh" ? "zh-CN" : "en"}
      data-testid="plan-page"
      data-loaded={isReady}
    >
      <nav className="plantabs" aria-label={t("app.plan")}>
        {TABS.map((each) => (
          <button key={each} type="button" aria-pressed={tab === each} onClick={() => changePlanDesk({ tab: each })}>
            {t(`plan.tab.${each}`)}
          </button>
        ))}
      </nav>
      <aside className="panel planleft" aria-label={t("plan.asked")}>
        <DayHead lines={ofDay} mayPlan={mayPlan} />
        <Newer />
        {reply ? (
          <>
            <ItemList reply={reply} plan={plan} day={span} mayPlan={mayPlan} />
            {plan && shown ? <FigureList plan={plan} programme={shown} /> : null}
          </>
        ) : problem || error ? (
          <div className="sec failure attn" role="alert">
            <span>{t("plan.notRead", { why: problemText(t, problem ?? error!) })}</span>
            <button type="button" className="btn s" onClick={() => location.reload()}>
              {t("plan.tryAgain")}
            </button>
          </div>
        ) : (
          <Skeleton />
        )}
        <div className="planleftend row">
          <button
            type="button"
            className="btn s ghost"
            data-testid="settings-open"
            disabled={!reply}
            onClick={() => changePlanDesk({ dialog: "settings" })}
          >
            {t("plan.settings")}
          </button>
          <button
            type="button"
            className="btn s ghost"
            data-testid="import-open"
            disabled={!reply || !mayPlan}
            onClick={() => changePlanDesk({ dialog: "import" })}
          >
            {t("plan.import")}
          </button>
        </div>
      </aside>
      <div className="planmiddle">
        <PlanPane reply={reply} programme={reply?.programme ?? null} plan={plan} check={check} mayPlan={mayPlan} />
        <GanttPane lines={lines} />
      </div>
      <aside className="panel planright" aria-label={t(draft ? "plan.editing" : "plan.refusals")}>
        {draft ? (
          <>
            <div className="dh sidehead">
              <b className="f13">{t(draft.id === null ? "plan.newItem" : "plan.changing")}</b>
              <span className="t3 f12">{t(`plan.one.${draft.kind}`)}</span>
            </div>
            <ItemForm key={`${draft.kind} ${draft.id}`} draft={draft} check={check} />
          </>
        ) : (
          <Side session={session} plan={plan} programme={shown} mayPlan={mayPlan} isLoaded={isLoaded} />
        )}
      </aside>
      <SettingsDialog />
      <ImportDialog />
      <StateDialog isAdmin={session.role === "admin"} />
    </main>
  );
}
