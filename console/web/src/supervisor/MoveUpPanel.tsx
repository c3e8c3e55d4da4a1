// Who should move up where: at most three moves, each with what it gains and what it costs on the way.
import { useEffect, useState } from "react";
import { get, RequestError } from "../api/client";
import { duration, percent, shift } from "../format/figures";
import { nameIn } from "../i18n/text";
import { currentMap } from "../map/current";
import { changeDesk } from "../state/desk";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { UnitGlyph } from "../ui/icons";
import { useStationNumber, useUnitMeta, useUnitName } from "./names";

export interface Move {
  readonly unit_id: number;
  readonly lat_deg: number;
  readonly lon_deg: number;
  readonly name_zh: string;
  readonly name_en: string;
  readonly travel_s: number;
  readonly gain_ratio: number;
  readonly cost_ratio: number | null;
  readonly closes_gap: string | null;
  readonly closes_ring: readonly number[] | null;
}

interface MoveUpReply {
  readonly as_of_ms: number;
  readonly moves: readonly Move[];
}

function MoveLine({ move }: { move: Move }) {
  const { language } = useSettings();
  const nameOf = useUnitName();
  const metaOf = useUnitMeta();
  const numberOf = useStationNumber();
  const t = useText();
  const [from, to] = move.closes_ring ?? [];
  return (
    <button
      type="button"
      className="cand"
      data-testid="move"
      data-unit-id={move.unit_id}
      onClick={() => currentMap()?.near([move.lon_deg, move.lat_deg])}
    >
      <UnitGlyph name={metaOf(move.unit_id)?.kind ?? "car"} />
      <span className="who">
        <span className="row">
          <b className="ell">{nameOf(move.unit_id)}</b>
          <span className="t2 ell">{t("move.to", { place: nameIn(language, move) })}</span>
        </span>
        <span className="cost t2 num">
          {t("move.gain", { gain: shift(move.gain_ratio) })}
          {move.cost_ratio === null ? "" : ` · ${t("move.cost", { cost: percent(Math.abs(move.cost_ratio), 1) })}`}
          {move.closes_gap === null ? "" : ` · ${t("move.closesGap", { label: move.closes_gap })}`}
          {from === undefined || to === undefined
            ? ""
            : ` · ${t("move.closesRing", { from: numberOf(from), to: numberOf(to) })}`}
        </span>
      </span>
      <span className="when num">
        <span className="tm">{duration(move.travel_s * 1000)}</span>
      </span>
    </button>
  );
}

export function MoveUpPanel() {
  const t = useText();
  const [reply, setReply] = useState<MoveUpReply | RequestError | null>(null);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt asks anew
  useEffect(() => {
    let gone = false;
    const put = (found: MoveUpReply | RequestError): void => {
      if (!gone) setReply(found);
    };
    get<MoveUpReply>("/api/moveup").then(put, (error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
      put(error);
    });
    return () => {
      gone = true;
    };
  }, [attempt]);
  return (
    <aside
      className="panel incident"
      aria-label={t("move.title")}
      data-testid="moveup-panel"
      id="incident"
      tabIndex={-1}
    >
      <div className="scrolls">
        <div className="sec row">
          <h2>{t("move.title")}</h2>
          <span className="sp" />
          <button type="button" className="btn s ghost" onClick={() => changeDesk({ panel: "incident" })}>
            {t("report.close")} <span className="kbd">Esc</span>
          </button>
        </div>
        {reply === null ? <p className="sentence">{t("move.asking")}</p> : null}
        {reply instanceof RequestError ? (
          <p className="sentence c-alarm" role="alert">
            {t("move.failed", { why: reply.detail || t(reply.key, reply.figures) })}
          </p>
        ) : null}
        {reply && !(reply instanceof RequestError) ? (
          <>
            {reply.moves.map((move) => (
              <MoveLine key={move.unit_id} move={move} />
            ))}
            {reply.moves.length === 0 ? <p className="sentence">{t("move.none")}</p> : null}
          </>
        ) : null}
        <div className="sec">
          <button
            type="button"
            className="btn"
            data-testid="moveup-again"
            onClick={() => {
              setReply(null);
              setAttempt(attempt + 1);
            }}
          >
            {t("move.ask")}
          </button>
        </div>
      </div>
    </aside>
  );
}
