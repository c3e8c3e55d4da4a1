// The fields of a task: names, kind and priority, when, how well it is seen, how it is flown, approval.
import { useText } from "../state/useText";
import type { Light, PatternKind, Programme, Task, TaskKind } from "../wire.generated";
import { ChoiceRow, Group, NumberRow, ShareRow, TextRow } from "./fields";
import { redraft } from "./planDesk";
import { RecurrenceFields, WindowRows } from "./TimeFields";

export const TASK_KINDS: readonly TaskKind[] = ["area", "corridor", "perimeter", "point", "event", "search", "streets"];
const LIGHTS: readonly Light[] = ["any", "day", "night"];
const PATTERNS: Readonly<Record<TaskKind, readonly PatternKind[]>> = {
  area: ["survey", "viewpoints", "perimeter"],
  corridor: ["corridor", "viewpoints"],
  perimeter: ["perimeter"],
  point: ["hold", "orbit", "viewpoints"],
  event: ["hold", "orbit"],
  search: ["expanding_square", "sector", "parallel_track"],
  streets: ["patrol"],
};
const OVERLAPPING: ReadonlySet<TaskKind> = new Set(["area", "search", "corridor"]);
const WIDE: ReadonlySet<TaskKind> = new Set(["corridor", "perimeter", "search", "streets"]);

/** Kinds whose shape is drawn alike: changing between them keeps the drawing. */
const SHAPED: Readonly<Record<TaskKind, string>> = {
  area: "Polygon",
  perimeter: "Polygon",
  corridor: "LineString",
  streets: "LineString",
  point: "Point",
  event: "Point",
  search: "Point",
};

const set = (part: Partial<Task>): void => redraft<"tasks">(part);

interface Props {
  readonly task: Task;
  readonly programme: Programme;
  readonly day: string;
}

function chooseKind(task: Task, kind: TaskKind): void {
  const geometry = task.geometry.type === SHAPED[kind] ? task.geometry : {};
  set({ kind, pattern: null, geometry, width_m: WIDE.has(kind) ? (task.width_m ?? 80) : null });
}

export function TaskFields({ task, programme, day }: Props) {
  const t = useText();
  const cameras = [...new Set(programme.airframes.flatMap((each) => each.cameras.map((camera) => camera.name)))];
  return (
    <>
      <div className="form">
        <TextRow
          name="name_zh"
          lang="zh"
          label={t("plan.f.name_zh")}
          value={task.name_zh}
          onChange={(name_zh) => set({ name_zh })}
        />
        <TextRow
          name="name_en"
          lang="en"
          label={t("plan.f.name_en")}
          value={task.name_en}
          onChange={(name_en) => set({ name_en })}
        />
        <div className="two">
          <ChoiceRow
            name="kind"
            label={t("plan.f.kind")}
            value={task.kind}
            all={TASK_KINDS}
            word={(kind) => t(`plan.task.${kind}`)}
            onChange={(kind) => chooseKind(task, kind)}
          />
          <NumberRow
            name="priority"
            label={t("plan.f.priority")}
            unit="0–10"
            value={task.priority}
            isNeeded
            onChange={(value) => value !== null && set({ priority: value })}
          />
        </div>
      </div>
      <Group title={t("plan.group.when")}>
        <RecurrenceFields
          recurrence={task.recurrence}
          zone={programme.zone}
          day={day}
          onChange={(recurrence) => set({ recurrence })}
        />
        <WindowRows
          name="windows"
          windows={task.windows}
          zone={programme.zone}
          day={day}
          empty={t(task.recurrence ? "plan.noWindows" : "plan.anyTime")}
          onChange={(windows) => set({ windows })}
        />
        <Often task={task} />
      </Group>
      <Group title={t("plan.group.seen")}>
        <Seen task={task} cameras={cameras} />
      </Group>
      <Group title={t("plan.group.more")} isOpen={false}>
        <ChoiceRow
          name="pattern"
          label={t("plan.f.pattern")}
          value={task.pattern ?? ""}
          all={["", ...PATTERNS[task.kind]] as const}
          word={(each) => (each ? t(`plan.pattern.${each}`) : t("plan.usual"))}
          onChange={(each) => set({ pattern: each || null })}
        />
        <TextRow
          name="approval"
          label={t("plan.f.approval")}
          value={task.approval}
          onChange={(approval) => set({ approval })}
        />
        <TextRow name="note" rows={3} label={t("plan.f.note")} value={task.note} onChange={(note) => set({ note })} />
      </Group>
    </>
  );
}

function Often({ task }: { task: Task }) {
  const t = useText();
  if (task.kind === "event")
    return (
      <div className="two">
        <NumberRow
          name="watcher_count"
          label={t("plan.f.watcher_count")}
          value={task.watcher_count}
          isNeeded
          onChange={(value) => value !== null && set({ watcher_count: value })}
        />
        <NumberRow
          name="overlap_s"
          label={t("plan.f.overlap_s")}
          unit="s"
          value={task.overlap_s}
          isNeeded
          onChange={(value) => value !== null && set({ overlap_s: value })}
        />
      </div>
    );
  return (
    <div className="two">
      <NumberRow
        name="revisit_s"
        label={t("plan.f.revisit_s")}
        unit="min"
        scale={60}
        digits={1}
        value={task.revisit_s}
        onChange={(revisit_s) => set({ revisit_s })}
      />
      <NumberRow
        name="dwell_s"
        label={t("plan.f.dwell_s")}
        unit="s"
        value={task.dwell_s}
        isNeeded
        onChange={(value) => value !== null && set({ dwell_s: value })}
      />
    </div>
  );
}

function Seen({ task, cameras }: { task: Task; cameras: readonly string[] }) {
  const t = useText();
  return (
    <>
      <div className="two">
        <NumberRow
          name="alt_agl_m"
          label={t("plan.f.alt_agl_m")}
          unit="m"
          value={task.alt_agl_m}
          onChange={(alt_agl_m) => set({ alt_agl_m })}
        />
        <NumberRow
          name="ground_pixel_m"
          label={t("plan.f.ground_pixel_m")}
          unit="cm"
          scale={0.01}
          digits={2}
          value={task.ground_pixel_m}
          onChange={(ground_pixel_m) => set({ ground_pixel_m })}
        />
      </div>
      {task.alt_agl_m !== null && task.ground_pixel_m !== null ? (
        <p className="f12 t3">{t("plan.heightWins")}</p>
      ) : null}
      <div className="two">
        {WIDE.has(task.kind) ? (
          <NumberRow
            name="width_m"
            label={t(task.kind === "search" ? "plan.f.radius_m" : "plan.f.width_m")}
            unit="m"
            value={task.width_m}
            onChange={(width_m) => set({ width_m })}
          />
        ) : null}
        {OVERLAPPING.has(task.kind) ? (
          <ShareRow
            name="side_overlap_ratio"
            label={t("plan.f.side_overlap_ratio")}
            value={task.side_overlap_ratio}
            isNeeded
            onChange={(value) => value !== null && set({ side_overlap_ratio: value })}
          />
        ) : null}
      </div>
      <div className="two">
        <TextRow
          name="camera"
          label={t("plan.f.camera")}
          hint={task.camera ? undefined : t("plan.anyCamera")}
          options={cameras}
          value={task.camera}
          onChange={(camera) => set({ camera })}
        />
        <ChoiceRow
          name="light"
          label={t("plan.f.light")}
          value={task.light}
          all={LIGHTS}
          word={(light) => t(`plan.light.${light}`)}
          onChange={(light) => set({ light })}
        />
      </div>
    </>
  );
}
