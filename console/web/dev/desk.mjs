// Made-up work for the mock console's supervisor: coverage with gaps and an open ring link, contours, incidents that units answer.
const LAT_M = 111_320;
const move = ([lon, lat], east, north) => [lon + east / (LAT_M * Math.cos((lat * Math.PI) / 180)), lat + north / LAT_M];

function blob(centre, metres, seed, n = 28) {
  const ring = Array.from({ length: n }, (_, i) => {
    const angle = (i / n) * 2 * Math.PI;
    const r = metres * (1 + 0.22 * Math.sin(angle * 3 + seed) + 0.12 * Math.sin(angle * 5 + seed * 2));
    return move(centre, r * Math.cos(angle), r * Math.sin(angle));
  });
  return [...ring, ring[0]];
}

const CALLS = [
  ["落水求助", "有人从栈道滑下去，抓着芦苇。", "柳滩桥南堍下游 120 m · 湿地栈道", 1, "help", ["life_ring"]],
  ["餐馆纠纷", "两桌人吵起来了，有人拿了酒瓶。", "永和路 88 号", 2, "dispute", []],
  ["两车刮擦", "没有人伤，车挪不开。", "金城大桥北", 3, "traffic", []],
  ["走失老人", "老人穿蓝色外套，有点糊涂。", "", 2, "missing_person", []],
];

