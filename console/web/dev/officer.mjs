// The mock console's side of an officer's phone: tasks that come, are answered and recalled, positions and calls for help.
// Controls, with POST: /api/mock/task {urgency}, /api/mock/recall {reason}.
const LATE_MS = Number(process.env.SKYBEAT_MOCK_TASK_MS ?? 4000);
const STEPS = ["queued", "sent", "received", "accepted", "under_way", "arrived", "cleared"];
const CALLS = [
  ["落水求助", "柳滩桥南堍下游 120 m · 湿地栈道", "有人从栈道滑下去，抓着芦苇。", ["life_ring"]],
  ["打架", "水车夜市东口", "两个人在摊位前推搡，一人拿了酒瓶。", ["shield"]],
  ["老人走失", "永和路 46 号附近", "八十岁，穿灰色外套，会说自己姓陈。", []],
];

export function makeOfficer(force, unitId) {
  const tasks = new Map();
  let seq = 0;
  let count = 0;
  let listener = () => {};
  const post = (task) => {
    tasks.set(task.dispatch.dispatch_id, task);
    listener({ type: "task", seq: ++seq, task });
    return task;
  };
  const mine = () => force.all().find((row) => row.unit_id === unitId);

  function dispatchOf(id, nowMs) {
    const times = { received: null, accepted: null, under_way: null, arrived: null };
    const stamps = Object.fromEntries(Object.entries(times).map(([name, at]) => [`${name}_ms`, at]));
    return {
      dispatch_id: id,
      unit_id: unitId,
      state: "sent",
      channel: "web",
      travel_s: 81,
      distance_m: 1000,
      sent_by: "zhou",
      queued_ms: nowMs - 900,
      sent_ms: nowMs - 600,
      ...stamps,
      arrived_by: "",
      cleared_ms: null,
      declined_ms: null,
      recalled_ms: null,
      reason: "",
    };
  }

  /** An L-shaped way from where the unit is, about a kilometre. */
  function wayFrom(row) {
    const lon = row.lon_e7 / 1e7;
    const lat = row.lat_e7 / 1e7;
    return [
      [lon, lat],
      [lon + 0.0005, lat + 0.003],
      [lon - 0.006, lat + 0.0045],
    ];
  }

  function push(urgency = 1) {
    const nowMs = Date.now();
    const [title, place_text, text, needs] = CALLS[count % CALLS.length];
    const id = ++count;
    const way = wayFrom(mine());
    const [lon_deg, lat_deg] = way.at(-1);
    const others = force.meta.filter((unit) => unit.unit_id !== unitId && unit.unit_id !== 5);
    const companion = (unit, state, travel_s, equipment) => ({
      unit_id: unit.unit_id,
      kind: unit.kind,
      name_zh: unit.name_zh,
      name_en: unit.name_en,
      state,
      travel_s,
      equipment,
    });
    return post({
      dispatch: dispatchOf(id, nowMs),
      incident: {
        incident_id: id,
        seq: id,
        number: `J-${1000 + id}`,
        version: 2,
        state: "offered",
        urgency,
        category: "help",
        title,
        text,
        place_text,
        place_note: "",
        lat_deg,
        lon_deg,
        caller_name: "",
        caller_phone: "13812342071",
        audio_url: "https://calls.example/21.mp3",
        recording_url: "",
        station_id: 1,
        source: "mock",
        needs,
        agency_id: null,
        reported_ms: nowMs - 26_000,
        closed_ms: null,
        target_s: [60, 180, 300][urgency - 1],
        response_s: null,
        on_target: null,
        dispatches: [],
      },
      way,
      companions: [
        companion(others[1], "accepted", 75, ["searchlight", "speaker"]),
        companion(
          others.find((unit) => unit.kind === "car"),
          "sent",
          77,
          [],
        ),
      ],
    });
  }

  function answer(id, { answer, answered_ms, reason }) {
    const task = tasks.get(id);
    if (!task) return null;
    const { dispatch } = task;
    if (dispatch.state === "recalled") return { status: 409, body: { error: "conflict", detail: "recalled" } };
    if (answer !== "declined" && STEPS.indexOf(answer) <= STEPS.indexOf(dispatch.state))
      return { status: 200, body: { task } };
    const after = { ...dispatch, state: answer, [`${answer}_ms`]: answered_ms, reason: reason ?? "" };
    return { status: 200, body: { task: post({ ...task, dispatch: after }) } };
  }

  function recall(reason = "") {
    const task = open().at(-1);
    if (task) post({ ...task, dispatch: { ...task.dispatch, state: "recalled", recalled_ms: Date.now(), reason } });
  }

  const open = () => [...tasks.values()].filter(({ dispatch }) => STEPS.slice(0, 6).includes(dispatch.state));
  if (LATE_MS > 0) setTimeout(() => push(), LATE_MS);
  let positions = 0;

  return {
    onTask: (told) => {
      listener = told;
    },
    entries: () => open().map((task) => ({ type: "task", seq, task })),
    /** The answer to a request as {status, body}; null: not ours. */
    api: (method, pathname, body) => {
      if (pathname === "/api/me/tasks") return { status: 200, body: { tasks: open().reverse() } };
      const task = /^\/api\/me\/tasks\/(\d+)$/.exec(pathname);
      if (task) return answer(Number(task[1]), body) ?? { status: 404, body: { error: "not_found", detail: "task" } };
      if (pathname === "/api/me/position") {
        positions += 1;
        return { status: 204, body: "" };
      }
      if (pathname === "/api/mock/positions") return { status: 200, body: { positions } };
      if (pathname === "/api/me/sos" && method === "POST") {
        force.raise("sos", 1, unitId);
        return { status: 204, body: "" };
      }
      if (pathname === "/api/me/sos") {
        force.end("sos", unitId);
        return { status: 204, body: "" };
      }
      if (/^\/api\/units\/\d+\/duty$/.test(pathname)) {
        mine().duty = body.duty_status === "free" ? 2 : 0;
        return { status: 200, body: { unit_id: unitId, duty_status: body.duty_status } };
      }
      if (pathname === "/api/mock/task") return { status: 200, body: { task: push(body.urgency) } };
      if (pathname === "/api/mock/recall") return { status: 200, body: recall(body.reason) ?? {} };
      return null;
    },
  };
}
