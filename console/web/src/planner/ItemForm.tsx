// The form of what is drawn or changed: its fields, what the server says of it at once, what it costs, keep or leave.
import { type FormEvent, useMemo, useState } from "react";
import { distance, duration, measure, percent, THIN_SPACE } from "../format/figures";
import { live } from "../live/live";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type {
  Airframe,
  Battery,
  CheckReply,
  Crew,
  Dock,
  Programme,
  Refusal,
  Sketch,
  Task,
  Weather,
  Zone,
} from "../wire.generated";
import { addMetar, remove, save, saveOver } from "./acts";
import { AirframeFields, BatteryFields, CrewFields, DockFields, WeatherFields, ZoneFields } from "./AssetFields";
import { FieldFaults } from "./fields";
import { geometryFrom, geometryOf, hasShape, placesText, toolOf } from "./items";
import {
  changePlanDesk,
  dayShown,
  discard,
  type Draft,
  drawHole,
  redraft,
  stepBack,
  takeDrawn,
  usePlanDesk,
} from "./planDesk";
import { fittedTask } from "./remedies";
import { TaskFields } from "./TaskFields";
import { problemText } from "./words";

interface Props {
  readonly draft: Draft;
  readonly check: CheckReply | null;
}

/** The field that a refusal of the input is about: windows[2].end is windows[2] here. */
export const fieldOf = (refusal: Refusal): string | null =>
  typeof refusal.remedy.field === "string" ? refusal.remedy.field.replace(/\.(start|end)(_us)?$/, "") : null;

/** A fault of the shape is said below, for it is drawn and not written; that of another field stands at the field. */
const hasOwnField = (field: string | null): boolean => field !== null && !field.endsWith("geometry");

function useFaults(check: CheckReply | null): ReadonlyMap<string, string> {
  const { language } = useSettings();
  return useMemo(() => {
    const said = (refusal: Refusal): string =>
      language === "zh" ? `${refusal.reason_zh}：${refusal.remedy_zh}` : `${refusal.reason_en}: ${refusal.remedy_en}`;
    const faults = new Map<string, string>();
    for (const refusal of check?.refusals ?? []) {
      const field = fieldOf(refusal);
      if (!field) continue;
      const sentence = said(refusal);
      for (const name of [field, field.replace(/\[\d+\]$/, "")]) if (!faults.has(name)) faults.set(name, sentence);
    }
    return faults;
  }, [check, language]);
}

function Fields({ draft, programme, day }: { draft: Draft; programme: Programme; day: string }) {
  const place = { programme, day };
  const { item } = draft;
  switch (draft.kind) {
    case "tasks":
      return <TaskFields task={item as Task} {...place} />;
    case "zones":
      return <ZoneFields zone={item as Zone} {...place} />;
    case "airframes":
      return <AirframeFields airframe={item as Airframe} programme={programme} />;
    case "docks":
      return <DockFields dock={item as Dock} />;
    case "batteries":
      return <BatteryFields battery={item as Battery} programme={programme} />;
    case "crews":
      return <CrewFields crew={item as Crew} {...place} />;
    case "weather":
      return (
        <WeatherFields
          weather={item as Weather}
          zone={programme.zone}
          onMetar={draft.id === null ? (text) => void addMetar(text) : null}
        />
      );
  }
}

/** The shape as text: what is drawn, to be read and changed without a mouse. */
function Places({ draft }: { draft: Draft }) {
  const t = useText();
  const tool = toolOf(draft.kind, draft.item);
  const geometry = geometryOf(draft.kind, draft.item);
  const [text, setText] = useState<string | null>(null);
  const isWrong = text !== null && tool !== null && geometryFrom(text, tool) === null;
  if (!tool) return null;
  const holes = geometry?.type === "Polygon" ? geometry.coordinates.length - 1 : 0;
  const take = (): void => {
    const told = text === null ? null : geometryFrom(text, tool);
    if (told) takeDrawn(told, { isPut: true });
    if (told) setText(null);
  };
  return (
    <details className="formgroup" data-field="geometry">
      <summary>
        {t("plan.shape")} <span className="t3">{geometry ? t(`plan.drawn.${tool}`) : t("plan.notDrawn")}</span>
      </summary>
      <div className="form">
        <textarea
          className="field num"
          rows={5}
          spellCheck={false}
          aria-label={t("plan.placesLabel")}
          aria-invalid={isWrong}
          data-testid="places"
          value={text ?? placesText(geometry)}
          onChange={(event) => setText(event.target.value)}
          onBlur={take}
        />
        <span className="f12 t3">{t(isWrong ? "plan.placesWrong" : "plan.placesHint")}</span>
        {geometry?.type === "Polygon" ? (
          <div className="row wrap">
            <button type="button" className="btn s" data-testid="draw-hole" onClick={() => drawHole(!draft.isHole)}>
              {t(draft.isHole ? "plan.holeLeave" : "plan.holeAdd")}
            </button>
            {holes ? (
              <button
                type="button"
                className="btn s ghost"
                onClick={() => takeDrawn({ ...geometry, coordinates: [geometry.coordinates[0]!] }, { isPut: true })}
              >
                {t("plan.holesRemove", { n: holes })}
              </button>
            ) : null}
          </div>
        ) : null}
      </div>
    </details>
  );
}

