// The same as a table: every sortie and refusal in words, for screen readers and for who likes figures.
import { distance, percent, THIN_SPACE } from "../format/figures";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { wallOf } from "./days";
import type { Chart } from "./gantt";
import { chooseSortie, usePlanDesk } from "./planDesk";
import { cureOf, reasonOf } from "./words";

export function GanttTable({ chart, zone }: { chart: Chart; zone: string }) {
  const t = useText();
  const { language } = useSettings();
  const { sortieId } = usePlanDesk();
  const rows = new Map(chart.rows.map((row) => [row.key, row]));
  const blocks = [...chart.blocks].sort((a, b) => a.start_us - b.start_us);
  const at = (us: number): string => wallOf(us, zone).slice(5, 16).replace("T", " ");
  return (
    <div className="tablebox gantttable" data-testid="gantt-table">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">{t("plan.col.sortie")}</th>
            <th scope="col">{t("plan.col.task")}</th>
            <th scope="col">{t("plan.col.airframe")}</th>
            <th scope="col">{t("plan.col.takeoff")}</th>
            <th scope="col">{t("plan.col.landing")}</th>
            <th scope="col" className="r">
              {t("plan.col.battery")}
            </th>
            <th scope="col" className="r">
              {t("plan.col.length")}
            </th>
            <th scope="col">{t("plan.col.state")}</th>
          </tr>
        </thead>
        <tbody>
          {blocks.map(({ key, sortie, names, row }) => (
            <tr key={key} className={sortie.sortie_id === sortieId ? "sel" : ""}>
              <th scope="row">
                <button
                  type="button"
                  className="link num"
                  data-testid="table-sortie"
                  data-sortie-id={sortie.sortie_id}
                  onClick={() => chooseSortie(sortie.sortie_id)}
                >
                  {sortie.sortie_id}
                </button>
              </th>
              <td>{names}</td>
              <td>
                {rows.get(row)?.subtitle} <span className="t3">{rows.get(row)?.title}</span>
              </td>
              <td className="num">{at(sortie.takeoff_us)}</td>
              <td className="num">{at(sortie.landing_us)}</td>
              <td className="num r">
                {percent(sortie.landing_battery_ratio, 0)}
                {THIN_SPACE}%
              </td>
              <td className="num r">{distance(sortie.length_m)}</td>
              <td>{sortie.is_standby ? t("plan.standby") : t(`plan.sortieState.${sortie.state}`)}</td>
            </tr>
          ))}
          {chart.refused.map((each) => (
            <tr key={`refused ${each.number}`}>
              <th scope="row" className="c-attn num">
                {each.number}
              </th>
              <td colSpan={2} className="c-attn">
                {reasonOf(each.refusal, language)}
              </td>
              <td className="num">{at(each.start_us)}</td>
              <td className="num">{at(each.end_us)}</td>
              <td colSpan={3}>
                {each.refusal.rule_id} · {cureOf(each.refusal, language)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
