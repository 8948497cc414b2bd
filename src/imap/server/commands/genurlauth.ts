/**
 * GENURLAUTH (RFC 4467 §7).
 *
 * @module
 */
import { makeUrlKey } from "../../../store/logins/url_keys.ts";
import { formatString } from "../../format/text.ts";
import { ImapBad, ImapNo } from "../session/answer.ts";
import {
  maxUrl,
  maxUrls,
  parseAuthorizedUrl,
  urlAccount,
  urlToken,
} from "../messages/authorized_url.ts";
import { type Command, loggedIn } from "../session/command.ts";

function badUrl(url: string, why: string): ImapNo {
  const shown = url.replace(/[^\x21-\x7e]|["\\]/g, "").slice(0, maxUrl);
  return new ImapNo(why, `BADURL "${shown}"`);
}

export const genUrlAuth: Command = {
  name: "GENURLAUTH",
  states: loggedIn,
  capabilities: ["URLAUTH"],
  parse(cursor, session) {
    const urls: string[] = [];
    do {
      cursor.sp();
      if (urls.length >= maxUrls) throw new ImapBad(`at most ${maxUrls} URLs`);
      urls.push(cursor.astring("URL"));
      cursor.sp();
      const start = cursor.pos;
      if (cursor.atom("mechanism").toUpperCase() !== "INTERNAL") {
        cursor.fail("mechanism INTERNAL", start);
      }
    } while (!cursor.atEnd);
    return async () => {
      const made: string[] = [];
      for (const url of urls) {
        const u = parseAuthorizedUrl(url);
        if (!u || u.token !== undefined) throw badUrl(url, "not a URL that can be authorised");
        // RFC 4467 §7: for one's own messages only.
        if (urlAccount(session, u) !== session.store.name) {
          throw badUrl(url, "not a URL of your mailboxes here");
        }
        const mailbox = session.store.mailboxByName(u.message.mailbox);
        if (!mailbox) throw badUrl(url, "no such mailbox");
        const key = await makeUrlKey(session.store, mailbox.id);
        made.push(`${u.rump}:internal:${urlToken(u.rump, key)}`);
      }
      session.untagged(`GENURLAUTH ${made.map((u) => formatString(u, false)).join(" ")}`);
    };
  },
};
