// Wires connection, clock, units, alarms and coverage into one live picture; the only instance is `live`.
import type {
  Alarm,
  CommandView,
  CoverageChanged,
  Degraded,
  FlightView,
  IncidentView,
  PlanChanged,
  PlanProgress,
  ProgrammeChanged,
  Resume,
  TaskView,
  ToBrowser,
} from "../wire.generated";
import { AlarmBook } from "./alarmBook";
import { CommandBook } from "./commandBook";
import { Connection, type ConnectionState } from "./connection";
import { ContourBook } from "./contourBook";
import { FlightBook } from "./flightBook";
import type { Frame } from "./frame";
import { IncidentBook, type IncidentNews } from "./incidentBook";
import { LagMeter } from "./lag";
import { Publisher } from "./publisher";
import { ServerClock } from "./serverClock";
import { StatusBook } from "./statusBook";
import type { Summary } from "./summary";
import { UnitStore } from "./unitStore";

const FULL_RATE_HZ = 5;
const LOST_TICK_MS = 1000;

type AlarmListener = (alarm: Alarm) => void;
type IncidentListener = (news: IncidentNews) => void;
type TaskListener = (task: TaskView) => void;
export type PlanningNews = PlanChanged | PlanProgress | ProgrammeChanged;
type PlanningListener = (news: PlanningNews) => void;

class Live {
  readonly store = new UnitStore();
  readonly clock = new ServerClock();
  readonly book = new AlarmBook();
  readonly statuses = new StatusBook();
  readonly incidents = new IncidentBook();
  readonly commands = new CommandBook();
  readonly contours = new ContourBook();
  readonly flights = new FlightBook();
  readonly summary: Publisher<Summary>;
  firstDeltaAt: number | null = null;
  private connectionState: ConnectionState = { phase: "connecting", lostAtMs: null, attempts: 0 };
  private coverage: CoverageChanged | null = null;
  private degraded = new Map<string, Degraded>();
  private rateHz = FULL_RATE_HZ;
  private lag = new LagMeter();
  private epoch: number | null = null;
  private wanted: number[] = [];
  private connection: Connection | null = null;
  private ticker: ReturnType<typeof setInterval> | undefined;
  private alarmListeners = new Set<AlarmListener>();
  private incidentListeners = new Set<IncidentListener>();
  private taskListeners = new Set<TaskListener>();
  private planningListeners = new Set<PlanningListener>();
  private restartListeners = new Set<() => void>();
  private refusedListeners = new Set<() => void>();
  /** The server's time at which the connection broke: what is shown stands still there. */
  private frozenMs: number | null = null;

  constructor() {
    this.summary = new Publisher(() => this.build());
  }

  start(): void {
    if (this.connection) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.connection = new Connection(`${scheme}://${location.host}/ws`, {
      onFrame: (frame) => this.takeFrame(frame),
      onMessage: (message) => this.takeMessage(message),
      onState: (state) => this.takeState(state),
      resume: () => this.resume(),
      subscription: () => ({ bbox: null, unit_ids: this.wanted, hz: FULL_RATE_HZ }),
    });
    this.connection.start();
    this.ticker = setInterval(() => this.summary.later(), LOST_TICK_MS);
  }

  stop(): void {
    this.connection?.stop();
    this.connection = null;
    clearInterval(this.ticker);
  }

  /** Ask for these units wherever they are, with their trails (the selected and followed ones). */
  want(unitIds: number[]): void {
    this.wanted = unitIds;
    this.connection?.subscribe();
  }

  private resume(): Resume | null {
    if (this.epoch === null) return null;
    return { epoch: this.epoch, alarm_seq: this.book.seq, incident_seq: this.incidents.seq };
  }

  /** The server's time now. */
  nowMs(): number {
    return this.clock.nowMs();
  }

  get isLive(): boolean {
    return this.connectionState.phase === "live";
  }

  /** Be told of each alarm that is new. */
  onAlarm(listener: AlarmListener): () => void {
    this.alarmListeners.add(listener);
    return () => this.alarmListeners.delete(listener);
  }

  /** Be told of each change of an incident, new ones too. */
  onIncident(listener: IncidentListener): () => void {
    this.incidentListeners.add(listener);
    return () => this.incidentListeners.delete(listener);
  }

  /** Be told of each standing of an officer's own task. */
  onTask(listener: TaskListener): () => void {
    this.taskListeners.add(listener);
    return () => this.taskListeners.delete(listener);
  }

  /** Be told of plans and programmes that changed, and how far a plan is that this account asked for. */
  onPlanning(listener: PlanningListener): () => void {
    this.planningListeners.add(listener);
    return () => this.planningListeners.delete(listener);
  }

