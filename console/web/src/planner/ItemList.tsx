// Left: what is asked for and with what, in groups; each task says whether the plan can do it.
import { useState } from "react";
import { live } from "../live/live";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { Icon, UnitGlyph } from "../ui/icons";
import type {
  Airframe,
  Battery,
  Crew,
  Dock,
  Plan,
  Programme,
  ProgrammeReply,
  Task,
  Weather,
  Zone,
} from "../wire.generated";
import { type Span, spanText } from "./days";
import { type Item, type ItemKind, type Listed, listed, nameOf } from "./items";
import { beginItem, choose, changeItem, usePlanDesk } from "./planDesk";
import { isEvent, isSearch, refusalsOf, sortiesFor } from "./planFigures";
import { momentText } from "./TimeFields";
import { whenText } from "./words";

interface Props {
  readonly reply: ProgrammeReply;
  readonly plan: Plan | null;
  readonly day: Span;
  readonly mayPlan: boolean;
}

function Verdict({ plan, each }: { plan: Plan | null; each: Listed }) {
  const t = useText();
  if (!plan) return null;
  const count = refusalsOf(plan, each.kind, each.id);
  if (count) return <span className="badge attn">{t("plan.refusedCount", { n: count })}</span>;
  if (each.kind !== "tasks") return null;
  const sorties = sortiesFor(plan, each.id);
  if (!sorties) return <span className="badge line">{t("plan.notToday")}</span>;
  return <span className="badge ok">{t("plan.feasible")}</span>;
}

function useSubline(programme: Programme, plan: Plan | null, day: Span): (each: Listed) => string {
  const t = useText();
  const ready = (isReady: boolean, before: string): string => (isReady ? "" : before + t("plan.notReady"));
  const dockName = (id: number): string => programme.docks.find((dock) => dock.dock_id === id)?.name ?? "";
  return ({ kind, item, id }) => {
    switch (kind) {
      case "tasks": {
        const sorties = sortiesFor(plan, id);
        const count = sorties ? ` · ${t("plan.sortieCount", { n: sorties })}` : "";
        return whenText(t, item as Task, programme.zone, day) + count;
      }
      case "zones": {
        const { kind: of, windows, ceiling_agl_m } = item as Zone;
        const when = windows.length
          ? windows.map((each) => spanText(each, programme.zone)).join(" ")
          : t("plan.always");
        return `${t(`plan.zone.${of}`)} · ${when}${ceiling_agl_m === null ? "" : ` · ≤ ${ceiling_agl_m} m`}`;
      }
      case "docks":
        return t("plan.dockLine", { pads: (item as Dock).pad_count, chargers: (item as Dock).charger_count });
      case "airframes": {
        const { dock_id, endurance_s, is_ready } = item as Airframe;
        return `${dockName(dock_id)} · ${Math.round(endurance_s / 60)} min${ready(is_ready, " · ")}`;
      }
      case "batteries": {
        const { dock_id, charge_ratio, is_ready } = item as Battery;
        return `${dockName(dock_id)} · ${Math.round(charge_ratio * 100)} %${ready(is_ready, " · ")}`;
      }
      case "crews":
        return ready((item as Crew).is_ready, "");
      case "weather": {
        const { from_us, wind_mps, gust_mps } = item as Weather;
        const wind = wind_mps === null ? "" : ` · ${t("plan.windLine", { wind: wind_mps.toFixed(1) })}`;
        const gust = gust_mps === null ? "" : ` · ${t("plan.gustLine", { gust: gust_mps.toFixed(1) })}`;
        return momentText(from_us, programme.zone) + wind + gust;
      }
    }
  };
}

function Mark({ kind, item }: { kind: ItemKind; item: Item }) {
  if (kind === "docks") return <UnitGlyph name="dock" size={18} />;
  if (kind === "tasks" && isSearch(item as Task)) return <Icon name="search" size={18} />;
  if (kind === "zones")
    return (
      <svg className="glyph zonemark" width={18} height={18} viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="8.5" />
        <path d="M6 18 18 6" />
      </svg>
    );
  if (kind === "crews") return <UnitGlyph name="officer" size={18} />;
  return <UnitGlyph name="drone" size={18} />;
}

