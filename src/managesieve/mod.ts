/**
 * The ManageSieve server (RFC 5804), for one connection at a time: mail programs use it to store, check and
 * choose the scripts of an account.
 *
 * May import platform, log, metrics, net, sasl, sieve and delivery. Called by the code that opens the
 * listeners.
 *
 * @module
 */
export type { ManageSieveBackend } from "./backend.ts";
export { serveManageSieve } from "./serve.ts";
