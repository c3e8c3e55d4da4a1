// Speaks to screen readers: a new task, a recall and the call for help at once; the sharing of one's place politely.
import { useEffect, useRef, useState } from "react";
import { clockTime } from "../format/figures";
import { useText } from "../state/useText";
import { wakeSound } from "../ui/sound";
import { isWaiting } from "./taskBook";
import { sharingWord } from "./texts";
import { useOfficer } from "./useOfficer";

export function Voice() {
  const summary = useOfficer();
  const t = useText();
  const [urgent, setUrgent] = useState("");
  const told = useRef(new Set<string>());
  const { tasks, help } = summary;

  useEffect(() => {
    globalThis.addEventListener("pointerdown", wakeSound, { once: true });
    globalThis.addEventListener("keydown", wakeSound, { once: true });
    return () => {
      globalThis.removeEventListener("pointerdown", wakeSound);
      globalThis.removeEventListener("keydown", wakeSound);
    };
  }, []);

  const sentences = new Map<string, string>();
  for (const { task, state, ending } of tasks) {
    const { title, place_text } = task.incident;
    const id = task.dispatch.dispatch_id;
    if (ending) sentences.set(`over ${id}`, t("officer.over.announce", { title }));
    else if (isWaiting(state)) sentences.set(`new ${id}`, t("officer.task.new", { title, place: place_text }));
  }
  if (help.phase === "unsent") sentences.set(`unsent ${help.calledMs}`, t("officer.sos.unsent"));
  if (help.phase === "raised" || help.phase === "sent")
    sentences.set(`raised ${help.calledMs}`, t("officer.sos.raised"));
  if (help.phase === "acknowledged") {
    const figures = { time: clockTime(help.calledMs), who: help.acknowledgedBy, ack: clockTime(help.acknowledgedMs) };
    sentences.set(`acknowledged ${help.calledMs}`, t("officer.sos.acknowledgedText", figures));
  }
  const newest = useRef(sentences);
  newest.current = sentences;
  const matter = [...sentences.keys()].join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is to be said changes with its keys, not with its words
  useEffect(() => {
    const fresh = [...newest.current].filter(([key]) => !told.current.has(key));
    for (const [key] of fresh) told.current.add(key);
    if (fresh.length > 0) setUrgent(fresh.map(([, sentence]) => sentence).join(" "));
  }, [matter]);

  return (
    <>
      <div className="unseen" role="alert" data-testid="voice-urgent">
        {urgent}
      </div>
      <div className="unseen" role="status" data-testid="voice-polite">
        {t("officer.share.announce", { state: sharingWord(summary, t) })}
      </div>
    </>
  );
}