interface GroupProps {
  readonly title: string;
  readonly kind: ItemKind;
  readonly rows: readonly Listed[];
  readonly isOpen: boolean;
  readonly subline: (each: Listed) => string;
}

function Group({ title, kind, rows, isOpen, subline, plan, mayPlan }: GroupProps & Pick<Props, "plan" | "mayPlan">) {
  const { chosen } = usePlanDesk();
  const { language } = useSettings();
  const t = useText();
  const [open, setOpen] = useState(isOpen);
  const shown = open || rows.some((each) => chosen?.kind === kind && chosen.id === each.id);
  return (
    <section className="plangroup">
      <div className="gh2 row">
        <button type="button" className="row sp" aria-expanded={shown} onClick={() => setOpen(!shown)}>
          <span>{title}</span>
          <span className="sp" />
          <span className="num">{rows.length}</span>
        </button>
        {mayPlan && kind !== "tasks" ? (
          <button
            type="button"
            className="iconbtn"
            aria-label={t("plan.addTo", { list: title })}
            title={t("plan.addTo", { list: title })}
            data-testid={`new-${kind}`}
            onClick={() => beginItem(kind, live.nowMs())}
          >
            <Icon name="plus" size={14} />
          </button>
        ) : null}
      </div>
      {shown ? (
        <ul>
          {rows.map((each) => {
            const isChosen = chosen?.kind === each.kind && chosen.id === each.id;
            return (
              <li key={each.id}>
                <button
                  type="button"
                  className={`planline ${isChosen ? "sel" : ""}`}
                  aria-pressed={isChosen}
                  data-testid="plan-item"
                  data-kind={each.kind}
                  data-id={each.id}
                  onClick={() => choose(each.kind, each.id)}
                  onDoubleClick={() => mayPlan && changeItem(each.kind, each.id)}
                >
                  <Mark kind={each.kind} item={each.item} />
                  <span className="two-lines">
                    <b className="ell">{nameOf(each.item, language) || t("plan.unnamed")}</b>
                    <span className="f12 t3 ell">{subline(each)}</span>
                  </span>
                  <Verdict plan={plan} each={each} />
                </button>
              </li>
            );
          })}
        </ul>
      ) : null}
    </section>
  );
}

export function ItemList({ reply, plan, day, mayPlan }: Props) {
  const t = useText();
  const { programme } = reply;
  const subline = useSubline(programme, plan, day);
  const rows = (kind: ItemKind): Listed[] => listed(kind, programme, reply.weather_ids);
  const tasks = rows("tasks");
  const of = (fits: (task: Task) => boolean): Listed[] => tasks.filter((each) => fits(each.item as Task));
  const groups: readonly (readonly [string, ItemKind, readonly Listed[], boolean])[] = [
    [t("plan.list.events"), "tasks", of(isEvent), true],
    [t("plan.list.routine"), "tasks", of((task) => !isEvent(task) && !isSearch(task)), true],
    [t("plan.list.searches"), "tasks", of(isSearch), true],
    [t("plan.list.zones"), "zones", rows("zones"), true],
    [t("plan.list.docks"), "docks", rows("docks"), false],
    [t("plan.list.airframes"), "airframes", rows("airframes"), false],
    [t("plan.list.batteries"), "batteries", rows("batteries"), false],
    [t("plan.list.crews"), "crews", rows("crews"), false],
    [t("plan.list.weather"), "weather", rows("weather"), false],
  ];
  return (
    <div className="planlist" data-testid="plan-list">
      {groups.map(([title, kind, members, isOpen]) =>
        members.length || kind !== "tasks" ? (
          <Group
            key={title}
            title={title}
            kind={kind}
            rows={members}
            isOpen={isOpen}
            subline={subline}
            plan={plan}
            mayPlan={mayPlan}
          />
        ) : null,
      )}
    </div>
  );
}
