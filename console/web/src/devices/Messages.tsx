// What is asked of a unit's devices: a text, its place now, faster reports, video; and what became of each, live.
import { type FormEvent, useEffect, useState } from "react";
import { get, RequestError } from "../api/client";
import { clockTime, duration } from "../format/figures";
import { live } from "../live/live";
import { useLive } from "../state/useLive";
import { useText } from "../state/useText";
import type { CommandKind, CommandsReply, CommandView, GiveCommand, UnitDeviceView } from "../wire.generated";
import { command } from "./acts";
import { wordOf } from "./words";

const MOST_CHARACTERS = 500;
const SHOWN = 6;
/** After so long without an answer a sent command says so: not every device answers. */
const SILENT_MS = 30_000;
const FASTER = [
  { interval_s: 1, duration_s: 300 },
  { interval_s: 2, duration_s: 600 },
  { interval_s: 5, duration_s: 1800 },
  { interval_s: 10, duration_s: 3600 },
] as const;

interface MessagesProps {
  readonly unitId: number;
  readonly devices: readonly UnitDeviceView[];
}

function useCommands(unitId: number): CommandView[] {
  useLive();
  useEffect(() => {
    const read = (): void => {
      void get<CommandsReply>(`/api/units/${unitId}/commands`).then(
        (reply) => live.putCommands(reply.commands),
        () => undefined, // the list below stays what the websocket told
      );
    };
    read();
    return live.onRestart(read);
  }, [unitId]);
  return live.commands.of(unitId);
}

export function Messages({ unitId, devices }: MessagesProps) {
  const t = useText();
  const commands = useCommands(unitId);
  const [error, setError] = useState<RequestError | null>(null);
  const [fast, setFast] = useState(1);
  const [all, setAll] = useState(false);
  const able = (kind: CommandKind): boolean => devices.some((device) => device.takes.includes(kind));
  const give = async (wanted: GiveCommand): Promise<boolean> => {
    const reply = await command(unitId, wanted);
    setError(reply instanceof RequestError ? reply : null);
    return !(reply instanceof RequestError);
  };
  const isSilent = !["send_text", "request_position", "track_faster", "open_video"].some((kind) =>
    able(kind as CommandKind),
  );
  const { interval_s, duration_s } = FASTER[fast]!;
  const isOpen = devices.some((device) => device.video.length > 0);
  return (
    <div className="sec" data-testid="messages">
      <div className="h">{t("messages.title")}</div>
      {isSilent ? <p className="f13 t3">{t("messages.noDevice")}</p> : null}
      {able("send_text") ? <TextForm onGive={give} /> : null}
      <div className="asks">
        {able("request_position") ? (
          <button
            type="button"
            className="btn s"
            data-testid="ask-locate"
            onClick={() => void give({ kind: "request_position" })}
          >
            {t("messages.locate")}
          </button>
        ) : null}
        {able("open_video") ? (
          <button
            type="button"
            className="btn s"
            data-testid="ask-video"
            onClick={() => void give({ kind: isOpen ? "close_video" : "open_video" })}
          >
            {t(isOpen ? "messages.closeVideo" : "messages.openVideo")}
          </button>
        ) : null}
        {able("track_faster") ? (
          <span className="row">
            <button
              type="button"
              className="btn s"
              data-testid="ask-faster"
              onClick={() => void give({ kind: "track_faster", interval_s, duration_s })}
            >
              {t("messages.faster")}
            </button>
            <select
              className="field s"
              aria-label={t("messages.howFast")}
              data-testid="faster-choice"
              value={fast}
              onChange={(event) => setFast(Number(event.target.value))}
            >
              {FASTER.map((choice, index) => (
                <option key={choice.interval_s} value={index}>
                  {t("messages.every", { s: choice.interval_s, min: choice.duration_s / 60 })}
                </option>
              ))}
            </select>
          </span>
        ) : null}
      </div>
      {error ? (
        <p className="c-alarm f12 hint" role="alert" data-testid="message-failed">
          {t("messages.failed", { why: error.detail || t(error.key, error.figures) })}
        </p>
      ) : null}
      <ul className="commands" aria-live="polite">
        {commands.slice(0, all ? undefined : SHOWN).map((one) => (
          <Given key={one.command_id} command={one} devices={devices} />
        ))}
      </ul>
      {commands.length > SHOWN && !all ? (
        <button type="button" className="btn s ghost" onClick={() => setAll(true)}>
          {t("messages.all", { n: commands.length })}
        </button>
      ) : null}
    </div>
  );
}

