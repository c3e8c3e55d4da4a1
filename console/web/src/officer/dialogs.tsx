// What is asked before an answer goes out: why not, how it ended, and whether to leave with things unsent.
import { useEffect, useId, useRef, useState } from "react";
import type { TextKey } from "../i18n/zh";
import { useText } from "../state/useText";

const WHY_NOT = [
  "officer.decline.busy",
  "officer.decline.far",
  "officer.decline.equipment",
  "officer.decline.hurt",
  "officer.decline.other",
] as const;
const ENDINGS = ["officer.cleared.settled", "officer.cleared.nobody", "officer.cleared.handed"] as const;
const LONGEST_NOTE = 150;

interface ModalProps {
  readonly title: string;
  readonly testId: string;
  readonly onClose: () => void;
  readonly children: React.ReactNode;
}

function Modal({ title, testId, onClose, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="odialog" data-testid={testId} aria-labelledby={heading} onClose={onClose}>
      <h2 id={heading}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ChoiceProps {
  readonly keys: readonly TextKey[];
  readonly chosen: TextKey | null;
  readonly onChoose: (key: TextKey) => void;
  readonly label: string;
}

function Choices({ keys, chosen, onChoose, label }: ChoiceProps) {
  const t = useText();
  return (
    <div className="ochoices" role="group" aria-label={label}>
      {keys.map((key) => (
        <button key={key} type="button" className="btn" aria-pressed={chosen === key} onClick={() => onChoose(key)}>
          {t(key)}
        </button>
      ))}
    </div>
  );
}

interface AskProps {
  readonly onSend: (reason: string) => void;
  readonly onClose: () => void;
}

interface ReasonProps extends AskProps {
  readonly testId: string;
  readonly titleKey: TextKey;
  readonly wordsKey: TextKey;
  readonly sendKey: TextKey;
  readonly keys: readonly TextKey[];
  /** Without a reason nothing goes out. */
  readonly need: "reason" | "nothing";
}

function ReasonDialog({ testId, titleKey, wordsKey, sendKey, keys, need, onSend, onClose }: ReasonProps) {
  const t = useText();
  const [chosen, setChosen] = useState<TextKey | null>(null);
  const [words, setWords] = useState("");
  const reason = [chosen ? t(chosen) : "", words.trim()].filter(Boolean).join(" · ");
  return (
    <Modal title={t(titleKey)} testId={testId} onClose={onClose}>
      <form
        className="oform"
        onSubmit={(event) => {
          event.preventDefault();
          onSend(reason);
        }}
      >
        <Choices
          keys={keys}
          chosen={chosen}
          label={t(titleKey)}
          onChoose={(key) => setChosen(key === chosen ? null : key)}
        />
        <label>
          {t(wordsKey)}
          <input
            className="field"
            data-testid={`${testId}-words`}
            maxLength={LONGEST_NOTE}
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
        </label>
        <div className="oformrow">
          <button type="button" className="btn" onClick={onClose}>
            {t("officer.dialog.cancel")}
          </button>
          <button
            type="submit"
            className="btn pri"
            data-testid={`${testId}-send`}
            disabled={need === "reason" && reason === ""}
          >
            {t(sendKey)}
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** Why the officer cannot attend; one reason at least. */
export function DeclineDialog(props: AskProps) {
  return (
    <ReasonDialog
      testId="decline-dialog"
      titleKey="officer.decline.title"
      wordsKey="officer.decline.words"
      sendKey="officer.decline.send"
      keys={WHY_NOT}
      need="reason"
      {...props}
    />
  );
}

/** How the task ended; a note may be left out. */
export function ClearedDialog(props: AskProps) {
  return (
    <ReasonDialog
      testId="cleared-dialog"
      titleKey="officer.cleared.title"
      wordsKey="officer.cleared.note"
      sendKey="officer.cleared.send"
      keys={ENDINGS}
      need="nothing"
      {...props}
    />
  );
}

export interface LeaveProps {
  readonly fixes: number;
  readonly answers: number;
  readonly onStay: () => void;
  readonly onLeave: () => void;
}

/** Signing out while something is unsent. */
export function LeaveDialog({ fixes, answers, onStay, onLeave }: LeaveProps) {
  const t = useText();
  return (
    <Modal title={t("officer.signOut.title")} testId="leave-dialog" onClose={onStay}>
      <p className="t2">{t("officer.signOut.text", { fixes, answers })}</p>
      <div className="oformrow">
        <button type="button" className="btn pri" onClick={onStay}>
          {t("officer.signOut.stay")}
        </button>
        <button type="button" className="btn" data-testid="leave-anyway" onClick={onLeave}>
          {t("officer.signOut.leave")}
        </button>
      </div>
    </Modal>
  );
}
