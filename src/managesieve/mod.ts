/**
 * The ManageSieve server (RFC 5804), for one connection at a time: mail programs store, check and choose the scripts of
 * an account by it.
 *
 * May import platform, log, metrics, net, sasl, sieve and delivery. Called by what opens the listeners.
 *
 * @module
 */
export type { ManageSieveBackend } from "./backend.ts";
export { serveManageSieve } from "./serve.ts";
