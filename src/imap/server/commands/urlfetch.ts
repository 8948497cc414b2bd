/**
 * URLFETCH (RFC 4467 §7).
 *
 * @module
 */
import { StoreError } from "../../../store/types.ts";
import { formatString } from "../../format/text.ts";
import { ImapBad } from "../session/answer.ts";
import {
  type AuthorizedUrl,
  isAuthorized,
  maxUrls,
  parseAuthorizedUrl,
  urlAccount,
} from "../messages/authorized_url.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { readMessage } from "../messages/url.ts";
import type { Session } from "../session/session.ts";

/** Bytes that a URL names, if the session may have them. */
async function urlBytes(s: Session, u: AuthorizedUrl): Promise<Uint8Array | undefined> {
  const name = urlAccount(s, u);
  if (name === undefined) return undefined;
  const own = name === s.store.name;
  let account = s.store;
  if (!own) {
    try {
      account = await s.backend.sharing!.open(name);
    } catch (err) {
      if (err instanceof StoreError && err.code === "accountMissing") return undefined;
      throw err;
    }
  }
  try {
    if (!isAuthorized(s, u, account, Date.now())) return undefined;
    const mailbox = account.mailboxByName(u.message.mailbox)!;
    const parts: Uint8Array[] = [];
    const limit = s.backend.maxMessageSize;
    const size = readMessage(account, mailbox, u.message, limit, (b) => parts.push(b.slice()));
    if (size === undefined || size > limit) return undefined;
    const all = new Uint8Array(size);
    let at = 0;
    for (const p of parts) {
      all.set(p, at);
      at += p.length;
    }
    return all;
  } finally {
    if (!own) account.close();
  }
}

export const urlFetch: Command = {
  name: "URLFETCH",
  states: loggedIn,
  parse(c, s) {
    const urls: string[] = [];
    do {
      c.sp();
      if (urls.length >= maxUrls) throw new ImapBad(`at most ${maxUrls} URLs`);
      urls.push(c.astring("URL"));
    } while (!c.atEnd);
    return async () => {
      for (const url of urls) {
        const u = parseAuthorizedUrl(url);
        // RFC 4467 §6.3: why is not told.
        const bytes = u && await urlBytes(s, u);
        s.conn.write(`* URLFETCH ${formatString(url, s.utf8)} `);
        if (bytes) {
          s.conn.write(`{${bytes.length}}\r\n`);
          s.conn.write(bytes);
        } else {
          s.conn.write("NIL");
        }
        s.conn.write("\r\n");
        await s.conn.flush();
      }
    };
  },
};
