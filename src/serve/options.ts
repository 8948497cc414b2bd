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

/** Options of a server. */
export interface ServerOptions {
  config: Config;
  /** Localserve: mail never leaves, special localparts cause faults, loopback has no limits. */
  local: boolean;
  /** For localserve: what it does for developers. */
  developer?: DeveloperOptions;
  /** How mail leaves; unused with `local`. */
  outgoing?: OutgoingOptions;
  /** For receiving: the resolver, and settings for tests. */
  receiving?: ReceivingOptions;
  /**
   * Runs when all sockets are bound and private keys are read, before anything is written and the first
   * byte of a connection is read: becomes the user that the server runs as.
   */
  becomeUser?: () => Promise<void>;
  /** How long to wait for an ACME authority; short in tests. */
  acmePatience?: Patience;
  /** Clock in milliseconds since the epoch for login rate limits; for tests. */
  loginClock?: () => number;
  /** Runs once the folder belongs to this process, before anything listens. */
  prepare?: (accounts: Accounts) => Promise<void>;
}
