/**
 * The SMTP server: receiving from other servers (25) and submission by users' programs (587, 465). It speaks
 * the protocol and writes messages to temporary files; a backend decides about senders, recipients and
 * messages.
 *
 * May import everything below protocol servers; its files need only net, sasl, log, metrics and platform. Used
 * by the commands that start the server.
 *
 * @module
 */
export type {
  Delivered,
  IncomingMessage,
  MessageObserver,
  Notify,
  Outcome,
  Recipient,
  SmtpBackend,
  SmtpSession,
  Transaction,
} from "./backend.ts";
export { SmtpError } from "./errors.ts";
export { Faults, type FaultSettings, noFaults, type ScenarioStep, type Trigger } from "./faults.ts";
export { misbehaving, requestedError } from "./localserve.ts";
export { removeLeftovers } from "./message_file.ts";
export { filesAhead, makeFilesAhead } from "./spare_files.ts";
export {
  defaultLimits,
  type Lenience,
  type SmtpLimits,
  type SmtpServerOptions,
} from "./options.ts";
export {
  type Address,
  addressText,
  localpartText,
  needsUtf8,
  parsePath,
  PathError,
} from "./path.ts";
export {
  serveSmtp,
  serveSmtpConnection,
  serveSmtpSession,
  type SmtpListenOptions,
} from "./server.ts";
