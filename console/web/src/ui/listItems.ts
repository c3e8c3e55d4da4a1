// The unit list as a flat run of headings and rows with their heights, so that only what is seen is drawn.
import type { Group, UnitRow } from "../state/rows";

export type ListItem =
  | {
      readonly type: "group";
      readonly group: Group;
      readonly rows: readonly UnitRow[];
      readonly top: number;
      readonly height: number;
    }
  | { readonly type: "unit"; readonly row: UnitRow; readonly top: number; readonly height: number };

const ORDER: readonly Group[] = ["attention", "drones", "others"];
const GROUP_PX = 32;

/** Headings and rows with their places from the top. */
export function listItems(groups: Readonly<Record<Group, UnitRow[]>>, rowPx: number): ListItem[] {
  const items: ListItem[] = [];
  let top = 0;
  for (const group of ORDER) {
    const rows = groups[group];
    if (rows.length === 0) continue;
    items.push({ type: "group", group, rows, top, height: GROUP_PX });
    top += GROUP_PX;
    for (const row of rows) {
      items.push({ type: "unit", row, top, height: rowPx });
      top += rowPx;
    }
  }
  return items;
}

/** The items that meet the view from `top` for `height` pixels, with some to spare. */
export function visibleItems(
  items: readonly ListItem[],
  top: number,
  height: number,
  sparePx = 220,
): readonly ListItem[] {
  return items.filter((item) => item.top + item.height >= top - sparePx && item.top <= top + height + sparePx);
}

/** The unit `step` rows from the one at the cursor; the first or last row where it has none. */
export function unitBeside(items: readonly ListItem[], cursorId: number | null, step: number): number | null {
  const ids = items.flatMap((item) => (item.type === "unit" ? [item.row.unitId] : []));
  if (ids.length === 0) return null;
  const at = cursorId === null ? -1 : ids.indexOf(cursorId);
  if (at < 0) return step > 0 ? ids[0]! : ids[ids.length - 1]!;
  return ids[Math.max(0, Math.min(ids.length - 1, at + step))]!;
}
