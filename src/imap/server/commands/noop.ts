/**
 * NOOP (RFC 9051 §6.1.2): reports changes by others at its end, as every command does.
 *
 * @module
 */
import { anyState, type Command } from "../session/command.ts";

export const noop: Command = { name: "NOOP", states: anyState, parse: () => () => {} };
