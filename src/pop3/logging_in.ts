/** What PASS and AUTH share: the limit before login, the account and its lock after it. @module */
import { LoginAttempt, LoginLimited } from "../net/mod.ts";
import type { SaslError } from "../sasl/mod.ts";
import { Maildrop } from "./maildrop.ts";
import { Pop3Error, type Pop3Session } from "./session.ts";

/** Failed logins of one connection, after which it is ended. */
const maxFailures = 5;
/** Milliseconds by which each answer to a failed login is delayed. */
const failureDelay = 500;

/** An attempt to log in. */
export function loginAttempt(session: Pop3Session, mechanism: string): LoginAttempt {
  return new LoginAttempt(session.backend.loginGuard, "pop3", session.conn, mechanism);
}

/**
 * Called before anything is looked up for a name. @throws Pop3Error after too many failed logins from that
 * address
 */
export async function admit(attempt: LoginAttempt, login: string): Promise<void> {
  try {
    await attempt.admit(login);
  } catch (cause) {
    if (!(cause instanceof LoginLimited)) throw cause;
    throw new Pop3Error(cause.message, "SYS/TEMP", { cause, close: true });
  }
}

/** Opens the maildrop for a name that has been authenticated. @throws Pop3Error */
export async function logIn(
  session: Pop3Session,
  attempt: LoginAttempt,
  login: string,
  credential: string,
): Promise<void> {
  const account = await session.backend.accountForLogin(login);
  await attempt.done(account ? "ok" : "disabled", login);
  if (account === undefined) throw new Pop3Error("login failed", "AUTH");
  const unlock = session.backend.lock(account.name);
  if (unlock === undefined) {
    account.close();
    throw new Pop3Error("another session has the maildrop", "IN-USE");
  }
  try {
    session.drop = new Maildrop(account);
    session.unlock = unlock;
  } catch (err) {
    unlock();
    account.close();
    throw err;
  }
  session.log = session.log.with({ login, account: account.name });
  session.onClose = session.backend.loggedIn?.({
    account: account.name,
    login,
    credential,
    end: (reason) => session.ending.begin(reason),
  });
  session.ok(`${session.drop.messages.length} messages`);
}

/** Notes a login that failed, and makes its answer. */
export async function refused(
  session: Pop3Session,
  attempt: LoginAttempt,
  err: SaslError,
  login: string,
): Promise<Pop3Error> {
  if (err.reason === "temporary") {
    await attempt.done("error", login, err.message);
    return new Pop3Error(err.message, "SYS/TEMP", { cause: err });
  }
  const malformed = err.reason === "malformed" || err.reason === "unavailable";
  const result = malformed
    ? "badprotocol"
    : err.reason === "channelBinding"
    ? "badchanbind"
    : "badcreds";
  await attempt.done(result, login, err.message);
  if (err.reason === "malformed") return new Pop3Error(err.message, undefined, { cause: err });
  session.failedLogins++;
  await new Promise((resolve) => setTimeout(resolve, failureDelay));
  const text = err.reason === "credentials" ? "wrong user name or password" : err.message;
  return new Pop3Error(text, "AUTH", { cause: err, close: session.failedLogins >= maxFailures });
}