  /** Be told when another run of the server answers: what was read from the old one is to be read anew. */
  onRestart(listener: () => void): () => void {
    this.restartListeners.add(listener);
    return () => this.restartListeners.delete(listener);
  }

  /** Be told when the server ended the session. */
  onRefused(listener: () => void): () => void {
    this.refusedListeners.add(listener);
    return () => this.refusedListeners.delete(listener);
  }

  /** Take the standing of an alarm from the answer to a request. */
  putAlarm(alarm: Alarm): void {
    if (this.book.put(alarm)) this.summary.now();
  }

  /** Take the server's whole list, before the queue speaks. */
  putAlarms(alarms: readonly Alarm[]): void {
    for (const alarm of alarms) this.book.put(alarm);
    this.summary.now();
  }

  /** Take the standing of incidents from the answer to a request. */
  putIncidents(incidents: readonly IncidentView[]): void {
    for (const incident of incidents) this.tellIncident(this.incidents.put(incident));
    this.summary.now();
  }

  /** Take the standing of commands from the answer to a request. */
  putCommands(commands: readonly CommandView[]): void {
    for (const command of commands) this.commands.put(command);
    this.summary.now();
  }

  /** Take a drone's flight from the answer to a request. */
  putFlight(flight: FlightView): void {
    this.flights.put(flight);
    this.summary.now();
  }

  private takeFrame(frame: Frame): void {
    this.clock.take(frame.tMs);
    if (frame.kind === "delta") this.firstDeltaAt ??= performance.now();
    if (frame.kind === "snapshot" || frame.kind === "delta") this.lag.take(frame, this.clock.delayMs(frame.tMs));
    this.store.apply(frame, this.clock.nowMs());
    this.summary.later();
  }

  private takeMessage(message: ToBrowser): void {
    switch (message.type) {
      case "welcome":
        if (this.epoch !== null && this.epoch !== message.epoch) this.restarted();
        this.epoch = message.epoch;
        this.clock.take(message.server_time_ms);
        this.rateHz = message.hz;
        break;
      case "units":
        this.store.setMeta(message.units);
        this.statuses.keepOnly(this.store.meta);
        break;
      case "status":
        this.statuses.take(message.statuses);
        break;
      case "alarm":
        this.takeAlarm(message.seq, message.alarm);
        return;
      case "coverage":
        this.coverage = message;
        break;
      case "contours":
        this.contours.take(message);
        break;
      case "incident":
        this.tellIncident(this.incidents.take(message.seq, message.incident));
        break;
      case "task":
        for (const listener of this.taskListeners) listener(message.task);
        break;
      case "plan_changed":
      case "plan_progress":
      case "programme_changed":
        for (const listener of this.planningListeners) listener(message);
        return;
      case "command":
        this.commands.put(message.command);
        break;
      case "flight":
        this.flights.put(message.flight);
        break;
      case "traffic":
        this.flights.putHazards(message.hazards);
        break;
      case "due":
        this.flights.putDue(message.sorties);
        break;
      case "rate":
        this.rateHz = message.hz;
        break;
      case "degraded":
        if (message.since_ms === null) this.degraded.delete(message.what);
        else this.degraded.set(message.what, message);
        break;
    }
    this.summary.later();
  }

  private restarted(): void {
    this.clock.reset();
    this.book.restart();
    this.statuses.restart();
    this.degraded.clear();
    this.incidents.restart();
    this.commands.restart();
    this.contours.restart();
    this.flights.restart();
    for (const listener of this.restartListeners) listener();
  }

  private tellIncident(news: IncidentNews | null): void {
    if (!news) return;
    for (const listener of this.incidentListeners) listener(news);
  }

  private takeAlarm(seq: number, alarm: Alarm): void {
    const news = this.book.take(seq, alarm);
    if (!news) return;
    this.summary.now();
    if (news.raised) for (const listener of this.alarmListeners) listener(alarm);
  }

  private takeState(state: ConnectionState): void {
    this.connectionState = state;
    if (state.phase === "lost") this.frozenMs ??= this.clock.nowMs();
    if (state.phase === "live") this.frozenMs = null;
    this.summary.now();
    if (state.phase === "refused") for (const listener of this.refusedListeners) listener();
  }

  private build(): Summary {
    return {
      connection: this.connectionState,
      alarms: this.book?.open() ?? [],
      coverage: this.coverage,
      incidents: this.incidents?.open() ?? [],
      degraded: [...this.degraded.values()],
      rateHz: this.rateHz,
      lagMs: this.lag.get(),
      units: this.store.meta,
      unitsVersion: this.store.metaVersion,
      frozenMs: this.frozenMs,
      nowMs: this.clock.nowMs(),
    };
  }

  /** The time for which markers are drawn: stands still while the connection is lost. */
  drawnAtMs(): number {
    return this.frozenMs ?? this.clock.nowMs();
  }
}

export const live = new Live();
