// What was not done and why: a refusal in the server's words, a conflict with what another desk changed.
import type { TextKey } from "../i18n/zh";
import type { Failure, Watched } from "../state/incidents";
import { useText } from "../state/useText";

const keyOf = (what: string): TextKey => `changed.${what as Watched}`;

interface FailureProps {
  readonly failure: Failure | null;
  /** What was not done: a change, or sending units. */
  readonly what?: "send.not" | "send.failed";
  readonly onSeen: () => void;
}

export function FailureNote({ failure, what = "send.not", onSeen }: FailureProps) {
  const t = useText();
  if (!failure) return null;
  const { error, changed } = failure;
  const isConflict = changed !== null || error.status === 409;
  const names = [...new Set((changed ?? []).map((what) => t(keyOf(what))))];
  const sentence = !isConflict
    ? t(what, { why: error.detail || t(error.key, error.figures) })
    : names.length
      ? t("send.conflict", { what: names.join(" · ") })
      : t("send.conflictUnknown");
  return (
    <div
      className={`failure ${isConflict ? "attn" : "alarm"}`}
      role="alert"
      data-testid={isConflict ? "conflict" : "failure"}
    >
      <p>{sentence}</p>
      {isConflict && names.length === 0 && error.detail ? <p className="f12 t2">{error.detail}</p> : null}
      <button type="button" className="btn s" onClick={onSeen}>
        {t("send.reload")}
      </button>
    </div>
  );
}
