// The sorties of published plans that are due at a drone: what, when, what keeps it away, and confirmed by the pilot who flies them.
import { useState } from "react";
import type { RequestError } from "../api/client";
import { clockTime } from "../format/figures";
import { nameIn } from "../i18n/text";
import { live } from "../live/live";
import { useDesk } from "../state/desk";
import { mayFly } from "../state/roles";
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";
import type { DueView, FlightView, SortieView } from "../wire.generated";
import { takeDue } from "./orders";

const US_PER_MS = 1000;

/** Whether a drone has this very sortie in hand; one that ended early may be given again. */
const isInHand = (due: DueView, sortie: SortieView | null): boolean =>
  sortie?.plan_id === due.plan_id && sortie.sortie_id === due.sortie_id && sortie.step !== "failed";

export function DueSection({ unitId, flight }: { unitId: number; flight: FlightView | null }) {
  const t = useText();
  const waiting = live.flights.dueAt(unitId).filter((due) => !isInHand(due, flight?.sortie ?? null));
  if (!waiting.length) return null;
  return (
    <div className="sec" data-testid="due">
      <div className="h">{t("flight.due")}</div>
      <ul className="commands">
        {waiting.map((due) => (
          <Due key={`${due.plan_id} ${due.sortie_id}`} due={due} />
        ))}
      </ul>
    </div>
  );
}

function Due({ due }: { due: DueView }) {
  const t = useText();
  const { language } = useSettings();
  const { role } = useDesk();
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState<RequestError | null>(null);
  const isAway = due.busy_until_us !== null;
  const isLate = due.takeoff_us / US_PER_MS < live.nowMs();
  const take = async (): Promise<void> => {
    setAsking(true);
    setProblem(await takeDue(due));
    setAsking(false);
  };
  return (
    <li data-testid="due-sortie" data-sortie-id={due.sortie_id}>
      <div className="row f13">
        <b className="ell">{nameIn(language, due)}</b>
        <span className="sp" />
        <span className={`num nw ${isLate ? "c-attn" : ""}`}>
          {clockTime(due.takeoff_us / US_PER_MS)}–{clockTime(due.landing_us / US_PER_MS)}
        </span>
      </div>
      {due.busy_until_us === null ? null : (
        <p className={`f12 ${due.is_called_away ? "c-attn" : "t3"}`} data-testid="due-away">
          {t(due.is_called_away ? "flight.calledAway" : "flight.busyUntil", {
            time: clockTime(due.busy_until_us / US_PER_MS),
          })}
        </p>
      )}
      <div className="row">
        <span className="f12 t3">
          {t("plan.sortie", { id: due.sortie_id })}
          {due.is_automatic ? ` · ${t("flight.dueByItself")}` : ""}
        </span>
        <span className="sp" />
        {mayFly(role) ? (
          <button
            type="button"
            className="btn s pri"
            data-testid="due-take"
            disabled={isAsking || isAway}
            onClick={() => void take()}
          >
            {t("flight.takeDue")}
          </button>
        ) : null}
      </div>
      {problem ? (
        <p className="f12 c-alarm" role="alert">
          {t("flight.failed", { why: problem.detail || t(problem.key, problem.figures) })}
        </p>
      ) : null}
    </li>
  );
}
