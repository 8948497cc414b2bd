/** What the POP3 server needs from the rest of the process. @module */
import type { Log } from "../log/mod.ts";
import type { LoggedIn, LoginGuard } from "../net/mod.ts";
import type { ServerTls } from "../net/types.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import type { Account } from "../store/account/account.ts";

export interface Pop3Backend {
  /** Name of this server for the greeting. */
  readonly hostname: string;
  readonly log: Log;
  /** Passwords may be sent without TLS. */
  readonly plaintextLogin: boolean;
  /** For STLS; undefined offers none. */
  readonly tls: ServerTls | undefined;
  /** Checks passwords and the like. */
  readonly sasl: SaslBackend;
  /** Milliseconds that a client may be silent, before and after login; one and ten minutes if not given. */
  readonly timeouts?: { beforeLogin: number; afterLogin: number };
  /** Limits password guessing, and records attempts. */
  readonly loginGuard: LoginGuard;
  /** Called for each login; what it returns is called when the session is over. */
  loggedIn?(session: LoggedIn): () => void;
  /** Opens the account of a login name, for one session, which closes it. */
  accountForLogin(login: string): Promise<Account | undefined>;
  /** Takes the maildrop of an account for one session (RFC 1939 §4); undefined while another has it. */
  lock(account: string): (() => void) | undefined;
}

/** Locks of maildrops, shared by all listeners. */
export class MaildropLocks {
  readonly #taken = new Set<string>();

  /** A function that releases the lock; undefined while somebody else has it. */
  take(account: string): (() => void) | undefined {
    if (this.#taken.has(account)) return undefined;
    this.#taken.add(account);
    return () => void this.#taken.delete(account);
  }
}
