// Words of the officer's page that depend on a state.
import type { RequestError } from "../api/client";
import { age, figure } from "../format/figures";
import type { Translate } from "../i18n/text";
import type { OfficerSummary } from "./desk";

const CHANGED = 409;
const NO_TASK = 404;

/** Why something was not taken, in the chosen language where the reason is known. */
export function whyOf(error: RequestError, t: Translate): string {
  if (error.status === CHANGED || error.status === NO_TASK) return t("officer.notice.changed");
  return error.detail || t(error.key, error.figures);
}

/** The state of the sharing in two or three words. */
export function sharingWord({ sharing, facts }: OfficerSummary, t: Translate): string {
  if (sharing === "weak") return t("officer.share.weakBy", { m: figure(facts.accuracyM) });
  if (sharing === "offline") return t("officer.share.offlineKept", { n: facts.keptCount });
  return t(`officer.share.${sharing}`);
}

/** What the state means and what to do, in a sentence. */
export function sharingSentence({ sharing, facts, tasks, nowMs }: OfficerSummary, t: Translate): string {
  if (sharing === "weak") return t("officer.share.weakText", { m: figure(facts.accuracyM) });
  if (sharing === "offline") return t("officer.share.offlineText", { n: facts.keptCount });
  if (sharing === "refused") return t("officer.share.refusedText", { why: facts.refusal });
  if (sharing === "noFix") {
    const since = Math.max(facts.fixAtMs ?? 0, facts.sinceMs);
    return t("officer.share.noFixText", { age: age(nowMs - since, t) });
  }
  if (sharing === "sharing") {
    const isBusy = tasks.some(({ state }) => state === "accepted" || state === "under_way");
    return t("officer.share.sharingText", { s: isBusy ? 1 : 5 });
  }
  return t(`officer.share.${sharing}Text`);
}
