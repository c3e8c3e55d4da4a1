// What floats over the supervisor's map: which coverage is shown, its legend, the word that a what-if is not real.
import type { ReactNode } from "react";
import { toggleFences, toggleLabels, toggleTrails } from "../state/actions";
import { changeDesk, useDesk } from "../state/desk";
import { mayPlan } from "../state/roles";
import { type CoverView, change, useSettings } from "../state/settings";
import { useText } from "../state/useText";
import { leaveWhatIf, useWhatIf } from "../state/whatIf";
import { cycleCover, openMoveUp, openReport, toggleWhatIf } from "./acts";

const VIEWS = ["now", "plan", "change"] as const satisfies readonly CoverView[];

export function SupervisorTools() {
  const { cover, trails, labels, fencesOn } = useSettings();
  const { role, panel } = useDesk();
  const { on } = useWhatIf();
  const t = useText();
  return (
    <div className="ctl maptools" data-testid="cover-tools">
      <b className="lead hide-small">{t("view.label")}</b>
      <span className="seg" role="group" aria-label={t("view.label")} data-testid="cover-view" data-view={cover}>
        {VIEWS.map((view) => (
          <button
            key={view}
            type="button"
            aria-pressed={cover === view}
            data-testid={`cover-${view}`}
            onClick={() => change({ cover: cover === view ? "off" : view })}
          >
            {t(`view.${view}`)}
          </button>
        ))}
      </span>
      <button type="button" className="bare" aria-label={t("help.cover")} title={t("help.cover")} onClick={cycleCover}>
        <span className="kbd">C</span>
      </button>
      <span className="vr" />
      <button type="button" aria-pressed={trails} data-testid="map-trails" onClick={toggleTrails}>
        {t("map.trails")} <span className="kbd">T</span>
      </button>
      <button type="button" aria-pressed={labels} data-testid="map-labels" onClick={toggleLabels}>
        {t("map.labels")} <span className="kbd">L</span>
      </button>
      <button
        type="button"
        aria-pressed={fencesOn.includes("supervisor")}
        data-testid="map-fences"
        onClick={toggleFences}
      >
        {t("app.geofences")} <span className="kbd">G</span>
      </button>
      {mayPlan(role) ? (
        <button type="button" aria-pressed={on} data-testid="whatif-toggle" onClick={toggleWhatIf}>
          {t("whatIf.button")} <span className="kbd">W</span>
        </button>
      ) : null}
      {mayPlan(role) ? (
        <button type="button" aria-pressed={panel === "moveup"} data-testid="moveup-open" onClick={openMoveUp}>
          {t("move.button")} <span className="kbd">U</span>
        </button>
      ) : null}
      <button type="button" data-testid="report-open" onClick={openReport}>
        {t("report.button")} <span className="kbd">P</span>
      </button>
    </div>
  );
}

function Area({ minutes }: { minutes: 1 | 3 | 5 }) {
  const t = useText();
  const { on, reply } = useWhatIf();
  const opacity = { 1: "var(--c-o1)", 3: "var(--c-o3)", 5: "var(--c-o5)" }[minutes];
  const text =
    on && reply && minutes === 1
      ? t("view.legend.whatIf", { n: 1 })
      : minutes === 5
        ? t("view.legend.minutes", { n: 5 })
        : String(minutes);
  return (
    <span>
      <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true">
        <rect
          x="1"
          y="1"
          width="18"
          height="12"
          rx="2"
          fill="var(--c-fill)"
          fillOpacity={opacity}
          stroke={`var(--c-l${minutes})`}
          strokeWidth="1.4"
          strokeDasharray={minutes === 5 ? "5 4" : undefined}
        />
      </svg>
      {text}
    </span>
  );
}

interface LineProps {
  path: string;
  stroke: string;
  dash?: string;
  title?: string;
  children: ReactNode;
}

function Line({ path, stroke, dash, title, children }: LineProps) {
  return (
    <span title={title}>
      <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true">
        <path d={path} fill="none" stroke={stroke} strokeWidth="1.8" strokeLinecap="round" strokeDasharray={dash} />
      </svg>
      {children}
    </span>
  );
}

function Hatched({ children }: { children: ReactNode }) {
  return (
    <span>
      <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true">
        <rect
          x="1"
          y="1"
          width="18"
          height="12"
          rx="2"
          fill="var(--gap)"
          fillOpacity="var(--gap-o)"
          stroke="var(--gap)"
          strokeWidth="1.6"
        />
        <path d="M3 12 10 2M9 12l7-10M15 12l3-4" stroke="var(--gap)" strokeWidth="1.2" />
      </svg>
      {children}
    </span>
  );
}

function Dotted({ children }: { children: ReactNode }) {
  return (
    <span>
      <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true" fill="var(--c-l1)">
        {[4, 10, 16].map((x) => (
          <g key={x}>
            <circle cx={x} cy="4" r="1.4" />
            <circle cx={x - 3} cy="10" r="1.4" />
          </g>
        ))}
      </svg>
      {children}
    </span>
  );
}

export function CoverLegend() {
  const { cover } = useSettings();
  const t = useText();
  return (
    <section className="ctl legend" aria-label={t("map.legend")}>
      {cover === "now" ? ([1, 3, 5] as const).map((minutes) => <Area key={minutes} minutes={minutes} />) : null}
      {cover === "change" ? <Dotted>{t("view.legend.gained")}</Dotted> : null}
      {cover === "change" ? <Hatched>{t("view.legend.lost")}</Hatched> : null}
      {cover === "off" ? null : (
        <Line path="M1 7h18" stroke="var(--plan)" dash="0.1 4" title={t("view.legend.planWhat")}>
          {t(cover === "plan" ? "view.legend.plan" : "view.legend.plan3")}
        </Line>
      )}
      {cover === "off" || cover === "change" ? null : <Hatched>{t("view.legend.gap")}</Hatched>}
      <Line path="M1 7h18" stroke="var(--ring)">
        {t("view.legend.ring")}
      </Line>
    </section>
  );
}

/** Words over the map's top: a place is asked for, or what is shown is not real. */
export function MapWords() {
  const { picking } = useDesk();
  const { on, asking, reply } = useWhatIf();
  const t = useText();
  if (picking !== "none")
    return (
      <div className="ctl mapnote accent" role="status" data-testid="picking">
        {t("incident.picking")}{" "}
        <button type="button" className="btn s" onClick={() => changeDesk({ picking: "none", picked: null })}>
          {t("more.cancel")}
        </button>
      </div>
    );
  if (!on) return null;
  return (
    <div className="ctl mapnote whatif" role="status" data-testid="whatif-note">
      <b>{t("whatIf.title")}</b> {t(asking ? "whatIf.asking" : reply ? "whatIf.on" : "whatIf.hint")}{" "}
      <button type="button" className="btn s" data-testid="whatif-leave" onClick={leaveWhatIf}>
        {t("whatIf.leave")} <span className="kbd">Esc</span>
      </button>
    </div>
  );
}