/** What it costs to fly it. */
export function Cost({ preview, programme }: { preview: Sketch; programme: Programme }) {
  const t = useText();
  const airframe = programme.airframes.find((each) => each.airframe_id === preview.airframe_id);
  const facts: [string, string][] = [
    [t("plan.cost.length"), distance(preview.length_m)],
    [t("plan.cost.duration"), duration(preview.duration_s * 1000)],
    [t("plan.cost.battery"), `${percent(preview.battery_ratio, 0)}${THIN_SPACE}%`],
    [t("plan.cost.sorties"), String(preview.sortie_count)],
    [t("plan.cost.height"), measure(preview.alt_agl_m, "m")],
  ];
  if (preview.detection_ratio !== null)
    facts.push([t("plan.cost.detection"), `${percent(preview.detection_ratio, 0)}${THIN_SPACE}%`]);
  return (
    <div className="sec" data-testid="preview-cost">
      <div className="h">
        {t("plan.preview")} <span className="t3">{airframe?.name}</span>
      </div>
      <dl className="costs">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="f12 t3">{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Said({ draft, check, programme }: { draft: Draft; check: CheckReply; programme: Programme }) {
  const t = useText();
  const { language } = useSettings();
  const said = check.refusals.filter((each) => each.rule_id !== "R-00" || !hasOwnField(fieldOf(each)));
  if (!said.length) return null;
  return (
    <ul className="refusals inform" data-testid="draft-refusals">
      {said.map((refusal, i) => {
        const fitted = draft.kind === "tasks" ? fittedTask(draft.item as Task, refusal, programme, null) : null;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said twice
          <li key={i} className={refusal.is_warning ? "warn" : ""}>
            <div className="row f12">
              <span className={refusal.is_warning ? "t2" : "c-attn"}>
                {language === "zh" ? refusal.reason_zh : refusal.reason_en}
              </span>
              <span className="sp" />
              <span className="t3 nw">{refusal.rule_id}</span>
            </div>
            <div className="row f12 t2">
              <span>{language === "zh" ? refusal.remedy_zh : refusal.remedy_en}</span>
              <span className="sp" />
              {fitted ? (
                <button
                  type="button"
                  className="btn s"
                  data-testid="draft-adopt"
                  onClick={() => redraft<"tasks">(fitted)}
                >
                  {t("plan.adopt")}
                </button>
              ) : null}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

export function ItemForm({ draft, check }: Props) {
  const t = useText();
  const desk = usePlanDesk();
  const { programme: reply, busy, problem, isLeaving, isCrossing } = desk;
  const faults = useFaults(check);
  const [isAsking, setAsking] = useState(false);
  if (!reply) return null;
  const { programme } = reply;
  const needsShape = hasShape(draft.kind);
  const tool = toolOf(draft.kind, draft.item);
  const isMissing = needsShape && tool !== null && geometryOf(draft.kind, draft.item) === null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isMissing && !isCrossing) void save(draft);
  };
  return (
    <FieldFaults.Provider value={faults}>
      <form className="planform" noValidate onSubmit={submit} data-testid="item-form" data-kind={draft.kind}>
        <div className="sidebody">
          <div className="sec">
            <Fields draft={draft} programme={programme} day={dayShown(live.nowMs(), desk)} />
            <Places key={draft.drawnAnew} draft={draft} />
          </div>
        </div>
        <div className="plansaid" aria-live="polite">
          {check?.preview ? <Cost preview={check.preview} programme={programme} /> : null}
          {check ? <Said draft={draft} check={check} programme={programme} /> : null}
        </div>
        <div className="planend">
          {isMissing ? <p className="f13 c-attn">{t("plan.drawFirst")}</p> : null}
          {isCrossing ? <p className="f13 c-alarm">{t("fence.crosses")}</p> : null}
          {problem ? (
            <p className="f13 c-alarm" role="alert" data-testid="item-problem">
              {problem.status === 409 ? t("plan.changedMeanwhile") : problemText(t, problem)}
            </p>
          ) : null}
          {problem?.status === 409 ? (
            <div className="row">
              <button type="button" className="btn s" onClick={discard}>
                {t("plan.takeTheirs")}
              </button>
              <button type="button" className="btn s" onClick={() => void saveOver(draft)}>
                {t("plan.keepMine")}
              </button>
            </div>
          ) : null}
          {isLeaving ? (
            <div className="row wrap" role="alertdialog" aria-label={t("plan.leaveAsk")}>
              <span className="f13">{t("plan.leaveAsk")}</span>
              <span className="sp" />
              <button type="button" className="btn s" onClick={() => changePlanDesk({ isLeaving: false })}>
                {t("plan.goOn")}
              </button>
              <button type="button" className="btn s" data-testid="item-discard" onClick={discard}>
                {t("plan.discard")}
              </button>
            </div>
          ) : isAsking && draft.id !== null ? (
            <div className="row wrap">
              <span className="f13">{t("plan.removeAsk")}</span>
              <span className="sp" />
              <button type="button" className="btn s" onClick={() => setAsking(false)}>
                {t("plan.goOn")}
              </button>
              <button
                type="button"
                className="btn s"
                data-testid="item-remove-yes"
                onClick={() => void remove(draft.kind, draft.id!)}
              >
                {t("plan.remove")}
              </button>
            </div>
          ) : (
            <div className="row">
              <button
                type="submit"
                className="btn pri"
                data-testid="item-save"
                disabled={busy !== "" || isMissing || isCrossing}
              >
                {t(draft.id === null ? "plan.add" : "plan.keep")}
              </button>
              <button type="button" className="btn" data-testid="item-cancel" onClick={() => stepBack()}>
                {t("plan.cancel")} <span className="kbd">Esc</span>
              </button>
              <span className="sp" />
              {draft.id !== null ? (
                <button type="button" className="btn ghost" data-testid="item-remove" onClick={() => setAsking(true)}>
                  {t("plan.remove")}
                </button>
              ) : null}
            </div>
          )}
        </div>
      </form>
    </FieldFaults.Provider>
  );
}
