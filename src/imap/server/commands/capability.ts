/**
 * CAPABILITY (RFC 9051 §6.1.1).
 *
 * @module
 */
import { capabilityText } from "../session/capabilities.ts";
import { anyState, type Command } from "../session/command.ts";

export const capability: Command = {
  name: "CAPABILITY",
  states: anyState,
  parse: (_, s) => () => s.untagged(`CAPABILITY ${capabilityText(s)}`),
};
