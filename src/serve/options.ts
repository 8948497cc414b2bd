/**
 * How a server is started.
 *
 * @module
 */
import type { Patience } from "../acme/mod.ts";
import type { Config } from "../config/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { DeveloperOptions } from "./catcher/developer.ts";
import type { OutgoingOptions } from "./queue_services.ts";
import type { ReceivingOptions } from "./receiving/receiving.ts";

/** What a server is started with. */
export interface ServerOptions {
  config: Config;
  /** Localserve: mail never leaves, special localparts misbehave, loopback has no limits. */
  local: boolean;
  /** Of localserve: what it does for developers. */
  developer?: DeveloperOptions;
  /** How mail leaves; of no use with `local`. */
  outgoing?: OutgoingOptions;
  /** Of receiving: the resolver, and what tests choose. */
  receiving?: ReceivingOptions;
  /**
   * Runs when all sockets are bound and private keys are read, before anything is written and the first
   * byte of a connection is read: becomes the user that the server runs as.
   */
  becomeUser?: () => Promise<void>;
  /** How long an ACME authority is waited for; tests have little time. */
  acmePatience?: Patience;
  /** Milliseconds since the epoch that allowances of logins go by; for tests, where a try takes its time. */
  loginClock?: () => number;
  /** Runs when the folder is this process's, before anything listens. */
  prepare?: (accounts: Accounts) => Promise<void>;
}
