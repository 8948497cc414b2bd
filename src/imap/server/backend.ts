/**
 * What the IMAP server asks of the rest of the process.
 *
 * @module
 */
import type { Log } from "../../log/mod.ts";
import type { Connection, ServerTls } from "../../net/types.ts";
import type { SaslBackend } from "../../sasl/types.ts";
import type { Account } from "../../store/account.ts";

export interface ImapBackend {
  /** Name of this server for greetings. */
  readonly hostname: string;
  readonly log: Log;
  /** Folder for messages under way; on the file system of the accounts, so that they can be linked. */
  readonly tempDir: string;
  /** Bytes of a message that APPEND takes. */
  readonly maxMessageSize: number;
  /** Passwords may be sent without TLS (localserve). */
  readonly plaintextLogin: boolean;
  /** For STARTTLS; undefined offers none. */
  readonly tls: ServerTls | undefined;
  /** Milliseconds that a client may be silent; one minute before login and 31 minutes after it if not given. */
  readonly timeouts?: { beforeLogin: number; afterLogin: number };
  /** Checks passwords and the like. EXTERNAL is offered only if it has certificateUsername. */
  readonly sasl: SaslBackend;
  /** False while the peer's network has had too many failed logins. */
  mayTryLogin(conn: Connection): boolean;
  /** Counts a login for metrics and limits. */
  loginDone(conn: Connection, login: string, ok: boolean): void;
  /** Opens the account of a login name, for one session, which closes it. */
  accountForLogin(login: string): Promise<Account | undefined>;
}
