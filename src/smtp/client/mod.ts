/**
 * SMTP as a client: to the servers of other domains, and to submission services and smarthosts.
 *
 * A session ({@link SmtpClient}) starts on a connection made by the caller; it does not decide where to connect
 * or whether to fall back to plain text. Failures are {@link SmtpClientError}s.
 *
 * May import platform, log, metrics, net and sasl. Used by the queue and by commands.
 *
 * @module
 */
export type { Progress } from "./channel.ts";
export { type SessionOptions, SmtpClient, type TlsUse } from "./client.ts";
export { type FailureKind, type Phase, SmtpClientError } from "./errors.ts";
export { type Extensions, parseExtensions } from "./extensions.ts";
export { DataEncoder } from "./output.ts";
export {
  asciiDomainAddress,
  isAscii,
  mailCommand,
  needsUtf8,
  rcptCommand,
  takesBy,
  xtext,
} from "./parameters.ts";
export { maxReplyLine, type Reply, ReplyError, ReplyParser, replyText } from "./reply.ts";
export {
  defaultTimeouts,
  type Envelope,
  type EnvelopeRecipient,
  type MessageSource,
  type RecipientOutcome,
  type Timeouts,
} from "./types.ts";
