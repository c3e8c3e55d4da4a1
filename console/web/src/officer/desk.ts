// The officer's page outside React: place, tasks, answers and calls for help, kept through bad networks; the only instance is `officer`.
import { get, RequestError } from "../api/client";
import { live } from "../live/live";
import { Publisher } from "../live/publisher";
import type { SessionReply, TasksReply, TaskView } from "../wire.generated";
import { FixQueue } from "./fixQueue";
import { type Help, helpOf, NO_HELP, openCall } from "./help";
import { LocalShelf, MemoryShelf, type Shelf } from "./keeper";
import { Locator, reportOf } from "./locator";
import { type Answer, Outbox, type Outgoing, type TaskAnswer } from "./outbox";
import { Pump, type Turn } from "./pump";
import type { Place } from "./route";
import { type Outcome, send, sendFix } from "./send";
import { type SharingFacts, type SharingState, sharingOf } from "./sharing";
import { signalTask } from "./signals";
import { isAtWork, isWaiting, type ShownTask, TaskBook, type TaskNews } from "./taskBook";

const BEAT_MS = 1000;
const CALM_FIX_MS = 5000;
/** A little less than the second between beats, so that no beat is missed by a hair. */
const BUSY_FIX_MS = 900;
const FIX_PATIENCE_MS = 1200;
/** The longest rests between attempts: what was said is hurried, a call for help most of all. */
const SPOKEN_WAIT_MS = 3000;
const FIXES_WAIT_MS = 8000;
const REPEAT_SIGNAL_MS = 10_000;
const SHARING_KEY = "sharing";
const NO_TASK = 404;
const CHANGED = 409;

/** Something that did not happen, to be read once. */
export interface Notice {
  readonly id: number;
  readonly what: TaskAnswer | "sos";
  readonly error: RequestError;
}

export interface OfficerSummary {
  readonly sharing: SharingState;
  readonly facts: SharingFacts;
  readonly sentAtMs: number | null;
  readonly isAwake: boolean;
  readonly batteryRatio: number | null;
  readonly me: Place | null;
  readonly tasks: readonly ShownTask[];
  readonly past: readonly ShownTask[];
  readonly help: Help;
  readonly unsentCount: number;
  readonly notices: readonly Notice[];
  /** The phone's clock when this was built. */
  readonly nowMs: number;
}

class OfficerDesk {
  readonly summary: Publisher<OfficerSummary>;
  private shelf: Shelf = new MemoryShelf();
  private outbox = new Outbox(this.shelf);
  private fixes = new FixQueue(this.shelf);
  private book = new TaskBook();
  private locator: Locator | null = null;
  private session: SessionReply | null = null;
  private out = new Pump(() => this.sendNext(), SPOKEN_WAIT_MS);
  private positions = new Pump(() => this.sendFixes(), FIXES_WAIT_MS);
  private on = false;
  private sinceMs = 0;
  private collectedAtMs = 0;
  private collectedFixMs = 0;
  private sentAtMs: number | null = null;
  private offsetMs = 0;
  private refusal = "";
  private callTakenMs: number | null = null;
  /** A call waits a moment for the phone's place. */
  private isPlacing = false;
  private endedAlarmId = "";
  private notices: Notice[] = [];
  private signalledAtMs = 0;
  private wasLive = false;
  private quit: (() => void)[] = [];

  constructor() {
    this.summary = new Publisher(() => this.build());
  }

  /** Begin for the signed-in officer; sharing goes on only if this account had switched it on and not signed out since. */
  start(session: SessionReply): void {
    if (this.session) return;
    this.session = session;
    this.shelf = new LocalShelf(`skybeat.officer.${session.account_id}.`);
    this.outbox = new Outbox(this.shelf);
    this.fixes = new FixQueue(this.shelf);
    this.book = new TaskBook();
    this.locator = new Locator(() => this.placed());
    void this.locator.look();
    const beat = setInterval(() => this.beat(), BEAT_MS);
    globalThis.addEventListener("online", this.hurry);
    document.addEventListener("visibilitychange", this.seen);
    this.quit = [
      live.onTask((task) => this.heard(this.book.take(task), task)),
      live.summary.subscribe(() => this.watchConnection()),
      () => clearInterval(beat),
      () => globalThis.removeEventListener("online", this.hurry),
      () => document.removeEventListener("visibilitychange", this.seen),
    ];
    if (this.shelf.get(SHARING_KEY) === "1") this.share();
    this.hurry();
    this.watchConnection();
  }

