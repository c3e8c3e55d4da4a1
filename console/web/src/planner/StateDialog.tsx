// An administrator approves alone what it submitted: only with a reason, which is written into the audit trail.
import { useEffect, useRef, useState } from "react";
import { useText } from "../state/useText";
import { setState } from "./acts";
import { changePlanDesk, usePlanDesk } from "./planDesk";
import { problemText } from "./words";

export function StateDialog({ isAdmin }: { isAdmin: boolean }) {
  const t = useText();
  const { dialog, busy, problem } = usePlanDesk();
  const [reason, setReason] = useState("");
  const box = useRef<HTMLDialogElement>(null);
  const isOpen = dialog === "state";
  useEffect(() => {
    if (isOpen) box.current?.showModal();
    else box.current?.close();
  }, [isOpen]);
  const close = (): void => changePlanDesk({ dialog: "none" });
  const approve = async (): Promise<void> => {
    if (await setState("approved", reason.trim())) close();
  };
  return (
    <dialog ref={box} aria-labelledby="state-title" onClose={close} data-testid="state-dialog">
      <h2 id="state-title">{t("plan.approveAloneTitle")}</h2>
      <p className="f13 t2">{t(isAdmin ? "plan.approveAloneSaid" : "plan.fourEyes")}</p>
      {isAdmin ? (
        <form
          className="form hint"
          onSubmit={(event) => {
            event.preventDefault();
            void approve();
          }}
        >
          <label>
            {t("plan.reason")}
            <input
              className="field"
              data-testid="state-reason"
              maxLength={300}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </label>
          {problem ? (
            <p className="f13 c-alarm" role="alert">
              {problemText(t, problem)}
            </p>
          ) : null}
          <div className="row">
            <button type="button" className="btn" onClick={close}>
              {t("plan.cancel")}
            </button>
            <span className="sp" />
            <button
              type="submit"
              className="btn pri"
              data-testid="state-approve-alone"
              disabled={!reason.trim() || busy !== ""}
            >
              {t("plan.approveAlone")}
            </button>
          </div>
        </form>
      ) : (
        <button type="button" className="btn hint" onClick={close}>
          {t("help.close")}
        </button>
      )}
    </dialog>
  );
}
