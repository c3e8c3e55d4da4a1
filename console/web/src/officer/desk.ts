// The officer's page outside React: tasks, answers and calls for help, kept through bad networks; the only instance is `officer`.
import { get, RequestError } from "../api/client";
import { live } from "../live/live";
import { Publisher } from "../live/publisher";
import type { SessionReply, TasksReply, TaskView } from "../wire.generated";
import { type Help, helpOf, NO_HELP, openCall } from "./help";
import { LocalShelf, MemoryShelf, type Shelf } from "./keeper";
import { type Answer, Outbox, type Outgoing, type TaskAnswer } from "./outbox";
import { PlaceDesk } from "./placeDesk";
import { Pump, type Turn } from "./pump";
import type { Place } from "./route";
import { type Outcome, send } from "./send";
import { type SharingFacts, type SharingState, sharingOf } from "./sharing";
import { signalTask } from "./signals";
import { isAtWork, isWaiting, type ShownTask, TaskBook, type TaskNews } from "./taskBook";

const BEAT_MS = 1000;
const FIX_PATIENCE_MS = 1200;
/** The longest rest between attempts: a call for help does not wait. */
const LONGEST_WAIT_MS = 3000;
const REPEAT_SIGNAL_MS = 10_000;
const SETTLE_STEP_MS = 100;
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
  private book = new TaskBook();
  private place = this.placeOn(this.shelf);
  private session: SessionReply | null = null;
  private out = new Pump(() => this.sendNext(), LONGEST_WAIT_MS);
  private offsetMs = 0;
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
    this.place = this.placeOn(this.shelf);
    this.book = new TaskBook();
    this.callTakenMs = null;
    this.endedAlarmId = "";
    this.notices = [];
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
    this.place.start();
    this.hurry();
    this.watchConnection();
  }

  /** Stop at once; what is unsent stays kept for this account. */
  stop(): void {
    for (const each of this.quit) each();
    this.quit = [];
    this.place.stop();
    this.session = null;
    this.wasLive = false;
    this.out.stop();
  }

  /** Signing out ends the sharing for good: the next sign-in begins switched off. */
  signOut(): void {
    this.place.set("off");
    this.stop();
  }

  /** Wait until nothing is unsent, at most `patienceMs`; tells whether all was sent. */
  async settle(patienceMs: number): Promise<boolean> {
    this.hurry();
    const untilMs = Date.now() + patienceMs;
    while (this.hasUnsent() && Date.now() < untilMs) await new Promise((go) => setTimeout(go, SETTLE_STEP_MS));
    return !this.hasUnsent();
  }

  private hasUnsent(): boolean {
    return this.place.facts().keptCount > 0 || this.outbox.all().length > 0;
  }

  /** The officer's switch. */
  setSharing(wanted: "on" | "off"): void {
    this.place.set(wanted);
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
    const position = await this.place.once(FIX_PATIENCE_MS);
    this.isPlacing = false;
    if (position) this.outbox.amend(item, { position });
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

  private placeOn(shelf: Shelf): PlaceDesk {
    return new PlaceDesk(shelf, {
      offsetMs: () => this.offsetMs,
      isBusy: () => this.current().some(({ state }) => isAtWork(state)),
      onChange: () => this.summary.later(),
    });
  }

  private beat(): void {
    this.place.beat();
    this.out.soon();
    this.repeatSignal();
    this.summary.later();
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
    this.place.hurry();
  };

  private seen = (): void => {
    if (document.visibilityState !== "visible") return;
    this.place.seen();
    this.out.now();
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
    const nowMs = Date.now();
    const facts = this.place.facts();
    return {
      sharing: sharingOf(facts, nowMs),
      facts,
      sentAtMs: this.place.sentAtMs,
      isAwake: this.place.isAwake,
      batteryRatio: this.place.batteryRatio,
      me: this.place.me,
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
