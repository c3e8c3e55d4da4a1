// Commands to devices as they stand: read once a unit, then kept by what the websocket tells.
import type { CommandView } from "../wire.generated";

const KEPT = 500;
const ORDER = { queued: 0, sent: 1, expired: 2, refused: 3, delivered: 3 } as const;

/** Commands by number. What is told late never takes a command back to where it was before. */
export class CommandBook {
  version = 0;
  private commands = new Map<number, CommandView>();

  /** Take a command's standing; true when it is another one. */
  put(command: CommandView): boolean {
    const known = this.commands.get(command.command_id);
    if (known && ORDER[known.state] >= ORDER[command.state]) return false;
    this.commands.set(command.command_id, command);
    if (this.commands.size > KEPT) this.commands.delete(this.commands.keys().next().value!);
    this.version++;
    return true;
  }

  /** The commands of a unit, the newest first. */
  of(unitId: number): CommandView[] {
    return [...this.commands.values()]
      .filter((command) => command.unit_id === unitId)
      .sort((a, b) => b.command_id - a.command_id);
  }

  /** Forget all: the server started anew. */
  restart(): void {
    this.commands.clear();
    this.version++;
  }
}
