// Who is in control of a drone; take, let go, hand over, and take by force with a reason.
import { type FormEvent, useState } from "react";
import type { RequestError } from "../api/client";
import { clockTime } from "../format/figures";
import type { Translate } from "../i18n/text";
import { useDesk } from "../state/desk";
import { mayFly, mayOverrule } from "../state/roles";
import { usePolled } from "../state/usePolled";
import { useText } from "../state/useText";
import type { ControlView, FlightsReply, FlightView, PilotsReply } from "../wire.generated";
import { changeControl } from "./orders";

const ASKED_EVERY_MS = 10_000;

type Open = "none" | "handOver" | "force";

function holderText({ holder }: ControlView, accountId: number, t: Translate): string {
  if (holder.kind === "nobody") return t("flight.nobody");
  if (holder.kind === "ground_station") return t("flight.byStation", { name: holder.name });
  return holder.account_id === accountId ? t("flight.mine") : t("flight.byOther", { name: holder.name });
}

export function ControlSection({ flight }: { flight: FlightView }) {
  const { role, accountId } = useDesk();
  const t = useText();
  const [open, setOpen] = useState<Open>("none");
  const [error, setError] = useState<RequestError | null>(null);
  const { control, unit_id } = flight;
  const isMine = control.holder.account_id === accountId && control.holder.kind === "account";
  const isOffered = control.offered.kind !== "nobody";
  const isForMe = isOffered && control.offered.account_id === accountId;
  const isFree = control.holder.kind !== "account";
  const ask = async (how: string, body?: unknown): Promise<void> => {
    const failed = await changeControl(unit_id, how, body);
    setError(failed);
    if (!failed) setOpen("none");
  };
  const button = (how: string, key: Parameters<Translate>[0], primary = false) => (
    <button
      type="button"
      className={`btn s ${primary ? "pri" : ""}`}
      data-testid={`control-${how}`}
      onClick={() => void ask(how)}
    >
      {t(key)}
    </button>
  );
  return (
    <div className="sec" data-testid="control" data-mine={isMine}>
      <div className="h">
        {t("flight.control")}
        <span className="sp" />
        <span className={`badge ${isMine ? "acc" : "line"}`} data-testid="control-holder">
          {holderText(control, accountId, t)}
        </span>
      </div>
      {control.since_ms === null ? null : (
        <p className="f12 t3">{t("flight.since", { time: clockTime(control.since_ms) })}</p>
      )}
      {control.change === "forced" ? (
        <p className="f12 c-attn">{t("flight.forced", { name: control.by.name, reason: control.reason })}</p>
      ) : null}
      {isOffered ? (
        <p className="f13 c-attn" role="status" data-testid="control-offer">
          {isForMe
            ? t("flight.offeredToMe", { name: control.holder.name })
            : t("flight.offeredTo", { name: control.offered.name })}
        </p>
      ) : null}
      {mayFly(role) ? (
        <div className="asks">
          {isForMe ? button("accept", "flight.accept", true) : null}
          {isForMe ? button("decline", "flight.decline") : null}
          {isMine && isOffered ? button("decline", "flight.withdraw") : null}
          {!isMine && !isForMe && isFree ? button("take", "flight.take", true) : null}
          {isMine && !isOffered ? (
            <button
              type="button"
              className="btn s"
              aria-expanded={open === "handOver"}
              data-testid="control-hand-over"
              onClick={() => setOpen(open === "handOver" ? "none" : "handOver")}
            >
              {t("flight.handOver")}
            </button>
          ) : null}
          {isMine ? button("release", "flight.release") : null}
          {!isMine && !isFree && !isForMe && mayOverrule(role) ? (
            <button
              type="button"
              className="btn s"
              aria-expanded={open === "force"}
              data-testid="control-force"
              onClick={() => setOpen(open === "force" ? "none" : "force")}
            >
              {t("flight.force")}
            </button>
          ) : null}
        </div>
      ) : null}
      {open === "handOver" ? <HandOver unitId={unit_id} onAsk={ask} /> : null}
      {open === "force" ? <Force onAsk={ask} /> : null}
      {error ? (
        <p className="c-alarm f12 hint" role="alert" data-testid="control-failed">
          {error.detail || t(error.key, error.figures)}
        </p>
      ) : null}
    </div>
  );
}

type Ask = (how: string, body: unknown) => Promise<void>;

function HandOver({ unitId, onAsk }: { unitId: number; onAsk: Ask }) {
  const t = useText();
  const { accountId } = useDesk();
  const [to, setTo] = useState("");
  const { data: pilots } = usePolled<PilotsReply>(`/api/flights/${unitId}/pilots`, ASKED_EVERY_MS);
  const { data: flights } = usePolled<FlightsReply>("/api/flights", ASKED_EVERY_MS);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const [kind, name] = [to.slice(0, 1), to.slice(1)];
    void onAsk("offer", kind === "a" ? { account_id: Number(name) } : { ground_station: name });
  };
  return (
    <form className="form row" onSubmit={submit}>
      <label className="sp">
        {t("flight.handOverTo")}
        <select className="field" data-testid="hand-over-to" value={to} onChange={(event) => setTo(event.target.value)}>
          <option value="">{t("flight.choose")}</option>
          {(pilots?.pilots ?? [])
            .filter((pilot) => pilot.account_id !== accountId)
            .map((pilot) => (
              <option key={pilot.account_id} value={`a${pilot.account_id}`}>
                {pilot.name}
              </option>
            ))}
          {(flights?.ground_stations ?? []).map((name) => (
            <option key={name} value={`g${name}`}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" className="btn s pri" disabled={!to} data-testid="hand-over-send">
        {t("flight.handOver")}
      </button>
    </form>
  );
}

function Force({ onAsk }: { onAsk: Ask }) {
  const t = useText();
  const [reason, setReason] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void onAsk("force", { reason: reason.trim() });
  };
  return (
    <form className="form" onSubmit={submit}>
      <label>
        {t("flight.forceReason")}
        <input
          className="field"
          data-testid="force-reason"
          maxLength={300}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <button type="submit" className="btn s" disabled={!reason.trim()} data-testid="force-send">
        {t("flight.force")}
      </button>
    </form>
  );
}
