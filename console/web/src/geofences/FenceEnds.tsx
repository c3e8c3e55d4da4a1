// How a draft ends: saved, left, or gone on with after all.
import { useEffect, useRef } from "react";
import { useText } from "../state/useText";
import { discard, keepDrawing, stepBack, useFenceDesk } from "./fenceDesk";

export function FenceEnds({ isLocked }: { isLocked: boolean }) {
  return useFenceDesk().isLeaving ? <Leaving /> : <Ends isLocked={isLocked} />;
}

function Ends({ isLocked }: { isLocked: boolean }) {
  const t = useText();
  return (
    <div className="row">
      <button type="button" className="btn ghost" data-testid="fence-cancel" onClick={stepBack}>
        {t("fence.cancel")}
      </button>
      <span className="sp" />
      <button type="submit" className="btn pri" data-testid="fence-save" disabled={isLocked}>
        {t("fence.save")}
      </button>
    </div>
  );
}

function Leaving() {
  const t = useText();
  const safe = useRef<HTMLButtonElement>(null);
  useEffect(() => safe.current?.focus(), []);
  return (
    <div className="form" role="alertdialog" aria-label={t("fence.discard")}>
      <p className="f13">{t("fence.discardSure")}</p>
      <div className="row">
        <button type="button" className="btn" ref={safe} onClick={keepDrawing}>
          {t("fence.goOn")}
        </button>
        <span className="sp" />
        <button type="button" className="btn ghost" data-testid="fence-discard" onClick={discard}>
          {t("fence.discard")}
        </button>
      </div>
    </div>
  );
}
