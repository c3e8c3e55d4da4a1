// What the desk asks of the server by itself: at the beginning, now and then, and when an incident changes.
import { useEffect } from "react";
import { live } from "../live/live";
import { changeDesk, useDesk } from "../state/desk";
import { askCandidates, askFigures, askTrend, incidentOnDesk, loadDesk } from "../state/incidents";
import { useLive } from "../state/useLive";
import type { SessionReply } from "../wire.generated";

const FIGURES_EVERY_MS = 15_000;
const TREND_EVERY_MS = 60_000;
const CANDIDATES_EVERY_MS = 5000;
const SOON_MS = 400;

/** Keep the desk's figures; `isShown` false: only incidents are kept, for the pins and the counts. */
export function useDeskWork({ role, account_id }: SessionReply, isShown: boolean): void {
  const { panel } = useDesk();
  const { incidents } = useLive();
  const incidentId = incidentOnDesk()?.incident_id ?? null;
  const place = incidents.find((each) => each.incident_id === incidentId);
  const placeKey = place ? `${place.lat_deg} ${place.lon_deg} ${place.needs.join()} ${place.dispatches.length}` : "";

  useEffect(() => changeDesk({ role, accountId: account_id }), [role, account_id]);

  useEffect(() => {
    void loadDesk();
    const off = live.onRestart(() => void loadDesk());
    return off;
  }, []);

  useEffect(() => {
    if (!isShown) return;
    let soon: ReturnType<typeof setTimeout> | undefined;
    const off = live.onIncident(() => {
      clearTimeout(soon);
      soon = setTimeout(() => void askFigures(), SOON_MS);
    });
    const figures = setInterval(() => void askFigures(), FIGURES_EVERY_MS);
    const trend = setInterval(() => void askTrend(), TREND_EVERY_MS);
    return () => {
      off();
      clearTimeout(soon);
      clearInterval(figures);
      clearInterval(trend);
    };
  }, [isShown]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another place, need or dispatch asks anew
  useEffect(() => {
    if (!isShown || panel !== "incident" || incidentId === null) return;
    void askCandidates(incidentId);
    const timer = setInterval(() => void askCandidates(incidentId), CANDIDATES_EVERY_MS);
    return () => clearInterval(timer);
  }, [isShown, panel, incidentId, placeKey]);
}
