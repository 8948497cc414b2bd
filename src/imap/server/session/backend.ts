/**
 * What the IMAP server needs from the rest of the process.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import type { Log } from "../../../log/mod.ts";
import type { ServerTls } from "../../../net/types.ts";
import type { SaslBackend } from "../../../sasl/types.ts";
import type { LoggedIn, LoginGuard } from "../../../net/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import type { RightsChange } from "../../../store/mailboxes/shares.ts";

/** What sharing needs from the rest. Accounts are identified by name. */
export interface Sharing {
  /** Accounts that may have granted something to a user. */
  owners(user: string): string[];
  /** Notes that an account grants something to an identifier; durable when it resolves. */
  granting(owner: string, identifier: string): Promise<void>;
  /** Called when rights were changed. */
  changed?(change: RightsChange): Promise<void>;
  /** The account of a name or an address; undefined if there is none. */
  accountNamed(identifier: string): string | undefined;
  /** Opens an account; the session closes it. @throws StoreError "accountMissing" */
  open(account: string): Promise<Account>;
}

export interface ImapBackend {
  /** Name of this server for greetings. */
  readonly hostname: string;
  readonly log: Log;
  /** Folder for messages being received; on the accounts' file system, so that they can be linked. */
  readonly tempDir: string;
  /** Bytes of a message that APPEND takes. */
  readonly maxMessageSize: number;
  /** Passwords may be sent without TLS (localserve). */
  readonly plaintextLogin: boolean;
  /** Refuse harmless violations of the specification, such as lines that end in LF alone. */
  readonly pedantic?: boolean;
  /** For STARTTLS; undefined offers none. */
  readonly tls: ServerTls | undefined;
  /** Milliseconds that a client may be silent; one minute before login and 31 minutes after it if not given. */
  readonly timeouts?: { beforeLogin: number; afterLogin: number };
  /** Milliseconds between two progress notes of a long command; 10 seconds if not given. */
  readonly progressInterval?: number;
  /** Checks passwords and the like. EXTERNAL is offered only if it has certificateUsername. */
  readonly sasl: SaslBackend;
  /** Limits password guessing, and records who tries. */
  readonly loginGuard: LoginGuard;
  /** Called at each login; the function it returns is called when the session ends. */
  loggedIn?(session: LoggedIn): () => void;
  /** Opens the account of a login name, for one session, which closes it. */
  accountForLogin(login: string): Promise<Account | undefined>;
  /** Capabilities hidden from an account's programs. */
  capabilitiesDisabled?(account: string): readonly string[];
  /** URL of the session of JMAP (RFC 9698), in ASCII; undefined where it isn't served. */
  readonly jmapUrl?: string;
  /** Mailboxes shared between accounts (RFC 4314); undefined where they are not. */
  readonly sharing?: Sharing;
  /** Scripts that run on events (RFC 6785); undefined where there are none. */
  readonly scripts?: {
    /** Where scripts are managed, for the capability: "sieve://host". */
    url: string;
    /** Records an event, durable when it resolves; must neither fail nor wait for the script. */
    note(change: ImapChange): Promise<void>;
  };
}

/** What happened to messages of a mailbox. */
export interface ImapChange {
  account: Account;
  /** Who did it. */
  login: string;
  cause: "APPEND" | "COPY" | "FLAG";
  mailboxId: MailboxId;
  uids: ArrayLike<number>;
  /** Names of flags that were set or taken away, each once. */
  changedFlags: readonly string[];
}
