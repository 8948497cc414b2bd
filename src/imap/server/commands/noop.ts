/**
 * NOOP (RFC 9051 §6.1.2): what others changed is told at its end, as at the end of every command.
 *
 * @module
 */
import { anyState, type Command } from "../session/command.ts";

export const noop: Command = { name: "NOOP", states: anyState, parse: () => () => {} };
