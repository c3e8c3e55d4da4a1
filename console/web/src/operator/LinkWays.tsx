// The links by which a drone is heard, one by one: what is lost on each, how long there and back, which one orders leave by.
import { figure } from "../format/figures";
import { useText } from "../state/useText";
import type { LinkWayView } from "../wire.generated";

const LOSSY_RATIO = 0.1;

export function LinkWays({ links }: { links: readonly LinkWayView[] }) {
  const t = useText();
  if (!links.length) return null;
  return (
    <div className="sec" data-testid="flight-links">
      <div className="h">{t("flight.links")}</div>
      <ul className="linkways">
        {links.map((link) => (
          <li key={`${link.link} ${link.peer}`} className="f12">
            <span className="row">
              <span className="ell">{link.link}</span>
              <span className="sp" />
              {link.is_best ? <span className="badge acc">{t("flight.best")}</span> : null}
            </span>
            <span className="row t3 num">
              {link.loss_ratio === null ? null : (
                <span className={link.loss_ratio > LOSSY_RATIO ? "c-attn" : ""}>
                  {t("flight.loss", { percent: figure(link.loss_ratio * 100, 1) })}
                </span>
              )}
              {link.rtt_ms === null ? null : <span>{t("flight.rtt", { ms: figure(link.rtt_ms) })}</span>}
              {link.duplicates ? <span>{t("flight.duplicates", { n: link.duplicates })}</span> : null}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
