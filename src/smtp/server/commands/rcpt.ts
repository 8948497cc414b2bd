/** RCPT (RFC 5321 §4.1.1.3) and the parameters of DSN (RFC 3461). */
import type { Notify, Recipient } from "../backend.ts";
import { sequenceError, SmtpError } from "../errors.ts";
import { parameterError, parseParameters, parseUtf8Xtext, parseXtext } from "../parameters.ts";
import { addressText, parsePath, PathError } from "../path.ts";
import type { Session } from "../session.ts";
import { afterKeyword, pathRefusal } from "./mail.ts";

export async function rcpt(session: Session, args: string): Promise<void> {
  const t = session.transaction;
  if (t === undefined) throw sequenceError("MAIL first");
  if (session.chunked !== undefined) throw sequenceError("message has begun already");
  const text = afterKeyword(session, args, "TO:");
  let path: ReturnType<typeof parsePath>;
  try {
    path = parsePath(text, {
      pedantic: session.pedantic,
      utf8: t.smtpUtf8,
      postmasterDomain: session.options.hostname,
      localDomain: session.options.lenient?.localDomain,
    });
  } catch (e) {
    if (e instanceof PathError) throw pathRefusal(e, "1.3");
    throw e;
  }
  if (path.address === undefined) throw new SmtpError(501, "1.3", "recipient expected");
  const parameters = parseParameters(path.rest, ["NOTIFY", "ORCPT"]);
  const recipient: Omit<Recipient, "handle"> = {
    address: path.address,
    notify: parameters.has("NOTIFY") ? notify(parameters.get("NOTIFY")) : undefined,
    originalRecipient: parameters.has("ORCPT")
      ? originalRecipient(parameters.get("ORCPT"), t.smtpUtf8, !session.pedantic)
      : undefined,
  };
  // RFC 5321 §4.5.3.1.10: the client sends to the accepted ones, and to the rest in another transaction.
  if (t.recipients.length >= session.limits.recipients) {
    throw new SmtpError(452, "5.3", `more than ${session.limits.recipients} recipients`, {
      harmless: true,
    });
  }
  let handle: unknown;
  try {
    handle = await session.options.backend.checkRecipient(session, t, recipient);
  } catch (e) {
    session.refusedRecipients++;
    if (e instanceof SmtpError) {
      // Programs that watch the log depend on this form (contrib/fail2ban).
      session.log.info("refused recipient", {
        remote: session.remoteIp,
        login: session.username,
        reason: e.message,
        code: e.code,
        mailfrom: t.mailFrom ? addressText(t.mailFrom) : "",
        rcptto: addressText(recipient.address),
      });
    }
    throw e;
  }
  t.recipients.push({ ...recipient, handle });
  session.reply(250, "1.5", "recipient ok");
}

/** RFC 3461 §4.1 */
function notify(value: string | undefined): Notify[] {
  const words = (value ?? "").toLowerCase().split(",");
  const list: Notify[] = [];
  for (const w of words) {
    if (w !== "never" && w !== "success" && w !== "failure" && w !== "delay") {
      throw parameterError("NOTIFY=NEVER or a list of SUCCESS, FAILURE and DELAY expected");
    }
    if (!list.includes(w)) list.push(w);
  }
  if (list.includes("never") && words.length > 1) {
    throw parameterError("NOTIFY=NEVER must stand alone");
  }
  return list;
}

/** RFC 3461 §4.2, RFC 6533 §3 */
function originalRecipient(
  value: string | undefined,
  smtpUtf8: boolean,
  lenient: boolean,
): { type: string; address: string } | undefined {
  const semicolon = (value ?? "").indexOf(";");
  if (value === undefined || semicolon < 1 || value.length > 500) {
    throw parameterError("type;address expected for ORCPT");
  }
  const type = value.slice(0, semicolon).toLowerCase();
  for (const c of type) {
    if (!/^[a-z0-9-]$/.test(c)) throw parameterError("type;address expected for ORCPT");
  }
  const text = parseXtext(value.slice(semicolon + 1), "ORCPT", smtpUtf8, lenient);
  // Empty, but no reason to lose a message.
  if (text === "" && lenient) return undefined;
  if (text === "") throw parameterError("type;address expected for ORCPT");
  return { type, address: type === "utf-8" ? parseUtf8Xtext(text, "ORCPT") : text };
}
