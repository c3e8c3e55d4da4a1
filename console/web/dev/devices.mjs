// The mock console's devices, links and commands: enough of each for the pages to be looked at while they are changed.
const RULES = [
  {
    protocol: "gb28181",
    secret: "password",
    form: "[0-9]{14,20}",
    example: "44010200491320000001",
    said: "the device's id",
    pairs: false,
    takes: ["request_position", "track_faster", "open_video", "close_video"],
  },
  {
    protocol: "jt808",
    secret: "code",
    form: "[1-9][0-9]{0,19}",
    example: "13912345678",
    said: "the terminal's phone number",
    pairs: true,
    takes: ["send_text", "request_position", "track_faster"],
  },
  {
    protocol: "mavlink",
    secret: "signing_key",
    form: "[a-z0-9_-]{1,32}/[0-9]{1,3}",
    example: "main/1",
    said: "LINK_GROUP/SYSTEM_ID",
    pairs: false,
    takes: ["send_text", "request_position", "set_report_interval"],
  },
  { protocol: "osmand", secret: "token", form: "", example: "", said: "", pairs: false, takes: [] },
];
const PROTOCOLS = { drone: "mavlink", car: "jt808", motorcycle: "jt808", mobile_room: "jt808", officer: "osmand" };
const OPTIONS = {
  utc_offset_s: 28_800,
  crs: "wgs84",
  ignores_checksum: false,
  ignores_length: false,
  trust: null,
  allowed_hosts: [],
};
const LINKS = ["always", "live", "live", "live", "stale", "live", "lost"];

const addressOf = (protocol, id) =>
  protocol === "mavlink" ? `main/${id}` : protocol === "osmand" ? null : String(13_900_000_000 + id);

function deviceOf(unit, { device_id: id }) {
  const protocol = PROTOCOLS[unit.kind];
  const link = LINKS[id % LINKS.length] === "always" ? "live" : LINKS[id % LINKS.length];
  return {
    device_id: id,
    protocol,
    address: addressOf(protocol, id),
    label: unit.call_sign,
    report_interval_s: 5,
    revoked: false,
    unit_id: unit.unit_id,
    link,
    heard_ms: Date.now() - (link === "live" ? 1000 : 90_000),
    secret_state: id % 13 === 0 ? "waiting" : "set",
    pairs_until_ms: id % 13 === 0 ? Date.now() + 80_000_000 : null,
    registered_at: null,
    registered_until_ms: null,
    options: OPTIONS,
    is_managed: true,
  };
}

