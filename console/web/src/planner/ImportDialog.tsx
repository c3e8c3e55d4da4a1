// A file of another tool: what it would bring and what of it is refused, before anything is kept; and the programme as a file.
import { type DragEvent, useEffect, useRef, useState } from "react";
import { RequestError } from "../api/client";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { CRS_NAMES } from "./crs";
import type { ImportReply } from "../wire.generated";
import { asked, readProgramme } from "./acts";
import { sendFile } from "./fileSend";
import { ITEM_KINDS, nameOf } from "./items";
import { changePlanDesk, usePlanDesk } from "./planDesk";
import { cureOf, problemText, reasonOf } from "./words";

const TAKEN = ".yaml,.yml,.geojson,.json,.kml,.kmz,.plan,.waypoints,.gpx,.ics";
const SHOWN = 12;

function Brought({ reply }: { reply: ImportReply }) {
  const t = useText();
  const { language } = useSettings();
  const counts = ITEM_KINDS.map((kind) => ({ kind, items: reply.programme[kind] })).filter(({ items }) => items.length);
  return (
    <div className="imported" data-testid="import-preview">
      {counts.length ? (
        <ul>
          {counts.map(({ kind, items }) => (
            <li key={kind} className="f13">
              <b>
                {t(`plan.list.${kind === "tasks" ? "tasks" : kind}`)} <span className="num">{items.length}</span>
              </b>{" "}
              <span className="t3">
                {items
                  .slice(0, SHOWN)
                  .map((item) => nameOf(item, language) || t("plan.unnamed"))
                  .join("、")}
                {items.length > SHOWN ? " …" : ""}
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <p className="f13 t3">{t("plan.importNothing")}</p>
      )}
      {reply.changed || reply.unchanged ? (
        <p className="f13 t2" data-testid="import-again">
          {t("plan.importAgain", { added: reply.added, changed: reply.changed, unchanged: reply.unchanged })}
        </p>
      ) : null}
      {reply.refusals.length || reply.notes.length ? (
        <ul className="refusals inform" data-testid="import-refused">
          {reply.refusals.map((refusal, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said of several
            <li key={i} className="f13">
              <span className={refusal.is_warning ? "t2" : "c-attn"}>{reasonOf(refusal, language)}</span>{" "}
              <span className="t3">{cureOf(refusal, language)}</span>
            </li>
          ))}
          {reply.notes.map((note) => (
            <li key={note.en} className="f13 t2">
              {language === "zh" ? note.zh : note.en}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

export function ImportDialog() {
  const t = useText();
  const { dialog } = usePlanDesk();
  const box = useRef<HTMLDialogElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [crs, setCrs] = useState<(typeof CRS_NAMES)[number]>("wgs84");
  const [reply, setReply] = useState<ImportReply | null>(null);
  const [problem, setProblem] = useState<RequestError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isOpen = dialog === "import";
  useEffect(() => {
    if (isOpen) box.current?.showModal();
    else box.current?.close();
  }, [isOpen]);
  const close = (): void => {
    changePlanDesk({ dialog: "none" });
    setFile(null);
    setReply(null);
    setProblem(null);
  };
  const send = async (chosen: File, inCrs: string, isDry: boolean): Promise<void> => {
    setBusy(true);
    setProblem(null);
    const said = await asked(
      sendFile<ImportReply>("/api/programme/import", chosen, { dry_run: String(isDry), crs: inCrs }),
    );
    setBusy(false);
    if (said instanceof RequestError) {
      setReply(null);
      setProblem(said);
    } else if (isDry) setReply(said);
    else {
      await readProgramme();
      close();
    }
  };
  const take = (chosen: File | null | undefined): void => {
    if (!chosen) return;
    setFile(chosen);
    void send(chosen, crs, true);
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  };
  const count = reply ? reply.added + reply.changed : 0;
  const isRefused = reply?.refusals.some((each) => !each.is_warning) ?? false;
  return (
    <dialog
      ref={box}
      className="importdialog"
      aria-labelledby="import-title"
      onClose={close}
      data-testid="import-dialog"
    >
      <h2 id="import-title">{t("plan.importTitle")}</h2>
      <div className="form">
        <label className="dropzone" onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
          <span>{file ? file.name : t("plan.importPick")}</span>
          <span className="f12 t3">{t("plan.importFormats")}</span>
          <input
            type="file"
            accept={TAKEN}
            data-testid="import-file"
            onChange={(event) => take(event.target.files?.[0])}
          />
        </label>
        <label>
          {t("plan.importCrs")}
          <select
            className="field"
            value={crs}
            onChange={(event) => {
              const next = CRS_NAMES.find((each) => each === event.target.value) ?? "wgs84";
              setCrs(next);
              if (file) void send(file, next, true);
            }}
          >
            {CRS_NAMES.map((each) => (
              <option key={each} value={each}>
                {t(`plan.crs.${each}`)}
              </option>
            ))}
          </select>
        </label>
        {isBusy ? <p className="f13 t3">{t("plan.working")}</p> : null}
        {reply ? <Brought reply={reply} /> : null}
        {problem ? (
          <p className="f13 c-alarm" role="alert" data-testid="import-problem">
            {t("plan.importFailed", { why: problemText(t, problem) })}
          </p>
        ) : null}
        {isRefused ? <p className="f13 c-attn">{t("plan.importRefused")}</p> : null}
        <div className="row">
          <button type="button" className="btn" onClick={close}>
            {t("plan.cancel")}
          </button>
          <span className="sp" />
          <button
            type="button"
            className="btn pri"
            data-testid="import-take"
            disabled={!reply || !file || isRefused || isBusy || count === 0}
            onClick={() => file && void send(file, crs, false)}
          >
            {t("plan.importTake", { n: count })}
          </button>
        </div>
        <div className="row f13 t2">
          <span>{t("plan.programmeAs")}</span>
          {["YAML", "GeoJSON", "KML"].map((format) => (
            <a key={format} className="link" href={`/api/programme/export?format=${format.toLowerCase()}`} download>
              {format}
            </a>
          ))}
        </div>
      </div>
    </dialog>
  );
}
