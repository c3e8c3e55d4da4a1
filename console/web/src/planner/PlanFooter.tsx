// Right, at the bottom: plan the day, try it, submit, approve, publish, files; one primary action at a time.
import { useState } from "react";
import { duration } from "../format/figures";
import { live } from "../live/live";
import { useText } from "../state/useText";
import type { Plan, SessionReply } from "../wire.generated";
import { planDay, removePlan, setState } from "./acts";
import { planWindow } from "./days";
import { Exports } from "./Exports";
import { changePlanDesk, dayShown, getPlanDesk, usePlanDesk, zoneOf } from "./planDesk";
import { problemText } from "./words";

const EFFORTS_S = [2, 5, 15, 60] as const;
export type Step = "submitted" | "approved" | "published";

/** What the next step of a plan is; null: there is none. */
export function nextStep(plan: Plan | null): Step | null {
  if (!plan || plan.plan_id === 0) return null;
  return plan.state === "draft"
    ? "submitted"
    : plan.state === "submitted"
      ? "approved"
      : plan.state === "approved"
        ? "published"
        : null;
}

/** Take the plan one step further; what one's own account submitted is asked about first. */
export function step(session: SessionReply): void {
  const { full, busy, dry, whatIf } = getPlanDesk();
  const next = nextStep(full?.plan ?? null);
  if (!next || busy || dry || whatIf) return;
  if (next === "approved" && full?.submitted_by === session.name) changePlanDesk({ dialog: "state" });
  else void setState(next);
}

function Progress() {
  const t = useText();
  const { busy, progress } = usePlanDesk();
  if (busy !== "plan" && busy !== "dry" && busy !== "remedy") return null;
  const share = progress ? Math.min(1, progress.elapsed_s / Math.max(0.1, progress.effort_s)) : 0;
  return (
    <div className="progress" role="status" data-testid="plan-progress">
      <div className="row f12 t2">
        <span>{t("plan.planning")}</span>
        <span className="sp" />
        {progress ? (
          <span className="num">
            {t("plan.bestSoFar", { n: progress.sortie_count, time: duration(progress.elapsed_s * 1000) })}
          </span>
        ) : null}
      </div>
      <div className={progress ? "bar" : "bar unknown"}>
        <i className="acc" style={progress ? { width: `${Math.round(share * 100)}%` } : undefined} />
      </div>
    </div>
  );
}

interface Props {
  readonly session: SessionReply;
  readonly mayPlan: boolean;
  readonly isEmpty: boolean;
}

export function PlanFooter({ session, mayPlan, isEmpty }: Props) {
  const t = useText();
  const desk = usePlanDesk();
  const { full, busy, dry, whatIf, effortS, problem, newerVersion } = desk;
  const [isOpen, setOpen] = useState(false);
  const plan = full?.plan ?? null;
  const next = nextStep(plan);
  const nowMs = live.nowMs();
  const isOver = planWindow(dayShown(nowMs, desk), zoneOf(desk), nowMs * 1000) === null;
  const isOwn = next === "approved" && full?.submitted_by === session.name;
  const mayStep = mayPlan && next !== null && !dry && !whatIf && newerVersion === null;
  const again = t(plan && !dry ? "plan.again" : "plan.planDay");
  return (
    <div className="planend" data-testid="plan-footer">
      <Progress />
      {problem ? (
        <div className="failure attn" role="alert" data-testid="plan-problem">
          <span>
            {t("plan.notDone", { why: problem.status === 409 ? t("plan.changedMeanwhile") : problemText(t, problem) })}
          </span>
          <div className="row">
            <button type="button" className="btn s" onClick={() => void planDay({ isKept: true })} disabled={!mayPlan}>
              {t("plan.planDay")}
            </button>
            <button type="button" className="btn s ghost" onClick={() => changePlanDesk({ problem: null })}>
              {t("help.close")}
            </button>
          </div>
        </div>
      ) : null}
      {isOpen && plan ? <Exports planId={plan.plan_id} sortieId={null} /> : null}
      {mayPlan ? (
        <div className="row">
          <button
            type="button"
            className={plan && !dry ? "btn" : "btn pri"}
            data-testid="plan-day-now"
            disabled={busy !== "" || isEmpty || isOver}
            title={isOver ? t("plan.dayOver") : undefined}
            onClick={() => void planDay({ isKept: true })}
          >
            {again} <span className="kbd">R</span>
          </button>
          <button
            type="button"
            className="btn"
            data-testid="dry-run"
            disabled={busy !== "" || isEmpty || isOver}
            onClick={() => (dry ? changePlanDesk({ dry: null }) : void planDay({ isKept: false }))}
          >
            {t(dry ? "plan.dryEnd" : "plan.dry")} <span className="kbd">T</span>
          </button>
          <select
            className="field effort"
            aria-label={t("plan.effort")}
            title={t("plan.effort")}
            value={effortS}
            onChange={(event) => changePlanDesk({ effortS: Number(event.target.value) })}
          >
            {EFFORTS_S.map((each) => (
              <option key={each} value={each}>
                {each} s
              </option>
            ))}
          </select>
        </div>
      ) : null}
      <div className="row">
        {mayPlan && next ? (
          <button
            type="button"
            className="btn pri grow"
            data-testid={`state-${next}`}
            disabled={!mayStep || busy !== ""}
            onClick={() => step(session)}
          >
            {t(isOwn ? "plan.approveAlone" : `plan.step.${next}`)} <span className="kbd">Ctrl Enter</span>
          </button>
        ) : plan ? (
          <span className={`grow f13 ${plan.state === "published" ? "c-ok" : "t2"}`} data-testid="state-now">
            {t(`plan.stateNow.${plan.state}`)}
          </span>
        ) : (
          <span className="grow f12 t3">
            {t(mayPlan ? (isOver ? "plan.dayOver" : "plan.planHint") : "plan.readOnly")}
          </span>
        )}
        {mayPlan && plan && (plan.state === "submitted" || plan.state === "approved") ? (
          <button type="button" className="btn ghost" disabled={busy !== ""} onClick={() => void setState("draft")}>
            {t("plan.back")}
          </button>
        ) : null}
        {mayPlan && plan?.state === "draft" ? (
          <button
            type="button"
            className="btn ghost"
            disabled={busy !== ""}
            onClick={() => void removePlan(plan.plan_id)}
          >
            {t("plan.drop")}
          </button>
        ) : null}
        {plan ? (
          <button
            type="button"
            className="btn"
            aria-expanded={isOpen}
            data-testid="export-open"
            onClick={() => setOpen(!isOpen)}
          >
            {t("plan.export")}
          </button>
        ) : null}
      </div>
      {isOwn ? (
        <p className="f12 t3">{t(session.role === "admin" ? "plan.fourEyesAdmin" : "plan.fourEyes")}</p>
      ) : next === "approved" && full?.submitted_by ? (
        <p className="f12 t3">{t("plan.submittedBy", { who: full.submitted_by })}</p>
      ) : null}
    </div>
  );
}
