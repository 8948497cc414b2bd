/**
 * How an SMTP listener is set up.
 *
 * @module
 */
import type { Log } from "../../log/mod.ts";
import type { LoginGuard, ServerTls } from "../../net/mod.ts";
import type { MechanismName } from "../../sasl/mod.ts";
import type { SmtpBackend } from "./backend.ts";
import type { MessageLimits } from "./message_file.ts";

/** Limits for peers. */
export interface SmtpLimits extends MessageLimits {
  /** Bytes in a command with its CRLF; lines of AUTH may have 12,288 (RFC 4954 §4). */
  commandLine: number;
  /** Recipients of a message; announced as RCPTMAX. */
  recipients: number;
  /** Commands between one accepted message and the next. */
  commands: number;
  /** Refused commands since the last accepted message, after which the connection is ended. */
  errors: number;
  /** Milliseconds to wait for a command, and for the next bytes of a message. */
  commandTimeout: number;
  dataTimeout: number;
  /** Milliseconds for a whole message. */
  messageTime: number;
}

/** Defaults; the timeouts are those of RFC 5321 §4.5.3.2. */
export const defaultLimits: SmtpLimits = {
  size: 100 * 1024 * 1024,
  headerSize: 256 * 1024,
  headerFields: 2000,
  hops: 100,
  commandLine: 4096,
  recipients: 1000,
  commands: 5000,
  errors: 20,
  commandTimeout: 300_000,
  dataTimeout: 180_000,
  messageTime: 3600_000,
};

/** What a server for developers accepts although real ones refuse it. */
export interface Lenience {
  /** The domain for addresses without one, such as `<root>`. */
  localDomain: string;
  /** Submission needs no login. */
  loginOptional: boolean;
}

/** An SMTP listener's behaviour. */
export interface SmtpServerOptions {
  /** Name in the greeting and in Received. */
  hostname: string;
  log: Log;
  backend: SmtpBackend;
  /** Folder for arriving messages, on the accounts' file system so that they can be linked. */
  tmpDir: string;
  /** For users' mail programs: login required, FUTURERELEASE offered. */
  submission?: boolean;
  /**
   * LMTP (RFC 2033), between nodes: LHLO in place of EHLO, an answer for each recipient, and XCLIENT reports
   * the client's TLS.
   */
  lmtp?: boolean;
  /** STARTTLS is offered if set. */
  tls?: ServerTls;
  /** Mail is accepted only over TLS (receiving), or logins are (submission). */
  requireTls?: boolean;
  /** Plain passwords may be sent without TLS. For loopback. */
  allowPlainAuth?: boolean;
  /** Offer SCRAM-*-PLUS: not all clients that choose it support it. */
  scramPlus?: boolean;
  /** REQUIRETLS is neither offered nor accepted. */
  noRequireTls?: boolean;
  /** Refuse what breaks the specifications but is harmless. */
  pedantic?: boolean;
  limits?: Partial<SmtpLimits>;
  /** Limits password guessing and notes the attempts; without it nothing is limited. */
  loginGuard?: LoginGuard;
  /**
   * For localserve: lines of a message may end in LF or CR alone and get CRLF; addresses may lack a domain.
   * Never for mail from strangers.
   */
  lenient?: Lenience;
  /** Mechanisms of AUTH to offer among those that the connection allows; all if not given. */
  mechanisms?: readonly MechanismName[];
  /** Milliseconds before the greeting: peers that talk first are turned away. 0 if not given. */
  greetingDelay?: number;
  /** Milliseconds added for each refused command after the fifth; 200 if not given. */
  errorDelay?: number;
  /** Milliseconds before each answer to suspicious peers; 1000 if not given. */
  suspiciousDelay?: number;
}

/** RFC 4865 §4: how far ahead a message may be held. */
export const maxHold = 60 * 86400_000;
