/**
 * What LOGIN and AUTHENTICATE share: the limit before, and the account after.
 *
 * @module
 */
import { type Answer, ImapNo } from "./answer.ts";
import { capabilityText } from "./capabilities.ts";
import type { Session } from "./session.ts";

/** @throws ImapNo LIMIT after too many failed logins from there */
export function checkLimit(s: Session): void {
  if (!s.backend.mayTryLogin(s.conn)) {
    throw new ImapNo("too many failed logins from your network, try again later", "LIMIT");
  }
}

/** The account for a name that has proved itself; the answer has the new capabilities. @throws ImapNo if it is disabled */
export async function logIn(s: Session, login: string, mechanism: string): Promise<Answer> {
  const account = await s.backend.accountForLogin(login);
  s.backend.loginDone(s.conn, login, account ? "ok" : "disabled", mechanism);
  if (!account) throw new ImapNo("login failed", "AUTHENTICATIONFAILED");
  s.login = login;
  s.account = account;
  s.sources = [{ account, listener: account.listen(), prefix: "" }];
  s.log = s.log.with({ login, account: account.name });
  s.log.info("login");
  return { code: `CAPABILITY ${capabilityText(s)}`, text: "logged in" };
}
