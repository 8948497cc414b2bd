/** Control socket commands for moving accounts between nodes. @module */
import { ControlError, type ControlHandler, type Json } from "../control/control.ts";
import type { Arrivals } from "./arrivals.ts";
import { type Departures, MoveError } from "./departures.ts";

/** The name of an account, and of a node where one is expected. @throws ControlError */
function words(args: Json, ...names: string[]): string[] {
  const given = (args ?? {}) as Record<string, Json>;
  return names.map((name) => {
    const word = given[name];
    if (typeof word !== "string" || word === "") throw new ControlError(`${name} is expected`);
    return word;
  });
}

async function asked<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (err) {
    throw err instanceof MoveError ? new ControlError(err.message) : err;
  }
}

export function moveCommands(
  departures: Departures,
  arrivals: Arrivals,
): [string, ControlHandler][] {
  return [
    ["node move", async (args, print) => {
      const [account, node] = words(args, "account", "node");
      await asked(() => departures.move(account, node, print));
    }],
    ["node moves", () => departures.states() as unknown as Json],
    ["node move cancel", async (args) => {
      const [account] = words(args, "account");
      await asked(() => departures.cancel(account));
    }],
    ["node move accept", async (args) => {
      const [account] = words(args, "account");
      if (!await arrivals.accept(account)) {
        throw new ControlError(
          `there is no whole copy of ${account} here, or domains.conf says that it is at another node`,
        );
      }
    }],
  ];
}
