// The figures that say how the force stands: online, live coverage of the roads, drones, attention, oldest alarm.
import { duration, figure, percent, THIN_SPACE } from "../format/figures";
import { isUnacknowledged } from "../live/alarmBook";
import type { Counts } from "../state/rows";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";

const MINUTES = [1, 3, 5] as const;

function Cover({ share, minutes }: { share: number | null; minutes: 1 | 3 | 5 }) {
  const t = useText();
  const width = { width: `${Math.round((share ?? 0) * 100)}%` };
  return (
    <div data-testid={`cover-${minutes}`}>
      <div className="lb">{t(`kpi.cover${minutes}`)}</div>
      <div className="vl num">
        <span data-testid={`cover-${minutes}-value`}>{percent(share)}</span>
        <small>%</small>
      </div>
      <div className="bar">
        <i className="teal" style={width} />
      </div>
    </div>
  );
}

function Figure({ name, value, context, tone = "" }: { name: string; value: string; context: string; tone?: string }) {
  return (
    <div className="kpi">
      <div className="lb">{name}</div>
      <div className={`vl num ${tone}`}>
        {value}
        <small className="ell">{context}</small>
      </div>
    </div>
  );
}

export function KpiStrip({ counts }: { counts: Counts }) {
  const { coverage, alarms, nowMs, connection } = useLive();
  const t = useText();
  const waiting = alarms.filter(isUnacknowledged);
  const oldestUs = waiting.length ? Math.min(...waiting.map((alarm) => alarm.raised_us)) : null;
  const urgent = waiting.filter((alarm) => alarm.priority === 1).length;
  const { attention, sos } = counts;
  return (
    <section
      className={`kpis ${connection.phase === "lost" ? "lost" : ""}`}
      aria-label={t("kpi.label")}
      data-testid="kpis"
    >
      <Figure name={t("kpi.online")} value={figure(counts.online)} context={t("kpi.free", { n: counts.free })} />
      <div className="kpi cover">
        {MINUTES.map((minutes, i) => (
          <Cover key={minutes} minutes={minutes} share={coverage?.shares[i] ?? null} />
        ))}
      </div>
      <Figure name={t("kpi.drones")} value={figure(counts.airborne)} context={t("kpi.of", { n: counts.drones })} />
      <Figure
        name={t("kpi.attention")}
        value={figure(attention)}
        context={
          sos > 0
            ? t("kpi.attentionSos", { sos, silent: attention - sos })
            : t("kpi.attentionContext", { stale: counts.stale, lost: counts.lost })
        }
        tone={sos > 0 ? "c-alarm" : attention > 0 ? "c-attn" : ""}
      />
      <Figure
        name={t("kpi.oldest")}
        value={oldestUs === null ? figure(null) : duration(nowMs - oldestUs / 1000)}
        context={urgent ? `${THIN_SPACE}${t("kpi.p1", { n: urgent })}` : ""}
        tone={urgent > 0 ? "c-alarm" : ""}
      />
    </section>
  );
}
