/**
 * UNSELECT (RFC 9051 §6.4.2).
 *
 * @module
 */
import type { Command } from "../session/command.ts";
import { State } from "../session/session.ts";

export const unselect: Command = {
  name: "UNSELECT",
  states: State.Selected,
  capabilities: ["UNSELECT"],
  parse: (_, s) => () => s.closeView(),
};
