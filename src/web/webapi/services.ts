/** The server's services that the web API needs. @module */
import type { Config } from "../../config/mod.ts";
import type { LoginGuard } from "../../net/mod.ts";
import type { NewQueueRecipient, Queue } from "../../queue/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { SendWithCopy } from "../webmail/mod.ts";
import type { LoginForm, LoginResult } from "../login/mod.ts";

/** A composed message, for some of its recipients. */
export interface ApiSubmission {
  account: string;
  /** The address in From. */
  author: string;
  /** Domain of From; its keys sign. */
  fromDomain: string;
  mailFrom: string;
  recipients: NewQueueRecipient[];
  file: string;
  fileSize: number;
  smtputf8: boolean;
  has8bit: boolean;
  requireTls: boolean | undefined;
  notBefore: number | undefined;
  /** With <>. */
  messageId: string;
  subject: string;
  extra: Record<string, string>;
  /** Stored with the message in the queue. */
  key?: string;
}

export interface WebApiServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  limiter: LoginGuard;
  tempDir: string;
  hostname: string;
  version: string;
  maxMessageSize: number;
  /** Checks name and password; takes the same time whether or not the name exists. */
  checkLogin(form: LoginForm, remoteIp: string): Promise<LoginResult>;
  /**
   * Queues; durable when it resolves, with ids in the order of the recipients.
   * @throws ApiError for limits of the account
   */
  submit(submission: ApiSubmission): Promise<number[]>;
  /** Queues what also gets a copy in Sent. */
  sendWithCopy: SendWithCopy;
}
