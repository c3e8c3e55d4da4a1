// One link: its counts, by reason what could not be read and who was sent away, the last error and what to do.
import { wordOf } from "../devices/words";
import { clockTime } from "../format/figures";
import { useText } from "../state/useText";
import type { LinkHealth } from "../wire.generated";
import { Peers } from "./Peers";
import { bytesText, type LinkRates, rateText, toneOfLink } from "./rates";

function Counts({
  title,
  counts,
  prefix,
  id,
}: {
  title: string;
  counts: Readonly<Record<string, number>>;
  prefix: string;
  id: string;
}) {
  const t = useText();
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  if (entries.length === 0) return null;
  return (
    <div className="sec" data-testid={id}>
      <div className="h">{title}</div>
      <dl className="kv">
        {entries.map(([reason, count]) => (
          <div key={reason} style={{ display: "contents" }}>
            <dt className="said">{wordOf(t, prefix, reason)}</dt>
            <dd className="num">{count}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

export function LinkPanel({ link, rates }: { link: LinkHealth; rates: LinkRates }) {
  const t = useText();
  const tone = toneOfLink(link, rates);
  const facts: [string, string][] = [
    [t("links.group"), link.link_group],
    [t("links.peers"), `${link.peers}${link.strangers ? ` + ${link.strangers} ${t("links.strangers")}` : ""}`],
    [t("links.devices"), String(link.devices)],
    [t("links.positions"), String(link.positions)],
    [t("links.positionsPerS"), rateText(rates.positionsPerS)],
    [t("links.pieces"), `${link.datagrams} · ${rateText(rates.piecesPerS)}/s`],
    [t("links.bytes"), `${bytesText(link.bytes_received)} · ${bytesText(rates.bytesPerS)}/s`],
    [t("links.dropped"), String(link.datagrams_dropped)],
    [t("links.repliesWaiting"), String(link.replies_waiting)],
    [t("links.repliesRefused"), String(link.replies_refused)],
    [t("devices.heard"), clockTime(link.heard_ms)],
  ];
  return (
    <div data-testid="link-panel">
      <div className="sec">
        <h2 className="said num" style={{ fontSize: 14 }}>
          {link.url}
        </h2>
        {link.advice ? (
          <div className={`failure ${tone === "alarm" ? "alarm" : "attn"} hint`} data-testid="link-advice">
            {link.last_error ? <p className="said">{link.last_error}</p> : null}
            <p className="t2">{wordOf(t, "advice", link.advice)}</p>
          </div>
        ) : null}
      </div>
      <div className="sec">
        <dl className="kv">
          {facts.map(([name, value]) => (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd className="num">{value}</dd>
            </div>
          ))}
        </dl>
      </div>
      <Counts title={t("links.badBy")} counts={link.bad} prefix="bad" id="link-bad" />
      <Counts title={t("links.refusedBy")} counts={link.refused} prefix="limit" id="link-refused" />
      <Peers url={link.url} />
    </div>
  );
}
