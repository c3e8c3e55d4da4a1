// The files of a plan or of one of its sorties: for other tools, and what was proven of it.
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";

export const FORMATS = ["plan", "waypoints", "kmz", "kml", "geojson", "gpx", "ics"] as const;

export function Exports({ planId, sortieId }: { planId: number; sortieId: number | null }) {
  const t = useText();
  const { language } = useSettings();
  const of = sortieId === null ? "" : `&sortie_id=${sortieId}`;
  return (
    <>
      <div className="chips" data-testid="exports">
        {FORMATS.map((format) => (
          <a
            key={format}
            className="chip"
            href={`/api/plans/${planId}/export?format=${format}&language=${language}${of}`}
            download
            data-testid={`export-${format}`}
            title={t(`plan.format.${format}`)}
          >
            {t(`plan.format.${format}`)}
          </a>
        ))}
      </div>
      <div className="row hint f13">
        <a
          className="link"
          href={`/api/plans/${planId}/report?format=html&language=${language}${of}`}
          target="_blank"
          rel="noreferrer"
          data-testid="report"
        >
          {t("plan.report")}
        </a>
        <a className="link" href={`/api/plans/${planId}/report?format=csv&language=${language}${of}`} download>
          CSV
        </a>
        <a className="link" href={`/api/plans/${planId}/report?format=geojson&language=${language}${of}`} download>
          GeoJSON
        </a>
      </div>
    </>
  );
}
