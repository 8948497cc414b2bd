/** What JMAP needs from the server. @module */
import type { Config } from "../config/mod.ts";
import type { Scheduler } from "../groupware/scheduling.ts";
import type { Scripts } from "../delivery/sieve/scripts.ts";
import type { LoggedIn, LoginGuard } from "../net/mod.ts";
import type { ProgramLogin } from "../web/http/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { NewQueueRecipient, Queue } from "../queue/mod.ts";
import type { ObjectStore } from "./objects/store.ts";
import type { Signals } from "./push/signals.ts";
import type { AlertSource, CalendarAlert } from "./push/alert.ts";
import type { Vapid } from "./push/vapid.ts";
import type { Uploads } from "./blobs/uploads.ts";

/** A message of the account, for its recipients. */
export interface JmapSubmission {
  account: string;
  /** The sent header, with its empty line. */
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
  /** How that was asked for, as in NewQueueMessage. */
  holdRequest?: string;
  /** With <>. */
  messageId: string;
  subject: string;
  /** Key to ask the queue later whether it has the message. */
  key?: string;
}

/** Notifies push services of new states; see push/pusher.ts. */
export interface PushNotifier {
  /** Follows all users with subscriptions. */
  start(): Promise<void>;
  /** Sends the code by which a new subscription is verified. */
  verify(account: string, id: number, pushSubscriptionId: string): Promise<void>;
  /** Updates what an account has subscribed to. */
  refresh(account: string): Promise<void>;
  /** Accounts with a subscription to alerts of events. */
  alerted(): string[];
  /** Tells an account's subscriptions to them of one. */
  alert(account: string, alert: CalendarAlert): void;
  close(): void;
}

export interface JmapServices {
  config: Config;
  accounts: Accounts;
  limiter: LoginGuard;
  tempDir: string;
  hostname: string;
  /** Most bytes of a message, and of an upload. */
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
  /** Notifies participants of events; knows when users are busy. */
  scheduler: Scheduler;
  /** Sieve scripts of accounts. */
  scripts: Scripts;
  signals: Signals;
  pusher: PushNotifier;
  alerts: AlertSource;
  vapid: Vapid;
  queue: Queue;
  /**
   * Queues a message; durable when it resolves with ids in the order of the recipients.
   * @throws SetError for limits of the account
   */
  submit(submission: JmapSubmission): Promise<number[]>;
  /** Checks name and password; takes the same time whether or not the name exists. */
  checkLogin(
    form: { username: string; password: string },
    remoteIp: string,
  ): Promise<ProgramLogin>;
  /** Checks an access token of a provider; undefined if no provider is configured. */
  checkToken?: (
    token: string,
  ) => Promise<{ account: string; credential: string; login: string } | "wrong">;
  /** PEM of the trusted certificate authorities, for S/MIME. */
  authorities(): readonly string[];
  /** Follows an event stream or websocket until it ends. @returns a function to call at its end */
  loggedIn(session: LoggedIn): () => void;
}
