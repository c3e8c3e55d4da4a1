// The links' page: what comes in on which link and protocol, what is lost or unreadable, and the journal and recorder behind.
import { useEffect, useMemo, useRef, useState } from "react";
import { LINK_TONE } from "../devices/DeviceTable";
import { heardAgo } from "../devices/deviceList";
import { protocolName, wordOf } from "../devices/words";
import { useLive } from "../state/useLive";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { LinkHealth, LinksReply, ProtocolHealth } from "../wire.generated";
import { Behind } from "./Behind";
import { LinkPanel } from "./LinkPanel";
import { bytesText, keyOfLink, RateMeter, rateText, sparkPoints, sumOf, toneOfLink } from "./rates";

const EVERY_MS = 1500;

function useRates(reply: LinksReply | null): RateMeter {
  const meter = useRef(new RateMeter());
  if (reply) meter.current.take(reply);
  return meter.current;
}

interface LineProps {
  readonly link: LinkHealth;
  readonly meter: RateMeter;
  readonly isSelected: boolean;
  readonly onOpen: () => void;
}

function Line({ link, meter, isSelected, onOpen }: LineProps) {
  const { nowMs } = useLive();
  const t = useText();
  const rates = meter.of(keyOfLink(link));
  const tone = toneOfLink(link, rates);
  const word = link.paused ? "paused" : link.state;
  const bad = sumOf(link.bad);
  const refused = sumOf(link.refused) + link.replies_refused;
  return (
    <tr
      className={isSelected ? "sel" : ""}
      aria-current={isSelected ? "true" : undefined}
      data-testid="link-row"
      onClick={onOpen}
    >
      <td>
        {word === "open" && !tone ? (
          <span className="t2 f12">{t("linkState.open")}</span>
        ) : (
          <span className={`badge ${tone || "line"}`}>{wordOf(t, "linkState", word)}</span>
        )}
      </td>
      <td>
        <button type="button" className="row cellbtn">
          <b className="ell">{protocolName(t, link.protocol)}</b>
          <span className="t3 f12">{wordOf(t, "transport", link.transport)}</span>
        </button>
      </td>
      <td className="ell num" title={link.url}>
        {link.url}
      </td>
      <td className="r num">
        {link.peers}
        {link.strangers > 0 ? <span className="t3"> +{link.strangers}</span> : null}
      </td>
      <td className="r num">{link.devices}</td>
      <td className="r num">{rateText(rates.positionsPerS)}</td>
      <td>
        <svg className="spark" viewBox="0 -1 96 20" width="96" height="20" aria-hidden="true">
          <polyline points={sparkPoints(meter.pastOf(keyOfLink(link)), 96, 18)} />
        </svg>
      </td>
      <td className="r num t2">{bytesText(rates.bytesPerS)}</td>
      <td className={`r num ${rates.droppedNow > 0 ? "c-attn" : "t2"}`}>{link.datagrams_dropped}</td>
      <td className="r num t2">{refused}</td>
      <td className={`r num ${rates.badNow > 0 ? "c-attn" : "t2"}`}>{bad}</td>
      <td className="r num">{heardAgo(link.heard_ms, nowMs, t)}</td>
      <td className="ell f12" title={link.last_error ?? ""}>
        {link.advice ? (
          <span className={tone === "alarm" ? "c-alarm" : "c-attn"}>{wordOf(t, "adviceShort", link.advice)}</span>
        ) : null}
      </td>
    </tr>
  );
}

const HEADS = [
  ["links.state", "76px", ""],
  ["devices.protocol", "176px", ""],
  ["links.url", "auto", ""],
  ["links.peers", "62px", "r"],
  ["links.devices", "62px", "r"],
  ["links.positionsPerS", "90px", "r"],
  ["links.rate2min", "96px", ""],
  ["links.bytesPerS", "76px", "r"],
  ["links.dropped", "68px", "r"],
  ["links.refused", "58px", "r"],
  ["links.unreadable", "74px", "r"],
  ["devices.heardShort", "60px", "r"],
  ["links.advice", "112px", ""],
] as const;

