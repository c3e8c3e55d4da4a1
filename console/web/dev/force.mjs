// A made-up force for the mock console: drones over the city, officers and vehicles along its roads, alarms now and then.
const METRES_PER_DEGREE = 111_320;

function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

function linesOf(roads) {
  const lines = [];
  for (const { geometry, properties } of roads.features) {
    const parts = geometry.type === "LineString" ? [geometry.coordinates] : geometry.coordinates;
    for (const part of parts) if (part.length > 3 && (properties.class ?? 0) > 0) lines.push(part);
  }
  return lines;
}

/** Place and course (degrees) at `metres` along a line; runs back and forth. */
function along(line, metres) {
  const legs = line.slice(1).map((to, i) => {
    const from = line[i];
    const east = (to[0] - from[0]) * METRES_PER_DEGREE * Math.cos((from[1] * Math.PI) / 180);
    const north = (to[1] - from[1]) * METRES_PER_DEGREE;
    return { from, to, length: Math.hypot(east, north), course: (Math.atan2(east, north) * 180) / Math.PI };
  });
  const total = legs.reduce((sum, leg) => sum + leg.length, 0) || 1;
  let rest = metres % (2 * total);
  const back = rest > total;
  if (back) rest = 2 * total - rest;
  for (const leg of legs) {
    if (rest <= leg.length && leg.length > 0) {
      const part = rest / leg.length;
      return {
        lon: leg.from[0] + (leg.to[0] - leg.from[0]) * part,
        lat: leg.from[1] + (leg.to[1] - leg.from[1]) * part,
        course: (leg.course + (back ? 540 : 360)) % 360,
      };
    }
    rest -= leg.length;
  }
  return { lon: line[0][0], lat: line[0][1], course: 0 };
}

const ZH = { drone: "巡鹰", officer: "巡", motorcycle: "铁骑", car: "警车", mobile_room: "移警" };
const EN = { drone: "Hawk", officer: "Officer", motorcycle: "Moto", car: "Car", mobile_room: "Room" };
const SPEED_MPS = { drone: 11, officer: 1.3, motorcycle: 9, car: 8, mobile_room: 3 };
const two = (n) => String(n).padStart(2, "0");

function kindOf(i) {
  if (i < 12) return "drone";
  if (i < 16) return "mobile_room";
  return i % 5 === 0 ? "motorcycle" : i % 5 === 1 ? "car" : "officer";
}