  /** Stop at once; what is unsent stays kept for this account. */
  stop(): void {
    for (const each of this.quit) each();
    this.quit = [];
    this.locator?.stop();
    this.locator = null;
    this.on = false;
    this.session = null;
    this.wasLive = false;
    this.out.stop();
    this.positions.stop();
  }

  /** Signing out ends the sharing for good: the next sign-in begins switched off. */
  signOut(): void {
    this.shelf.remove(SHARING_KEY);
    this.stop();
  }

  /** The officer's switch. */
  setSharing(wanted: "on" | "off"): void {
    if (wanted === "on") this.share();
    else {
      this.on = false;
      this.locator?.stop();
      this.shelf.remove(SHARING_KEY);
    }
    this.summary.now();
  }

  /** Say something to a task; it counts from now, even if it can only be sent later. */
  answer(dispatchId: number, answer: TaskAnswer, reason = ""): void {
    this.outbox.add({ kind: "answer", saidMs: this.stampMs(), dispatchId, answer, reason });
    this.out.now();
    this.summary.now();
  }

  /** What was answered to a task and is not there yet. */
  unsentAnswers(dispatchId: number): readonly Answer[] {
    return this.outbox.answersOf(dispatchId);
  }

  /** Call for help: kept first, sent at once, and again until the server has it. */
  async callHelp(): Promise<void> {
    if (this.help().phase !== "none") return;
    const item = this.outbox.add({ kind: "sos", saidMs: this.stampMs(), position: null });
    this.summary.now();
    this.isPlacing = true;
    const fix = await this.locator?.once(FIX_PATIENCE_MS);
    this.isPlacing = false;
    if (fix) this.outbox.amend(item, { position: this.report(fix) });
    this.out.now();
    this.summary.now();
  }

  endHelp(): void {
    this.outbox.add({ kind: "sosOver", saidMs: this.stampMs() });
    this.out.now();
    this.summary.now();
  }

  /** The officer has read that a task is over. */
  dismiss(dispatchId: number): void {
    this.book.dismiss(dispatchId);
    this.summary.now();
  }

