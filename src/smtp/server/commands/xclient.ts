/** XCLIENT: a trusted proxy names the client that it speaks for (Postfix's XCLIENT_README). */
import { canonicalIp, parseIp, type TlsInfo } from "../../../net/mod.ts";
import { sequenceError, SmtpError } from "../errors.ts";
import { isDigits, parseXtext } from "../parameters.ts";
import type { Session } from "../session.ts";

/** Attributes that a proxy may send, as announced in the answer to EHLO. */
export const xclientAttributes = [
  ...["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"],
] as const;
/** Between nodes also the client's TLS version and cipher, separated by a slash. */
const nodeAttributes = [...xclientAttributes, "TLS"] as const;
type Attribute = (typeof nodeAttributes)[number];

/** The attributes of a command, decoded; undefined if the proxy doesn't know it. */
export type ClientAttributes = Map<Attribute, string | undefined>;

/** A proxy that sends invalid attributes is disconnected. */
function refuse(text: string): SmtpError {
  return new SmtpError(501, "5.4", `XCLIENT: ${text}`, { close: true });
}

/**
 * Reads the arguments. Linear in their length.
 * @throws SmtpError 501
 */
export function parseXclient(
  args: string,
  known: readonly Attribute[] = xclientAttributes,
): ClientAttributes {
  const found: ClientAttributes = new Map();
  for (const word of args.split(" ")) {
    if (word === "") continue;
    const equals = word.indexOf("=");
    const name = word.slice(0, Math.max(0, equals)).toUpperCase();
    const attribute = known.find((a) => a === name);
    if (attribute === undefined) {
      throw refuse(`${xclientAttributes.join(", ")} expected, with = and a value`);
    }
    if (found.has(attribute)) throw refuse(`${attribute} is given twice`);
    const text = word.slice(equals + 1);
    const unknown = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(text);
    const value = unknown ? undefined : xtext(text, attribute);
    found.set(attribute, value);
  }
  if (found.size === 0) throw refuse("attributes expected");
  return found;
}

function xtext(text: string, attribute: Attribute): string {
  if (text === "" || text.length > 255) throw refuse(`value of ${attribute} expected`);
  try {
    // The bytes of a login name are UTF-8.
    const bytes = Uint8Array.from(parseXtext(text, attribute, true), (c) => c.charCodeAt(0));
    const value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // deno-lint-ignore no-control-regex
    if (/[\u0000-\u0020\u007f]/.test(value)) throw refuse(`${attribute} has control characters`);
    return value;
  } catch (e) {
    if (e instanceof SmtpError && e.close) throw e;
    throw refuse(`value of ${attribute} can't be read`);
  }
}

/** IPv6 addresses come with or without "IPV6:" in front. */
function address(value: string | undefined, attribute: Attribute): string | undefined {
  if (value === undefined) return undefined;
  const text = value.replace(/^IPV6:/i, "");
  if (parseIp(text) === undefined || text.includes("%")) {
    throw refuse(`${attribute} is no IP address`);
  }
  return canonicalIp(text);
}

function port(value: string | undefined, attribute: Attribute): number | undefined {
  if (value === undefined) return undefined;
  const n = isDigits(value) && value.length <= 5 ? Number(value) : Infinity;
  if (n > 65535) throw refuse(`${attribute} is no port`);
  return n;
}

export async function xclient(session: Session, args: string): Promise<void> {
  // Several may follow each other; what a client sends through the proxy comes after other commands.
  const goesOn = session.lastVerb === "XCLIENT" && session.proxyNamed;
  if (!session.conn.fromProxy && !goesOn) {
    throw new SmtpError(550, "7.0", "insufficient authorization");
  }
  if (session.transaction !== undefined) throw sequenceError("XCLIENT within a transaction");
  if (session.username !== undefined && !session.loginOfProxy) {
    throw sequenceError("already authenticated");
  }
  const found = parseXclient(args, session.options.lmtp ? nodeAttributes : xclientAttributes);
  const proto = found.get("PROTO")?.toUpperCase();
  if (proto !== undefined && proto !== "SMTP" && proto !== "ESMTP") {
    throw refuse("PROTO is SMTP or ESMTP");
  }
  const helo = found.get("HELO");
  const ends = {
    remoteIp: address(found.get("ADDR"), "ADDR"),
    remotePort: port(found.get("PORT"), "PORT"),
    localIp: address(found.get("DESTADDR"), "DESTADDR"),
    localPort: port(found.get("DESTPORT"), "DESTPORT"),
  };
  const login = found.get("LOGIN");
  if (login !== undefined && session.username !== undefined) throw refuse("LOGIN was given before");
  const proxy = session.remoteIp;
  const given = Object.fromEntries(Object.entries(ends).filter(([, v]) => v !== undefined));
  if (!session.conn.clientIs(given, session.options.lmtp ? tlsOf(found.get("TLS")) : undefined)) {
    throw new SmtpError(421, "7.0", "too many connections from the client's network", {
      close: true,
    });
  }
  if (ends.remoteIp !== undefined) session.proxyNamed = true;
  // The state is as after connecting (XCLIENT_README).
  if (!goesOn) session.hello = { name: "", extended: false };
  if (helo !== undefined) session.hello = { name: helo, extended: proto !== "SMTP" };
  if (login !== undefined && session.submission) await logIn(session, login);
  session.log.info("proxy names its client", {
    proxy,
    remote: session.remoteIp,
    login: login ?? "",
    hello: helo ?? "",
  });
  // A blocked client is rejected as on its own connection.
  if (!await session.greet()) session.quit();
}

/** The client's TLS as reported by its node; null for none. */
function tlsOf(value: string | undefined): TlsInfo | null {
  if (value === undefined) return null;
  const [version, cipher = ""] = value.split("/");
  return { version, cipher, channelBindings: new Map() };
}

/** The proxy has checked the login, as nginx does with auth_http. */
async function logIn(session: Session, login: string): Promise<void> {
  session.username = login;
  session.loginOfProxy = true;
  try {
    await session.options.backend.authenticated?.(session, login, "proxy");
  } catch (e) {
    session.username = undefined;
    if (!(e instanceof SmtpError)) throw e;
    throw new SmtpError(e.code, e.enhanced, e.message, { close: true, cause: e });
  }
}
