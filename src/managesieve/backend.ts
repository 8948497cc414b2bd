/** What the ManageSieve server needs from the rest of the process. @module */
import type { Scripts } from "../delivery/sieve/scripts.ts";
import type { Log } from "../log/mod.ts";
import type { LoggedIn, LoginGuard, ServerTls } from "../net/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";

export interface ManageSieveBackend {
  readonly hostname: string;
  readonly log: Log;
  readonly scripts: Scripts;
  /** For STARTTLS; undefined offers none. */
  readonly tls: ServerTls | undefined;
  /** Passwords may be sent without TLS (localserve). */
  readonly plaintextLogin: boolean;
  readonly sasl: SaslBackend;
  /** Milliseconds that a client may be silent; 1 and 31 minutes if not given. */
  readonly timeouts?: { beforeLogin: number; afterLogin: number };
  /** Limits password guessing, and records attempts. */
  readonly loginGuard: LoginGuard;
  /** Called for each login; what it returns is called when the session is over. */
  loggedIn?(session: LoggedIn): () => void;
  /** The account of a login name; undefined for one that may not log in. */
  accountForLogin(login: string): string | undefined;
}
