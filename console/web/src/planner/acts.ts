// What a person does on the planner's screen: asked of the server, and taken into the desk or told as the problem it is.
import { get, RequestError, write } from "../api/client";
import { translator } from "../i18n/text";
import { live } from "../live/live";
import { getSettings } from "../state/settings";
import type {
  CheckReply,
  FlightReply,
  ItemReply,
  Plan,
  PlanChange,
  PlanFullReply,
  PlanReply,
  PlanState,
  ProgrammeReply,
  SettingWish,
} from "../wire.generated";
import { planWindow } from "./days";
import { type ItemKind, idOf } from "./items";
import { changePlanDesk, type Draft, dayShown, getPlanDesk, type PlanDesk, zoneOf } from "./planDesk";
import { changeOf, type Question } from "./whatIf";

/** Resolve to what was asked for, or to the error that kept it from being done. */
export async function asked<T>(work: Promise<T>): Promise<T | RequestError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

const post = async <T>(path: string, body?: unknown): Promise<T> => (await write<T>("POST", path, body)) as T;

/** Do one thing at a time; its error stands on the screen until the next. */
async function busily<T>(busy: PlanDesk["busy"], work: () => Promise<T>): Promise<T | null> {
  if (getPlanDesk().busy) return null;
  changePlanDesk({ busy, problem: null, progress: null });
  const done = await asked(work());
  changePlanDesk({ busy: "", progress: null, problem: done instanceof RequestError ? done : null });
  return done instanceof RequestError ? null : done;
}

export async function readProgramme(): Promise<void> {
  const reply = await asked(get<ProgrammeReply>("/api/programme"));
  if (reply instanceof RequestError) changePlanDesk({ problem: reply });
  else changePlanDesk({ programme: reply });
}

/** Read a plan anew and look at it. */
export async function readPlan(planId: number): Promise<void> {
  const reply = await asked(get<PlanFullReply>(`/api/plans/${planId}`));
  if (reply instanceof RequestError) changePlanDesk({ problem: reply });
  else changePlanDesk({ full: reply, newerVersion: null });
}

/** Look at an item without keeping it. */
export function check(draft: Draft, day: string): Promise<CheckReply> {
  return post("/api/programme/check", { kind: draft.kind, item: called(draft.item), item_id: draft.id ?? 0, day });
}

/** What has no name yet is called so that a sentence about it can be read. */
function called(item: Draft["item"]): Draft["item"] {
  const { language } = getSettings();
  const name = translator(language)("plan.thisItem");
  if ("name_zh" in item)
    return item.name_zh.trim() || item.name_en.trim()
      ? item
      : { ...item, [language === "zh" ? "name_zh" : "name_en"]: name };
  return "name" in item && !item.name.trim() ? { ...item, name } : item;
}

/** Keep what is drawn; resolves to its number. */
export async function save(draft: Draft): Promise<number | null> {
  const body = { item: draft.item, station_id: draft.stationId, version: draft.version };
  const kept = await busily("save", async () =>
    draft.id === null
      ? post<ItemReply>(`/api/programme/${draft.kind}`, body)
      : ((await write<ItemReply>("PUT", `/api/programme/${draft.kind}/${draft.id}`, body)) as ItemReply),
  );
  if (!kept) return null;
  await readProgramme();
  changePlanDesk({ draft: null, isLeaving: false, chosen: { kind: draft.kind, id: kept.item_id }, tab: "plan" });
  return kept.item_id;
}

/** Take the newest version of what somebody else changed meanwhile, and keep what is written here over it. */
export async function saveOver(draft: Draft): Promise<number | null> {
  return save({ ...draft, version: null });
}

export async function remove(kind: ItemKind, id: number): Promise<void> {
  const done = await busily("save", () => write("DELETE", `/api/programme/${kind}/${id}`));
  if (done === null) return;
  await readProgramme();
  changePlanDesk({ draft: null, chosen: null });
}

export async function addMetar(metar: string): Promise<number | null> {
  const kept = await busily("save", () => post<ItemReply>("/api/programme/weather", { metar }));
  if (!kept) return null;
  await readProgramme();
  changePlanDesk({ draft: null, isLeaving: false, chosen: { kind: "weather", id: kept.item_id }, tab: "list" });
  return kept.item_id;
}

