// How the web app is built: hashed assets into ../static, nothing inlined (the content security policy forbids it).
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.SKYBEAT_DEV_SERVER ?? "http://127.0.0.1:8765";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: process.env.SKYBEAT_WEB_OUT ?? "../static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // The loader of parts stands alone: within another part it would bring that part to every page.
            { name: "parts", test: /preload-helper/, priority: 2 },
            { name: "maplibre", test: /node_modules\/maplibre-gl/, priority: 1 },
            { name: "deck", test: /node_modules\/(@deck\.gl|@luma\.gl|@math\.gl|@probe\.gl|@loaders\.gl)/ },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": server, "/ws": { target: server, ws: true } } },
  test: { environment: "node", include: ["tests/**/*.test.ts"] },
});