function TextForm({ onGive }: { onGive: (wanted: GiveCommand) => Promise<boolean> }) {
  const t = useText();
  const [text, setText] = useState("");
  const [isSpoken, setSpoken] = useState(true);
  const [isUrgent, setUrgent] = useState(false);
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!text.trim()) return;
    if (await onGive({ kind: "send_text", text: text.trim(), is_spoken: isSpoken, is_urgent: isUrgent })) setText("");
  };
  return (
    <form className="textform" onSubmit={(event) => void send(event)}>
      <textarea
        className="field"
        rows={2}
        maxLength={MOST_CHARACTERS}
        aria-label={t("messages.text")}
        placeholder={t("messages.text")}
        data-testid="message-text"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
        }}
      />
      <div className="row">
        <label className="check">
          <input type="checkbox" checked={isSpoken} onChange={(event) => setSpoken(event.target.checked)} />
          {t("messages.speak")}
        </label>
        <label className="check">
          <input type="checkbox" checked={isUrgent} onChange={(event) => setUrgent(event.target.checked)} />
          {t("messages.urgent")}
        </label>
        <span className="sp" />
        <button type="submit" className="btn s pri" data-testid="message-send" disabled={!text.trim()}>
          {t("messages.send")}
        </button>
      </div>
    </form>
  );
}

/** Seconds with one decimal; what took less is said to be less. */
const tookText = (ms: number): string => (ms < 100 ? "< 0.1" : (ms / 1000).toFixed(1));

const STATE_TONE = { queued: "acc", sent: "acc", delivered: "", refused: "attn", expired: "attn" } as const;

function Given({ command: one, devices }: { command: CommandView; devices: readonly UnitDeviceView[] }) {
  const { nowMs } = useLive();
  const t = useText();
  const at = one.ended_ms ?? one.sent_ms ?? one.queued_ms;
  const what = one.text ?? wordOf(t, "command", one.kind);
  const device = devices.find((each) => each.device_id === one.device_id);
  const isSilent = one.state === "sent" && one.sent_ms !== null && nowMs - one.sent_ms > SILENT_MS;
  const left =
    one.state === "queued" ? t("messages.left", { left: duration(Math.max(0, one.expires_ms - nowMs)) }) : "";
  return (
    <li data-testid="command" data-state={one.state}>
      <div className="row">
        <span className={`said ${one.is_urgent ? "c-attn" : ""}`}>{what}</span>
        <span className="sp" />
        <span className={`badge ${isSilent ? "line" : STATE_TONE[one.state]}`}>
          {one.state === "delivered" ? <i className="dot" aria-hidden="true" /> : null}
          {t(isSilent ? "commandState.silent" : `commandState.${one.state}`)}
        </span>
      </div>
      <div className="f12 t3 num">
        {clockTime(at)}
        {one.ended_ms !== null && one.sent_ms !== null && one.state === "delivered"
          ? ` · ${t("messages.after", { s: tookText(one.ended_ms - one.sent_ms) })}`
          : ""}
        {left ? ` · ${left}` : ""} · {one.ordered_by || t("messages.console")}
        {device && devices.length > 1 ? ` · ${device.label || device.protocol}` : ""}
        {one.answer ? <span className="c-attn said"> · {one.answer}</span> : null}
      </div>
    </li>
  );
}
