// Web Mercator as the map uses it (no turn, no tilt): degrees to pixels of the view, without asking the map.
const TILE = 512;

export interface View {
  readonly lon: number;
  readonly lat: number;
  readonly zoom: number;
  readonly width: number;
  readonly height: number;
}

const mercatorY = (lat: number): number =>
  0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);

/** Pixels from the left and top edge for [lon, lat]. */
export class Projection {
  private readonly scale: number;
  private readonly left: number;
  private readonly top: number;

  constructor(readonly view: View) {
    this.scale = TILE * 2 ** view.zoom;
    this.left = (view.lon / 360 + 0.5) * this.scale - view.width / 2;
    this.top = mercatorY(view.lat) * this.scale - view.height / 2;
  }

  x(lon: number): number {
    return (lon / 360 + 0.5) * this.scale - this.left;
  }

  y(lat: number): number {
    return mercatorY(lat) * this.scale - this.top;
  }

  /** Metres of one pixel at the view's middle. */
  metresPerPixel(): number {
    return (40_075_016.686 * Math.cos((this.view.lat * Math.PI) / 180)) / this.scale;
  }

  contains(x: number, y: number, margin = 0): boolean {
    return x >= -margin && y >= -margin && x <= this.view.width + margin && y <= this.view.height + margin;
  }
}

/** A round length for the scale bar, at most `maxPx` wide: its metres and pixels. */
export function scaleBar(metresPerPixel: number, maxPx: number): { metres: number; px: number } {
  const longest = metresPerPixel * maxPx;
  const power = 10 ** Math.floor(Math.log10(longest));
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= longest) ?? power;
  return { metres, px: metres / metresPerPixel };
}
