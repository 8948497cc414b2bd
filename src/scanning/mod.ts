/**
 * Scanning by other programs: milters (protocol version 6), rspamd by HTTP, ClamAV by its socket. Their
 * findings and changes are passed to the delivery of incoming mail and to the queue of outgoing mail.
 *
 * May import platform, log, metrics, mail, net and config. Used by serve.
 *
 * @module
 */
export { type ScanFact, type Scanned, Scanners, type ScannersOptions } from "./scanners.ts";
export { type RewrittenMessage } from "./rewriting.ts";
export { type ScanEnvelope, ScanError, type ScanMessage, type ScanReply } from "./types.ts";
