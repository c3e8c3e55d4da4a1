// On and off duty by the officer's own hand; going off duty ends the sharing of one's place too.
import { useState } from "react";
import { RequestError, write } from "../api/client";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { DutyByHand, SetDuty, UnitDutyReply } from "../wire.generated";
import { officer } from "./desk";
import { dutyOf } from "./duty";

const HAS_TASK = 409;

export function DutyRow({ unitId }: { unitId: number | null }) {
  const { units } = useLive();
  const t = useText();
  const [error, setError] = useState<RequestError | null>(null);
  const [working, setWorking] = useState(false);
  const duty = dutyOf(unitId === null ? undefined : units.get(unitId));
  if (duty === null) return null;
  const isOff = duty === "off_duty";

  const set = async (duty_status: DutyByHand): Promise<void> => {
    setWorking(true);
    setError(null);
    try {
      const body: SetDuty = { duty_status };
      await write<UnitDutyReply>("PUT", `/api/units/${unitId}/duty`, body);
      if (duty_status === "off_duty") officer.setSharing("off");
    } catch (failure) {
      if (!(failure instanceof RequestError)) throw failure;
      setError(failure);
    }
    setWorking(false);
  };
  const why =
    error?.status === HAS_TASK ? t("officer.duty.busy") : error && (error.detail || t(error.key, error.figures));
  return (
    <section className="oduty" data-testid="duty-row">
      <h3 className="f13 t2">
        {t("officer.duty.title")} · <b data-testid="duty-word">{t(`duty.${duty}`)}</b>
      </h3>
      <button
        type="button"
        className={`btn ${isOff ? "pri" : ""}`}
        data-testid="duty-switch"
        disabled={working}
        onClick={() => void set(isOff ? "free" : "off_duty")}
      >
        {t(isOff ? "officer.duty.start" : "officer.duty.end")}
      </button>
      {why ? (
        <p className="c-attn f13" role="alert">
          {t("officer.duty.failed", { why })}
        </p>
      ) : null}
    </section>
  );
}