export async function setSettings(wish: SettingWish): Promise<boolean> {
  const reply = await busily("save", () => write<ProgrammeReply>("PUT", "/api/programme/settings", wish));
  if (reply === null) return false;
  await readProgramme();
  return true;
}

/** Plan the day that is looked at; a dry run is shown and not kept. */
export async function planDay({ isKept }: { isKept: boolean }): Promise<void> {
  const { effortS } = getPlanDesk();
  const nowMs = live.nowMs();
  const window = planWindow(dayShown(nowMs), zoneOf(), nowMs * 1000);
  if (!window) return;
  const wish = { from_us: window.start_us, until_us: window.end_us, effort_s: effortS, is_kept: isKept };
  const made = await busily(isKept ? "plan" : "dry", () => post<PlanReply>("/api/plans", wish));
  if (!made) return;
  if (isKept) await show(made.plan);
  else changePlanDesk({ dry: made.plan, whatIf: null, sortieId: null, refusal: null, range: null });
}

async function show(plan: Plan): Promise<void> {
  const { sortieId } = getPlanDesk();
  const isThere = plan.sorties.some((sortie) => sortie.sortie_id === sortieId);
  changePlanDesk({ planId: plan.plan_id, dry: null, whatIf: null, sortieId: isThere ? sortieId : null, refusal: null });
  await readPlan(plan.plan_id);
}

/** Mend the kept plan after a change. */
export async function repair(change: PlanChange, busy: "remedy" | "plan" = "remedy"): Promise<boolean> {
  const plan = getPlanDesk().full?.plan;
  if (!plan) return false;
  const made = await busily(busy, () =>
    post<PlanReply>(`/api/plans/${plan.plan_id}/repair`, { ...change, version: plan.version }),
  );
  if (made) await show(made.plan);
  return made !== null;
}

/** What the plan would be if something were otherwise. */
export async function askWhatIf(question: Question): Promise<void> {
  const { full } = getPlanDesk();
  if (!full) return;
  const { plan, programme } = full;
  const change = changeOf(question, programme, plan, Math.round(live.nowMs() * 1000));
  const made = await busily("whatIf", () => post<PlanReply>(`/api/plans/${plan.plan_id}/what_if`, change));
  if (made) changePlanDesk({ whatIf: { question, change, plan: made.plan }, dry: null, sortieId: null, refusal: null });
}

/** Submit, approve, publish, or send back. */
export async function setState(state: PlanState, reason = ""): Promise<boolean> {
  const plan = getPlanDesk().full?.plan;
  if (!plan) return false;
  const wish = { state, version: plan.version, reason };
  const done = await busily("state", () => post<PlanReply>(`/api/plans/${plan.plan_id}/state`, wish));
  if (done) await readPlan(plan.plan_id);
  return done !== null;
}

export async function removePlan(planId: number): Promise<void> {
  const done = await busily("state", () => write("DELETE", `/api/plans/${planId}`));
  if (done !== null) changePlanDesk({ planId: null, full: null, sortieId: null, refusal: null });
}

/** Hand a sortie to the pilot of its drone. */
export async function handOver(unitId: number, sortieId: number): Promise<boolean> {
  const plan = getPlanDesk().full?.plan;
  if (!plan) return false;
  const wish = { plan_id: plan.plan_id, sortie_id: sortieId };
  const reply = await busily("state", () => post<FlightReply>(`/api/flights/${unitId}/sortie`, wish));
  if (reply) live.putFlight(reply.flight);
  return reply !== null;
}

/** Replace an item of the programme by what a remedy makes of it; resolves to whether it was kept. */
export async function put(kind: ItemKind, item: Draft["item"]): Promise<boolean> {
  const { programme } = getPlanDesk();
  const id = idOf(kind, item);
  const version = programme?.versions[kind]?.[id] ?? null;
  const station_id = programme?.station_ids[kind]?.[id] ?? null;
  const done = await busily("remedy", () =>
    write<ItemReply>("PUT", `/api/programme/${kind}/${id}`, { item, station_id, version }),
  );
  if (done) await readProgramme();
  return done !== null;
}
