// Asks for a unit's track; an officer's only with a reason, which goes into the audit with the viewer's name.
import { useRef, useState } from "react";
import { get, RequestError } from "../api/client";
import { nameIn } from "../i18n/text";
import { change, useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { TrackReply, UnitMeta } from "../wire.generated";

const MINUTES = 30;
const LIMIT = 5000;

function pathOf(reply: TrackReply): [number, number][] {
  const { lon_e7, lat_e7 } = reply.columns;
  const path: [number, number][] = [];
  for (let i = 0; i < reply.point_count; i++) {
    const lon = lon_e7?.[i];
    const lat = lat_e7?.[i];
    if (lon != null && lat != null) path.push([lon / 1e7, lat / 1e7]);
  }
  return path;
}

function queryOf(reason: string): URLSearchParams {
  const to = new Date();
  const from = new Date(to.getTime() - MINUTES * 60_000);
  const query = new URLSearchParams({ from: from.toISOString(), to: to.toISOString(), limit: String(LIMIT) });
  if (reason) query.set("reason", reason);
  return query;
}

async function readTrack(unitId: number, reason: string): Promise<[number, number][]> {
  return pathOf(await get<TrackReply>(`/api/units/${unitId}/track?${queryOf(reason)}`));
}

/** Let the browser keep the track as a file; the server writes the export into the audit. */
function saveTrack(unitId: number, reason: string): void {
  const link = document.createElement("a");
  link.href = `/api/units/${unitId}/track.csv?${queryOf(reason)}`;
  link.download = `track-${unitId}.csv`;
  link.click();
}

export function TrackSection({ meta }: { meta: UnitMeta }) {
  const { language } = useSettings();
  const t = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const needsReason = meta.kind === "officer";

  const show = async (): Promise<void> => {
    try {
      const path = await readTrack(meta.unit_id, reason.trim());
      change({ track: { unitId: meta.unit_id, path, minutes: MINUTES } });
      dialog.current?.close();
      setReason("");
      setError("");
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(t("track.failed", { why: failure.detail || t(failure.key, failure.figures) }));
    }
  };

  return (
    <>
      <button
        type="button"
        className="btn"
        data-testid="track"
        onClick={() => (needsReason ? dialog.current?.showModal() : void show())}
      >
        {t("inspector.track")}
        <span className="t3 f12">{t("track.period", { minutes: MINUTES })}</span>
      </button>
      {needsReason ? null : (
        <button
          type="button"
          className="btn ghost"
          data-testid="track-save"
          onClick={() => saveTrack(meta.unit_id, "")}
        >
          {t("track.save")}
        </button>
      )}
      {error && !needsReason ? <p className="c-alarm f12">{error}</p> : null}
      <dialog ref={dialog} data-testid="track-dialog" aria-labelledby="track-title">
        <h2 id="track-title">{t("track.title", { unit: nameIn(language, meta) || meta.call_sign })}</h2>
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            if (reason.trim()) void show();
          }}
        >
          <label className="f13 t2">
            {t("track.reason")}
            <input
              className="field"
              data-testid="track-reason"
              style={{ margin: "6px 0" }}
              value={reason}
              maxLength={200}
              placeholder={t("track.reasonPlaceholder")}
              onChange={(event) => setReason(event.target.value)}
            />
          </label>
          <p className="f12 t3">{t("track.reasonHint")}</p>
          {error ? <p className="c-alarm f13">{error}</p> : null}
          <div className="row" style={{ marginTop: 16, justifyContent: "flex-end" }}>
            <button type="button" className="btn ghost" onClick={() => dialog.current?.close()}>
              {t("track.cancel")}
            </button>
            <button
              type="button"
              className="btn"
              data-testid="track-save"
              disabled={!reason.trim()}
              onClick={() => saveTrack(meta.unit_id, reason.trim())}
            >
              {t("track.save")}
            </button>
            <button type="submit" className="btn pri" data-testid="track-show" disabled={!reason.trim()}>
              {t("track.show")}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
