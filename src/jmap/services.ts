/** What JMAP needs of the server. @module */
import type { Config } from "../config/mod.ts";
import type { LoginGuard } from "../net/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { Uploads } from "./blobs/uploads.ts";

/** A login of a program: the account, or why there is none. */
export type ProgramLogin = { account: string } | "wrong" | "wrongCode" | "second" | "disabled";

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
  };
  uploads: Uploads;
  /** Checks name and password; takes the same time whether or not the name exists. */
  checkLogin(
    form: { username: string; password: string },
    remoteIp: string,
  ): Promise<ProgramLogin>;
}
