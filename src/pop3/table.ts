/** The table of all commands. @module */
import { capa, noop, quit, utf8 } from "./commands/any.ts";
import { auth, pass, stls, user } from "./commands/authorization.ts";
import { dele, list, retr, rset, stat, top, uidl } from "./commands/transaction.ts";
import type { Pop3Command } from "./session.ts";

export const commands: readonly Pop3Command[] = [
  ...[user, pass, auth, stls, utf8],
  ...[stat, list, uidl, retr, top, dele, rset, noop],
  ...[capa, quit],
];

const byName = new Map(commands.map((c) => [c.name, c]));

/** A command by its name in upper case. */
export function commandNamed(name: string): Pop3Command | undefined {
  return byName.get(name);
}
