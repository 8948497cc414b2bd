/**
 * What LOGIN and AUTHENTICATE share: the limit before, and the account after.
 *
 * @module
 */
import type { AuthResult } from "../../../metrics/authentication.ts";
import { type Admission, LoginLimited } from "../../../net/mod.ts";
import { type Answer, ImapNo } from "./answer.ts";
import { capabilityText } from "./capabilities.ts";
import type { Session } from "./session.ts";

/** One try to log in, counted and noted. */
export class LoginAttempt {
  readonly #s: Session;
  readonly #mechanism: string;
  #admission: Admission | undefined;
  #ended = false;

  constructor(s: Session, mechanism: string) {
    this.#s = s;
    this.#mechanism = mechanism;
  }

  get #who() {
    return { service: "imap", remoteIp: this.#s.conn.remoteIp, cid: this.#s.conn.cid } as const;
  }

  /** Before anything of the name is looked at. @throws ImapNo LIMIT after too many failed logins from there */
  async admit(login: string): Promise<void> {
    try {
      this.#admission = await this.#s.backend.loginGuard.admit({ ...this.#who, login });
    } catch (err) {
      if (!(err instanceof LoginLimited)) throw err;
      this.#ended = true;
      throw new ImapNo(err.message, "LIMIT", { cause: err });
    }
  }

  /** How it ended; resolves when that may be answered. */
  async done(result: AuthResult, login: string, reason?: string): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const way = { mechanism: this.#mechanism, client: "", reason };
    if (this.#admission) await this.#admission.done(result, way);
    else this.#s.backend.loginGuard.note({ ...this.#who, login }, result, way);
  }
}

/** The account for a name that has proved itself; the answer has the new capabilities. @throws ImapNo if it is disabled */
export async function logIn(
  s: Session,
  attempt: LoginAttempt,
  login: string,
  credential: string,
): Promise<Answer> {
  const account = await s.backend.accountForLogin(login);
  await attempt.done(account ? "ok" : "disabled", login);
  if (!account) throw new ImapNo("login failed", "AUTHENTICATIONFAILED");
  s.login = login;
  s.account = account;
  s.sources = [{ account, listener: account.listen(), prefix: "" }];
  s.log = s.log.with({ login, account: account.name });
  s.onClose = s.backend.loggedIn?.({
    account: account.name,
    login,
    credential,
    end: (reason) => s.end(reason),
  });
  return { code: `CAPABILITY ${capabilityText(s)}`, text: "logged in" };
}
