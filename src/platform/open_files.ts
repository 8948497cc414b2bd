/**
 * Open files as a budget of the process: its own needs, those of open mailboxes, and the rest for connections.
 * Above these numbers a request is refused in its protocol's form, as a process without files can neither
 * deliver nor log, and the runtime ends it if a Worker can't be started.
 *
 * @module
 */
import { openFilesLimit } from "./process.ts";

/** Databases of the server, Workers, listeners, libraries: about this many are open at all times. */
const ofTheProcess = 64;
/** Files that an open account keeps open: its databases, their logs, and messages being read. */
const ofAccount = 12;
/** Shares of the rest; the remainder is for outgoing connections and temporary files. */
const shareOfAccounts = 0.5;
const shareOfConnections = 0.4;
/** With fewer, a server with a few users runs short when they all read their mail at the same time. */
export const lowOpenFiles = 4096;

/** How many of each may be open. */
export interface OpenFilesBudget {
  /** Total files and sockets. */
  limit: number;
  /** Connections of all listeners together. */
  connections: number;
  /** Most open accounts; idle ones are closed for others. */
  accounts: number;
}

/** The budget for a limit; for that of this process if none is given, and 65,536 where it is unknown. */
export function openFilesBudget(limit = openFilesLimit() ?? 65_536): OpenFilesBudget {
  const rest = Math.max(0, limit - ofTheProcess);
  return {
    limit,
    connections: Math.max(16, Math.floor(rest * shareOfConnections)),
    accounts: Math.max(4, Math.floor(rest * shareOfAccounts / ofAccount)),
  };
}

/** The warning at the start if the limit is low; undefined if it isn't. */
export function lowOpenFilesText(budget = openFilesBudget()): string | undefined {
  if (budget.limit >= lowOpenFiles) return undefined;
  return `this process may have only ${budget.limit} files open: at most ${budget.connections} connections and ` +
    `${budget.accounts} mailbox accounts at a time, more are refused for the moment; raise the limit to 65535 ` +
    `("ulimit -Hn", or LimitNOFILE= in the service's unit)`;
}
