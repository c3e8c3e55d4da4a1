// The mock console's answers to what the supervisor's screen asks; true once it has answered.
const CONFLICT = { error: "conflict", detail: "the incident stands at another version: read it again" };

function ofIncident(desk, { method, url, body, reply }) {
  const found = /^\/api\/incidents\/(\d+)(?:\/(\w+)(?:\/(\d+)\/recall)?)?$/.exec(url.pathname);
  if (!found) return false;
  const id = Number(found[1]);
  const standing = (incident) => (incident ? reply(200, { incident, created: false }) : reply(409, CONFLICT));
  if (!desk.of(id)) reply(404, { error: "not_found", detail: `no incident ${id}` });
  else if (found[3]) standing(desk.recall(id, Number(found[3])));
  else if (found[2] === "candidates") reply(200, desk.candidates(id));
  else if (found[2] === "entries") reply(200, { entries: desk.entriesOf(id) });
  else if (found[2] === "state") standing(desk.edit(id, body, body.state));
  else if (found[2] === "dispatch")
    standing(body.version === desk.of(id).version ? desk.send(id, body.unit_ids) : null);
  else if (method === "PATCH") standing(desk.edit(id, body, "edited"));
  else standing(desk.of(id));
  return true;
}

export function deskApi(desk, request) {
  const { method, url, body, reply } = request;
  if (ofIncident(desk, request)) return true;
  const answers = {
    "GET /api/incidents": () => ({ incidents: desk.all(), next_before: null }),
    "POST /api/incidents": () => ({ incident: desk.create(body), created: true }),
    "POST /api/whatif": () => desk.whatIf(body),
    "GET /api/moveup": desk.moveUp,
    "GET /api/agencies": () => ({ agencies: desk.agencies }),
    "GET /api/figures": desk.figures,
    "GET /api/coverage/trend": desk.trend,
    "GET /api/coverage/ring": desk.ring,
    "GET /api/reports/shift": desk.report,
  };
  const answer = answers[`${method} ${url.pathname}`];
  if (!answer) return false;
  reply(200, answer());
  return true;
}
