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
    rollupOptions: {
      output: {
        manualChunks: (id: string) =>
          id.includes("node_modules/maplibre-gl")
            ? "maplibre"
            : /node_modules\/(@deck\.gl|@luma\.gl|@math\.gl|@probe\.gl|@loaders\.gl)/.test(id)
              ? "deck"
              : undefined,
      },
    },
  },
  server: { proxy: { "/api": server, "/ws": { target: server, ws: true } } },
  test: { environment: "node", include: ["tests/**/*.test.ts"] },
});
