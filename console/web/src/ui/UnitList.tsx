// The unit list, the accessible equal of the map: search, kinds, groups, every row by keyboard, only what is seen is drawn.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { currentMap } from "../map/current";
import { selectUnit } from "../state/actions";
import { type Counts, fits, grouped, type UnitRow } from "../state/rows";
import { change, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { UNIT_KINDS } from "../wire.generated";
import { Icon, UnitGlyph } from "./icons";
import { type ListItem, listItems, unitBeside, visibleItems } from "./listItems";
import { UnitRowView } from "./UnitRowView";

const PAGE = 8;

export function KindChips({ counts }: { counts: Counts }) {
  const { kind } = useSettings();
  const t = useText();
  return (
    <div className="chips">
      <button
        type="button"
        className={`chip ${kind === null ? "on" : ""}`}
        aria-pressed={kind === null}
        data-testid="chip-all"
        onClick={() => change({ kind: null })}
      >
        {t("units.all")} <b data-testid="dot-count">{counts.total}</b>
      </button>
      {UNIT_KINDS.filter((each) => counts.kinds[each]).map((each) => (
        <button
          key={each}
          type="button"
          className={`chip ${kind === each ? "on" : ""}`}
          aria-pressed={kind === each}
          aria-label={`${t(`kind.${each}`)} ${counts.kinds[each]}`}
          title={t(`kind.${each}`)}
          data-testid={`chip-${each}`}
          onClick={() => change({ kind: kind === each ? null : each, cursorId: null })}
        >
          <UnitGlyph name={each} size={15} />
          <b>{counts.kinds[each]}</b>
        </button>
      ))}
    </div>
  );
}

function GroupHead({ item }: { item: Extract<ListItem, { type: "group" }> }) {
  const t = useText();
  const airborne = item.rows.filter((row) => row.airborne && row.freshness === "live").length;
  const told = item.group === "drones" ? t("group.airborne", { airborne, total: item.rows.length }) : item.rows.length;
  return (
    <div
      role="row"
      tabIndex={-1}
      className="gh"
      style={{ top: item.top, height: item.height }}
      data-testid={`group-${item.group}`}
    >
      <span role="gridcell" tabIndex={-1} className="row" style={{ flex: 1 }}>
        {t(`group.${item.group}`)}
        <span className="sp" />
        {told}
      </span>
    </div>
  );
}

/** The list's items for the filter that stands now. */
export function useListItems(rows: readonly UnitRow[], rowPx: number): ListItem[] {
  const { kind, query } = useSettings();
  return useMemo(
    () => listItems(grouped(rows.filter((row) => fits(row, kind, query))), rowPx),
    [rows, kind, query, rowPx],
  );
}

export function UnitGrid({ items, rowPx }: { items: readonly ListItem[]; rowPx: number }) {
  const { cursorId } = useSettings();
  const { alarms, nowMs } = useLive();
  const t = useText();
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  const last = items[items.length - 1];
  const total = last ? last.top + last.height : 0;
  const sos = useMemo(
    () =>
      new Map(
        alarms
          .filter((alarm) => alarm.kind === "sos" && alarm.ended_us === null)
          .map((alarm) => [alarm.unit_id, alarm.raised_us / 1000]),
      ),
    [alarms],
  );

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a move of the cursor scrolls, rows that change places do not
  useEffect(() => {
    const element = box.current;
    const item = items.find((each) => each.type === "unit" && each.row.unitId === cursorId);
    if (!element || !item) return;
    if (item.top < element.scrollTop + 32) element.scrollTop = item.top - 32;
    else if (item.top + rowPx > element.scrollTop + element.clientHeight)
      element.scrollTop = item.top + rowPx - element.clientHeight;
  }, [cursorId]);

  const keys: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: PAGE,
    PageUp: -PAGE,
    Home: -1e9,
    End: 1e9,
  };
  return (
    <div
      ref={box}
      className="list"
      id="unit-list"
      role="grid"
      tabIndex={0}
      aria-label={t("units.gridLabel")}
      aria-rowcount={items.length}
      aria-activedescendant={cursorId === null ? undefined : `unit-${cursorId}`}
      data-testid="unit-list"
      onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
      onKeyDown={(event) => {
        const step = keys[event.key];
        if (step !== undefined) change({ cursorId: unitBeside(items, cursorId, step) });
        else if (event.key === "Enter" && cursorId !== null) selectUnit(cursorId);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <div className="inner" role="presentation" style={{ height: total }}>
        {visibleItems(items, view.top, view.height).map((item) =>
          item.type === "group" ? (
            <GroupHead key={item.group} item={item} />
          ) : (
            <UnitRowView
              key={item.row.unitId}
              row={item.row}
              top={item.top}
              height={item.height}
              index={items.indexOf(item) + 1}
              sosSinceMs={sos.has(item.row.unitId) ? nowMs - sos.get(item.row.unitId)! : null}
            />
          ),
        )}
      </div>
      {items.length === 0 ? <p className="sentence">{t("units.none")}</p> : null}
    </div>
  );
}

export function UnitPanel({ items, counts }: { items: readonly ListItem[]; counts: Counts }) {
  const t = useText();
  useLive();
  return (
    <aside className="panel" aria-label={t("units.title")}>
      <div className="listhead">
        <div className="h">
          {t("units.title")}{" "}
          <span className="t3" data-testid="unit-counts">
            {t("units.counts", { online: counts.online, inView: currentMap()?.inView() ?? 0 })}
          </span>
          <span className="sp" />
          <button
            type="button"
            className="iconbtn"
            aria-label={t("units.collapse")}
            title={t("units.collapse")}
            onClick={() => change({ listCollapsed: true })}
          >
            <Icon name="left" size={15} />
          </button>
        </div>
        <KindChips counts={counts} />
      </div>
      <UnitGrid items={items} rowPx={44} />
    </aside>
  );
}

export function UnitRail({ counts }: { counts: Counts }) {
  const { kind } = useSettings();
  const t = useText();
  return (
    <aside className="panel rail" aria-label={t("units.title")}>
      <button
        type="button"
        className="iconbtn"
        aria-label={t("units.expand")}
        title={t("units.expand")}
        data-testid="rail-expand"
        onClick={() => change({ listCollapsed: false })}
      >
        <Icon name="right" size={15} />
      </button>
      {UNIT_KINDS.filter((each) => counts.kinds[each]).map((each) => (
        <button
          key={each}
          type="button"
          className={`chip ${kind === each ? "on" : ""}`}
          title={t(`kind.${each}`)}
          onClick={() => change({ kind: each, listCollapsed: false })}
        >
          <UnitGlyph name={each} size={16} />
          {counts.kinds[each]}
        </button>
      ))}
    </aside>
  );
}
