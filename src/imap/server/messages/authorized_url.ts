/**
 * URLs that carry their own permission (RFC 4467): `imap://user@host/mailbox/;UID=1;URLAUTH=access:INTERNAL:token`.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Account } from "../../../store/account/account.ts";
import { urlKey } from "../../../store/logins/url_keys.ts";
import { type MessageUrl, parseUrl } from "./url.ts";
import type { Session } from "../session/session.ts";

/** Length above which a URL is ignored. */
export const maxUrl = 8192;
/** URLs in one command. */
export const maxUrls = 100;
/** Prefix of tokens, so that the way they are made can change one day. */
const version = "01";

export interface AuthorizedUrl {
  /** Up to and including the access; what the token is for. */
  rump: string;
  user: string;
  host: string;
  message: MessageUrl & { mailbox: string };
  /** Milliseconds since the epoch. */
  expires: number | undefined;
  /** Lower case: submit+…, user+…, authuser or anonymous. */
  access: string;
  /** Hexadecimal; undefined if it isn't authorised yet. */
  token: string | undefined;
}

/** Parses a URL; undefined if it isn't one of these. */
export function parseAuthorizedUrl(url: string): AuthorizedUrl | undefined {
  if (url.length > maxUrl) return undefined;
  const m =
    /^imap:\/\/([^/@;]+)(?:;AUTH=[^/@]*)?@([^/:@]+)(?::\d{1,5})?(\/.*?)(?:;EXPIRE=([^;/]+))?;URLAUTH=([^:;/]+)(?::INTERNAL:([0-9A-F]+))?$/i
      .exec(url);
  if (!m) return undefined;
  const [, user, host, path, expire, access, token] = m;
  const message = parseUrl(path);
  if (!message || message.mailbox === undefined) return undefined;
  if (!/^(?:submit\+.+|user\+.+|authuser|anonymous)$/i.test(access)) return undefined;
  let expires: number | undefined;
  if (expire !== undefined) {
    // RFC 3339, as RFC 4467 §2.1 requires.
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i.test(expire)) {
      return undefined;
    }
    expires = Date.parse(expire);
    if (Number.isNaN(expires)) return undefined;
  }
  try {
    return {
      rump: token === undefined
        ? url
        : url.slice(0, url.length - ":internal:".length - token.length),
      user: decodeURIComponent(user),
      host: host.toLowerCase(),
      message: { ...message, mailbox: message.mailbox },
      expires,
      access: decodeURIComponent(access).toLowerCase(),
      token: token?.toLowerCase(),
    };
  } catch {
    return undefined;
  }
}

/** The token of a URL with the key of its mailbox. */
export function urlToken(rump: string, key: Uint8Array): string {
  return version + createHmac("sha256", key).update(rump).digest("hex");
}

/** The account of a URL's user on this server; undefined if it has none. */
export function urlAccount(session: Session, url: AuthorizedUrl): string | undefined {
  if (url.host !== session.backend.hostname.toLowerCase()) return undefined;
  if (url.user === session.login || url.user === session.store.name) return session.store.name;
  return session.backend.sharing?.accountNamed(url.user);
}

/** Whether the session may use a URL of an account (RFC 4467 §2.4.1, §6). */
export function isAuthorized(
  session: Session,
  url: AuthorizedUrl,
  account: Account,
  now: number,
): boolean {
  if (url.token === undefined || (url.expires !== undefined && now > url.expires)) return false;
  const mailbox = account.mailboxByName(url.message.mailbox);
  const key = mailbox && urlKey(account, mailbox.id);
  if (!key) return false;
  const expected = Buffer.from(urlToken(url.rump, key));
  const given = Buffer.from(url.token);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return false;
  if (url.access === "anonymous" || url.access === "authuser") return true;
  // "submit+" is for submission servers, which log in here as nobody.
  if (!url.access.startsWith("user+")) return false;
  const user = url.access.slice("user+".length);
  return [session.login, session.store.name].some((name) => name?.toLowerCase() === user);
}
