/** What JMAP needs of the server. @module */
import type { Config } from "../config/mod.ts";
import type { Scheduler } from "../groupware/scheduling.ts";
import type { Scripts } from "../delivery/sieve/scripts.ts";
import type { LoggedIn, LoginGuard } from "../net/mod.ts";
import type { ProgramLogin } from "../web/http/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { NewQueueRecipient, Queue } from "../queue/mod.ts";
import type { ObjectStore } from "./objects/store.ts";
import type { Signals } from "./push/signals.ts";
import type { Vapid } from "./push/vapid.ts";
import type { Uploads } from "./blobs/uploads.ts";

/** A message of the account, for its recipients. */
export interface JmapSubmission {
  account: string;
  /** Header as it is sent, with its empty line. */
  header: Uint8Array;
  mailFrom: string;
  recipients: NewQueueRecipient[];
  file: string;
  fileSize: number;
  smtputf8: boolean;
  has8bit: boolean;
  requireTls: boolean;
  ret: "full" | "hdrs" | undefined;
  envelopeId: string | undefined;
  notBefore: number | undefined;
  /** With <>. */
  messageId: string;
  subject: string;
  /** By which the queue is asked afterwards whether it took the message. */
  key?: string;
}

/** Who tells push services of new states; see push/pusher.ts. */
export interface PushNotifier {
  /** Follows all that have subscribed. */
  start(): Promise<void>;
  /** Sends the code by which a new subscription is verified. */
  verify(account: string, id: number, pushSubscriptionId: string): Promise<void>;
  /** Looks anew at what an account has subscribed to. */
  refresh(account: string): Promise<void>;
  close(): void;
}

export interface JmapServices {
  config: Config;
  accounts: Accounts;
  limiter: LoginGuard;
  tempDir: string;
  hostname: string;
  /** Largest message, and upload, in bytes. */
  maxMessageSize: number;
  sharing: {
    /** Accounts that may have granted something to a user. */
    owners(user: string): string[];
    /** Notes that an account grants something to another; durable when it resolves. */
    add(owner: string, account: string): Promise<void>;
    /** A user's rights on a mailbox have changed. */
    changed?(account: string): void;
  };
  uploads: Uploads;
  objects: ObjectStore;
  /** Tells the people of events; knows when users are busy. */
  scheduler: Scheduler;
  /** Sieve scripts of accounts. */
  scripts: Scripts;
  signals: Signals;
  pusher: PushNotifier;
  vapid: Vapid;
  queue: Queue;
  /**
   * Queues; durable when it resolves, with ids in the order of the recipients.
   * @throws SetError for limits of the account
   */
  submit(submission: JmapSubmission): Promise<number[]>;
  /** Checks name and password; takes the same time whether or not the name exists. */
  checkLogin(
    form: { username: string; password: string },
    remoteIp: string,
  ): Promise<ProgramLogin>;
  /** Checks an access token of a provider; undefined where none let in. */
  checkToken?: (
    token: string,
  ) => Promise<{ account: string; credential: string; login: string } | "wrong">;
  /** PEM of the certificate authorities that are trusted, for S/MIME. */
  authorities(): readonly string[];
  /** Follows an event stream or websocket until it is over. @returns what tells that it is */
  loggedIn(session: LoggedIn): () => void;
}
