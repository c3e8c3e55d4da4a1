// The geofences' page: the map they are drawn on, their list, one in detail, and when an officer counts as alone.
import { useEffect, useMemo } from "react";
import { nameIn } from "../i18n/text";
import { usePlaces } from "../state/places";
import { mayCommand } from "../state/roles";
import { useSettings } from "../state/settings";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";
import type { GeofencesReply, GeofenceView, SessionReply } from "../wire.generated";
import { AloneRule } from "./AloneRule";
import { FenceDetail } from "./FenceDetail";
import { FenceForm } from "./FenceForm";
import { FencePane } from "./FencePane";
import { changeFenceDesk, openFence, stepBack, useFenceDesk } from "./fenceDesk";
import { showFences } from "./keys";
import { concernText, windowText } from "./words";

const EVERY_MS = 2000;

function FenceLine({ fence, isChosen }: { fence: GeofenceView; isChosen: boolean }) {
  const { language } = useSettings();
  const { stations } = usePlaces();
  const t = useText();
  return (
    <li>
      <button
        type="button"
        className={`fenceline ${isChosen ? "sel" : ""}`}
        aria-pressed={isChosen}
        data-testid="fence-row"
        data-geofence-id={fence.geofence_id}
        onClick={() => openFence(fence.geofence_id)}
      >
        <b className="ell">{nameIn(language, fence)}</b>
        <span className="f12 t3 ell">
          {windowText(t, fence)} · {concernText(t, language, fence, stations)}
        </span>
        <span className={`badge ${fence.raises_alarm ? "attn" : "line"} num`}>{fence.inside_unit_ids.length}</span>
      </button>
    </li>
  );
}

function FenceList({ fences, mayChange }: { fences: readonly GeofenceView[] | null; mayChange: boolean }) {
  const { query, geofenceId } = useFenceDesk();
  const t = useText();
  const wanted = query.trim().toLowerCase();
  const shown = (fences ?? []).filter((fence) => `${fence.name_zh} ${fence.name_en}`.toLowerCase().includes(wanted));
  return (
    <>
      <div className="sec">
        <label className="search">
          <Icon name="search" size={16} />
          <input
            data-testid="fence-search"
            type="text"
            inputMode="search"
            autoComplete="off"
            spellCheck={false}
            aria-label={t("fence.search")}
            placeholder={t("fence.search")}
            value={query}
            onChange={(event) => changeFenceDesk({ query: event.target.value })}
          />
          <span className="kbd" aria-hidden="true">
            /
          </span>
        </label>
      </div>
      {fences && !shown.length ? (
        <div className="sec f13 t3" data-testid="fence-none">
          <p>{t(fences.length ? "fence.noneFit" : "fence.none")}</p>
          {fences.length || !mayChange ? null : <p>{t("fence.begin")}</p>}
        </div>
      ) : null}
      <ul className="fencelist" data-testid="fence-list">
        {shown.map((fence) => (
          <FenceLine key={fence.geofence_id} fence={fence} isChosen={fence.geofence_id === geofenceId} />
        ))}
      </ul>
      <AloneRule mayChange={mayChange} />
    </>
  );
}

export function GeofencesPage({ session }: { session: SessionReply }) {
  const { geofenceId, draft, isPanelOpen } = useFenceDesk();
  const t = useText();
  const { data, error, again } = usePolled<GeofencesReply>("/api/geofences", EVERY_MS);
  const fences = useMemo(() => data?.geofences ?? [], [data]);
  const chosen = fences.find((fence) => fence.geofence_id === geofenceId);
  const mayDraw = mayCommand(session.role);
  const stationId = session.station_ids.length === 1 ? session.station_ids[0]! : null;
  useEffect(() => showFences(fences, session.role, stationId), [fences, session.role, stationId]);
  const title = draft
    ? t(draft.geofenceId === null ? "fence.drawTitle" : "fence.changeTitle")
    : chosen
      ? t("fence.details")
      : t("app.geofences");
  return (
    <main className={`page ${isPanelOpen ? "open" : ""}`} data-testid="geofences-page" data-loaded={data !== null}>
      <FencePane fences={fences} mayDraw={mayDraw} stationId={stationId} />
      {draft ? null : (
        <button
          type="button"
          className="btn fencelistbtn"
          data-testid="show-fences"
          onClick={() => changeFenceDesk({ isPanelOpen: true })}
        >
          {t("app.geofences")} <b className="num">{fences.length}</b>
        </button>
      )}
      <aside className="panel side" aria-label={title}>
        <div className={`dh sidehead ${draft || chosen ? "" : "narrow-only"}`}>
          <b className="f13">{title}</b>
          <span className="sp" />
          {draft?.shape ? (
            <button
              type="button"
              className="btn s narrow-only"
              data-testid="fence-to-map"
              onClick={() => changeFenceDesk({ isPanelOpen: false })}
            >
              {t("fence.toMap")}
            </button>
          ) : null}
          <button
            type="button"
            className="iconbtn"
            aria-label={t("help.close")}
            data-testid="fence-close"
            onClick={() => stepBack()}
          >
            <Icon name="close" size={16} />
          </button>
        </div>
        <div className="sidebody">
          {error ? (
            <p className="sentence c-attn" role="alert">
              {t("fence.stale", { why: error.detail || t(error.key, error.figures) })}
            </p>
          ) : null}
          {draft ? (
            <FenceForm key={`${draft.geofenceId} ${draft.shape}`} draft={draft} onSaved={again} />
          ) : chosen ? (
            <FenceDetail key={chosen.geofence_id} fence={chosen} onChanged={again} />
          ) : (
            <FenceList fences={data?.geofences ?? null} mayChange={mayDraw} />
          )}
        </div>
      </aside>
    </main>
  );
}
