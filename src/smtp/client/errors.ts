/** How a delivery over SMTP fails. @module */

/** What the client was doing. */
export type Phase =
  | "connect"
  | "greeting"
  | "hello"
  | "starttls"
  | "tls"
  | "auth"
  | "mail"
  | "rcpt"
  | "data"
  | "message";

/**
 * - `reply`: the server refused; `code` and `text` are its answer.
 * - `protocol`: the server's answer makes no sense.
 * - `network`: no connection, or it broke; `timeout`: the server was silent too long.
 * - `tls`: the handshake failed, or TLS was required and not offered.
 * - `unsupported`: the message needs an extension that the server doesn't have.
 * - `cancelled`: this side gave up.
 */
export type FailureKind =
  | "reply"
  | "protocol"
  | "network"
  | "timeout"
  | "tls"
  | "unsupported"
  | "cancelled";

/** A failure, of a whole connection or of one recipient. */
export class SmtpClientError extends Error {
  readonly kind: FailureKind;
  readonly phase: Phase;
  /** SMTP code to quote: the server's, or the one that fits best. */
  readonly code: number;
  /** Enhanced status code, such as "5.1.1" (RFC 3463). */
  readonly enhanced: string;
  /** The server's text, or ours. */
  readonly text: string;
  /** Trying again is useless. */
  readonly permanent: boolean;

  constructor(
    f: {
      kind: FailureKind;
      phase: Phase;
      code: number;
      enhanced: string;
      text: string;
      permanent?: boolean;
    },
    options?: ErrorOptions,
  ) {
    super(`smtp ${f.phase}: ${f.code} ${f.enhanced} ${f.text}`, options);
    this.name = "SmtpClientError";
    this.kind = f.kind;
    this.phase = f.phase;
    this.code = f.code;
    this.enhanced = f.enhanced;
    this.text = f.text;
    this.permanent = f.permanent ?? f.code >= 500;
  }
}
