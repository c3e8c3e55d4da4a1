// The map of the planner's screen with its tools; it draws what the draft asks for, and says what is chosen.
import { useEffect } from "react";
import { measure } from "../format/figures";
import type { TextKey } from "../i18n/zh";
import { live } from "../live/live";
import { MapZoom } from "../map/MapZoom";
import { useMadeMap } from "../map/useMadeMap";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { CheckReply, Plan, Programme, ProgrammeReply } from "../wire.generated";
import { dayWindow } from "./days";
import { findItem, geometryOf, hasShape, nameOf, toolOf } from "./items";
import { changeItem, changePlanDesk, choose, dayShown, type Draft, takeDrawn, usePlanDesk, zoneOf } from "./planDesk";
import type { PlanLook, PlanMap } from "./planMap";
import { whenText } from "./words";

/** The map that is shown, for keys. */
let shownMap: PlanMap | null = null;
export const planMap = (): PlanMap | null => shownMap;

function usePlanMap(look: PlanLook) {
  const made = useMadeMap(async (box, newest: () => PlanLook) => {
    const { makePlanMap } = await import("./planMap");
    const onCrossing = (isCrossing: boolean): void => changePlanDesk({ isCrossing });
    return makePlanMap(box, newest, { onDrawn: takeDrawn, onCrossing }, ({ kind, id }) => choose(kind, id));
  }, look);
  const { map } = made;
  useEffect(() => {
    shownMap = map;
    return () => {
      shownMap = null;
    };
  }, [map]);
  const { theme, language, programme, plan, chosen, sortieId, draft, preview } = look;
  useEffect(
    () => map?.show({ theme, language, programme, plan, chosen, sortieId, draft, preview }),
    [map, theme, language, programme, plan, chosen, sortieId, draft, preview],
  );
  return made;
}

function hintOf(draft: Draft): TextKey {
  const tool = toolOf(draft.kind, draft.item);
  if (!tool) return "plan.hint.keeps";
  if (draft.isHole) return "plan.hint.hole";
  return geometryOf(draft.kind, draft.item) ? `plan.hint.drawn.${tool}` : `plan.hint.${tool}`;
}

function DrawHint({ draft, map }: { draft: Draft; map: PlanMap | null }) {
  const t = useText();
  const { isCrossing } = usePlanDesk();
  const tool = toolOf(draft.kind, draft.item);
  const isDrawn = geometryOf(draft.kind, draft.item) !== null;
  const put = (): void => {
    const shape = map?.inMiddle();
    if (shape) takeDrawn(shape, { isPut: true });
  };
  return (
    <div className="fencenote row" data-testid="draw-hint">
      <span className={isCrossing ? "c-alarm" : ""}>{t(isCrossing ? "fence.crosses" : hintOf(draft))}</span>
      {!tool || draft.isHole ? null : isDrawn ? (
        <button type="button" className="btn s" data-testid="redraw" onClick={() => takeDrawn(null)}>
          {t("fence.redraw")}
        </button>
      ) : (
        <button type="button" className="btn s ghost" data-testid="in-middle" onClick={put}>
          {t("plan.inMiddle")} <span className="kbd">M</span>
        </button>
      )}
      <button type="button" className="btn s narrow-only" onClick={() => changePlanDesk({ tab: "side" })}>
        {t("plan.describe")}
      </button>
    </div>
  );
}

function Tile({ reply, mayPlan }: { reply: ProgrammeReply; mayPlan: boolean }) {
  const t = useText();
  const { language } = useSettings();
  const desk = usePlanDesk();
  const { chosen } = desk;
  const found = chosen && findItem(reply, chosen.kind, chosen.id);
  if (!chosen || !found) return null;
  const zone = zoneOf(desk);
  const day = dayWindow(dayShown(live.nowMs(), desk), zone);
  const task = chosen.kind === "tasks" ? reply.programme.tasks.find((each) => each.task_id === chosen.id) : null;
  const words = task
    ? [
        t(`plan.task.${task.kind}`),
        whenText(t, task, zone, day),
        task.alt_agl_m === null ? "" : measure(task.alt_agl_m, "m"),
      ]
    : [t(`plan.list.${chosen.kind === "tasks" ? "tasks" : chosen.kind}`)];
  return (
    <div className="ctl plantile row" data-testid="plan-tile">
      <b>{nameOf(found.item, language) || t("plan.unnamed")}</b>
      <span className="t2 f13 ell">{words.filter(Boolean).join(" · ")}</span>
      {mayPlan ? (
        <button
          type="button"
          className="btn s"
          data-testid="plan-change"
          onClick={() => changeItem(chosen.kind, chosen.id)}
        >
          {t("plan.change")} <span className="kbd">E</span>
        </button>
      ) : null}
      <button
        type="button"
        className="iconbtn"
        aria-label={t("help.close")}
        onClick={() => changePlanDesk({ chosen: null })}
      >
        <Icon name="close" size={14} />
      </button>
    </div>
  );
}

interface Props {
  readonly reply: ProgrammeReply | null;
  readonly programme: Programme | null;
  readonly plan: Plan | null;
  readonly check: CheckReply | null;
  readonly mayPlan: boolean;
}

export function PlanPane({ reply, programme, plan, check, mayPlan }: Props) {
  const { theme, language } = useSettings();
  const { chosen, sortieId, draft } = usePlanDesk();
  const t = useText();
  const preview = check?.preview ?? null;
  const { box, map, error } = usePlanMap({ theme, language, programme, plan, chosen, sortieId, draft, preview });
  return (
    <section className="fencepane planpane" aria-label={t("plan.map")}>
      <div
        ref={box}
        className="fencemap"
        data-testid="plan-map"
        data-drawn={draft && geometryOf(draft.kind, draft.item) ? "yes" : "no"}
        data-preview={preview ? "yes" : "no"}
        data-ready={map ? "yes" : "no"}
      />
      <MapZoom map={map} />
      {error ? (
        <p className="fencenote c-attn" role="alert">
          {error.detail || t(error.key, error.figures)}
        </p>
      ) : draft ? (
        hasShape(draft.kind) ? (
          <DrawHint draft={draft} map={map} />
        ) : null
      ) : reply ? (
        <Tile reply={reply} mayPlan={mayPlan} />
      ) : null}
    </section>
  );
}
