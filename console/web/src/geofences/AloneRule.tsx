// When an officer counts as alone: the whole force's rule, set in place.
import { type FormEvent, useState } from "react";
import { RequestError } from "../api/client";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import type { AloneRulesReply } from "../wire.generated";
import { setAloneRule } from "./acts";

const EVERY_MS = 30_000;
const START_LIMIT_M = 300;
const START_AFTER_S = 120;

export function AloneRule({ mayChange }: { mayChange: boolean }) {
  const t = useText();
  const { data, again } = usePolled<AloneRulesReply>("/api/geofences/alone", EVERY_MS);
  const [isOpen, setOpen] = useState(false);
  const [problem, setProblem] = useState("");
  const rule = data?.rules.find((each) => (each.unit_id ?? null) === null && (each.station_id ?? null) === null);
  const limitM = rule?.limit_m ?? null;
  const afterS = rule?.after_s ?? START_AFTER_S;
  const set = async (limit_m: number | null, after_s: number): Promise<void> => {
    const reply = await setAloneRule({ limit_m, after_s });
    setProblem(reply instanceof RequestError ? reply.detail || t(reply.key, reply.figures) : "");
    if (!(reply instanceof RequestError)) setOpen(false);
    again();
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const told = new FormData(event.currentTarget);
    void set(Number(told.get("limit")), Number(told.get("after")));
  };
  return (
    <div className="sec" data-testid="alone-rule">
      <div className="row">
        <b className="f13">{t("alone.title")}</b>
        <span className="sp" />
        {mayChange && !isOpen ? (
          <button type="button" className="btn s" data-testid="alone-change" onClick={() => setOpen(true)}>
            {t("fence.change")}
          </button>
        ) : null}
      </div>
      <p className="f13 t2" data-testid="alone-said">
        {limitM === null ? t("alone.off") : t("alone.rule", { limit: limitM, after: afterS })}
      </p>
      {isOpen ? (
        <form className="form hint" onSubmit={submit}>
          <div className="two">
            <label>
              {t("alone.limit")}
              <input
                className="field num"
                name="limit"
                type="number"
                min={10}
                max={5000}
                defaultValue={limitM ?? START_LIMIT_M}
                required
              />
            </label>
            <label>
              {t("alone.after")}
              <input
                className="field num"
                name="after"
                type="number"
                min={0}
                max={86_400}
                defaultValue={afterS}
                required
              />
            </label>
          </div>
          <div className="row">
            <button type="button" className="btn ghost" onClick={() => setOpen(false)}>
              {t("fence.cancel")}
            </button>
            <span className="sp" />
            {limitM === null ? null : (
              <button type="button" className="btn" onClick={() => void set(null, afterS)}>
                {t("alone.turnOff")}
              </button>
            )}
            <button type="submit" className="btn pri" data-testid="alone-set">
              {t("alone.set")}
            </button>
          </div>
        </form>
      ) : null}
      {problem ? (
        <p className="c-alarm f13" role="alert">
          {problem}
        </p>
      ) : null}
    </div>
  );
}
