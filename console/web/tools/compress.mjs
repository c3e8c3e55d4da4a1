// Writes a .gz twin beside every text asset of the build, so that the server never compresses while it serves.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const root = process.env.SKYBEAT_WEB_OUT ?? "../static";
const compressible = /\.(js|mjs|css|html|svg|json)$/;

for (const name of readdirSync(root, { recursive: true })) {
  const path = join(root, String(name));
  if (!statSync(path).isFile() || !compressible.test(path)) continue;
  const packed = gzipSync(readFileSync(path), { level: 9, mtime: 0 });
  writeFileSync(`${path}.gz`, packed);
}
