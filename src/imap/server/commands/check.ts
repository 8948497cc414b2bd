/**
 * CHECK (RFC 3501 §6.4.1; dropped by RFC 9051): everything is durable already, so it does what NOOP does.
 *
 * @module
 */
import type { Command } from "../session/command.ts";
import { State } from "../session/session.ts";

export const check: Command = { name: "CHECK", states: State.Selected, parse: () => () => {} };
