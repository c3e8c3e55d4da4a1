// A remedy done: the task or rule kept as changed and the plan made anew with it, or the form opened where the change belongs.
import { planDay, put, repair, setSettings } from "./acts";
import { beginItem, changeItem, changePlanDesk, getPlanDesk, redraft } from "./planDesk";
import type { Remedy } from "./remedies";

const FIELD_SOON_MS = 80;

/** Put the focus into a field of the form that was just opened, unfolding what hides it. */
export function focusField(name: string): void {
  setTimeout(() => {
    const base = name.replace(/\[.*$/, "");
    const box = document.querySelector<HTMLElement>(`.planform [data-field="${CSS.escape(base)}"]`);
    box?.closest("details")?.setAttribute("open", "");
    if (box?.tagName === "DETAILS") box.setAttribute("open", "");
    const field = box?.querySelector<HTMLElement>("input, select, textarea, button");
    field?.focus();
    field?.scrollIntoView({ block: "center" });
  }, FIELD_SOON_MS);
}

async function adoptRule(ruleId: string, values: Record<string, number | string>): Promise<void> {
  const reply = getPlanDesk().programme;
  if (!reply) return;
  const { zone, holidays, rule_set, rules } = reply.programme;
  const changed = { ...rules, [ruleId]: { ...rules[ruleId], ...values } };
  if (await setSettings({ zone, holidays, rule_set, rules: changed, version: reply.version }))
    await planDay({ isKept: true });
}

/** Do what a refusal's button says. */
export async function adopt(remedy: Remedy, nowMs: number): Promise<void> {
  if (remedy.does === "task") {
    if (!(await put("tasks", remedy.task))) return;
    const isKept = getPlanDesk().dry === null;
    if (isKept && getPlanDesk().full) await repair({ tasks: [remedy.task] });
    else await planDay({ isKept });
  } else if (remedy.does === "rule") await adoptRule(remedy.ruleId, remedy.values);
  else if (remedy.does === "plan") await planDay({ isKept: getPlanDesk().dry === null });
  else if (remedy.does === "more") beginItem(remedy.kind, nowMs);
  else if (remedy.does === "weather") {
    beginItem("weather", nowMs);
    redraft<"weather">({ from_us: remedy.fromUs });
    changePlanDesk({ tab: "side" });
  } else {
    changeItem(remedy.kind, remedy.id);
    focusField(remedy.field);
  }
}