export function makeForce(facts, roads, unitCount) {
  const random = randomOf(7);
  const lines = linesOf(roads);
  const stations = facts.stations.map((s, i) => ({
    station_id: i + 1,
    number: Number(s.key),
    name_zh: s.name_zh,
    name_en: s.name_en,
    lat_deg: s.lat_deg,
    lon_deg: s.lon_deg,
    ring_order: i + 1,
  }));
  const docks = facts.docks.map((d, i) => ({
    post_id: i + 1,
    kind: "dock",
    name_zh: d.name_zh,
    name_en: d.name_en,
    lat_deg: d.lat_deg,
    lon_deg: d.lon_deg,
    station_id: null,
  }));
  const meta = [];
  const units = [];
  for (let i = 0; i < unitCount; i++) {
    const kind = kindOf(i);
    const station = stations[i % stations.length];
    const label =
      kind === "drone" || kind === "mobile_room"
        ? two(kind === "drone" ? i + 1 : i - 11)
        : `${two(station.number)}-${two(Math.floor(i / stations.length) + 1)}`;
    meta.push({
      unit_id: i + 1,
      call_sign: `${EN[kind]} ${label}`,
      kind,
      service: kind === "drone" ? "air" : "patrol",
      duty_status: "free",
      station_id: station.station_id,
      name_zh: `${ZH[kind]}${kind === "drone" || kind === "mobile_room" ? "-" : " "}${label}`,
      name_en: `${EN[kind]} ${label}`,
      covert: false,
      equipment: [],
      devices: [
        {
          device_id: i + 1,
          protocol: kind === "drone" ? "mavlink" : "osmand",
          label: "",
          report_interval_s: kind === "drone" ? 0.25 : 2,
        },
      ],
    });
    units.push({
      kind,
      line: lines[Math.floor(random() * lines.length)],
      metres: random() * 2000,
      speed: SPEED_MPS[kind] * (0.6 + random() * 0.6),
      duty: random() < 0.22 ? 3 : 2,
      battery: 40 + random() * 60,
      heights: 60 + random() * 60,
      silent: i % 41 === 20 ? 1 : i % 53 === 30 ? 2 : i === unitCount - 1 ? 3 : 0,
      sos: false,
      row: null,
      trail: [],
      nextMs: 0,
      intervalMs: kind === "drone" ? 200 : 2000,
    });
  }

  function rowOf(unit, i, nowMs) {
    const place = along(unit.line, unit.metres);
    const air = unit.kind === "drone";
    return {
      unit_id: i + 1,
      lat_e7: Math.round(place.lat * 1e7),
      lon_e7: Math.round(place.lon * 1e7),
      alt_msl_dm: 15200 + (air ? unit.heights * 10 : 0),
      alt_home_dm: air ? unit.heights * 10 : null,
      observed_ms: nowMs - 120,
      quality: air ? 0 : 2,
      state: (air ? 15 : 0) | (unit.sos ? 16 | 32 : 0),
      speed_cmps: unit.speed * 100,
      climb_cmps: air ? 0 : null,
      heading_ddeg: air ? place.course * 10 : null,
      course_ddeg: place.course * 10,
      accuracy_dm: air ? 12 : 45,
      battery_pct: unit.battery,
      satellites: air ? 18 : null,
      fix: air ? 6 : 3,
      link: 1,
      duty: unit.duty,
    };
  }

  const alarmLog = [];
  const alarms = new Map();
  let alarmSeq = 0;
  let listener = () => {};
  function post(alarm) {
    alarms.set(alarm.alarm_id, alarm);
    const entry = { type: "alarm", seq: ++alarmSeq, alarm };
    alarmLog.push(entry);
    listener(entry);
    return alarm;
  }
  function raise(kind, priority, unitId, text = "") {
    const raised_us = Date.now() * 1000;
    return post({
      alarm_id: `${kind}-${unitId}-${raised_us}`,
      number: alarms.size + 1,
      kind,
      priority,
      device_id: unitId,
      unit_id: unitId,
      raised_us,
      state: "raised",
      text,
      acknowledged_us: null,
      acknowledged_by: null,
      ended_us: null,
      escalated_us: null,
    });
  }

  const startMs = Date.now();
  let lastMs = startMs;
  units.forEach((unit, i) => {
    const age = [0, 48_000, 200_000, 0][unit.silent];
    if (unit.silent !== 3) unit.row = { ...rowOf(unit, i, startMs - age), link: [1, 2, 3, 0][unit.silent] };
  });
  function sos() {
    const i = units.findIndex((unit) => unit.kind === "officer" && !unit.silent && !unit.sos);
    if (i < 0) return;
    units[i].sos = true;
    units[i].duty = 3;
    raise("sos", 1, i + 1);
  }
  setTimeout(sos, Number(process.env.SKYBEAT_MOCK_SOS_MS ?? 3000));
  raise("link_lost", 2, 5);
  raise("battery_low", 3, 2);
  units[4].silent = 1;
  units[4].row = { ...rowOf(units[4], 4, startMs - 9000), link: 2 };

  return {
    meta,
    stations,
    docks,
    alarmLog,
    alarms: () => [...alarms.values()],
    onAlarm: (told) => {
      listener = told;
    },
    acknowledge: (id, who) =>
      post({ ...alarms.get(id), state: "acknowledged", acknowledged_us: Date.now() * 1000, acknowledged_by: who }),
    raise,
    end: (kind, unitId) => {
      const open = [...alarms.values()].find((each) => each.kind === kind && each.unit_id === unitId && !each.ended_us);
      if (open) post({ ...open, ended_us: Date.now() * 1000 });
    },
    all: () => units.map((unit) => unit.row).filter(Boolean),
    trail: (id) => (units[id - 1]?.kind === "officer" ? [] : (units[id - 1]?.trail ?? [])),
    track: (id) => {
      const { trail } = units[id - 1];
      return {
        unit_id: id,
        point_count: trail.length,
        truncated: false,
        columns: {
          lat_e7: trail.map((p) => p.lat_e7),
          lon_e7: trail.map((p) => p.lon_e7),
          observed_us: trail.map((p) => p.observed_ms * 1000),
        },
      };
    },
    coverage: () => {
      const wobble = Math.sin(Date.now() / 9000) * 0.01;
      return {
        type: "coverage",
        at_ms: Date.now(),
        shares: [0.205 + wobble, 0.843 + wobble, 0.961],
        available_count: units.filter((unit) => unit.duty === 2).length,
        computed_ms: 42,
        stations: stations.map((s, i) => ({
          station_id: s.station_id,
          shares: [
            0.12 + ((i * 37) % 20) / 100,
            0.47 + ((i * 53) % 50) / 100,
            Math.min(1, 0.8 + ((i * 53) % 50) / 200),
          ],
        })),
      };
    },
    step: (nowMs) => {
      const seconds = (nowMs - lastMs) / 1000;
      lastMs = nowMs;
      const changed = [];
      units.forEach((unit, i) => {
        if (unit.silent) return;
        unit.metres += unit.speed * seconds;
        if (unit.kind === "drone") unit.battery = Math.max(18, unit.battery - seconds * 0.02);
        if (nowMs < unit.nextMs) return;
        unit.nextMs = nowMs + unit.intervalMs;
        unit.row = rowOf(unit, i, nowMs);
        unit.trail.push(unit.row);
        if (unit.trail.length > 600) unit.trail.shift();
        changed.push(unit.row);
      });
      return changed;
    },
  };
}
