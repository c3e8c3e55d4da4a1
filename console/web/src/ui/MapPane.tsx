// The map with its controls; the map itself lives outside React.
import { useEffect, useRef, useState } from "react";
import { get, RequestError } from "../api/client";
import { clockTime, figure } from "../format/figures";
import { zh } from "../i18n/zh";
import { live } from "../live/live";
import { currentMap, setCurrentMap } from "../map/current";
import { MapZoom } from "../map/MapZoom";
import { charactersIn, loadFonts } from "../map/fonts";
import { dockMarks, stationMark } from "../map/marks";
import { type MapFigures, OperationsMap } from "../map/operationsMap";
import { scaleBar } from "../map/projection";
import { forgetWidths } from "../map/wishes";
import { cycleCoverage, selectUnit, toggleFences, toggleFollow, toggleLabels, toggleTrails } from "../state/actions";
import { getPlaces, onPlaces, usePlaces } from "../state/places";
import { type Screen, useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import { CoverLegend, MapWords, SupervisorTools } from "../supervisor/MapParts";
import type { MapReply } from "../wire.generated";
import { Legend } from "./Legend";

const ARROWS: Readonly<Record<string, number>> = { ArrowUp: 0, ArrowRight: 1, ArrowDown: 2, ArrowLeft: 3 };

async function textOf(path: string): Promise<string> {
  try {
    return JSON.stringify(await get<unknown>(path));
  } catch (error) {
    if (error instanceof RequestError) return "";
    throw error;
  }
}

async function prepareFonts(): Promise<void> {
  const names = await Promise.all(["labels", "places", "roads"].map((layer) => textOf(`/api/map/${layer}.geojson`)));
  const units = [...live.store.meta.values()].map((unit) => `{"name_zh":${JSON.stringify(unit.name_zh)}}`).join("");
  await loadFonts(charactersIn([...names, units]) + Object.values(zh).join(""));
  forgetWidths();
}

function placesInto(map: OperationsMap): void {
  const { stations, posts } = getPlaces();
  map.overlay.stations = stations.map(stationMark);
  map.overlay.docks = dockMarks(posts);
  map.overlay.replace();
  map.fitFirst();
}

interface Mounted {
  readonly box: React.RefObject<HTMLDivElement | null>;
  readonly canvas: React.RefObject<HTMLCanvasElement | null>;
  readonly error: RequestError | null;
  readonly figures: MapFigures | null;
  readonly retry: () => void;
}

function useOperationsMap(): Mounted {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [error, setError] = useState<RequestError | null>(null);
  const [figures, setFigures] = useState<MapFigures | null>(null);
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt mounts the map anew
  useEffect(() => {
    let map: OperationsMap | null = null;
    let gone = false;
    const resized = new ResizeObserver(() => {
      map?.resize();
      map?.fitFirst();
    });
    const mount = async (): Promise<void> => {
      const [facts] = await Promise.all([get<MapReply>("/api/map"), prepareFonts()]);
      if (gone || !box.current || !canvas.current) return;
      map = new OperationsMap(box.current, canvas.current, facts, setFigures);
      placesInto(map);
      setCurrentMap(map);
      resized.observe(box.current);
    };
    mount().catch((failure: unknown) => {
      if (!(failure instanceof RequestError)) throw failure;
      if (!gone) setError(failure);
    });
    const off = onPlaces(() => map && placesInto(map));
    const onFonts = (): void => {
      forgetWidths();
      map?.overlay.replace();
    };
    document.fonts.addEventListener("loadingdone", onFonts);
    return () => {
      gone = true;
      off();
      document.fonts.removeEventListener("loadingdone", onFonts);
      resized.disconnect();
      setCurrentMap(null);
      map?.remove();
    };
  }, [attempt]);
  const retry = (): void => {
    setError(null);
    setAttempt((n) => n + 1);
  };
  return { box, canvas, error, figures, retry };
}

function Tools() {
  const { coverage, trails, labels, fencesOn, follow, selectedId } = useSettings();
  const t = useText();
  return (
    <div className="ctl maptools">
      <button
        type="button"
        aria-pressed={follow}
        disabled={selectedId === null}
        data-testid="map-follow"
        onClick={toggleFollow}
      >
        {t("inspector.follow")} <span className="kbd">F</span>
      </button>
      <button type="button" aria-pressed={trails} data-testid="map-trails" onClick={toggleTrails}>
        {t("map.trails")} <span className="kbd">T</span>
      </button>
      <button type="button" aria-pressed={labels} data-testid="map-labels" onClick={toggleLabels}>
        {t("map.labels")} <span className="kbd">L</span>
      </button>
      <button
        type="button"
        aria-pressed={fencesOn.includes("operator")}
        data-testid="map-fences"
        onClick={toggleFences}
      >
        {t("app.geofences")} <span className="kbd">G</span>
      </button>
      <button
        type="button"
        aria-pressed={coverage !== "off"}
        data-testid="map-coverage"
        data-mode={coverage}
        onClick={cycleCoverage}
      >
        {t(`map.coverage.${coverage}`)} <span className="kbd">C</span>
      </button>
    </div>
  );
}

/** The map that is shown, as its buttons move it. */
const SHOWN = {
  fitAll: () => currentMap()?.fit(),
  zoomBy: (steps: number) => currentMap()?.camera.zoomBy(steps),
};

function Scale({ figures }: { figures: MapFigures }) {
  const { metres, px } = scaleBar(figures.metresPerPixel, 100);
  return (
    <div className="scale num" aria-hidden="true">
      <i style={{ width: px }} />
      {metres >= 1000 ? `${figure(metres / 1000)} km` : `${figure(metres)} m`}
    </div>
  );
}

function Attribution() {
  const { city } = usePlaces();
  const said = city?.attribution;
  return said ? (
    <div className="attribution" data-testid="attribution">
      {said}
    </div>
  ) : null;
}

export interface MapPaneProps {
  readonly screen: Screen;
}

export function MapPane({ screen }: MapPaneProps) {
  const { box, canvas, error, figures, retry } = useOperationsMap();
  const { connection } = useLive();
  const t = useText();
  const lost = connection.phase === "lost";
  return (
    <section
      className={`map ${lost ? "lost" : ""}`}
      data-testid="map"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the map is one focus stop, its arrows move between units
      tabIndex={0}
      aria-label={t("map.label")}
      onKeyDown={(event) => {
        const direction = ARROWS[event.key];
        if (direction === undefined || (event.target as HTMLElement).closest("button")) return;
        event.preventDefault();
        event.stopPropagation();
        const unitId = currentMap()?.towards(direction);
        if (unitId != null) selectUnit(unitId);
      }}
    >
      <div ref={box} className="mapbox" />
      <canvas ref={canvas} className="sketch" />
      {screen === "supervisor" ? <SupervisorTools /> : <Tools />}
      <MapZoom map={SHOWN} />
      {screen === "supervisor" ? <CoverLegend /> : <Legend />}
      {lost ? null : <MapWords />}
      <Attribution />
      {figures ? <Scale figures={figures} /> : null}
      {lost ? <div className="ctl mapnote alarm">{t("map.frozen", { time: clockTime(live.drawnAtMs()) })}</div> : null}
      {error ? (
        <div className="ctl mapnote">
          {t("map.failed", { why: error.detail || t(error.key, error.figures) })}{" "}
          <button type="button" className="btn s" onClick={retry}>
            {t("map.retry")}
          </button>
        </div>
      ) : null}
    </section>
  );
}
