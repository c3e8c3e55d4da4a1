// How live the picture is: rate and lag while it stands, seconds since it broke, and what runs late.
import { figure } from "../format/figures";
import type { TextKey } from "../i18n/zh";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";

const FULL_RATE_HZ = 5;
const LATE: Readonly<Record<string, TextKey>> = { history: "degraded.history", journal: "degraded.journal" };

export function LiveState({ brief = false }: { brief?: boolean }) {
  const { connection, rateHz, lagMs } = useLive();
  const t = useText();
  const { phase, lostAtMs } = connection;
  const seconds = lostAtMs === null ? 0 : Math.floor((performance.now() - lostAtMs) / 1000);
  return (
    <div className="stat" data-testid="connection-state" data-phase={phase}>
      {phase === "live" ? <i className="dot" /> : null}
      {phase === "live" ? (
        <>
          {brief ? null : <span>{t("live.live")}</span>}
          {brief ? null : <b>{figure(rateHz, rateHz < 1 ? 1 : 0)} Hz</b>}
          <span className="t3">
            {brief
              ? `${figure(lagMs === null ? null : lagMs / 1000, 1)} s`
              : t("live.lag", { lag: figure(lagMs === null ? null : lagMs / 1000, 1) })}
          </span>
        </>
      ) : null}
      {phase === "lost" ? <span className="badge alarm">{t("live.lost", { seconds })}</span> : null}
      {phase === "connecting" ? <span className="t3">{t("live.connecting")}</span> : null}
      {phase === "refused" ? <span className="badge alarm">{t("live.refused")}</span> : null}
    </div>
  );
}

export function DegradedBadges() {
  const { degraded, rateHz, connection } = useLive();
  const t = useText();
  return (
    <>
      {connection.phase === "live" && rateHz < FULL_RATE_HZ ? (
        <span className="badge attn" data-testid="degraded-rate">
          {t("degraded.rate", { hz: rateHz })}
        </span>
      ) : null}
      {degraded.map(({ what, lag_s }) => (
        <span key={what} className="badge attn" data-testid={`degraded-${what}`}>
          {t(LATE[what] ?? "degraded.other", { what, seconds: Math.round(lag_s) })}
        </span>
      ))}
    </>
  );
}
