"""What browsers are told of plans: which changed, to all who watch; how far one is, to the account that asked for it."""

from console.auth.policy import MESSAGE_POLICIES, allows
from console.stream.client import Client
from console.wire import Resume, encode_message
from console.wire_plan import PlanChanged, PlanProgress, ProgrammeChanged
from mission.plan import Plan


class PlanFeed:
    """A feed (console/stream/feed.py): changes from the moment that a browser joins; what was before it reads by itself."""

    def __init__(self) -> None:
        self._waiting: dict[Client, dict[str, str]] = {}
        self._is_news = False
        self.version = 0
        """Grows with every change of a plan or of the programme that was told."""

    def start(self, client: Client, resume: Resume | None) -> None:
        """Begin to tell a browser, if its account may know."""
        del resume
        if allows(MESSAGE_POLICIES["plan_changed"], client.scope.role):
            self._waiting[client] = {}

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        self._waiting.pop(client, None)

    def read(self) -> bool:
        """Tell whether something was said since the last turn."""
        is_news, self._is_news = self._is_news, False
        return is_news

    def due(self, client: Client) -> list[str]:
        """Return what waits for a browser: the newest of each plan."""
        waiting = self._waiting.get(client)
        if not waiting:
            return []
        self._waiting[client] = {}
        return list(waiting.values())

    def tell_changed(self, plan: Plan) -> None:
        """Say that a plan is of another version or state."""
        changed = PlanChanged(plan_id=plan.plan_id, version=plan.version, state=plan.state)
        self._say(f"plan {plan.plan_id}", encode_message(changed))

    def tell_gone(self, plan_id: int) -> None:
        """Say that a plan was taken away."""
        self._say(f"plan {plan_id}", encode_message(PlanChanged(plan_id=plan_id, version=0, state=None)))

    def tell_programme(self) -> None:
        """Say that the programme changed."""
        self._say("programme", encode_message(ProgrammeChanged()))

    def tell_progress(self, account_id: int, progress: PlanProgress) -> None:
        """Say to an account's browsers how far its plan is."""
        text = encode_message(progress)
        for client, waiting in self._waiting.items():
            if client.account_id == account_id:
                waiting["progress"] = text
                self._is_news = True

    def _say(self, what: str, text: str) -> None:
        self._is_news = True
        self.version += 1
        for waiting in self._waiting.values():
            waiting[what] = text
