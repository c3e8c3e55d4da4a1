// The map of the geofences' page with its tools; it draws what the desk's draft asks for.
import { useCallback, useEffect, useState } from "react";
import { type Language, nameIn } from "../i18n/text";
import { live } from "../live/live";
import { MapZoom } from "../map/MapZoom";
import { useMadeMap } from "../map/useMadeMap";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import type { TextKey } from "../i18n/zh";
import { useText } from "../state/useText";
import type { GeofenceView } from "../wire.generated";
import { beginFence, changeFenceDesk, type Draft, openFence, redraft, type Shape, useFenceDesk } from "./fenceDesk";
import type { FenceLook } from "./fenceMap";
import type { Features } from "./fenceShapes";

const SHAPES: readonly Shape[] = ["polygon", "circle", "corridor"];
const KEYS: Readonly<Record<Shape, string>> = { polygon: "P", circle: "C", corridor: "L" };

function unitsNow(nowMs: number, language: Language, inside: ReadonlySet<number>): Features {
  const features = [...live.store.meta.keys()].flatMap((unitId) => {
    const unit = live.store.read(unitId, nowMs);
    if (!unit || unit.lon === null || unit.lat === null || unit.freshness === "lost") return [];
    const meta = live.store.meta.get(unitId);
    const properties = { name: meta ? nameIn(language, meta) : "", inside: inside.has(unitId) };
    return [{ type: "Feature", properties, geometry: { type: "Point", coordinates: [unit.lon, unit.lat] } }];
  });
  return { type: "FeatureCollection", features };
}

function useFenceMap(look: FenceLook) {
  const made = useMadeMap(async (box, newest: () => FenceLook) => {
    const { makeFenceMap } = await import("./fenceMap");
    const onCrossing = (isCrossing: boolean): void => changeFenceDesk({ isCrossing });
    return makeFenceMap(box, newest, { onDrawn: (geometry) => redraft({ geometry }), onCrossing }, openFence);
  }, look);
  const { map } = made;
  const { theme, language, fences, chosen, draft, units } = look;
  useEffect(
    () => map?.show({ theme, language, fences, chosen, draft, units }),
    [map, theme, language, fences, chosen, draft, units],
  );
  return made;
}

interface PaneProps {
  readonly fences: readonly GeofenceView[];
  readonly mayDraw: boolean;
  readonly stationId: number | null;
}

function hintOf({ shape, geometry }: Draft): TextKey {
  if (!shape) return "fence.hint.keeps";
  return geometry ? `fence.drawn.${shape}` : `fence.hint.${shape}`;
}

export function FencePane({ fences, mayDraw, stationId }: PaneProps) {
  const { theme, language } = useSettings();
  const { geofenceId, draft, isCrossing } = useFenceDesk();
  const { nowMs } = useLive();
  const t = useText();
  const [units, setUnits] = useState<Features>({ type: "FeatureCollection", features: [] });
  const second = Math.floor(nowMs / 1000);
  const inside = fences.find((fence) => fence.geofence_id === geofenceId)?.inside_unit_ids;
  useEffect(() => setUnits(unitsNow(second * 1000, language, new Set(inside ?? []))), [second, language, inside]);
  const { box, map, error } = useFenceMap({ theme, language, fences, chosen: geofenceId, draft, units });
  const redraw = useCallback((): void => {
    redraft({ geometry: null });
    map?.redraw();
  }, [map]);
  return (
    <section className="fencepane" aria-label={t("app.geofences")}>
      <div
        ref={box}
        className="fencemap"
        data-testid="fence-map"
        data-drawn={draft?.geometry ? "yes" : "no"}
        data-ready={map ? "yes" : "no"}
      />
      <MapZoom map={map} />
      {error ? (
        <p className="fencenote c-attn" role="alert">
          {error.detail || t(error.key, error.figures)}
        </p>
      ) : null}
      {draft ? (
        <div className="fencenote row" data-testid="fence-hint">
          <span className={isCrossing ? "c-alarm" : ""}>{t(isCrossing ? "fence.crosses" : hintOf(draft))}</span>
          <button
            type="button"
            className="btn s narrow-only"
            data-testid="fence-describe"
            onClick={() => changeFenceDesk({ isPanelOpen: true })}
          >
            {t("fence.describe")}
          </button>
          {!draft.shape ? null : draft.geometry ? (
            <button type="button" className="btn s" data-testid="fence-redraw" onClick={redraw}>
              {t("fence.redraw")}
            </button>
          ) : (
            <button type="button" className="btn s ghost" data-testid="fence-middle" onClick={() => map?.putInMiddle()}>
              {t("fence.inMiddle")}
            </button>
          )}
        </div>
      ) : mayDraw ? (
        <div className="fencetools row" role="group" aria-label={t("fence.draw")}>
          {SHAPES.map((shape) => (
            <button
              key={shape}
              type="button"
              className="btn"
              data-testid={`draw-${shape}`}
              onClick={() => beginFence(shape, stationId)}
            >
              {t(`fence.${shape}`)}
              <span className="kbd hide-medium">{KEYS[shape]}</span>
            </button>
          ))}
        </div>
      ) : null}
    </section>
  );
}
