// The supervisor's figures: who is there, cover against plan, gaps, the ring, responses, what is in hand, what waits longest.
import { area, duration, figure, percent, UNKNOWN_FIGURE } from "../format/figures";
import { whyOpen } from "../format/ring";
import { isToSend } from "../live/incidentBook";
import { useDesk } from "../state/desk";
import { usePlaces } from "../state/places";
import type { Counts, UnitRow } from "../state/rows";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { type RingLink, SERVICES, type StationShares } from "../wire.generated";
import { linkNames, useStationNumber } from "./names";

const MINUTES = [1, 3, 5] as const;
/** Less than this below the plan is not worth a colour. */
const OFF_PLAN = 0.02;

function Kpi(props: {
  id: string;
  name: string;
  side?: string;
  value: string;
  unit?: string;
  context: string;
  tone?: string;
  rest?: string;
}) {
  return (
    <div className={`kpi ${props.id}`} data-testid={`kpi-${props.id}`}>
      <div className="lb">
        <span>{props.name}</span>
        {props.side ? <span className="t3 ell">{props.side}</span> : null}
      </div>
      <div className={`vl num ${props.tone ?? ""}`}>
        <span>
          <span data-testid={`kpi-${props.id}-value`}>{props.value}</span>
          {props.rest ? <span className="rest"> {props.rest}</span> : null}
        </span>
        <small className="ell" title={props.context}>
          {props.context}
        </small>
      </div>
    </div>
  );
}

function Cover({ minutes, share, plan }: { minutes: 1 | 3 | 5; share: number | null; plan: number | null }) {
  const t = useText();
  return (
    <div data-testid={`cover-${minutes}`}>
      <div className="lb">
        {t(`kpi.cover${minutes}`)}
        <span className="t3">{t("sup.plan", { n: percent(plan, 0) })}</span>
      </div>
      <div className="vl num">
        <span data-testid={`cover-${minutes}-value`}>{percent(share)}</span>
        <small>%</small>
      </div>
      <div className="bar tick">
        <i className="teal" style={{ width: `${Math.min(100, (share ?? 0) * 100)}%` }} />
        {plan === null ? null : <u style={{ left: `${Math.min(100, plan * 100)}%` }} />}
      </div>
    </div>
  );
}

function byService(rows: readonly UnitRow[], t: ReturnType<typeof useText>): string {
  const online = rows.filter(
    (row) => !row.replayed && (row.freshness === "live" || row.freshness === "stale") && row.duty !== "off_duty",
  );
  return SERVICES.map((service) => [service, online.filter((row) => row.meta.service === service).length] as const)
    .filter(([, count]) => count > 0)
    .map(([service, count]) => `${t(`service.${service}`)} ${count}`)
    .join(" · ");
}

/** The first open link, why where nobody comes at all, and how many there are. */
function openLinksText(
  link: RingLink,
  n: number,
  crews: readonly StationShares[],
  numberOf: ReturnType<typeof useStationNumber>,
  t: ReturnType<typeof useText>,
): string {
  const links = linkNames(link, numberOf);
  if (link.missing_s !== null) return n === 1 ? t("sup.ringOpen", { links }) : t("sup.ringMore", { links, n });
  const why = whyOpen(link, crews, numberOf, t);
  return n === 1 ? t("sup.ringOpenWhy", { links, why }) : t("sup.ringMoreWhy", { links, why, n });
}

export function Kpis({ counts, rows }: { counts: Counts; rows: readonly UnitRow[] }) {
  const { coverage, incidents, nowMs, connection } = useLive();
  const { figures } = useDesk();
  const { stations } = usePlaces();
  const numberOf = useStationNumber();
  const t = useText();
  const gaps = coverage?.gaps ?? null;
  const links = coverage?.ring?.links ?? null;
  const open = links?.filter((link) => !link.closed) ?? [];
  const waiting = incidents.filter(isToSend);
  const oldest = waiting.length ? waiting.reduce((a, b) => (a.reported_ms <= b.reported_ms ? a : b)) : null;
  const seconds = (s: number | null | undefined): string => (s == null ? UNKNOWN_FIGURE : duration(s * 1000));
  const openText = open[0]
    ? openLinksText(open[0], open.length, coverage?.stations ?? [], numberOf, t)
    : t("sup.ringClosed");
  return (
    <section
      className={`kpis sup ${connection.phase === "lost" ? "lost" : ""}`}
      aria-label={t("kpi.label")}
      data-testid="kpis"
    >
      <Kpi
        id="online"
        name={t("kpi.online")}
        side={byService(rows, t)}
        value={figure(counts.online)}
        context={t("sup.onlineOf", { n: counts.free })}
      />
      <div className="kpi cover">
        {MINUTES.map((minutes, i) => (
          <Cover key={minutes} minutes={minutes} share={coverage?.shares[i] ?? null} plan={coverage?.plan[i] ?? null} />
        ))}
      </div>
      <Kpi
        id="gaps"
        name={t("sup.gaps")}
        value={figure(gaps?.length)}
        context={gaps ? `${area(gaps.reduce((sum, gap) => sum + gap.area_km2, 0))} km²` : ""}
        tone={gaps?.length ? "c-attn" : ""}
      />
      <Kpi
        id="ring"
        name={t("sup.ring")}
        value={figure(links ? links.length - open.length : null)}
        rest={links ? `/ ${links.length}` : `/ ${stations.length || UNKNOWN_FIGURE}`}
        context={links ? openText : ""}
        tone={open.length ? "c-attn" : ""}
      />
      <Kpi
        id="response"
        name={t("sup.response")}
        value={seconds(figures?.response_p50_s)}
        context={t("sup.response90", { time: seconds(figures?.response_p90_s) })}
      />
      <Kpi
        id="hand"
        name={t("sup.inHand")}
        value={figure(incidents.length)}
        context={t("sup.toSend", { n: waiting.length })}
      />
      <Kpi
        id="oldest"
        name={t("sup.oldest")}
        value={oldest ? duration(nowMs - oldest.reported_ms) : UNKNOWN_FIGURE}
        context={oldest ? `P${oldest.urgency}` : t("sup.oldestNone")}
        tone={oldest ? "c-alarm" : ""}
      />
    </section>
  );
}

/** True where a share is so far below its plan that it asks for attention. */
export const isOffPlan = (share: number | null | undefined, plan: number | null | undefined, by = OFF_PLAN): boolean =>
  share != null && plan != null && plan - share > by;
