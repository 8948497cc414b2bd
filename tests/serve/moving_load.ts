/** Mail and IMAP for one account that may be at either of two nodes, and what came of it. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { Talk } from "../support/talk.ts";

export const password = "moxmoxmox";

/** Where a node is for clients. */
export interface LoadNode {
  name: string;
  host: string;
  smtp: number;
  imap: number;
}

const talk = (host: string, port: number) => new Talk(connect({ host, port }));

/** An IMAP session of ann's, or why there is none: what the server answered, or the error of the connection. */
async function tryLogin(n: LoadNode): Promise<Talk | string> {
  const t = talk(n.host, n.imap);
  let why: string;
  try {
    await t.expect(/^\* OK.*\r\n/m);
    why = await t.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a (?:OK|NO|BAD).*\r\n/m);
    if (/^a OK/m.test(why)) return t;
  } catch (err) {
    // It is going, or away.
    why = String(err);
  }
  t.close();
  return why;
}

/** An IMAP session of ann's; undefined where she can't be. */
export async function login(n: LoadNode): Promise<Talk | undefined> {
  const t = await tryLogin(n);
  return typeof t === "string" ? undefined : t;
}

export async function subjects(n: LoadNode): Promise<string[]> {
  const t = await tryLogin(n);
  assert.ok(typeof t !== "string", `no login at ${n.name}: ${t}`);
  await t.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
  const all = await t.say(
    "c FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\n",
    /^c (?:OK|BAD|NO).*\r\n/m,
  );
  t.close();
  return [...all.matchAll(/^Subject: (\S+)/gm)].map((m) => m[1]);
}

export interface Load {
  /** What was answered with 250 or OK, each after the first try that was. */
  acknowledged: Set<string>;
  /** Tries of these ended without an answer: they may be there, too. */
  unanswered: Set<string>;
  more(n: number): Promise<void>;
  end(): Promise<void>;
}

/** Mail from outside and by APPEND, until it is ended; what is refused for now, or not answered, is tried again. */
export function load(nodes: readonly LoadNode[], prefix: string): Load {
  const acknowledged = new Set<string>();
  const unanswered = new Set<string>();
  let going = true;
  let waiting: { at: number; resolve: () => void }[] = [];
  const took = (id: string) => {
    acknowledged.add(id);
    waiting = waiting.filter((w) => acknowledged.size < w.at || w.resolve());
  };
  const text = (id: string) =>
    `From: <sue@sender.example>\r\nTo: <ann@mox.example>\r\nSubject: ${id}\r\n` +
    `Message-Id: <${id}@sender.example>\r\n\r\n${"Hello there. ".repeat(20)}\r\n`;
  /** @returns whether it was taken */
  const deliver = async (n: LoadNode, id: string): Promise<boolean> => {
    const t = talk(n.host, n.smtp);
    let sent = false;
    try {
      await t.expect(/^220 .*\r\n/m);
      await t.say("EHLO host.sender.example\r\n", /^250 .*\r\n/m);
      await t.say("MAIL FROM:<sue@sender.example>\r\n", /^250 .*\r\n/m);
      const rcpt = await t.say("RCPT TO:<ann@mox.example>\r\n", /^\d{3} .*\r\n/m);
      assert.match(rcpt, /^(?:250|4\d\d) /, "never refused for good");
      if (!rcpt.startsWith("250")) return false;
      await t.say("DATA\r\n", /^354 .*\r\n/m);
      sent = true;
      const answer = await t.say(`${text(id)}.\r\n`, /^\d{3} .*\r\n/m);
      sent = false;
      assert.match(answer, /^(?:250|4\d\d) /, "never refused for good");
      return answer.startsWith("250");
    } catch (err) {
      if (err instanceof assert.AssertionError && err.message.startsWith("never")) throw err;
      if (sent) unanswered.add(id);
      return false;
    } finally {
      t.close();
    }
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  const smtp = async (c: number) => {
    for (let i = 0; going; i++) {
      const id = `${prefix}-smtp${c}-${i}`;
      for (let n = c; going; n++) {
        if (await deliver(nodes[n % nodes.length], id)) {
          took(id);
          break;
        }
        await pause();
      }
    }
  };
  const imap = async () => {
    let t: Talk | undefined;
    for (let i = 0; going; i++) {
      const id = `${prefix}-imap-${i}`;
      for (let n = 0; going; n++) {
        t ??= await login(nodes[n % nodes.length]);
        if (t === undefined) {
          await pause();
          continue;
        }
        try {
          const m = text(id);
          const go = await t.say(`x APPEND INBOX {${m.length}}\r\n`, /^(?:\+|x (?:NO|BAD)).*\r\n/m);
          if (go.startsWith("+")) {
            // An earlier try may have ended without its answer, whatever becomes of this one.
            const before = unanswered.has(id);
            unanswered.add(id);
            const said = await t.say(`${m}\r\n`, /^x (?:OK|NO|BAD).*\r\n/m);
            if (!before) unanswered.delete(id);
            if (/^x OK/m.test(said)) {
              took(id);
              break;
            }
          }
        } catch {
          // The session was ended.
        }
        t.close();
        t = undefined;
      }
    }
    t?.close();
  };
  const running = Promise.all([smtp(0), smtp(1), imap()]);
  return {
    acknowledged,
    unanswered,
    more(n) {
      return new Promise((resolve) => {
        waiting.push({ at: acknowledged.size + n, resolve });
      });
    },
    async end() {
      going = false;
      await running;
    },
  };
}

/** All that was acknowledged is there, and nothing twice that was answered at each try. */
export function check(l: Load, there: readonly string[]): void {
  const counts = new Map<string, number>();
  for (const s of there) counts.set(s, (counts.get(s) ?? 0) + 1);
  const lost = [...l.acknowledged].filter((id) => !counts.has(id));
  assert.deepEqual(lost, [], "acknowledged, and not there");
  const twice = [...counts].filter(([id, n]) => n > 1 && !l.unanswered.has(id)).map(([id]) => id);
  assert.deepEqual(twice, [], "there twice");
}
