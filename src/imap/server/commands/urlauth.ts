/** GENURLAUTH, URLFETCH and RESETKEY (RFC 4467). @module */
import { makeUrlKey, resetUrlKeys } from "../../../store/url_keys.ts";
import { StoreError } from "../../../store/types.ts";
import { formatString } from "../../format/text.ts";
import { ImapBad, ImapNo } from "../answer.ts";
import {
  type AuthorizedUrl,
  isAuthorized,
  maxUrl,
  parseAuthorizedUrl,
  urlAccount,
  urlToken,
} from "../authorized_url.ts";
import { type Command, loggedIn } from "../command.ts";
import { readMessage } from "../message_url.ts";
import { place } from "../places.ts";
import type { Session } from "../session.ts";

/** URLs of a command at most. */
const maxUrls = 100;

function badUrl(url: string, why: string): ImapNo {
  const shown = url.replace(/[^\x21-\x7e]|["\\]/g, "").slice(0, maxUrl);
  return new ImapNo(why, `BADURL "${shown}"`);
}

export const genUrlAuth: Command = {
  name: "GENURLAUTH",
  states: loggedIn,
  capabilities: ["URLAUTH"],
  parse(c, s) {
    const urls: string[] = [];
    do {
      c.sp();
      if (urls.length >= maxUrls) throw new ImapBad(`at most ${maxUrls} URLs`);
      urls.push(c.astring("URL"));
      c.sp();
      const start = c.pos;
      if (c.atom("mechanism").toUpperCase() !== "INTERNAL") c.fail("mechanism INTERNAL", start);
    } while (!c.atEnd);
    return async () => {
      const made: string[] = [];
      for (const url of urls) {
        const u = parseAuthorizedUrl(url);
        if (!u || u.token !== undefined) throw badUrl(url, "not a URL that can be authorised");
        // RFC 4467 §6.4: of one's own messages only.
        if (urlAccount(s, u) !== s.store.name) {
          throw badUrl(url, "not a URL of your mailboxes here");
        }
        const mailbox = s.store.mailboxByName(u.message.mailbox);
        if (!mailbox) throw badUrl(url, "no such mailbox");
        const key = await makeUrlKey(s.store, mailbox.id);
        made.push(`${u.rump}:internal:${urlToken(u.rump, key)}`);
      }
      s.untagged(`GENURLAUTH ${made.map((u) => formatString(u, false)).join(" ")}`);
    };
  },
};

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

export const resetKey: Command = {
  name: "RESETKEY",
  states: loggedIn,
  parse(c, s) {
    let name: string | undefined;
    if (!c.atEnd) {
      c.sp();
      name = c.mailbox();
      while (!c.atEnd) {
        c.sp();
        const start = c.pos;
        if (c.atom("mechanism").toUpperCase() !== "INTERNAL") c.fail("mechanism INTERNAL", start);
      }
    }
    return async () => {
      if (name === undefined) {
        await resetUrlKeys(s.store);
        return { text: "all keys are gone" };
      }
      const { account, mailbox } = await place(s, name, "l");
      if (account !== s.store) throw new ImapNo("the mailbox is not yours", "NOPERM");
      await resetUrlKeys(account, mailbox.id);
      return { code: "URLMECH INTERNAL", text: "the key is gone" };
    };
  },
};