  dropNotice(id: number): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
    this.summary.now();
  }

  /** Now by the server's clock, as far as it is known; the phone's may be wrong. */
  stampMs(): number {
    return Date.now() + this.offsetMs;
  }

  private share(): void {
    this.on = true;
    this.sinceMs = Date.now();
    this.refusal = "";
    this.shelf.set(SHARING_KEY, "1");
    this.locator?.start();
  }

  private report(fix: GeolocationPosition) {
    return reportOf(fix, this.offsetMs, this.locator?.batteryRatio ?? null);
  }

  private placed(): void {
    this.collect();
    this.summary.later();
  }

  private beat(): void {
    if (this.on) this.locator?.nudge();
    this.collect();
    this.positions.soon();
    this.out.soon();
    this.repeatSignal();
    this.summary.later();
  }

  /** Keep the newest fix if one is due: each second on the way, each five else. */
  private collect(): void {
    const fix = this.locator?.fix;
    if (!this.on || !fix || fix.timestamp === this.collectedFixMs) return;
    const everyMs = this.current().some(({ state }) => isAtWork(state)) ? BUSY_FIX_MS : CALM_FIX_MS;
    if (Date.now() - this.collectedAtMs < everyMs) return;
    this.collectedAtMs = Date.now();
    this.collectedFixMs = fix.timestamp;
    this.fixes.push(this.report(fix));
    this.positions.soon();
  }

  private async sendFixes(): Promise<Turn> {
    const [fix] = this.fixes.head(1);
    if (!fix || !this.session) return "done";
    if (!navigator.onLine) return "later";
    const outcome = await sendFix(fix);
    if (outcome.became === "later") return "later";
    this.fixes.taken([fix]);
    if (outcome.became === "taken") {
      this.sentAtMs = Date.now();
      this.refusal = "";
    } else this.refusal = outcome.error.detail || outcome.error.key;
    this.summary.later();
    return this.fixes.length > 0 ? "more" : "done";
  }

  private async sendNext(): Promise<Turn> {
    const item = this.outbox.next();
    if (!item || !this.session || (item.kind === "sos" && this.isPlacing)) return "done";
    if (!navigator.onLine) return "later";
    const outcome = await send(item);
    if (outcome.became === "later") return "later";
    if (outcome.became === "refused" && item.kind === "sos") {
      this.notice("sos", outcome.error); // never dropped: somebody may mend the account meanwhile
      return "later";
    }
    this.outbox.remove(item);
    this.conclude(item, outcome);
    this.summary.now();
    return this.outbox.next() ? "more" : "done";
  }

  private conclude(item: Outgoing, outcome: Outcome): void {
    if (item.kind === "sos") this.callTakenMs = this.alarm() ? null : item.saidMs;
    if (item.kind === "sosOver") {
      this.callTakenMs = null;
      this.endedAlarmId = this.alarm()?.alarm_id ?? "";
    }
    if (item.kind !== "answer") return;
    if (outcome.became === "taken" && outcome.task) this.book.take(outcome.task);
    if (outcome.became !== "refused") return;
    const isMine = outcome.error.status !== CHANGED && outcome.error.status !== NO_TASK;
    if (item.answer !== "received" || isMine) this.notice(item.answer, outcome.error);
    void this.readTasks();
  }

  private notice(what: Notice["what"], error: RequestError): void {
    if (this.notices.some((known) => known.what === what && known.error.status === error.status)) return;
    this.notices = [...this.notices, { id: Date.now() + this.notices.length, what, error }].slice(-3);
  }

  /** A new task is acknowledged by the phone itself, sounded and shaken. */
  private heard(news: TaskNews | null, task: TaskView): void {
    if (news === null) return;
    const { dispatch_id, state } = task.dispatch;
    if (state === "queued" || state === "sent") {
      const told = this.outbox.answersOf(dispatch_id).some(({ answer }) => answer === "received");
      if (!told) this.answer(dispatch_id, "received");
    }
    if ((news === "new" && isWaiting(state)) || news === "recalled") this.signal();
    this.summary.now();
  }

  private signal(): void {
    this.signalledAtMs = Date.now();
    signalTask();
  }

  /** What nobody answered is sounded again. */
  private repeatSignal(): void {
    const waits = this.current().some(({ state, ending }) => ending === null && isWaiting(state));
    if (waits && Date.now() - this.signalledAtMs > REPEAT_SIGNAL_MS) this.signal();
  }

  private async readTasks(): Promise<void> {
    try {
      const { tasks } = await get<TasksReply>("/api/me/tasks");
      const known = new Set(this.book.all(() => []).map(({ task }) => task.dispatch.dispatch_id));
      const news = this.book.takeList(tasks);
      for (const task of tasks) {
        if (!known.has(task.dispatch.dispatch_id)) this.heard("new", task);
      }
      if (news.includes("recalled")) this.signal();
      this.summary.now();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
    }
  }

  private watchConnection(): void {
    const isLive = live.isLive;
    if (this.alarm()) this.callTakenMs = null; // from here on the alarm itself tells
    if (isLive) this.offsetMs = Math.round(live.nowMs() - Date.now());
    if (isLive && !this.wasLive) {
      void this.readTasks();
      this.hurry();
    }
    this.wasLive = isLive;
    this.summary.later();
  }

  private hurry = (): void => {
    this.out.now();
    this.positions.now();
  };

  private seen = (): void => {
    if (document.visibilityState !== "visible") return;
    this.sinceMs = Date.now();
    this.hurry();
  };

  private alarm() {
    const alarm = openCall(live.book.open(), this.session?.unit_id ?? null);
    return alarm && alarm.alarm_id !== this.endedAlarmId ? alarm : null;
  }

  private help(): Help {
    return this.session ? helpOf(this.outbox.all(), this.alarm(), this.callTakenMs) : NO_HELP;
  }

  private current(): ShownTask[] {
    return this.book.current((id) => this.outbox.answersOf(id));
  }

  private build(): OfficerSummary {
    const fix = this.on ? (this.locator?.fix ?? null) : null;
    const nowMs = Date.now();
    const facts: SharingFacts = {
      on: this.on,
      permission: this.locator?.permission ?? "unknown",
      sinceMs: this.sinceMs,
      fixAtMs: fix?.timestamp ?? null,
      accuracyM: fix?.coords.accuracy ?? null,
      keptCount: this.fixes?.length ?? 0,
      isOffline: (this.positions?.isStuck ?? false) || !navigator.onLine,
      refusal: this.refusal ?? "",
    };
    return {
      sharing: sharingOf(facts, nowMs),
      facts,
      sentAtMs: this.sentAtMs,
      isAwake: this.locator?.isAwake ?? false,
      batteryRatio: this.locator?.batteryRatio ?? null,
      me: fix ? [fix.coords.longitude, fix.coords.latitude] : null,
      tasks: this.current(),
      past: this.book.all((id) => this.outbox.answersOf(id)).filter(({ ending }) => ending !== null),
      help: this.help(),
      unsentCount: this.outbox.all().filter((item) => item.kind !== "answer" || item.answer !== "received").length,
      notices: this.notices,
      nowMs,
    };
  }
}

export const officer = new OfficerDesk();
