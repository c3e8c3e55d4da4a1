// Right: what was refused, each with its rule, its numbers and the change that would make it possible; then what is only said.
import { useEffect, useRef, useState } from "react";
import { live } from "../live/live";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { Plan, Programme, Refusal } from "../wire.generated";
import { clockOf } from "./days";
import { adopt } from "./adopt";
import { changePlanDesk, choose, usePlanDesk } from "./planDesk";
import { refused, warned } from "./planFigures";
import { remedyOf } from "./remedies";
import { cureOf, reasonOf, subjectOf } from "./words";

interface Props {
  readonly plan: Plan;
  readonly programme: Programme;
  readonly mayPlan: boolean;
}

function Adopt({ refusal, plan, mayPlan }: { refusal: Refusal; plan: Plan; mayPlan: boolean }) {
  const t = useText();
  const { programme, busy } = usePlanDesk();
  const remedy = programme && remedyOf(refusal, programme.programme, plan);
  if (!remedy || !mayPlan) return null;
  const isOpening = remedy.does === "open" || remedy.does === "weather" || remedy.does === "more";
  return (
    <button
      type="button"
      className="btn s"
      data-testid="adopt"
      disabled={busy !== ""}
      onClick={(event) => {
        event.stopPropagation();
        void adopt(remedy, live.nowMs());
      }}
    >
      {t(remedy.does === "plan" ? "plan.again" : isOpening ? "plan.change" : "plan.adopt")}
    </button>
  );
}

function when(refusal: Refusal, plan: Plan, zone: string): string {
  const window = refusal.window ?? plan.visits.find((each) => each.visit_id === refusal.visit_id)?.window;
  return window ? clockOf(window.start_us, zone) : "";
}

function Line({ refusal, number, plan, programme, mayPlan }: Props & { refusal: Refusal; number: number }) {
  const { language } = useSettings();
  const t = useText();
  const { refusal: pointed } = usePlanDesk();
  const line = useRef<HTMLLIElement>(null);
  const isPointed = pointed === number;
  useEffect(() => {
    if (isPointed) line.current?.scrollIntoView({ block: "nearest" });
  }, [isPointed]);
  const look = (): void => {
    if (refusal.task_id !== null) choose("tasks", refusal.task_id);
    changePlanDesk({ refusal: number, sortieId: null });
  };
  return (
    <li ref={line} className={isPointed ? "sel" : ""} data-testid="refusal" data-rule={refusal.rule_id}>
      <button type="button" className="refusalhead" aria-pressed={isPointed} onClick={look}>
        <span className="number">{number}</span>
        <b className="ell">
          {subjectOf(refusal, programme, language, t)}{" "}
          <span className="num">{when(refusal, plan, programme.zone)}</span>
        </b>
        <span className="f12 t3 nw">{refusal.rule_id}</span>
      </button>
      <p className="c-attn f13">{reasonOf(refusal, language)}</p>
      <div className="row f13 t2">
        <span>{cureOf(refusal, language)}</span>
        <span className="sp" />
        <Adopt refusal={refusal} plan={plan} mayPlan={mayPlan} />
      </div>
    </li>
  );
}

export function Refusals(props: Props) {
  const { plan, programme, mayPlan } = props;
  const t = useText();
  const { language } = useSettings();
  const [isOpen, setOpen] = useState(false);
  const all = refused(plan);
  const said = warned(plan);
  return (
    <section className="refusalbox" aria-label={t("plan.refusals")}>
      <div className="h sechead">
        {t("plan.refusals")} <span className="t3 num">{all.length}</span>
        <span className="sp" />
        <span className="f12 t3">{t("plan.refusalsHint")}</span>
      </div>
      {all.length ? (
        <ul className="refusals" data-testid="refusals">
          {all.map((refusal, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: its number is its name, in the chart too
            <Line key={i} refusal={refusal} number={i + 1} {...props} />
          ))}
        </ul>
      ) : (
        <p className="sentence" data-testid="no-refusals">
          {t("plan.noRefusals")}
        </p>
      )}
      {said.length ? (
        <details className="saidbox" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary data-testid="warnings">
            {t("plan.warnings")} <span className="num">{said.length}</span>
          </summary>
          <ul className="refusals">
            {said.map(({ refusal, count }) => (
              <li key={`${refusal.rule_id} ${refusal.task_id} ${refusal.reason_en}`}>
                <div className="row f13">
                  <b className="ell">{subjectOf(refusal, programme, language, t)}</b>
                  {count > 1 ? <span className="t3 num">×{count}</span> : null}
                  <span className="sp" />
                  <span className="f12 t3 nw">{refusal.rule_id}</span>
                </div>
                <p className="f13 t2">{reasonOf(refusal, language)}</p>
                <div className="row f12 t3">
                  <span>{cureOf(refusal, language)}</span>
                  <span className="sp" />
                  <Adopt refusal={refusal} plan={plan} mayPlan={mayPlan} />
                </div>
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </section>
  );
}