export function makeDevices(force, tell) {
  const devices = force.meta.flatMap((unit) => unit.devices.map((device) => deviceOf(unit, device)));
  const ago = (s) => new Date(Date.now() - s * 1000).toISOString();
  let strangers = [
    {
      protocol: "jt808",
      address: "13800138000",
      reason: "unknown terminal: maker ACME, model T1",
      first_seen_at: ago(900),
      last_seen_at: ago(4),
      seen_count: 31,
    },
    {
      protocol: "osmand",
      address: "d400dcc5",
      reason: "unknown token",
      first_seen_at: ago(60),
      last_seen_at: ago(20),
      seen_count: 2,
    },
  ];
  const commands = [];
  const began = Date.now();
  const find = (id) => devices.find((device) => device.device_id === Number(id));
  const issue = (device) => ({
    device_id: device.device_id,
    protocol: device.protocol,
    address: device.address,
    unit_id: device.unit_id,
    secret: "0123456789abcdef0123456789abcdef",
    secret_kind: RULES.find((rule) => rule.protocol === device.protocol).secret,
    pairs_until_ms: null,
    place: null,
  });

  function enrol(body) {
    const unit = force.meta.find((each) => each.unit_id === body.unit_id) ?? force.meta[0];
    const device = {
      ...deviceOf(unit, { device_id: 9000 + devices.length }),
      protocol: body.protocol,
      address: body.address || null,
      label: body.label ?? "",
      unit_id: body.unit_id ?? null,
      link: "never",
      heard_ms: null,
    };
    devices.push(device);
    strangers = strangers.filter((name) => name.address !== body.address);
    return issue(device);
  }

  function give(unitId, body) {
    const now = Date.now();
    const command = {
      command_id: now,
      unit_id: unitId,
      device_id: unitId,
      state: "queued",
      ordered_by: "zhou",
      queued_ms: now,
      expires_ms: now + 600_000,
      sent_ms: null,
      ended_ms: null,
      answer: "",
      text: null,
      is_spoken: false,
      is_urgent: false,
      interval_s: null,
      duration_s: null,
      channel: null,
      ...body,
    };
    commands.unshift(command);
    const move = (state, part) => tell({ type: "command", command: Object.assign(command, { state }, part) });
    setTimeout(() => move("sent", { sent_ms: Date.now() }), 800);
    setTimeout(() => move("delivered", { ended_ms: Date.now() }), 2500);
    return { command };
  }

  const unitDevices = (unitId) => ({
    unit_id: unitId,
    trusted_device_id: null,
    devices: devices
      .filter((device) => device.unit_id === unitId)
      .map((device, at) => ({
        ...device,
        trust: 4,
        is_shown: at === 0,
        is_trusted: false,
        observed_ms: device.heard_ms,
        distance_m: 0,
        disagrees: false,
        accuracy_m: 6,
        battery_ratio: null,
        quality: 0,
        takes: RULES.find((rule) => rule.protocol === device.protocol).takes,
        info: { maker: "ACME", model: "T1" },
        parameters: {},
        vendor: {},
        on_board: device.protocol === "jt808" ? { name: "Li Wei", agency: "Traffic", since_ms: began } : null,
        video: [],
        zone_offset_s: null,
        links: [],
      })),
  });

  function links() {
    const s = (Date.now() - began) / 1000;
    const link = (protocol, transport, url, perS) => ({
      url,
      protocol,
      transport,
      link_group: "main",
      state: "open",
      paused: false,
      is_plain: false,
      peers: 20,
      strangers: 1,
      devices: 20,
      datagrams: Math.round(s * perS),
      datagrams_dropped: 0,
      bytes_received: Math.round(s * perS * 60),
      positions: Math.round(s * perS),
      bad: { checksum: 2 },
      refused: { newer_connection: 1 },
      replies_waiting: 0,
      replies_refused: 0,
      heard_ms: Date.now() - 400,
      last_error: null,
      advice: "",
    });
    const lost = {
      ...link("nmea", "serial", "nmea+serial:/dev/ttyUSB0#car7", 0),
      state: "retrying",
      last_error: "/dev/ttyUSB0 is not there",
      advice: "not_open",
    };
    const all = [
      link("jt808", "tcp", "jt808+tcpin:0.0.0.0:8808#main", 40),
      link("mavlink", "udp", "udpin:0.0.0.0:14550#main", 25),
      lost,
    ];
    const count = (protocol, state) =>
      devices.filter((device) => device.protocol === protocol && device.link === state).length;
    const protocols = RULES.map(({ protocol }) => ({
      protocol,
      links: 1,
      peers: 20,
      positions: 100,
      bad: 0,
      devices: devices.filter((device) => device.protocol === protocol).length,
      live: count(protocol, "live"),
      stale: count(protocol, "stale"),
      lost: count(protocol, "lost"),
      never: count(protocol, "never"),
    }));
    return {
      at_ms: Date.now(),
      links: all,
      protocols,
      journal: {
        used_bytes: 4e7,
        max_bytes: 2e9,
        failed: "",
        rows_recorded: 12_345,
        rows_set_aside: 0,
        recorder_error: "",
      },
      history_lag_s: 0.2,
      database_ok: true,
      checks: { loop: "ok", database: "ok" },
    };
  }

  /** The answer to a request, or undefined where it asks for something else. */
  return function answer(method, pathname, body) {
    const ofDevice = /^\/api\/devices\/(\d+)(?:\/(\w+))?$/.exec(pathname);
    const ofUnit = /^\/api\/units\/(\d+)\/(devices|commands|trusted-device)$/.exec(pathname);
    if (pathname === "/api/links") return links();
    if (pathname === "/api/links/peers") return { peer_count: 0, peers: [] };
    if (pathname === "/api/devices") return method === "POST" ? enrol(body) : { devices };
    if (pathname === "/api/devices/rules") return { rules: RULES, is_managed: true, needs_unit: false };
    if (pathname === "/api/devices/quarantine") return { quarantine: strangers };
    if (pathname === "/api/devices/quarantine/dismiss") {
      strangers = strangers.filter((name) => name.address !== body.address);
      return { device_id: null };
    }
    if (ofUnit) {
      const unitId = Number(ofUnit[1]);
      if (ofUnit[2] === "devices") return unitDevices(unitId);
      if (ofUnit[2] === "trusted-device") return body;
      return method === "POST" ? give(unitId, body) : { commands: commands.filter((one) => one.unit_id === unitId) };
    }
    const device = ofDevice && find(ofDevice[1]);
    if (!device) return undefined;
    if (ofDevice[2] === "rotate") return issue(device);
    Object.assign(device, ofDevice[2] === "revoke" ? { revoked: true, unit_id: null } : body);
    return { device_id: device.device_id };
  };
}
