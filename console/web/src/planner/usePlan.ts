// What the planner's screen reads: the programme, the plans round the day, the one looked at; and what others change meanwhile.
import { useEffect, useMemo, useRef, useState } from "react";
import { RequestError } from "../api/client";
import { live } from "../live/live";
import { useLive } from "../state/useLive";
import { usePolled } from "../state/usePolled";
import type { CheckReply, PlanLine, PlansReply } from "../wire.generated";
import { asked, check, readPlan, readProgramme } from "./acts";
import { dayWindow, mondayOf, overlaps } from "./days";
import { geometryOf, hasShape } from "./items";
import { changePlanDesk, dayShown, type Draft, getPlanDesk, usePlanDesk, zoneOf } from "./planDesk";

const PLANS_EVERY_MS = 20_000;
const CHECK_AFTER_MS = 350;
/** So soon after a drone told its step the plan has it too. */
const PROGRESS_AFTER_MS = 2000;
const NONE: readonly PlanLine[] = [];

interface Plans {
  /** Of the week, the newest first. */
  readonly lines: readonly PlanLine[];
  readonly ofDay: readonly PlanLine[];
  readonly isLoaded: boolean;
  readonly error: RequestError | null;
}

/** Keep the programme and the plan of the day that is looked at up to date. */
export function usePlans(): Plans {
  const desk = usePlanDesk();
  const zone = zoneOf(desk);
  const day = dayShown(live.nowMs(), desk);
  const week = useMemo(() => dayWindow(mondayOf(day), zone, 7), [day, zone]);
  const path = `/api/plans?from_us=${week.start_us}&until_us=${week.end_us}`;
  const { data, error, again } = usePolled<PlansReply>(path, PLANS_EVERY_MS);
  const lines = data?.plans ?? NONE;
  const ofDay = useMemo(() => {
    const span = dayWindow(day, zone);
    return lines.filter((line) => overlaps(line.window, span));
  }, [lines, day, zone]);
  const wanted = desk.planId ?? ofDay[0]?.plan_id ?? null;
  const shownId = desk.full?.plan.plan_id ?? null;
  useEffect(() => {
    void readProgramme();
  }, []);
  useEffect(() => {
    if (wanted !== null && wanted !== shownId) void readPlan(wanted);
    if (wanted === null && shownId !== null && data) changePlanDesk({ full: null, sortieId: null });
  }, [wanted, shownId, data]);
  useEffect(
    () =>
      live.onPlanning((news) => {
        const { full, busy } = getPlanDesk();
        if (news.type === "plan_progress") {
          changePlanDesk({ progress: news });
          return;
        }
        if (news.type === "programme_changed") {
          if (busy === "") void readProgramme();
          return;
        }
        again();
        const plan = full?.plan;
        if (plan?.plan_id !== news.plan_id) return;
        if (news.state === null) changePlanDesk({ full: null, planId: null });
        else if (news.version > plan.version && busy === "") changePlanDesk({ newerVersion: news.version });
      }),
    [again],
  );
  useProgress();
  return { lines, ofDay, isLoaded: data !== null, error };
}

/** Read the shown plan again a moment after one of its sorties came further: that is no new version of it. */
function useProgress(): void {
  useLive();
  const { full } = usePlanDesk();
  const planId = full?.plan.plan_id ?? null;
  const steps = (full?.programme.airframes ?? []).map(({ unit_id }) => {
    const sortie = unit_id === null ? null : live.flights.of(unit_id)?.sortie;
    return sortie && sortie.plan_id === planId ? `${sortie.sortie_id} ${sortie.step}` : "";
  });
  const key = steps.join();
  const seen = useRef({ planId, key });
  useEffect(() => {
    const before = seen.current;
    seen.current = { planId, key };
    if (planId === null || before.planId !== planId || before.key === key) return;
    const timer = setTimeout(() => {
      const { busy, newerVersion } = getPlanDesk();
      if (busy === "" && newerVersion === null) void readPlan(planId);
    }, PROGRESS_AFTER_MS);
    return () => clearTimeout(timer);
  }, [planId, key]);
}

/** What the server says of the draft, asked again a moment after each change. */
export function useCheck(draft: Draft | null, day: string): CheckReply | null {
  const [said, setSaid] = useState<{ kind: string; id: number | null; reply: CheckReply } | null>(null);
  const item = draft?.item;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn and said is all in the item
  useEffect(() => {
    if (!draft) return setSaid(null);
    const isShapeless = hasShape(draft.kind) && !geometryOf(draft.kind, draft.item);
    if (isShapeless) return setSaid(null);
    let over = false;
    const timer = setTimeout(() => {
      void asked(check(draft, day)).then((reply) => {
        if (over) return;
        if (reply instanceof RequestError) setSaid(null);
        else setSaid({ kind: draft.kind, id: draft.id, reply });
      });
    }, CHECK_AFTER_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [item, draft?.kind, draft?.id, day]);
  return draft && said?.kind === draft.kind && said.id === draft.id ? said.reply : null;
}
