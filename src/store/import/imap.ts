/**
 * The messages of an account on another IMAP server, for people who move in: with mailboxes, flags, keywords and
 * dates.
 *
 * What was brought is remembered by mailbox, UIDVALIDITY and UID, so that an import that was cut off goes on where it
 * was, and a later one brings what is new.
 *
 * @module
 */
import { ImapFlow } from "imapflow";
import type { Account } from "../account.ts";
import { accountSetting, changeAccountSetting } from "../settings.ts";
import { flagsOf, maxMessage, type Source } from "./sources.ts";

export interface ImapOptions {
  host: string;
  port: number;
  /** TLS from the first byte; else STARTTLS. */
  tls: boolean;
  user: string;
  password?: string;
  /** OAuth2, in place of a password. */
  accessToken?: string;
  /** PEM of authorities besides the system's; for tests. */
  ca?: string;
  /** Without TLS; for tests on loopback. */
  plain?: boolean;
}

/** Remembered of each mailbox of a server: its UIDVALIDITY and the highest UID that was brought. */
type Brought = Record<string, { validity: string; uid: number }>;

const settingOf = (o: ImapOptions) => `imapImport ${o.user}@${o.host}`;

/** What was brought before. */
export function broughtBefore(account: Account, o: ImapOptions): Brought {
  return accountSetting(account, settingOf(o)) as Brought | undefined ?? {};
}

/** Remembers what was brought; durable when it resolves. */
export function rememberBrought(account: Account, o: ImapOptions, b: Brought): Promise<void> {
  return changeAccountSetting(account, settingOf(o), () => b);
}

/** Messages fetched in one go. */
const batch = 50;

/** Mailboxes that show messages of the others again. */
const virtual = new Set(["\\All", "\\Flagged", "\\Important"]);

/** Special uses whose messages go to our mailbox of that use. */
const uses: Record<string, string> = {
  "\\Sent": "Sent",
  "\\Drafts": "Drafts",
  "\\Trash": "Trash",
  "\\Junk": "Junk",
  "\\Archive": "Archive",
};

/**
 * Messages that were not brought before. `brought` is changed as they come; remember it when they are stored.
 * @throws Error with what the server says, or the signal's reason
 */
export async function* imapSource(
  o: ImapOptions,
  brought: Brought,
  signal: AbortSignal,
): Source {
  const client = new ImapFlow({
    host: o.host,
    port: o.port,
    secure: o.tls,
    doSTARTTLS: o.plain ? false : o.tls ? undefined : true,
    auth: o.accessToken
      ? { user: o.user, accessToken: o.accessToken }
      : { user: o.user, pass: o.password ?? "" },
    tls: o.ca ? { ca: o.ca } : undefined,
    logger: false,
    emitLogs: false,
  });
  const stop = () => client.close();
  // What goes wrong is told by the command that it happens to.
  client.on("error", () => {});
  signal.addEventListener("abort", stop);
  try {
    try {
      await client.connect();
    } catch (err) {
      signal.throwIfAborted();
      const e = err as { authenticationFailed?: boolean; responseText?: string; message: string };
      throw new Error(
        e.authenticationFailed
          ? `the server refuses name and password: ${e.responseText ?? e.message}`
          : `can't connect to ${o.host}, port ${o.port}: ${e.message}`,
        { cause: err },
      );
    }
    const found = await client.list();
    // Where the one mailbox with all is there, it has what is in no other; labels are mailboxes too.
    for (const m of found) {
      if (m.flags.has("\\Noselect") || m.flags.has("\\NonExistent")) continue;
      if (m.specialUse && virtual.has(m.specialUse)) continue;
      yield* mailboxMessages(client, m, brought, signal);
    }
    await client.logout();
  } finally {
    signal.removeEventListener("abort", stop);
    client.close();
  }
}

interface Listed {
  path: string;
  delimiter: string;
  specialUse?: string;
}

/** The name here of a mailbox there. */
function localName(m: Listed): string {
  if (m.path.toUpperCase() === "INBOX") return "Inbox";
  const use = m.specialUse && uses[m.specialUse];
  if (use) return use;
  const levels = (m.delimiter ? m.path.split(m.delimiter) : [m.path]).map((l) =>
    // deno-lint-ignore no-control-regex
    l.normalize("NFC").replace(/[\u0000-\u001f\u007f-\u009f%*\\/]/g, "_").replace(/^#+/, "")
      .trim() || "_"
  );
  if (levels[0].toUpperCase() === "INBOX" && levels.length > 1) levels[0] = "Inbox";
  // Gmail's folder around all that is special there.
  if (/^\[(?:gmail|google mail)\]$/i.test(levels[0]) && levels.length > 1) levels.shift();
  return levels.join("/");
}

async function* mailboxMessages(
  client: ImapFlow,
  m: Listed,
  brought: Brought,
  signal: AbortSignal,
): Source {
  const below = localName(m);
  const lock = await client.getMailboxLock(m.path, { readOnly: true });
  try {
    const box = client.mailbox;
    if (!box || box.exists === 0) return;
    const validity = String(box.uidValidity);
    const known = brought[m.path]?.validity === validity ? brought[m.path].uid : 0;
    brought[m.path] = { validity, uid: known };
    const uids = (await client.search({ uid: `${known + 1}:*` }, { uid: true }) || [])
      .filter((u) => u > known).sort((a, b) => a - b);
    for (let i = 0; i < uids.length; i += batch) {
      signal.throwIfAborted();
      const part = uids.slice(i, i + batch);
      const query = {
        uid: true,
        flags: true,
        internalDate: true,
        size: true,
        source: true,
      } as const;
      for await (const msg of client.fetch(part.join(","), query, { uid: true })) {
        const place = `${m.path}, message ${msg.uid}`;
        if (!msg.source || (msg.size ?? 0) > maxMessage) {
          yield {
            place,
            problem: msg.source ? `is larger than ${maxMessage} bytes` : "has no content",
          };
        } else {
          const date = msg.internalDate;
          yield {
            place,
            below,
            content: new Uint8Array(msg.source),
            ...flagsOf([...msg.flags ?? []].filter((f) => f !== "\\Recent" && f !== "\\Deleted")),
            received: date === undefined ? Date.now() : new Date(date).getTime(),
          };
        }
        brought[m.path] = { validity, uid: msg.uid };
      }
    }
  } finally {
    lock.release();
  }
}
