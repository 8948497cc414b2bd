/** What an administrator's command is, and how it reads its arguments. @module */
import type { RunningLists } from "../../admin/mod.ts";
import type { SieveDatabase } from "../../delivery/sieve/database.ts";
import type { Config } from "../../config/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { ControlError, type Json } from "./control.ts";

/** What the commands work on. */
export interface AdminContext {
  config: Config;
  accounts: Accounts;
  log: Log;
  /** The way to other servers of the server that runs; undefined where none runs, and nothing is served yet. */
  outbound?: Outbound;
  /** The resolver of the server that runs; one that remembers nothing of before. */
  freshResolver?: () => Resolver;
  /** The mailing lists of the server that runs. */
  lists?: RunningLists;
  /** Scripts of the server that runs; undefined where none runs. */
  sieve?: SieveDatabase;
}

/** Prints to the terminal of whoever runs the command. */
export type Print = (text: string) => void;
/** Arguments by their names, as the subcommands send them. */
export type Arguments = { [name: string]: Json };
export type AdminCommand = (
  context: AdminContext,
  args: Arguments,
  print: Print,
  signal?: AbortSignal,
) => Promise<Json | void>;

/** An argument that is a text. @throws ControlError */
export function textArgument(args: Arguments, name: string): string {
  const value = args[name];
  if (typeof value !== "string" || value === "") throw new ControlError(`${name} is missing`);
  return value;
}
