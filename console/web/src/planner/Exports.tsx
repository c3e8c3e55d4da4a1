// The files of a plan or of one of its sorties: for other tools, and what was proven of it.
import { type MouseEvent, useState } from "react";
import { RequestError } from "../api/client";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { asked } from "./acts";
import { saveFile } from "./fileSend";
import { problemText } from "./words";

export const FORMATS = ["plan", "waypoints", "kmz", "kml", "geojson", "gpx", "ics"] as const;

export function Exports({ planId, sortieId }: { planId: number; sortieId: number | null }) {
  const t = useText();
  const { language } = useSettings();
  const [problem, setProblem] = useState<RequestError | null>(null);
  const save = async (event: MouseEvent<HTMLAnchorElement>): Promise<void> => {
    event.preventDefault();
    const done = await asked(saveFile(event.currentTarget.href));
    setProblem(done instanceof RequestError ? done : null);
  };
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
            onClick={(event) => void save(event)}
            data-testid={`export-${format}`}
            title={t(`plan.format.${format}`)}
          >
            {t(`plan.format.${format}`)}
          </a>
        ))}
      </div>
      {problem ? (
        <p className="f13 c-attn hint" role="alert" data-testid="export-problem">
          {problemText(t, problem)}
        </p>
      ) : null}
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
