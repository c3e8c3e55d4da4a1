// Line icons of the interface and the unit glyphs as SVG.
import { GLYPHS, type GlyphName } from "../map/glyphs";

const LINES = {
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.3 15.3 20 20",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  help: "M9 9a3 3 0 1 1 4.2 2.7c-.8.4-1.2.9-1.2 1.8v.5M12 17.5v.2",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z",
  out: "M14 4H6v16h8M10 12h10M17 9l3 3-3 3",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4",
  mute: "M6 17V11a6 6 0 0 1 9-5.2M18 11v6l1.5 1.5h-15L6 17M10 21h4M4 4l16 16",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.5M4 12h.5M4 18h.5",
  map: "M9 4 3 6.5v13L9 17l6 2.5 6-2.5V4l-6 2.5zM9 4v13M15 6.5v13",
  menu: "M4 6h16M4 12h16M4 18h16",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  play: "M7 4l13 8-13 8z",
  phone: "M6 3h4l1.5 5-2.5 2a12 12 0 0 0 5 5l2-2.5 5 1.5v4c0 1-1 2-2 2C11 20 4 13 4 5c0-1 1-2 2-2z",
  pin: "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11zM12 7.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  task: "M6 4h12v17H6zM9 2.5h6v3H9zM9 11h6M9 15h4",
} as const;

export type IconName = keyof typeof LINES;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={LINES[name]} />
    </svg>
  );
}

export function UnitGlyph({ name, size = 20 }: { name: GlyphName; size?: number }) {
  const { fill, stroke } = GLYPHS[name];
  return (
    <svg className="glyph" width={size} height={size} viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
      {fill.map((path) => (
        <path key={path} d={path} fillRule="evenodd" />
      ))}
      {stroke ? <path d={stroke} fill="none" stroke="currentColor" strokeWidth="1.9" /> : null}
    </svg>
  );
}

export function Brand() {
  return (
    <svg viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path
        d="M3 16.5 9 6l4 7 3-4.5 5 8"
        stroke="var(--accent)"
        strokeWidth="2"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
      <circle cx="9" cy="20" r="1.6" fill="var(--t1)" />
      <circle cx="15" cy="20" r="1.6" fill="var(--t3)" />
    </svg>
  );
}
