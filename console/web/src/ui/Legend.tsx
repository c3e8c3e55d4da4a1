// The legend: what plates and coverage lines mean.
import { useSettings } from "../state/settings";
import { useText } from "../state/useText";

function Plate({ fill, stroke, dash, slash }: { fill: string; stroke: string; dash?: string; slash?: boolean }) {
  return (
    <svg width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">
      <circle r="7" fill={fill} stroke={stroke} strokeWidth="1.4" strokeDasharray={dash} />
      {slash ? <path d="M-7 7 7-7" stroke={stroke} strokeWidth="1.4" /> : null}
    </svg>
  );
}

function CoverKey({ minutes, filled }: { minutes: 1 | 3 | 5; filled: boolean }) {
  const t = useText();
  const opacity = { 1: "var(--c-o1)", 3: "var(--c-o3)", 5: "var(--c-o5)" }[minutes];
  return (
    <span>
      <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true">
        <rect
          x="1"
          y="1"
          width="18"
          height="12"
          rx="2"
          fill={filled ? "var(--c-fill)" : "none"}
          fillOpacity={opacity}
          stroke={filled ? `var(--c-l${minutes})` : "var(--plan)"}
          strokeWidth="1.4"
          strokeDasharray={filled ? (minutes === 5 ? "5 4" : undefined) : "1.5 3"}
        />
      </svg>
      {minutes === 1 ? t("map.legend.cover", { n: 1 }) : t("cover.minutes", { n: minutes })}
    </span>
  );
}

export function Legend() {
  const { coverage } = useSettings();
  const t = useText();
  return (
    <section className="ctl legend" aria-label={t("map.legend")}>
      <span>
        <Plate fill="var(--u-plate)" stroke="var(--line2)" />
        {t("map.legend.free")}
      </span>
      <span>
        <Plate fill="var(--u-busy)" stroke="var(--u-line)" />
        {t("map.legend.engaged")}
      </span>
      <span>
        <Plate fill="var(--halo)" stroke="var(--u-dim)" dash="3 2.4" />
        {t("map.legend.stale")}
      </span>
      <span>
        <Plate fill="var(--halo)" stroke="var(--u-dim)" dash="3 2.4" slash />
        {t("map.legend.offline")}
      </span>
      {coverage === "off"
        ? null
        : ([1, 3, 5] as const).map((minutes) => (
            <CoverKey key={minutes} minutes={minutes} filled={coverage === "area"} />
          ))}
    </section>
  );
}
