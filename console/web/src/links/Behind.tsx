// What stands behind the links: how full the journal is, how far the recorder is behind, and whether anything is wrong.
import { wordOf } from "../devices/words";
import { age } from "../format/figures";
import { useText } from "../state/useText";
import type { LinksReply } from "../wire.generated";
import { bytesText } from "./rates";

const numberIn = (figures: LinksReply["journal"], name: string): number | null =>
  typeof figures[name] === "number" ? (figures[name] as number) : null;
const textIn = (figures: LinksReply["journal"], name: string): string =>
  typeof figures[name] === "string" ? (figures[name] as string) : "";
const FULL = 0.8;

export function Behind({ reply }: { reply: LinksReply }) {
  const t = useText();
  const { journal, history_lag_s: lagS, database_ok: isThere, checks } = reply;
  const used = numberIn(journal, "used_bytes");
  const most = numberIn(journal, "max_bytes");
  const share = used !== null && most ? used / most : 0;
  const failed = textIn(journal, "failed");
  const recorderError = textIn(journal, "recorder_error");
  const wrong = Object.entries(checks).filter(([, words]) => words !== "ok");
  const aside = numberIn(journal, "rows_set_aside");
  return (
    <div data-testid="behind">
      <div className="sec">
        <div className="h">
          {t("links.journal")}
          <span className="sp" />
          <span className="num">
            {bytesText(used)} <span className="t3">/ {bytesText(most)}</span>
          </span>
        </div>
        <div className="bar">
          <i className={share > FULL || failed ? "attn" : ""} style={{ width: `${Math.min(100, share * 100)}%` }} />
        </div>
        <p className={`f12 hint ${failed ? "c-alarm" : "t3"}`}>{failed || t("links.journalHint")}</p>
      </div>
      <div className="sec">
        <div className="h">
          {t("links.recorder")}
          <span className="sp" />
          <span className={`num ${isThere ? "" : "c-attn"}`}>
            {isThere
              ? t("links.behindBy", { age: lagS === null ? "–" : age(lagS * 1000, t) })
              : t("links.databaseAway")}
          </span>
        </div>
        <dl className="kv">
          <dt>{t("links.recorded")}</dt>
          <dd className="num">{numberIn(journal, "rows_recorded") ?? "–"}</dd>
          <dt>{t("links.setAside")}</dt>
          <dd className={`num ${aside ? "c-attn" : ""}`}>{aside ?? "–"}</dd>
        </dl>
        {recorderError ? <p className="f12 c-attn hint said">{recorderError}</p> : null}
      </div>
      <div className="sec">
        <div className="h">{t("links.checks")}</div>
        {wrong.length === 0 ? <p className="f13 t2">{t("links.allWell")}</p> : null}
        <ul className="changes">
          {wrong.map(([part, words]) => (
            <li key={part} className="f13 c-attn said">
              <b>{wordOf(t, "check", part)}</b> · {words}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
