/** What the webmail needs of the rest of the server. @module */
import type { DomainSecurity } from "../../../webmail/api/mod.ts";
import type { Config } from "../../config/mod.ts";
import type { Scheduler } from "../../groupware/scheduling.ts";
import type { SieveDatabase } from "../../delivery/sieve/database.ts";
import type { SiteScripts } from "../../delivery/sieve/site_scripts.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { MailboxId } from "../../store/ids.ts";
import type { WebHandler } from "../http/mod.ts";
import type { Login, Sessions } from "../login/mod.ts";

/** A message that is ready to be sent. */
export interface SubmittedMessage {
  account: string;
  /** localpart@domain, one of the account's; checked again by who takes it. */
  mailFrom: string;
  /** localpart@domain, each once. */
  recipients: string[];
  /** Complete, synced file; linked or copied, the caller removes its own. */
  file: string;
  fileSize: number;
  /** Something in the header is beyond ASCII, and needs SMTPUTF8. */
  smtputf8: boolean;
  has8bit: boolean;
  /** true: REQUIRETLS; false: the header has "TLS-Required: no". */
  requireTls: boolean | undefined;
  /** Milliseconds since the epoch before which it isn't sent. */
  notBefore: number | undefined;
  messageId: string;
  subject: string;
}

export interface WebmailServices {
  config: Config;
  accounts: Accounts;
  login: Login;
  sessions: Sessions;
  /** In Message-IDs. */
  hostname: string;
  version: string;
  /** For messages and uploads that are being written; emptied when the server starts. */
  tempDir: string;
  /** Bytes of a message as it is sent. */
  maxMessageSize: number;
  /** The page itself, at "/" and what it loads beside it. */
  page: WebHandler;
  /**
   * Signs the message and puts it into the queue.
   * @throws UserError in words for the sender, when a limit or rule forbids it.
   */
  submit(message: SubmittedMessage): Promise<void>;
  /** Whether the queue took a message of the account with this Message-ID, without <>, also long ago. */
  wasSubmitted(account: string, messageId: string): boolean;
  /** POSTs to a browser's push service (RFC 8030); gives the status. Without it nothing is pushed. */
  postPush?(endpoint: URL, headers: Record<string, string>, body: Uint8Array): Promise<number>;

  /** Accounts that may have granted something to a user. */
  owners?(user: string): string[];
  /** Tells people of events; without it the page changes none. */
  scheduler?: Scheduler;
  /** Sieve scripts of the accounts, which the rules are, and those that all can include. */
  sieve?: { db: SieveDatabase; site: SiteScripts };
  /** Takes note of what happened, for scripts that run then (RFC 6785); durable when it resolves. Must not fail. */
  noteChange?(change: {
    account: Account;
    /** Who did it. */
    login: string;
    cause: "APPEND" | "COPY" | "FLAG";
    mailboxId: MailboxId;
    uids: ArrayLike<number>;
    /** Names of flags that were set or taken away, each once. */
    changedFlags: readonly string[];
  }): Promise<void>;
  /** PEM of the certificate authorities that are trusted; without it none is. */
  authorities?(): readonly string[];
  /** POSTs "List-Unsubscribe=One-Click" to an address (RFC 8058); gives the status of the answer. */
  postOneClick?(url: string): Promise<number>;
  /** Where messages of an account are shown with their checks, with {id} in it; only localserve has it. */
  checksOf?(account: string): string;
  /** How safely mail to a domain travels; without it nothing is known. */
  domainSecurity?(domain: string): Promise<Omit<DomainSecurity, "address">>;
}

/** Who makes a request. */
export interface Who {
  account: string;
  loginAddress: string;
  sessionId: number;
  /** Path of the account page on the same host and port, if there is one. */
  accountPage: string | undefined;
}
