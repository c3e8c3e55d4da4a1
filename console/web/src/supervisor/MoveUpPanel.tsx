// Who should move up where: at most three moves, each with what it gains and what it costs on the way.
import { useEffect } from "react";
import { RequestError } from "../api/client";
import { distance, duration, figure, percent, shift } from "../format/figures";
import { nameIn } from "../i18n/text";
import { currentMap } from "../map/current";
import { changeDesk } from "../state/desk";
import { askMoves, useMoveUp } from "../state/moveUp";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { UnitGlyph } from "../ui/icons";
import type { MoveView } from "../wire.generated";
import { useUnitMeta, useUnitName } from "./names";

function MoveLine({ move }: { move: MoveView }) {
  const { language } = useSettings();
  const nameOf = useUnitName();
  const metaOf = useUnitMeta();
  const t = useText();
  return (
    <button
      type="button"
      className="cand"
      data-testid="move"
      data-unit-id={move.unit_id}
      onClick={() => currentMap()?.camera.near([move.lon_deg, move.lat_deg])}
    >
      <UnitGlyph name={metaOf(move.unit_id)?.kind ?? "car"} />
      <span className="who">
        <span className="row">
          <b className="ell">{nameOf(move.unit_id)}</b>
          <span className="t2 ell">{t("move.to", { place: nameIn(language, move) })}</span>
        </span>
        <span className="cost t2 num">
          {t("move.gain", { gain: shift(move.gain_share) })}
          {` · ${t("move.cost", { left: percent(move.left_share, 1), won: percent(move.won_share, 1) })}`}
        </span>
      </span>
      <span className="when num">
        <span className="tm">{duration(move.drive_s * 1000)}</span>
        <span className="f12 t3">{distance(move.drive_km * 1000)}</span>
      </span>
    </button>
  );
}

export function MoveUpPanel() {
  const t = useText();
  const reply = useMoveUp();
  useEffect(() => {
    void askMoves();
  }, []);
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
            {reply.moves.length ? (
              <p className="sentence num bordered">
                {t("move.sum", {
                  before: percent(reply.covered_before_share, 1),
                  after: percent(reply.covered_after_share, 1),
                  limit: figure(reply.limit_s / 60),
                })}
              </p>
            ) : null}
            {reply.moves.length === 0 ? <p className="sentence">{t("move.none")}</p> : null}
          </>
        ) : null}
        <div className="sec">
          <button
            type="button"
            className="btn"
            disabled={reply === null}
            data-testid="moveup-again"
            onClick={() => {
              void askMoves();
            }}
          >
            {t("move.ask")}
          </button>
        </div>
      </div>
    </aside>
  );
}
