/** What PASS and AUTH share: the limit before, the account and its lock after. @module */
import { SaslError } from "../sasl/mod.ts";
import { Maildrop } from "./maildrop.ts";
import { Pop3Error, type Pop3Session } from "./session.ts";

/** Failed logins of one connection, after which it is ended. */
const maxFailures = 5;
/** Milliseconds that are added to each answer to a failed login. */
const failureDelay = 500;

/** @throws Pop3Error after too many failed logins from there */
export function checkLimit(s: Pop3Session): void {
  if (!s.backend.mayTryLogin(s.conn)) {
    throw new Pop3Error("too many failed logins from your network, try again later", "SYS/TEMP", {
      close: true,
    });
  }
}

/** Opens the maildrop for a name that has proved itself. @throws Pop3Error */
export async function logIn(s: Pop3Session, login: string, mechanism: string): Promise<void> {
  const account = await s.backend.accountForLogin(login);
  s.backend.loginDone(s.conn, login, account ? "ok" : "disabled", mechanism);
  if (account === undefined) throw new Pop3Error("login failed", "AUTH");
  const unlock = s.backend.lock(account.name);
  if (unlock === undefined) {
    account.close();
    throw new Pop3Error("another session has the maildrop", "IN-USE");
  }
  try {
    s.drop = new Maildrop(account);
    s.unlock = unlock;
  } catch (err) {
    unlock();
    account.close();
    throw err;
  }
  s.log = s.log.with({ login, account: account.name });
  s.log.info("login");
  s.ok(`${s.drop.messages.length} messages`);
}

/** Counts a login that failed, and makes its answer. */
export async function refused(
  s: Pop3Session,
  err: SaslError,
  login: string,
  mechanism: string,
): Promise<Pop3Error> {
  if (err.reason === "malformed") return new Pop3Error(err.message, undefined, { cause: err });
  s.backend.loginDone(
    s.conn,
    login,
    err.reason === "channelBinding" ? "badchanbind" : "badcreds",
    mechanism,
  );
  s.failedLogins++;
  await new Promise((resolve) => setTimeout(resolve, failureDelay));
  const text = err.reason === "credentials" ? "wrong user name or password" : err.message;
  return new Pop3Error(text, "AUTH", { cause: err, close: s.failedLogins >= maxFailures });
}
