// Left, above: the day, its plan with version, state and who made it, and what can be begun.
import { useEffect, useRef, useState } from "react";
import { live } from "../live/live";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { PlanLine, TaskKind } from "../wire.generated";
import { clockOf, dayAfter, dayOf, dayText } from "./days";
import { beginItem, beginTask, changePlanDesk, dayShown, showDay, usePlanDesk, zoneOf } from "./planDesk";
import { TASK_KINDS } from "./TaskFields";
import { useQuestion } from "./WhatIf";

/** Step the day; today is kept as today, so that it goes on with the clock. */
export function stepDay(days: number): void {
  const nowMs = live.nowMs();
  const next = dayAfter(dayShown(nowMs), days);
  showDay(next === dayOf(nowMs * 1000, zoneOf()) ? null : next);
}

function NewMenu() {
  const t = useText();
  const { draft } = usePlanDesk();
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: Event): void => {
      if (!menu.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [isOpen]);
  const onKey = (event: React.KeyboardEvent): void => {
    const all = [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") setOpen(false);
    else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const pick = (begin: () => void): void => {
    setOpen(false);
    begin();
  };
  return (
    <div className="newmenu" ref={menu}>
      <button
        type="button"
        className="btn s"
        aria-label={t("plan.new")}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        data-testid="plan-new"
        disabled={draft !== null}
        onClick={() => setOpen(!isOpen)}
      >
        <span className="small-only">
          <Icon name="plus" size={14} />
        </span>
        <span className="hide-small">{t("plan.new")}</span> <span className="kbd hide-narrow">N</span>
      </button>
      {isOpen ? (
        <div className="ctl menu" role="menu" tabIndex={-1} onKeyDown={onKey}>
          {TASK_KINDS.map((kind: TaskKind) => (
            <button
              key={kind}
              type="button"
              role="menuitem"
              data-testid={`new-${kind}`}
              onClick={() => pick(() => beginTask(kind, live.nowMs()))}
            >
              {t(`plan.task.${kind}`)}
            </button>
          ))}
          <hr />
          <button
            type="button"
            role="menuitem"
            data-testid="new-zone"
            onClick={() => pick(() => beginItem("zones", live.nowMs()))}
          >
            {t("plan.newZone")}
          </button>
          <button type="button" role="menuitem" onClick={() => pick(() => beginItem("docks", live.nowMs()))}>
            {t("plan.newDock")}
          </button>
          <button
            type="button"
            role="menuitem"
            data-testid="new-weather-item"
            onClick={() => pick(() => beginItem("weather", live.nowMs()))}
          >
            {t("plan.newWeather")}
          </button>
        </div>
      ) : null}
    </div>
  );
}

export function DayHead({ lines, mayPlan }: { lines: readonly PlanLine[]; mayPlan: boolean }) {
  const t = useText();
  const { language } = useSettings();
  const desk = usePlanDesk();
  const { full, planId, dry } = desk;
  const day = dayShown(live.nowMs(), desk);
  const today = dayOf(live.nowMs() * 1000, zoneOf(desk));
  const plan = full?.plan;
  const said = useQuestion(full?.programme ?? null);
  return (
    <div className="dayhead">
      <div className="row dayrow">
        <button
          type="button"
          className="iconbtn"
          aria-label={t("plan.dayBefore")}
          title="["
          onClick={() => stepDay(-1)}
        >
          <Icon name="left" size={16} />
        </button>
        <label className="daypick">
          <h2 data-testid="plan-day">{dayText(day, language)}</h2>
          <input
            type="date"
            aria-label={t("plan.day")}
            data-testid="plan-date"
            value={day}
            onClick={(event) => event.currentTarget.showPicker?.()}
            onChange={(event) =>
              event.target.value && showDay(event.target.value === today ? null : event.target.value)
            }
          />
        </label>
        <button type="button" className="iconbtn" aria-label={t("plan.dayAfter")} title="]" onClick={() => stepDay(1)}>
          <Icon name="right" size={16} />
        </button>
        {day === today ? null : (
          <button type="button" className="btn s ghost" onClick={() => showDay(null)}>
            {t("plan.today")}
          </button>
        )}
        <span className="sp" />
        {mayPlan ? <NewMenu /> : null}
      </div>
      <div className="row f12 t3 planof">
        {plan ? (
          <>
            <span className="ell" data-testid="plan-of" data-plan-id={plan.plan_id} data-state={plan.state}>
              {t("plan.of", {
                version: plan.version,
                who: plan.made_by,
                time: clockOf(plan.made_us, zoneOf(desk)),
              })}
            </span>
            <span className={`badge ${plan.state === "published" ? "ok" : plan.state === "draft" ? "line" : "acc"}`}>
              {t(`plan.state.${plan.state}`)}
            </span>
          </>
        ) : (
          <span>{t("plan.none")}</span>
        )}
        <span className="sp" />
        {lines.length > 1 && plan ? (
          <select
            className="field s"
            aria-label={t("plan.otherPlans")}
            data-testid="plan-pick"
            value={planId ?? plan.plan_id}
            onChange={(event) =>
              changePlanDesk({
                planId: Number(event.target.value),
                dry: null,
                whatIf: null,
                range: null,
                sortieId: null,
              })
            }
          >
            {lines.map((line) => (
              <option key={line.plan_id} value={line.plan_id}>
                #{line.plan_id} · {t(`plan.state.${line.state}`)} · {line.sortie_count}
              </option>
            ))}
          </select>
        ) : null}
      </div>
      {dry ? <p className="badge attn">{t("plan.dryShown")}</p> : null}
      {said ? (
        <p className="badge attn ell" data-testid="what-if-shown">
          {said}
        </p>
      ) : null}
    </div>
  );
}
