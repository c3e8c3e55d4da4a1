// Right, below: what the plan would be without a drone, battery or crew, in stronger wind, with another priority; nothing of it is kept.
import { useState } from "react";
import { percent, THIN_SPACE, UNKNOWN_FIGURE } from "../format/figures";
import { nameIn } from "../i18n/text";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { Plan, Programme, Sortie } from "../wire.generated";
import { askWhatIf } from "./acts";
import { changePlanDesk, usePlanDesk } from "./planDesk";
import { figuresOf, refused } from "./planFigures";
import { type Falling, lossOf, type Question, QUESTIONS, type Shift, shiftsOf } from "./whatIf";
import { reasonOf } from "./words";

interface Props {
  readonly plan: Plan;
  readonly programme: Programme;
}

const share = (ratio: number | null): string =>
  ratio === null ? UNKNOWN_FIGURE : `${percent(ratio, 0)}${THIN_SPACE}%`;
const STRONG_MPS = 12;
const MOST_MPS = 40;
const MOST_PRIORITY = 10;

/** A drone, battery or crew that the plan flies with. */
interface Flier {
  readonly of: Falling;
  readonly id: number;
  readonly name: string;
}

/** What the plan flies with, drones first. */
function fliersOf({ sorties }: Plan, { airframes, batteries, crews }: Programme): Flier[] {
  const used = <T extends { name: string }>(of: Falling, all: readonly T[], idOf: (one: T) => number): Flier[] =>
    all
      .map((one) => ({ of, id: idOf(one), name: one.name }))
      .filter(({ id }) => sorties.some((each) => uses(each, of, id)));
  return [
    ...used("airframes", airframes, (one) => one.airframe_id),
    ...used("batteries", batteries, (one) => one.battery_id),
    ...used("crews", crews, (one) => one.crew_id),
  ];
}

function uses(sortie: Sortie, of: Falling, id: number): boolean {
  if (of === "airframes") return sortie.airframe_id === id;
  return (of === "batteries" ? sortie.battery_id : sortie.crew_id) === id;
}

const FALLING = ["airframes", "batteries", "crews"] as const;

/** The first question of a kind. */
function firstOf(about: Question["about"], { tasks }: Programme, flying: readonly Flier[]): Question {
  if (about === "wind") return { about, windMps: STRONG_MPS };
  if (about === "without") return { about, of: flying[0]?.of ?? "airframes", id: flying[0]?.id ?? 0 };
  return { about, taskId: tasks[0]?.task_id ?? 0, priority: MOST_PRIORITY };
}

interface AskProps {
  readonly question: Question;
  readonly programme: Programme;
  readonly flying: readonly Flier[];
  readonly onChange: (question: Question) => void;
}

