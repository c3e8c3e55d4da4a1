// Loads the slices of the bundled fonts that the map's names need, before the map draws its first glyph.
const NAME = /"(?:name_zh|name_en)":\s*"((?:[^"\\]|\\.)*)"/g;
const ALWAYS = "0123456789 .·–-−•ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz’";
const FACES = [
  '400 14px "Noto Sans SC Variable"',
  '500 14px "Noto Sans SC Variable"',
  '400 14px "Inter Variable"',
  '500 14px "Inter Variable"',
  '600 14px "Inter Variable"',
];

/** All different characters of the names in GeoJSON texts. */
export function charactersIn(documents: readonly string[]): string {
  const found = new Set(ALWAYS);
  for (const content of documents) {
    for (const match of content.matchAll(NAME))
      for (const character of JSON.parse(`"${match[1]}"`) as string) found.add(character);
  }
  return [...found].join("");
}

/** Load what `characters` need; a font that does not come is no reason to show no map. */
export async function loadFonts(characters: string): Promise<void> {
  await Promise.allSettled(FACES.map((face) => document.fonts.load(face, characters)));
}
