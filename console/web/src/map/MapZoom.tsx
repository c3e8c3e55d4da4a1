// The buttons of a map: all of it, nearer, farther.
import { useText } from "../state/useText";
import { Icon } from "../ui/icons";

interface Zoomed {
  fitAll(): void;
  zoomBy(steps: number): void;
}

export function MapZoom({ map }: { map: Zoomed | null }) {
  const t = useText();
  return (
    <div className="ctl mapzoom">
      <button
        type="button"
        aria-label={t("map.fit")}
        title={t("map.fit")}
        data-testid="map-fit"
        onClick={() => map?.fitAll()}
      >
        <Icon name="fit" />
      </button>
      <button
        type="button"
        aria-label={t("map.zoomIn")}
        title={t("map.zoomIn")}
        data-testid="zoom-in"
        onClick={() => map?.zoomBy(1)}
      >
        <Icon name="plus" />
      </button>
      <button
        type="button"
        aria-label={t("map.zoomOut")}
        title={t("map.zoomOut")}
        data-testid="zoom-out"
        onClick={() => map?.zoomBy(-1)}
      >
        <Icon name="minus" />
      </button>
    </div>
  );
}
