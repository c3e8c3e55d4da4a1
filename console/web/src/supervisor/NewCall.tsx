// Takes a call by hand: what happened first, the place by words or a click, and it is kept even without a place.
import { useRef, useState } from "react";
import { RequestError } from "../api/client";
import { currentMap } from "../map/current";
import { changeDesk, useDesk } from "../state/desk";
import { openIncident, takeCall } from "../state/incidents";
import { useText } from "../state/useText";
import { CATEGORIES, type Category, EQUIPMENTS, type Equipment } from "../wire.generated";
import { stepBack } from "./acts";

const DECIMALS = 6;
const rounded = (degrees: number): number => Number(degrees.toFixed(DECIMALS));

interface Draft {
  readonly title: string;
  readonly text: string;
  readonly place_text: string;
  readonly caller_phone: string;
  readonly caller_name: string;
  readonly urgency: number;
  readonly category: Category;
  readonly needs: readonly Equipment[];
}

const EMPTY: Draft = {
  title: "",
  text: "",
  place_text: "",
  caller_phone: "",
  caller_name: "",
  urgency: 2,
  category: "other",
  needs: [],
};

/** One for each form: pressing twice makes the same call. Pages without TLS have no randomUUID. */
const newReference = (): string =>
  `desk-${[...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(16)).join("")}`;

export function NewCall() {
  const { picking, picked } = useDesk();
  const t = useText();
  const reference = useRef(newReference());
  const [draft, setDraft] = useState(EMPTY);
  const [said, setSaid] = useState("");
  const put = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const place = picking === "call" ? picked : null;
  const save = async (): Promise<void> => {
    if (!draft.title.trim()) {
      setSaid(t("new.titleNeeded"));
      return;
    }
    const where = place ? { lat_deg: rounded(place.lat), lon_deg: rounded(place.lon), crs: "wgs84" } : {};
    const result = await takeCall({
      ...draft,
      title: draft.title.trim(),
      needs: [...draft.needs],
      source_ref: reference.current,
      ...where,
    });
    if (result instanceof RequestError) {
      setSaid(t("new.failed", { why: result.detail || t(result.key, result.figures) }));
      return;
    }
    changeDesk({ picking: "none", picked: null });
    openIncident(result.incident_id);
  };
  const field = (
    key: "title" | "text" | "place_text" | "caller_phone" | "caller_name",
    label: string,
    id: string,
    hint = "",
  ) => (
    <label>
      {label}
      <input
        className="field"
        value={draft[key]}
        maxLength={key === "caller_phone" ? 32 : 200}
        placeholder={hint}
        inputMode={key === "caller_phone" ? "tel" : "text"}
        data-testid={id}
        // biome-ignore lint/a11y/noAutofocus: the form was asked for by a key; the first thing to write is what happened
        autoFocus={key === "title"}
        onChange={(event) => put({ [key]: event.target.value })}
      />
    </label>
  );
  return (
    <aside
      className="panel incident"
      aria-label={t("incident.new")}
      data-testid="new-call-form"
      id="incident"
      tabIndex={-1}
    >
      <form
        className="scrolls"
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          stepBack();
        }}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div className="sec form">
          <div className="row">
            <h2>{t("incident.new")}</h2>
            <span className="sp" />
            <button
              type="button"
              className="btn s ghost"
              onClick={() => changeDesk({ panel: "incident", picking: "none", picked: null })}
            >
              {t("more.cancel")} <span className="kbd">Esc</span>
            </button>
          </div>
          {field("title", t("new.title"), "call-title")}
          <div className="row wrap" role="radiogroup" aria-label={t("more.urgency")}>
            <span className="f13 t3">{t("more.urgency")}</span>
            {[1, 2, 3].map((urgency) => (
              <button
                key={urgency}
                type="button"
                role="radio"
                className="btn s"
                aria-checked={draft.urgency === urgency}
                data-testid={`call-urgency-${urgency}`}
                onClick={() => put({ urgency })}
              >
                P{urgency}
              </button>
            ))}
          </div>
          {field("place_text", t("new.place"), "call-place", t("new.placeHint"))}
          <div className="row wrap">
            <button
              type="button"
              className="btn s"
              aria-pressed={picking === "call"}
              data-testid="call-pick"
              onClick={() =>
                changeDesk(picking === "call" ? { picking: "none", picked: null } : { picking: "call", picked: null })
              }
            >
              {t("incident.pick")}
            </button>
            <button
              type="button"
              className="btn s ghost"
              onClick={() => changeDesk({ picking: "call", picked: currentMap()?.camera.middle() ?? null })}
            >
              {t("more.here")}
            </button>
            <span className="f12 t3 num" data-testid="call-picked">
              {place ? t("new.picked", { lat: place.lat.toFixed(5), lon: place.lon.toFixed(5) }) : t("new.notPicked")}
            </span>
          </div>
          {field("text", t("new.text"), "call-text")}
          <div className="two">
            {field("caller_phone", t("new.phone"), "call-phone")}
            {field("caller_name", t("new.caller"), "call-caller")}
          </div>
          <label>
            {t("new.category")}
            <select
              className="field"
              value={draft.category}
              data-testid="call-category"
              onChange={(event) => put({ category: event.target.value as Category })}
            >
              {CATEGORIES.map((category) => (
                <option key={category} value={category}>
                  {t(`category.${category}`)}
                </option>
              ))}
            </select>
          </label>
          <div className="chips" role="group" aria-label={t("new.needs")}>
            {EQUIPMENTS.map((need) => {
              const on = draft.needs.includes(need);
              return (
                <button
                  key={need}
                  type="button"
                  className={`chip ${on ? "on" : ""}`}
                  aria-pressed={on}
                  onClick={() =>
                    put({ needs: on ? draft.needs.filter((each) => each !== need) : [...draft.needs, need] })
                  }
                >
                  {t(`equipment.${need}`)}
                </button>
              );
            })}
          </div>
          {said ? (
            <p className="f13 c-alarm" role="alert">
              {said}
            </p>
          ) : null}
          <button type="submit" className="btn pri" data-testid="call-save">
            {t("new.save")} <span className="kbd">Enter</span>
          </button>
        </div>
      </form>
    </aside>
  );
}
