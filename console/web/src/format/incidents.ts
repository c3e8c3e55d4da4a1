// How lists and figures write incidents: who was reached in time, and a place beside its title.
import type { IncidentView, UrgencyFigures } from "../wire.generated";

/** Calls reached so far and how many of them within their target; a call that nobody reached yet counts in neither. */
export function onTargetOf(urgencies: readonly UrgencyFigures[]): { onTarget: number; answered: number } {
  return urgencies.reduce(
    (sum, { answered, on_target_ratio: ratio }) => ({
      onTarget: sum.onTarget + Math.round((ratio ?? 0) * answered),
      answered: sum.answered + answered,
    }),
    { onTarget: 0, answered: 0 },
  );
}

/** The place as it stands beside the title: empty where the title names it already. */
export const placeBeside = ({ title, place_text: place }: Pick<IncidentView, "title" | "place_text">): string =>
  title.includes(place) ? "" : place;