/** What the question is about: which drone, how much wind, which task. */
function Subject({ question, programme, flying, onChange }: AskProps) {
  const t = useText();
  const { language } = useSettings();
  if (question.about === "wind")
    return (
      <input
        className="field num short"
        type="number"
        min={0}
        max={MOST_MPS}
        step={0.5}
        aria-label={t("plan.whatIf.windMps")}
        data-testid="what-if-wind"
        value={question.windMps}
        onChange={(event) => onChange({ ...question, windMps: bounded(event.target.valueAsNumber, MOST_MPS) })}
      />
    );
  if (question.about === "without")
    return (
      <select
        className="field"
        aria-label={t("plan.whatIf.without")}
        data-testid="what-if-flier"
        value={`${question.of} ${question.id}`}
        onChange={(event) => {
          const [of, id] = event.target.value.split(" ");
          onChange({ ...question, of: of as Falling, id: Number(id) });
        }}
      >
        {FALLING.filter((of) => flying.some((each) => each.of === of)).map((of) => (
          <optgroup key={of} label={t(`plan.one.${of}`)}>
            {flying
              .filter((each) => each.of === of)
              .map(({ id, name }) => (
                <option key={id} value={`${of} ${id}`}>
                  {name}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    );
  return (
    <>
      <select
        className="field"
        aria-label={t("plan.col.task")}
        data-testid="what-if-task"
        value={question.taskId}
        onChange={(event) => onChange({ ...question, taskId: Number(event.target.value) })}
      >
        {programme.tasks.map((task) => (
          <option key={task.task_id} value={task.task_id}>
            {nameIn(language, task)} · {task.priority}
          </option>
        ))}
      </select>
      <input
        className="field num short"
        type="number"
        min={0}
        max={MOST_PRIORITY}
        aria-label={t("plan.f.priority")}
        data-testid="what-if-priority"
        value={question.priority}
        onChange={(event) =>
          onChange({ ...question, priority: Math.round(bounded(event.target.valueAsNumber, MOST_PRIORITY)) })
        }
      />
    </>
  );
}

const bounded = (value: number, most: number): number => (Number.isNaN(value) ? 0 : Math.min(most, Math.max(0, value)));

/** The question in words, as the screen's head says it while its answer is shown. */
export function useQuestion(programme: Programme | null): string {
  const t = useText();
  const { language } = useSettings();
  const { whatIf, full } = usePlanDesk();
  if (!whatIf || !programme) return "";
  const { question } = whatIf;
  if (question.about === "wind") return t("plan.whatIf.saidWind", { wind: question.windMps });
  if (question.about === "without") {
    const found =
      full && fliersOf(full.plan, programme).find((one) => one.of === question.of && one.id === question.id);
    return t("plan.whatIf.saidWithout", { name: found?.name ?? "" });
  }
  const task = programme.tasks.find((each) => each.task_id === question.taskId);
  return t("plan.whatIf.saidPriority", { name: task ? nameIn(language, task) : "", priority: question.priority });
}

export function WhatIf({ plan, programme }: Props) {
  const t = useText();
  const { whatIf, busy, full } = usePlanDesk();
  const [picked, setPicked] = useState<Question | null>(null);
  if (!full) return null;
  const flying = fliersOf(full.plan, programme);
  const question = whatIf?.question ?? picked ?? firstOf("without", programme, flying);
  const ask = (next: Question): void => {
    setPicked(next);
    changePlanDesk({ whatIf: null });
  };
  const isUnasked = question.about === "without" ? !flying.length : !programme.tasks.length;
  return (
    <section className="sec" data-testid="what-if">
      <div className="h">
        {t("plan.whatIf")}
        <span className="sp" />
        <span className="t3">{t("plan.notKept")}</span>
      </div>
      <div className="seg2 whole" role="group" aria-label={t("plan.whatIf")}>
        {QUESTIONS.map((about) => (
          <button
            key={about}
            type="button"
            aria-pressed={question.about === about}
            data-testid={`what-if-${about}`}
            onClick={() => ask(firstOf(about, programme, flying))}
          >
            {t(`plan.whatIf.${about}`)}
          </button>
        ))}
      </div>
      <form
        className="row whatif"
        onSubmit={(event) => {
          event.preventDefault();
          void askWhatIf(question);
        }}
      >
        <Subject question={question} programme={programme} flying={flying} onChange={ask} />
        {question.about === "wind" ? <span className="f13 t2 nw">{t("plan.whatIf.fromNow")}</span> : null}
        <span className="sp" />
        {whatIf ? (
          <button
            key="end"
            type="button"
            className="btn"
            data-testid="what-if-end"
            onClick={() => changePlanDesk({ whatIf: null })}
          >
            {t("plan.whatIfEnd")}
          </button>
        ) : (
          <button key="ask" type="submit" className="btn" data-testid="what-if-ask" disabled={busy !== "" || isUnasked}>
            {t(busy === "whatIf" ? "plan.working" : "plan.whatIfAsk")}
          </button>
        )}
      </form>
      {whatIf ? <Answer before={full.plan} after={plan} programme={programme} /> : null}
    </section>
  );
}

/** The plan as it is beside the plan as it would be: figures, then the tasks that fare otherwise and why. */
function Answer({ before, after, programme }: { before: Plan; after: Plan; programme: Programme }) {
  const t = useText();
  const [from, to] = [figuresOf(before, programme), figuresOf(after, programme)];
  const lines: readonly (readonly [string, string, string])[] = [
    [t("plan.figure.sorties"), String(from.sortieCount), String(to.sortieCount)],
    [t("plan.figure.watched"), share(from.watchedRatio), share(to.watchedRatio)],
    [t("plan.refusals"), String(refused(before).length), String(to.refusedCount)],
    [t("plan.figure.landing"), share(from.lowestLandingRatio), share(to.lowestLandingRatio)],
  ];
  const shifts = shiftsOf(before, after, programme);
  return (
    <div role="status">
      <dl className="shifts" data-testid="what-if-figures">
        {lines.map(([label, was, is]) => (
          <div key={label} className="row f13">
            <dt className="t2">{label}</dt>
            <span className="sp" />
            <dd className="num">
              {was} → <b className={was === is ? "" : "c-attn"}>{is}</b>
            </dd>
          </div>
        ))}
      </dl>
      <ul className="shifts" data-testid="what-if-tasks">
        {shifts.map((shift) => (
          <Shifted key={shift.task.task_id} shift={shift} />
        ))}
        {shifts.length ? null : <li className="f13 t3">{t("plan.whatIf.same")}</li>}
      </ul>
    </div>
  );
}

function Shifted({ shift }: { shift: Shift }) {
  const t = useText();
  const { language } = useSettings();
  const { task, sorties, done, refusal } = shift;
  const isLess = lossOf(shift) > 0;
  return (
    <li className="f13">
      <div className="row">
        <b className="ell">{nameIn(language, task)}</b>
        <span className="sp" />
        <span className="num nw">
          {t("plan.whatIf.sorties", { from: sorties[0], to: sorties[1] })}
          {done[0] === done[1] ? null : (
            <span className={isLess ? "c-attn" : ""}>
              {" "}
              · {share(done[0])} → {share(done[1])}
            </span>
          )}
        </span>
      </div>
      {refusal ? (
        <p className="f12 t3">
          {refusal.rule_id} · {reasonOf(refusal, language)}
        </p>
      ) : null}
    </li>
  );
}
