// The map's colours by theme: the design's tokens as plain values, because canvas and WebGL read no style sheets.
import type { Theme } from "../state/settings";

const night = {
  land: "#0c1218",
  contour: "#141d25",
  valley: "#121a21",
  block: "#162028",
  works: "#151e26",
  water: "#10283a",
  park: "#12231f",
  local: "#1d2831",
  secondary: "#26333d",
  primary: "#32414d",
  trunk: "#425362",
  casing: "#0c1218",
  labelDistrict: "#8b9aa8",
  labelRoad: "#7d8c99",
  labelWater: "#6f9fbf",
  labelPark: "#7ba593",
  labelPlace: "#a9b6c2",
  halo: "#0f161d",
  liftedDistrict: "#c6d1da",
  liftedRoad: "#b6c2cd",
  liftedWater: "#b0d2e6",
  liftedPark: "#b4d0c2",
  liftedPlace: "#d3dde5",
  plate: "#2b3844",
  ink: "#e6edf3",
  line: "#0b1015",
  busy: "#eef3f7",
  busyInk: "#121a21",
  dim: "#8d9baa",
  mini: "#9eadba",
  accent: "#74bdf2",
  attn: "#f0b34e",
  alarm: "#ff7069",
  alarmInk: "#1d0605",
  cover: "#48a79c",
  cover1: "#7fd3c8",
  cover3: "#5fb3a9",
  cover5: "#4a827d",
  opacity1: 0.27,
  opacity3: 0.15,
  opacity5: 0.06,
  plan: "#dbe4ec",
};

export type Palette = Readonly<typeof night>;

const day: Palette = {
  land: "#edefe9",
  contour: "#e3e6de",
  valley: "#f5f6f4",
  block: "#eef0ef",
  works: "#ebedec",
  water: "#c3d9e6",
  park: "#d9e8d8",
  local: "#e3e7e9",
  secondary: "#d7dde1",
  primary: "#c8d0d6",
  trunk: "#b3bec7",
  casing: "#f5f6f4",
  labelDistrict: "#56636e",
  labelRoad: "#606d78",
  labelWater: "#2a5a77",
  labelPark: "#3f6d50",
  labelPlace: "#3c4954",
  halo: "#f7f8f6",
  liftedDistrict: "#333f49",
  liftedRoad: "#36424c",
  liftedWater: "#1b4259",
  liftedPark: "#234633",
  liftedPlace: "#2c3741",
  plate: "#ffffff",
  ink: "#1f2b35",
  line: "#5d6b77",
  busy: "#1f2b35",
  busyInk: "#ffffff",
  dim: "#66737e",
  mini: "#43525e",
  accent: "#0a64a8",
  attn: "#8c5200",
  alarm: "#bf1f26",
  alarmInk: "#ffffff",
  cover: "#12857a",
  cover1: "#0b675e",
  cover3: "#22897f",
  cover5: "#6da9a3",
  opacity1: 0.3,
  opacity3: 0.16,
  opacity5: 0.07,
  plan: "#24323e",
};

const PALETTES: Readonly<Record<Theme, Palette>> = { night, day };

export const paletteOf = (theme: Theme): Palette => PALETTES[theme];

/** "#rrggbb" as bytes with an alpha 0..255. */
export function rgba(hex: string, alpha = 255): [number, number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255, alpha];
}

export const FONT = '"Inter Variable","Noto Sans SC Variable",sans-serif';
