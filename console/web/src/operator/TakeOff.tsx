// Taking off without a sortie: to a height above the take-off place that is said with the order.
import { useState } from "react";
import { useText } from "../state/useText";
import { HoldButton } from "../ui/HoldButton";
import { begin, cancelOrder, confirm } from "./orders";

/** Over trees and roofs of low houses, well under any ceiling. */
const USUAL_M = 30;
const LEAST_M = 2;
const MOST_M = 120;

export function TakeOff({ unitId }: { unitId: number }) {
  const t = useText();
  const [height, setHeight] = useState(String(USUAL_M));
  const alt_home_m = Number(height);
  const isSound = alt_home_m >= LEAST_M && alt_home_m <= MOST_M;
  return (
    <>
      <HoldButton
        className="btn"
        testId="action-take_off"
        disabled={!isSound}
        onBegin={() => begin(unitId, { action: "take_off", alt_home_m })}
        onDone={() => void confirm()}
      >
        {t("flight.action.take_off")}
      </HoldButton>
      <label className="takeoff f12 t2">
        <span>{t("flight.takeOffHeight")}</span>
        <input
          className="field num"
          type="number"
          min={LEAST_M}
          max={MOST_M}
          data-testid="take-off-height"
          aria-invalid={!isSound}
          value={height}
          onChange={(event) => {
            cancelOrder();
            setHeight(event.target.value);
          }}
        />
      </label>
    </>
  );
}
