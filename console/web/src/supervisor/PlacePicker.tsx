// Asks for an incident's place: a click on the map, or the map's middle by keyboard; words beside it.
import { useState } from "react";
import { currentMap } from "../map/current";
import { changeDesk, useDesk } from "../state/desk";
import { edit, type Failure } from "../state/incidents";
import { mayDispatch } from "../state/roles";
import { useText } from "../state/useText";
import type { IncidentView } from "../wire.generated";
import { FailureNote } from "./FailureNote";

const DECIMALS = 6;
const rounded = (degrees: number): number => Number(degrees.toFixed(DECIMALS));

export function PlacePicker({ incident }: { incident: IncidentView }) {
  const { picking, picked, role } = useDesk();
  const t = useText();
  const [words, setWords] = useState(incident.place_text);
  const [failure, setFailure] = useState<Failure | null>(null);
  const isPicking = picking === "incident";
  if (!mayDispatch(role)) return null;
  const save = async (): Promise<void> => {
    const place =
      isPicking && picked ? { lat_deg: rounded(picked.lat), lon_deg: rounded(picked.lon), crs: "wgs84" } : {};
    const said = words === incident.place_text ? {} : { place_text: words };
    const failed = await edit(incident, { ...place, ...said });
    setFailure(failed);
    if (!failed) changeDesk({ picking: "none", picked: null });
  };
  const pick = (): void =>
    changeDesk(isPicking ? { picking: "none", picked: null } : { picking: "incident", picked: null });
  const middle = (): void => changeDesk({ picking: "incident", picked: currentMap()?.camera.middle() ?? null });
  return (
    <div className="sec form" data-testid="place-picker">
      {incident.lat_deg === null ? <p className="c-attn f13">{t("incident.askPlace")}</p> : null}
      <label>
        {t("more.placeText")}
        <input
          className="field"
          value={words}
          maxLength={200}
          data-testid="place-words"
          onChange={(event) => setWords(event.target.value)}
        />
      </label>
      <div className="row wrap">
        <button type="button" className="btn s" aria-pressed={isPicking} data-testid="place-pick" onClick={pick}>
          {t("incident.pick")}
        </button>
        <button type="button" className="btn s ghost" data-testid="place-middle" onClick={middle}>
          {t("more.here")}
        </button>
        <span className="f12 t3 num">
          {isPicking && picked
            ? t("new.picked", { lat: picked.lat.toFixed(5), lon: picked.lon.toFixed(5) })
            : t("new.notPicked")}
        </span>
        <span className="sp" />
        <button
          type="button"
          className="btn s pri"
          data-testid="place-save"
          disabled={!(isPicking && picked) && words === incident.place_text}
          onClick={() => void save()}
        >
          {t("more.save")}
        </button>
      </div>
      <FailureNote failure={failure} onSeen={() => setFailure(null)} />
    </div>
  );
}
