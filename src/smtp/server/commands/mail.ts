/** MAIL (RFC 5321 §4.1.1.2) and the parameters of its extensions. */
import { sequenceError, SmtpError, syntaxError } from "../errors.ts";
import { maxHold } from "../options.ts";
import {
  isDigits,
  parameterError,
  parseDateTime,
  parseNumber,
  parseParameters,
  parseXtext,
} from "../parameters.ts";
import { parsePath, PathError } from "../path.ts";
import type { OpenTransaction, Session } from "../session.ts";

const known = ["SIZE", "BODY", "SMTPUTF8", "REQUIRETLS", "RET", "ENVID", "AUTH"];

/** Removes "FROM:" or "TO:"; spaces after it are common, and before it harmless. */
export function afterKeyword(session: Session, given: string, keyword: string): string {
  const args = session.pedantic ? given : given.trimStart();
  if (args.slice(0, keyword.length).toUpperCase() !== keyword) {
    throw syntaxError(`${keyword}<address> expected`);
  }
  const rest = args.slice(keyword.length);
  return session.pedantic ? rest : rest.trimStart();
}

/** RFC 6531 §3.2: a non-ASCII address without SMTPUTF8. */
export function pathRefusal(err: PathError, enhanced: string): SmtpError {
  if (err.needsSmtpUtf8) return new SmtpError(553, "6.7", err.message, { cause: err });
  return new SmtpError(501, enhanced, err.message, { cause: err });
}

export async function mail(session: Session, args: string): Promise<void> {
  checkMailAllowed(session);
  const text = afterKeyword(session, args, "FROM:");
  // Whether non-ASCII characters are allowed is stated after the address.
  const smtpUtf8 = / SMTPUTF8( |$)/i.test(text);
  let path: ReturnType<typeof parsePath>;
  try {
    path = parsePath(text, {
      pedantic: session.pedantic,
      utf8: smtpUtf8,
      localDomain: session.options.lenient?.localDomain,
    });
  } catch (e) {
    if (e instanceof PathError) throw pathRefusal(e, "1.7");
    throw e;
  }
  const extensions = (session.hello.extended || !session.pedantic ? known : [])
    .filter((e) => e !== "REQUIRETLS" || !session.options.noRequireTls);
  const holding = session.submission ? ["HOLDFOR", "HOLDUNTIL"] : [];
  const parameters = parseParameters(path.rest, [...extensions, ...holding]);
  const t: OpenTransaction = {
    mailFrom: path.address,
    body: body(parameters.get("BODY"), parameters.has("BODY")),
    smtpUtf8: flag(parameters, "SMTPUTF8"),
    requireTls: flag(parameters, "REQUIRETLS"),
    recipients: [],
    handle: undefined,
  };
  // RFC 8689 §4.2.1
  if (t.requireTls && session.tls === undefined) {
    throw new SmtpError(530, "7.10", "REQUIRETLS needs a connection with TLS");
  }
  if (parameters.has("SIZE")) {
    t.declaredSize = parseNumber(parameters.get("SIZE"), "SIZE");
    // RFC 1870 §6.1
    if (t.declaredSize > session.limits.size) {
      throw new SmtpError(552, "3.4", `message larger than ${session.limits.size} bytes`);
    }
  }
  if (parameters.has("RET")) {
    const value = parameters.get("RET")?.toLowerCase();
    if (value !== "full" && value !== "hdrs") throw parameterError("RET=FULL or RET=HDRS expected");
    t.ret = value;
  }
  if (parameters.has("ENVID")) {
    const value = parameters.get("ENVID");
    if (value !== undefined && value.length > 100) throw parameterError("ENVID is too long");
    t.envelopeId = parseXtext(value, "ENVID", smtpUtf8, !session.pedantic);
  }
  // RFC 4954 §5: no other server is trusted to name the authenticated user.
  if (parameters.has("AUTH")) {
    parseXtext(parameters.get("AUTH"), "AUTH", smtpUtf8, !session.pedantic);
  }
  Object.assign(t, hold(parameters));
  t.handle = await session.options.backend.checkMailFrom?.(session, t);
  session.transaction = t;
  session.refusedRecipients = 0;
  session.reply(250, "1.0", "sender ok");
}

function checkMailAllowed(session: Session): void {
  const { options } = session;
  if (session.hello.name === "") throw sequenceError("EHLO first");
  if (session.transaction !== undefined) throw sequenceError("already in a transaction");
  if (options.requireTls && session.tls === undefined) {
    throw new SmtpError(530, "7.0", "STARTTLS first");
  }
  if (session.submission && session.username === undefined && !options.lenient?.loginOptional) {
    throw new SmtpError(530, "7.0", "authentication required");
  }
}

function flag(parameters: Map<string, string | undefined>, name: string): boolean {
  if (parameters.get(name) !== undefined) throw parameterError(`no value expected for ${name}`);
  return parameters.has(name);
}

function body(value: string | undefined, given: boolean): OpenTransaction["body"] {
  if (!given) return "7bit";
  const name = value?.toLowerCase();
  // RFC 1652 §3, RFC 3030 §3
  if (name === "7bit" || name === "8bitmime" || name === "binarymime") return name;
  throw parameterError("BODY=7BIT, 8BITMIME or BINARYMIME expected");
}

/** What RFC 4865 §3 asks for: until when to hold the message, and the words of DSNs for it (§5.1.2). */
function hold(
  parameters: Map<string, string | undefined>,
): Pick<OpenTransaction, "holdUntil" | "holdRequest"> {
  const withFor = parameters.has("HOLDFOR");
  const withUntil = parameters.has("HOLDUNTIL");
  if (!withFor && !withUntil) return {};
  if (withFor && withUntil) throw parameterError("HOLDFOR and HOLDUNTIL exclude each other");
  const now = Date.now();
  let until: number;
  let request: string;
  if (withFor) {
    const value = parameters.get("HOLDFOR");
    // §3, §4.2: not 0, nor 0 in front.
    if (value === undefined || !isDigits(value) || value.length > 9 || value[0] === "0") {
      throw parameterError("HOLDFOR needs seconds, from 1 to 999999999");
    }
    until = now + Number(value) * 1000;
    request = `for;${value}`;
  } else {
    const value = parameters.get("HOLDUNTIL");
    until = parseDateTime(value, "HOLDUNTIL");
    request = `until;${value}`;
  }
  if (until > now + maxHold) {
    throw new SmtpError(
      501,
      "5.4",
      `can't hold a message for more than ${maxHold / 86400_000} days`,
    );
  }
  return { holdUntil: until, holdRequest: request };
}
