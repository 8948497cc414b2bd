/**
 * The IMAP server: IMAP4rev2 (RFC 9051) and IMAP4rev1 (RFC 3501) with their extensions, for one
 * connection at a time.
 *
 * May import platform, log, metrics, mail, net, sasl and store. Called by what opens the listeners.
 * `table.ts` lists the commands and the states they are allowed in; the capabilities follow from it.
 *
 * @module
 */
export type { ImapBackend, ImapChange } from "./session/backend.ts";
export { serveImap } from "./serve.ts";
