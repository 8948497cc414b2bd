/**
 * What LOGIN and AUTHENTICATE share: the limit before, and the account after.
 *
 * @module
 */
import { LoginAttempt, LoginLimited } from "../../../net/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { type Answer, ImapNo } from "./answer.ts";
import { capabilityText } from "./capabilities.ts";
import type { Session } from "./session.ts";

/** A try to log in. */
export function loginAttempt(session: Session, mechanism: string): LoginAttempt {
  return new LoginAttempt(session.backend.loginGuard, "imap", session.conn, mechanism);
}

/** Called before the name is looked at. @throws ImapNo LIMIT after too many failed logins from this address */
export async function admit(attempt: LoginAttempt, login: string): Promise<void> {
  try {
    await attempt.admit(login);
  } catch (err) {
    if (!(err instanceof LoginLimited)) throw err;
    throw new ImapNo(err.message, "LIMIT", { cause: err });
  }
}

/** An account that can't be opened for now, as while it moves to another node, does not count as a failed login. */
async function opened(
  session: Session,
  attempt: LoginAttempt,
  login: string,
): Promise<Account | undefined> {
  try {
    return await session.backend.accountForLogin(login);
  } catch (err) {
    await attempt.done("error", login, (err as Error).message);
    throw err;
  }
}

/** The account of an authenticated name; the answer has the new capabilities. @throws ImapNo if it is disabled */
export async function logIn(
  session: Session,
  attempt: LoginAttempt,
  login: string,
  credential: string,
): Promise<Answer> {
  const account = await opened(session, attempt, login);
  await attempt.done(account ? "ok" : "disabled", login);
  if (!account) throw new ImapNo("login failed", "AUTHENTICATIONFAILED");
  session.login = login;
  session.account = account;
  session.sources = [{ account, listener: account.listen(), prefix: "" }];
  session.log = session.log.with({ login, account: account.name });
  session.onClose = session.backend.loggedIn?.({
    account: account.name,
    login,
    credential,
    end: (reason) => session.ending.begin(reason),
  });
  return { code: `CAPABILITY ${capabilityText(session)}`, text: "logged in" };
}
