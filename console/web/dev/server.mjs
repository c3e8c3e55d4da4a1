// A stand-in for the console while the web app is developed: REST and websocket with units that move on the demo city's roads.
// Run: SKYBEAT_MOCK_CITY=/path/to/data/city node dev/server.mjs [port] [units]. Never shipped.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { WebSocketServer } from "ws";
import { makeDesk } from "./desk.mjs";
import { deskApi } from "./deskApi.mjs";
import { makeDevices } from "./devices.mjs";
import { makeForce } from "./force.mjs";
import { makeOfficer } from "./officer.mjs";
import { packTrail, packUnits } from "./pack.mjs";

const port = Number(process.argv[2] ?? 8765);
const unitCount = Number(process.argv[3] ?? 226);
const city = process.env.SKYBEAT_MOCK_CITY;
const statics = process.env.SKYBEAT_MOCK_STATIC ?? new URL("../../static/", import.meta.url).pathname;
const epoch = Math.floor(Date.now() / 1000);
const CSP =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const json = (path) =>
  JSON.parse(existsSync(path) ? readFileSync(path, "utf8") : gunzipSync(readFileSync(`${path}.gz`)).toString());
const facts = json(join(city, "city.json"));
const layers = Object.fromEntries(
  ["relief", "valley", "water", "parks", "blocks", "roads", "labels", "places"].map((name) => [
    name,
    JSON.stringify(json(join(city, "basemap", `${name}.geojson`))),
  ]),
);
const planned = JSON.stringify(json(join(city, "planned.geojson")));
const force = makeForce(facts, JSON.parse(layers.roads), unitCount);
const desk = makeDesk(force, JSON.parse(planned));
const devices = makeDevices(force, (message) => everyone(JSON.stringify(message)));
const role = process.env.SKYBEAT_MOCK_ROLE ?? "supervisor";
/** The unit of an officer who signs in: a car. */
const OFFICER_UNIT = 22;
const officer = role === "officer" ? makeOfficer(force, OFFICER_UNIT) : null;
const unitId = officer ? OFFICER_UNIT : null;
const scope = officer ? force.meta.filter((unit) => unit.unit_id === OFFICER_UNIT) : force.meta;

let signedIn = process.env.SKYBEAT_MOCK_SIGNED_OUT !== "1";
const session = () => ({
  account_id: 1,
  name: "zhou",
  role,
  station_ids: [],
  unit_id: unitId,
  must_set_password: false,
  expires_at: "2030-01-01T00:00:00Z",
});

function reply(response, status, body, type = "application/json") {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
  });
  response.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function sendFile(response, path) {
  const file = join(statics, path);
  const found = existsSync(file) && extname(file) ? file : join(statics, "index.html");
  reply(response, 200, readFileSync(found), TYPES[extname(found)] ?? "application/octet-stream");
}

function api(method, url, body, response) {
  const { pathname } = url;
  if (pathname === "/api/session/link" || (pathname === "/api/session" && method === "POST")) {
    signedIn = body.token ? body.token !== "bad" : body.password === "correct-horse-1";
    return signedIn
      ? reply(response, 200, session())
      : reply(response, 401, { error: "unauthenticated", detail: "wrong" });
  }
  if (!signedIn) return reply(response, 401, { error: "unauthenticated", detail: "sign in" });
  if (pathname === "/api/session" && method === "DELETE") {
    signedIn = false;
    return reply(response, 204, "");
  }
  if (pathname === "/api/session") return reply(response, 200, session());
  if (pathname === "/api/account/password") return reply(response, 204, "");
  if (pathname === "/api/units") return reply(response, 200, { units: force.meta });
  if (pathname === "/api/stations") return reply(response, 200, { stations: force.stations });
  if (pathname === "/api/posts") return reply(response, 200, { posts: force.docks });
  if (pathname === "/api/alarms") return reply(response, 200, { alarms: force.alarms() });
  if (pathname === "/api/map") return reply(response, 200, { ...facts, layers: Object.keys(layers) });
  if (pathname === "/api/coverage/planned") return reply(response, 200, planned);
  const layer = /^\/api\/map\/(\w+)\.geojson$/.exec(pathname);
  if (layer) return reply(response, 200, layers[layer[1]], "application/geo+json");
  const ack = /^\/api\/alarms\/([^/]+)\/acknowledge$/.exec(pathname);
  if (ack) return reply(response, 200, { alarm: force.acknowledge(decodeURIComponent(ack[1]), "zhou") });
  const told = officer?.api(method, pathname, body);
  if (told) return reply(response, told.status, told.body);
  if (deskApi(desk, { method, url, body, reply: (status, answer, type) => reply(response, status, answer, type) }))
    return;
  const ofDevices = devices(method, pathname, body);
  if (ofDevices !== undefined) return reply(response, 200, ofDevices);
  const track = /^\/api\/units\/(\d+)\/track$/.exec(pathname);
  if (track) return reply(response, 200, force.track(Number(track[1])));
  return reply(response, 404, { error: "not_found", detail: pathname });
}

const server = createServer((request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  if (!url.pathname.startsWith("/api/")) return sendFile(response, url.pathname);
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () =>
    api(request.method, url, parts.length ? JSON.parse(Buffer.concat(parts).toString()) : {}, response),
  );
});

const sockets = new WebSocketServer({ server, path: "/ws", handleProtocols: () => "skb1" });
let seq = 0;

sockets.on("connection", (socket) => {
  const say = (message) => socket.send(JSON.stringify(message));
  socket.on("message", (data) => {
    const message = JSON.parse(data.toString());
    if (message.type === "sub") {
      for (const id of message.unit_ids ?? []) {
        const places = force.trail(id);
        if (places.length) socket.send(packTrail(id, places, epoch, Date.now()));
      }
    }
    if (message.type !== "hello") return;
    say({
      type: "welcome",
      epoch,
      server_time_ms: Date.now(),
      role,
      station_ids: [],
      unit_id: unitId,
      hz: 5,
    });
    say({ type: "units", units: scope });
    for (const entry of force.alarmLog) if (!message.resume || entry.seq > message.resume.alarm_seq) say(entry);
    socket.send(packUnits(1, force.all(), epoch, ++seq, Date.now()));
    for (const entry of desk.log()) say(entry);
    say(desk.coverage(force.coverage()));
    say(desk.contours());
    for (const entry of officer?.entries() ?? []) say(entry);
    socket.ready = true;
  });
});

const everyone = (data) => {
  for (const client of sockets.clients) if (client.ready && client.readyState === 1) client.send(data);
};
force.onAlarm((entry) => everyone(JSON.stringify(entry)));
setInterval(() => {
  const changed = force.step(Date.now());
  if (changed.length) everyone(packUnits(2, changed, epoch, ++seq, Date.now()));
}, 200);
setInterval(() => everyone(packUnits(1, force.all(), epoch, ++seq, Date.now())), 10_000);
officer?.onTask((entry) => everyone(JSON.stringify(entry)));
desk.onIncident((entry) => everyone(JSON.stringify(entry)));
setInterval(() => everyone(JSON.stringify(desk.coverage(force.coverage()))), 1000);
setInterval(() => everyone(JSON.stringify(desk.contours())), 3000);
server.listen(port, "127.0.0.1", () =>
  console.log(`mock console on http://127.0.0.1:${port} with ${force.meta.length} units`),
);