function LinkTable({
  links,
  meter,
  chosen,
  onOpen,
}: {
  links: readonly LinkHealth[];
  meter: RateMeter;
  chosen: string | null;
  onOpen: (key: string) => void;
}) {
  const t = useText();
  return (
    <table className="devices links" aria-label={t("app.links")} data-testid="link-table">
      <colgroup>
        {HEADS.map(([key, width]) => (
          <col key={key} style={{ width }} />
        ))}
      </colgroup>
      <thead>
        <tr>
          {HEADS.map(([key, , align]) => (
            <th key={key} className={align}>
              {t(key)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {links.map((link) => (
          <Line
            key={keyOfLink(link)}
            link={link}
            meter={meter}
            isSelected={chosen === keyOfLink(link)}
            onOpen={() => onOpen(keyOfLink(link))}
          />
        ))}
      </tbody>
    </table>
  );
}

function Share({ line }: { line: ProtocolHealth }) {
  const t = useText();
  const parts = (["live", "stale", "lost", "never"] as const).filter((state) => line[state] > 0);
  const words = parts.map((state) => `${line[state]} ${t(`fresh.${state}`)}`).join(" · ");
  return (
    <span className="row">
      {parts.map((state) => (
        <span key={state} className={`badge ${LINK_TONE[state]}`} title={t(`fresh.${state}`)}>
          <span className="num">{line[state]}</span> {t(`fresh.${state}`)}
        </span>
      ))}
      {words ? null : <span className="t3">–</span>}
    </span>
  );
}

function Protocols({
  lines,
  links,
  meter,
}: {
  lines: readonly ProtocolHealth[];
  links: readonly LinkHealth[];
  meter: RateMeter;
}) {
  const t = useText();
  const rateOf = (protocol: string): number | null => {
    const rates = links
      .filter((link) => link.protocol === protocol)
      .map((link) => meter.of(keyOfLink(link)).positionsPerS);
    return rates.length ? rates.reduce<number>((sum, rate) => sum + (rate ?? 0), 0) : null;
  };
  return (
    <table className="devices links" aria-label={t("links.protocols")} data-testid="protocol-table">
      <thead>
        <tr>
          <th>{t("devices.protocol")}</th>
          <th className="r">{t("links.links")}</th>
          <th className="r">{t("links.peers")}</th>
          <th className="r">{t("links.positionsPerS")}</th>
          <th className="r">{t("links.positions")}</th>
          <th className="r">{t("links.bad")}</th>
          <th className="r">{t("links.devices")}</th>
          <th>{t("links.deviceStates")}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.protocol} data-testid="protocol-row">
            <td>
              <b>{protocolName(t, line.protocol)}</b>
            </td>
            <td className="r num">{line.links}</td>
            <td className="r num">{line.peers}</td>
            <td className="r num">{rateText(rateOf(line.protocol))}</td>
            <td className="r num t2">{line.positions}</td>
            <td className="r num t2">{line.bad}</td>
            <td className="r num">{line.devices}</td>
            <td>
              <Share line={line} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function LinksPage() {
  const t = useText();
  const { data, error } = usePolled<LinksReply>("/api/links", EVERY_MS);
  const meter = useRates(data);
  const [chosen, setChosen] = useState<string | null>(null);
  const links = useMemo(() => data?.links ?? [], [data]);
  const link = links.find((each) => keyOfLink(each) === chosen) ?? null;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) setChosen(null);
    };
    globalThis.addEventListener("keydown", onKey);
    return () => globalThis.removeEventListener("keydown", onKey);
  }, []);
  return (
    <main className={`page ${link ? "open" : ""}`} data-testid="links-page" data-loaded={data !== null}>
      <section className="panel" aria-label={t("app.links")}>
        {error ? (
          <p className="sentence c-attn" role="alert">
            {t("devices.stale", { why: error.detail || t(error.key, error.figures) })}
          </p>
        ) : null}
        <div className="tablebox">
          <h2 className="tablehead">{t("links.title")}</h2>
          <LinkTable links={links} meter={meter} chosen={chosen} onOpen={setChosen} />
          {data && links.length === 0 ? <p className="sentence">{t("links.none")}</p> : null}
          <h2 className="tablehead">{t("links.protocols")}</h2>
          <Protocols lines={data?.protocols ?? []} links={links} meter={meter} />
          <div className="behind-below">{data ? <Behind reply={data} /> : null}</div>
        </div>
      </section>
      <aside className="panel side" aria-label={t(link ? "links.details" : "links.behind")}>
        {link ? (
          <>
            <div className="dh sidehead">
              <b className="f13">{t("links.details")}</b>
              <span className="sp" />
              <button
                type="button"
                className="iconbtn"
                aria-label={t("help.close")}
                data-testid="side-close"
                onClick={() => setChosen(null)}
              >
                <Icon name="close" size={16} />
              </button>
            </div>
            <div className="sidebody">
              <LinkPanel link={link} rates={meter.of(keyOfLink(link))} />
            </div>
          </>
        ) : (
          <div className="sidebody">{data ? <Behind reply={data} /> : null}</div>
        )}
      </aside>
    </main>
  );
}