export function makeDesk(force, planned) {
  const { stations, meta } = force;
  const at = (i) => [stations[i].lon_deg, stations[i].lat_deg];
  const now = Date.now();
  let seq = 0;
  let listener = () => {};
  const incidents = new Map();
  const agencies = [
    { agency_id: 1, name_zh: "12345 热线", name_en: "12345 line", phone: "12345", categories: ["service"] },
    { agency_id: 2, name_zh: "急救 120", name_en: "Ambulance", phone: "120", categories: ["help"] },
  ];
  const entries = new Map();

  function tell(incident, action, note = "", unitId = null) {
    const fresh = { ...incident, version: incident.version + 1 };
    incidents.set(fresh.incident_id, fresh);
    const list = entries.get(fresh.incident_id) ?? [];
    list.push({
      entry_id: list.length + 1,
      at_ms: Date.now(),
      account_name: "zhou",
      action,
      unit_id: unitId,
      state: fresh.state,
      note,
      changes: {},
    });
    entries.set(fresh.incident_id, list);
    listener({ type: "incident", seq: ++seq, incident: fresh });
    return fresh;
  }

  function create(body, ageMs = 0) {
    const incident_id = incidents.size + 1;
    return tell(
      {
        incident_id,
        number: `JQ-0918-${String(417 + incident_id).padStart(4, "0")}`,
        version: 0,
        state: "new",
        urgency: body.urgency ?? 2,
        category: body.category ?? "other",
        title: body.title,
        text: body.text ?? "",
        place_text: body.place_text ?? "",
        lat_deg: body.lat_deg ?? null,
        lon_deg: body.lon_deg ?? null,
        caller_name: body.caller_name ?? "",
        caller_phone: body.caller_phone ?? "",
        audio_url: body.audio_url ?? "",
        recording_url: "",
        station_id: null,
        source: "desk",
        needs: body.needs ?? [],
        agency_id: null,
        reported_ms: Date.now() - ageMs,
        closed_ms: null,
        target_s: [60, 180, 300][(body.urgency ?? 2) - 1],
        response_s: null,
        on_target: null,
        dispatches: [],
      },
      "created",
    );
  }

  let dispatchId = 0;
  function answer(incidentId, id, state, stamp) {
    const incident = incidents.get(incidentId);
    const dispatches = incident.dispatches.map((d) =>
      d.dispatch_id === id && d.state !== "recalled" ? { ...d, state, [stamp]: Date.now() } : d,
    );
    const states = { received: "offered", accepted: "accepted", under_way: "under_way", arrived: "on_scene" };
    const response_s =
      state === "arrived" && incident.response_s === null
        ? (Date.now() - incident.reported_ms) / 1000
        : incident.response_s;
    tell(
      { ...incident, dispatches, state: states[state] ?? incident.state, response_s },
      state,
      "",
      dispatches.find((d) => d.dispatch_id === id)?.unit_id,
    );
  }

  function send(incidentId, unitIds) {
    const incident = incidents.get(incidentId);
    const made = unitIds.map((unit_id) => ({
      dispatch_id: ++dispatchId,
      unit_id,
      state: "sent",
      channel: "web",
      travel_s: 81,
      distance_m: 1000,
      sent_by: "zhou",
      queued_ms: Date.now(),
      sent_ms: Date.now(),
      received_ms: null,
      accepted_ms: null,
      under_way_ms: null,
      arrived_ms: null,
      arrived_by: "",
      cleared_ms: null,
      declined_ms: null,
      recalled_ms: null,
      reason: "",
    }));
    made.forEach((d, i) => {
      const steps = [
        ["received", "received_ms", 1100],
        ["accepted", "accepted_ms", 4000],
        ["under_way", "under_way_ms", 6000],
        ["arrived", "arrived_ms", 30_000],
      ];
      for (const [state, stamp, ms] of steps)
        setTimeout(() => answer(incidentId, d.dispatch_id, state, stamp), ms + i * 700);
    });
    return tell({ ...incident, state: "offered", dispatches: [...incident.dispatches, ...made] }, "sent");
  }

  CALLS.forEach(([title, text, place_text, urgency, category, needs], i) => {
    const [lon_deg, lat_deg] = move(at([4, 8, 10, 2][i]), 420, -380);
    const placed = place_text ? { lat_deg, lon_deg } : {};
    create(
      {
        title,
        text,
        place_text,
        urgency,
        category,
        needs,
        ...placed,
        caller_phone: "138****2071",
        audio_url: i ? "" : "https://calls.invalid/0418.ogg",
      },
      26_000 + i * 61_000,
    );
  });
  setTimeout(() => {
    send(2, [17]);
    send(3, [21]);
  }, 500);

  const gap = (label, centre, metres, seed, more) => ({
    label,
    people_ratio: 0.004,
    worst_s: 372,
    lat_deg: centre[1],
    lon_deg: centre[0],
    station_id: 6,
    polygon: [blob(centre, metres, seed)],
    closers: [
      { unit_id: 17, travel_s: 151 },
      { unit_id: 21, travel_s: 204 },
      { unit_id: 22, travel_s: 231 },
    ],
    ...more,
  });
  const gaps = [
    gap("A", move(at(5), 1500, 900), 1050, 1, { area_km2: 4.0, road_km: 31.2 }),
    gap("B", move(at(7), 300, -1400), 330, 2, { area_km2: 0.4, road_km: 3.1, people_ratio: null }),
    gap("C", move(at(1), 700, 1500), 300, 3, { area_km2: 0.3, road_km: 2.2, worst_s: null }),
  ];
  const links = stations.map((s, i) => {
    const next = stations[(i + 1) % stations.length];
    const open = i === 5;
    return {
      from_station_id: s.station_id,
      to_station_id: next.station_id,
      closed: !open,
      overlap_ratio: open ? 0.71 : 0.99,
      missing_s: open ? 52 : null,
      worst_lat_deg: open ? s.lat_deg * 0.6 + next.lat_deg * 0.4 : null,
      worst_lon_deg: open ? s.lon_deg * 0.6 + next.lon_deg * 0.4 : null,
    };
  });

  const unions = planned.features.filter((f) => !f.properties.station_id);
  const polygonsOf = (minutes) =>
    unions
      .filter((f) => f.properties.minutes === minutes)
      .flatMap((f) => (f.geometry.type === "Polygon" ? [f.geometry.coordinates] : f.geometry.coordinates));
  const shifted = (polygon, east, north) => polygon.map((ring) => ring.map((p) => move(p, east, north)));
  function contours() {
    const vehicles = force.all().filter((u) => u.duty === 2 && [1, 0].includes((u.unit_id - 1) % 5) && u.unit_id > 16);
    const added = [
      ...polygonsOf(5).map((p, i) => ({ contour_id: `5-${i}`, minutes: 5, polygon: shifted(p, -90, 0) })),
      ...polygonsOf(3).map((p, i) => ({ contour_id: `3-${i}`, minutes: 3, polygon: shifted(p, -260, -120) })),
      ...vehicles.slice(0, 26).map((u, i) => ({
        contour_id: `1-${i}`,
        minutes: 1,
        polygon: [blob([u.lon_e7 / 1e7, u.lat_e7 / 1e7], 420, i)],
      })),
    ];
    return { type: "contours", at_ms: Date.now(), reset: true, gone: [], added };
  }

  const plan = [0.319, 0.925, 0.999];
  function coverage(base) {
    return {
      ...base,
      plan,
      double_shares: [0.04, 0.61, 0.88],
      people_shares: [0.26, 0.88, 0.97],
      incident_shares: null,
      response_p50_s: 121,
      response_p90_s: 254,
      off_map_count: 1,
      tiers: [
        {
          minutes: 1,
          total: 12,
          met: 9,
          misses_zh: ["体育中心", "东川学校", "南园市场"],
          misses_en: ["Sports centre", "Dongchuan school", "Nanyuan market"],
        },
        {
          minutes: 3,
          total: 31,
          met: 29,
          misses_zh: ["东滩码头", "河山医院"],
          misses_en: ["Dongtan pier", "Heshan hospital"],
        },
        { minutes: 5, total: 58, met: 57, misses_zh: ["北麓观景台"], misses_en: ["Beilu lookout"] },
      ],
      gaps,
      ring: { closed: false, limit_s: 300, links },
      stations: base.stations.map((s, i) => ({
        ...s,
        plan: [0.32, 0.9 + ((i * 7) % 9) / 100, 1],
        crew: 6 + (i % 3),
        on_duty: i === 5 ? 4 : 6 + (i % 3),
        missing_unit_ids: i === 5 ? [20, 34] : [],
      })),
    };
  }

  function candidates(id) {
    const incident = incidents.get(id);
    const ground = [17, 21, 22, 26].map((unit_id, i) => ({
      unit_id,
      in_air: false,
      travel_s: [77, 81, 131, 139][i],
      turnout_s: 20,
      distance_m: [700, 1000, 2200, 2100][i],
      suits: i !== 3,
      unsuited: i === 3 && incident.needs.length ? ["equipment"] : [],
      lacks: i === 3 ? incident.needs : [],
      cover_change_ratio: [-0.005, 0, -0.003, -0.013][i],
      opens_gap: null,
      opens_ring: i === 0 ? [9, 10] : i === 3 ? [4, 5] : null,
      battery_ratio: null,
      advised: i === 1,
    }));
    const air = [2, 8].map((unit_id, i) => ({
      ...ground[0],
      unit_id,
      in_air: true,
      travel_s: [75, 204][i],
      turnout_s: [0, 45][i],
      distance_m: [1000, 2200][i],
      battery_ratio: [0.58, 1][i],
      cover_change_ratio: null,
      opens_ring: null,
      advised: i === 0,
    }));
    const place_is_known = incident.lat_deg !== null;
    const told = {
      as_of_ms: Date.now(),
      place_is_known,
      off_map_count: 0,
      off_map_unit_ids: [],
      unlocated_unit_ids: [],
      wanted: incident.needs,
      wanted_in_air: [],
      estimated: false,
    };
    return place_is_known ? { ...told, ground, air, off_map_count: 1 } : { ...told, ground: [], air: [] };
  }

  function figures() {
    const open = [...incidents.values()].filter((i) => !["cleared", "handed_over", "non_police"].includes(i.state));
    const waiting = open.filter((i) => i.state === "new");
    return {
      since_ms: now - 3600_000,
      response_p50_s: 161,
      response_p90_s: 288,
      open_count: open.length,
      to_send_count: waiting.length,
      oldest_to_send_ms: waiting.length ? Math.min(...waiting.map((i) => i.reported_ms)) : null,
      by_urgency: [
        { urgency: 1, count: 6, answered: 5, p50_s: 71, p90_s: 140, on_target_ratio: 0.6 },
        { urgency: 2, count: 31, answered: 29, p50_s: 158, p90_s: 240, on_target_ratio: 0.86 },
        { urgency: 3, count: 22, answered: 22, p50_s: 231, p90_s: 330, on_target_ratio: 0.95 },
      ],
    };
  }

  function trend() {
    const at_ms = Array.from({ length: 60 }, (_, i) => Date.now() - (59 - i) * 60_000);
    return {
      at_ms,
      shares: at_ms.map((_, i) => [
        0.22,
        0.91 - 0.01 * Math.abs(Math.sin(i * 1.7)) - (i > 44 ? (i - 44) * 0.004 : 0),
        0.97,
      ]),
      plan,
    };
  }

  function whatIf(body) {
    const asIs = coverage(force.coverage());
    const loss = 0.004 * (body.away_unit_ids?.length ?? 0) + 0.021 * (body.closed?.length ?? 0);
    const gain = 0.012 * (body.stations?.length ?? 0);
    const after = {
      ...asIs,
      shares: asIs.shares.map((share) => share - loss + gain),
      gaps: gain ? asIs.gaps.slice(1) : asIs.gaps,
      ring: gain ? { ...asIs.ring, closed: true, links: links.map((link) => ({ ...link, closed: true })) } : asIs.ring,
    };
    const moved = (body.stations ?? []).map((s, i) => ({
      contour_id: `m${i}`,
      minutes: 3,
      polygon: [blob([s.lon_deg, s.lat_deg], 1400, 2)],
    }));
    return {
      before: { coverage: asIs, contours: contours().added },
      after: { coverage: after, contours: [...contours().added, ...moved] },
      lost_km: 12.4,
      won_km: 3.1,
      opened_links: [],
      closed_links: [],
      closed: (body.closed ?? []).map((place) => ({
        name_zh: "水车桥",
        name_en: "Shuiche Bridge",
        length_km: 0.4,
        lines: [
          [
            [place.lon_deg, place.lat_deg - 0.003],
            [place.lon_deg, place.lat_deg + 0.003],
          ],
        ],
      })),
      computed_ms: 210,
    };
  }

  function moveUp() {
    const one = (unit_id, i) => {
      const unit = force.all().find((each) => each.unit_id === unit_id);
      const to = at(i);
      return {
        unit_id,
        post_id: i,
        lat_deg: to[1],
        lon_deg: to[0],
        name_zh: stations[i].name_zh,
        name_en: stations[i].name_en,
        gain_share: 0.018 - 0.003 * i,
        share_gain: 0.02,
        left_share: 0.004,
        won_share: 0.024,
        drive_s: 190 + i * 30,
        drive_km: 2.1,
        kept_count: 0,
        stood_s: 1200,
        move_count: 0,
        way: [[unit.lon_e7 / 1e7, unit.lat_e7 / 1e7], to],
      };
    };
    return {
      as_of_ms: Date.now(),
      limit_s: 180,
      busy_ratio: 0.2,
      moves: [one(17, 5), one(26, 6)],
      expected_before_share: 0.81,
      expected_after_share: 0.83,
      covered_before_share: 0.843,
      covered_after_share: 0.868,
      available_count: 165,
      off_map_count: 0,
      held: [],
    };
  }

  const wayOf = (link) => {
    const [a, b] = [link.from_station_id, link.to_station_id].map((id) => at(id - 1));
    const bend = move([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], 0, 160);
    return {
      type: "Feature",
      properties: { from_station_id: link.from_station_id, to_station_id: link.to_station_id },
      geometry: { type: "LineString", coordinates: [a, bend, b] },
    };
  };

  function edit(id, body, action) {
    const incident = incidents.get(id);
    if (body.version !== undefined && body.version !== incident.version) return null;
    const { version, note, crs, ...rest } = body;
    return tell({ ...incident, ...rest }, action, note ?? "");
  }

  return {
    agencies,
    create,
    send,
    edit,
    candidates,
    figures,
    trend,
    whatIf,
    moveUp,
    contours,
    coverage,
    of: (id) => incidents.get(id),
    all: () => [...incidents.values()],
    entriesOf: (id) => entries.get(id) ?? [],
    log: () => [...incidents.values()].map((incident) => ({ type: "incident", seq, incident })),
    ring: () => ({ type: "FeatureCollection", features: links.map(wayOf) }),
    recall(id, dispatchIdAsked) {
      const incident = incidents.get(id);
      const dispatches = incident.dispatches.map((d) =>
        d.dispatch_id === dispatchIdAsked ? { ...d, state: "recalled", recalled_ms: Date.now() } : d,
      );
      return tell({ ...incident, dispatches, state: "new" }, "recalled");
    },
    report: () => ({
      from_ms: now - 8 * 3600_000,
      to_ms: Date.now(),
      figures: figures(),
      incidents: [...incidents.values()],
      unit_rows: meta.slice(16, 30).map((m, i) => ({
        unit_id: m.unit_id,
        sent: 5 - (i % 4),
        accepted: 4 - (i % 4),
        declined: i % 5 === 0 ? 1 : 0,
        arrived: 4 - (i % 4),
        p50_s: i % 4 === 3 ? null : 120 + i * 7,
      })),
    }),
    onIncident: (told) => {
      listener = told;
    },
  };
}
