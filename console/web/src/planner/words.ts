// Sentences of the planner's screen that several parts say.
import type { RequestError } from "../api/client";
import type { Translate } from "../i18n/text";
import { nameIn, type Language } from "../i18n/text";
import type { Programme, Recurrence, Refusal, Task } from "../wire.generated";
import { type Span, spanText } from "./days";
import { toldOf, WEEKDAYS } from "./recurrence";

/** What did not happen, in the server's own sentence where it said one. */
export const problemText = (t: Translate, problem: RequestError): string =>
  problem.detail || t(problem.key, problem.figures);

export const reasonOf = (refusal: Refusal, language: Language): string =>
  language === "zh" ? refusal.reason_zh : refusal.reason_en;
export const cureOf = (refusal: Refusal, language: Language): string =>
  language === "zh" ? refusal.remedy_zh : refusal.remedy_en;

/** What a refusal is about: the task, else the airframe, else the plan. */
export function subjectOf(refusal: Refusal, programme: Programme, language: Language, t: Translate): string {
  const task = programme.tasks.find((each) => each.task_id === refusal.task_id);
  if (task) return nameIn(language, task);
  const airframe = programme.airframes.find((each) => each.airframe_id === refusal.airframe_id);
  return airframe?.name ?? t("plan.wholePlan");
}

/** When a task comes back: daily 08:00–18:00, Wed Sun 07:00–19:00. */
export function recurrenceText(t: Translate, { rule, since, until }: Recurrence): string {
  const told = toldOf(rule);
  const hours = `${since.slice(0, 5)}–${until.slice(0, 5)}`;
  const days = WEEKDAYS.filter((day) => told.days.includes(day)).map((day) => t(`plan.weekday.${day}`));
  const rhythm = told.rhythm === "weekly" ? days.join(" ") : t(`plan.rhythm.${told.rhythm}`);
  return `${rhythm} ${hours}`;
}

/** When a task is wanted, in few words. */
export function whenText(t: Translate, task: Task, zone: string, day: Span): string {
  const today = task.windows.filter((each) => each.start_us < day.end_us && each.end_us > day.start_us);
  const parts = [
    ...(task.recurrence ? [recurrenceText(t, task.recurrence)] : []),
    ...today.map((each) => spanText(each, zone)),
  ];
  if (!parts.length && task.windows.length) return t("plan.otherDay");
  if (task.revisit_s !== null) parts.push(t("plan.eachMin", { n: Math.round(task.revisit_s / 60) }));
  return parts.join(" · ") || t("plan.anyTime");
}
