/** An IMAP server for tests that does what it is told, also what no real one would do. */

export interface ScriptMessage {
  uid: number;
  flags?: string[];
  date?: string;
  text: string;
  /** What the server says its size is. */
  size?: number;
}

export interface ScriptMailbox {
  path: string;
  /** With attributes such as \Noselect and special uses. */
  attributes?: string[];
  subscribed?: boolean;
  validity?: number;
  messages?: ScriptMessage[];
}

/**
 * What is done in place of answering a command: say NO or BAD with a text, break the connection, or begin an answer
 * that goes on for ever.
 */
export type Odd = { say: string } | { begin: string; endless: string } | "break" | undefined;

export interface ImapScript {
  port: number;
  mailboxes: ScriptMailbox[];
  /** All commands that came, without their tags. */
  commands: string[];
  /** Asked before each command is answered. */
  odd: (command: string) => Odd | Promise<Odd>;
  connections: number;
  close(): Promise<void>;
}

/** Numbers of a set such as "1:3,7" or "5:*". */
function within(set: string, uid: number, last: number): boolean {
  return set.split(",").some((part) => {
    const [a, b] = part.split(":").map((x) => x === "*" ? last : Number(x));
    const [from, to] = b === undefined ? [a, a] : [Math.min(a, b), Math.max(a, b)];
    return uid >= from && uid <= to;
  });
}

async function serve(script: ImapScript, conn: Deno.Conn): Promise<void> {
  script.connections++;
  const encoder = new TextEncoder();
  const send = async (text: string) => {
    for (let bytes = encoder.encode(text); bytes.length > 0;) {
      bytes = bytes.subarray(await conn.write(bytes));
    }
  };
  let selected: ScriptMailbox | undefined;
  const unquoted = (s: string) => s.replace(/^"(.*)"$/, "$1").replaceAll("\\\\", "\\");

  const list = (name: string, only: (m: ScriptMailbox) => boolean) =>
    script.mailboxes.filter(only).map((m) =>
      `* ${name} (${(m.attributes ?? []).join(" ")}) "/" "${m.path.replaceAll("\\", "\\\\")}"\r\n`
    ).join("");

  const fetched = (set: string, items: string) => {
    const messages = selected?.messages ?? [];
    const last = messages.at(-1)?.uid ?? 0;
    return messages.map((m, i) => {
      if (!within(set, m.uid, last)) return "";
      const parts = [`UID ${m.uid}`];
      if (/\bFLAGS\b/.test(items)) parts.push(`FLAGS (${(m.flags ?? []).join(" ")})`);
      if (/INTERNALDATE/.test(items)) {
        parts.push(`INTERNALDATE "${m.date ?? "02-Mar-2026 10:00:00 +0000"}"`);
      }
      const length = encoder.encode(m.text).length;
      if (/RFC822\.SIZE/.test(items)) parts.push(`RFC822.SIZE ${m.size ?? length}`);
      if (/ENVELOPE/.test(items)) {
        const id = /^message-id: *(.*)$/im.exec(m.text)?.[1].trim();
        parts.push(`ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL ${id ? `"${id}"` : "NIL"})`);
      }
      if (/BODY/.test(items)) parts.push(`BODY[] {${length}}\r\n${m.text}`);
      return `* ${i + 1} FETCH (${parts.join(" ")})\r\n`;
    }).join("");
  };

  const answer = (command: string): string => {
    const [name, ...args] = command.match(/"(?:[^"\\]|\\.)*"|\([^)]*\)|\S+/g)!;
    switch (name.toUpperCase()) {
      case "CAPABILITY":
        return "* CAPABILITY IMAP4rev1 SPECIAL-USE\r\n";
      case "LIST":
        return args.at(-1) === '""' ? '* LIST (\\Noselect) "/" ""\r\n' : list("LIST", () => true);
      case "LSUB":
        return list("LSUB", (m) => m.subscribed === true);
      case "STATUS": {
        const m = script.mailboxes.find((x) => x.path === unquoted(args[0]));
        return `* STATUS ${args[0]} (MESSAGES ${m?.messages?.length ?? 0})\r\n`;
      }
      case "SELECT":
      case "EXAMINE": {
        selected = script.mailboxes.find((x) => x.path === unquoted(args[0]));
        const messages = selected?.messages ?? [];
        return `* FLAGS (\\Seen)\r\n* ${messages.length} EXISTS\r\n* 0 RECENT\r\n` +
          `* OK [UIDVALIDITY ${selected?.validity ?? 1}]\r\n` +
          `* OK [UIDNEXT ${(messages.at(-1)?.uid ?? 0) + 1}]\r\n`;
      }
      case "UID":
        if (args[0].toUpperCase() === "SEARCH") {
          const messages = selected?.messages ?? [];
          const last = messages.at(-1)?.uid ?? 0;
          const found = messages.filter((m) => within(args.at(-1)!, m.uid, last)).map((m) => m.uid);
          // In no order, as RFC 9051 allows.
          return `* SEARCH ${found.reverse().join(" ")}\r\n`;
        }
        return fetched(args[1], args.slice(2).join(" "));
      case "LOGOUT":
        return "* BYE\r\n";
      default:
        return "";
    }
  };

  try {
    await send("* OK ready\r\n");
    let rest = "";
    for await (const chunk of conn.readable) {
      rest += new TextDecoder().decode(chunk);
      for (let at = rest.indexOf("\r\n"); at >= 0; at = rest.indexOf("\r\n")) {
        const line = rest.slice(0, at);
        rest = rest.slice(at + 2);
        const blank = line.indexOf(" ");
        const [tag, command] = [line.slice(0, blank), line.slice(blank + 1)];
        script.commands.push(command);
        const odd = await script.odd(command);
        if (odd === "break") return conn.close();
        if (odd !== undefined && "endless" in odd) {
          await send(odd.begin);
          for (;;) await send(odd.endless);
        }
        if (odd !== undefined) await send(`${tag} ${odd.say}\r\n`);
        else await send(`${answer(command)}${tag} OK\r\n`);
        if (command.toUpperCase() === "LOGOUT") return conn.close();
      }
    }
  } catch {
    // The client has gone.
  }
}

/** Listens on a free port of 127.0.0.1. */
export function imapScript(mailboxes: ScriptMailbox[]): ImapScript {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const running = new Set<Promise<void>>();
  const script: ImapScript = {
    port: listener.addr.port,
    mailboxes,
    commands: [],
    odd: () => undefined,
    connections: 0,
    async close() {
      listener.close();
      for (const c of open) {
        try {
          c.close();
        } catch {
          // It has ended by itself.
        }
      }
      await Promise.all(running);
      await accepting;
    },
  };
  const accepting = (async () => {
    try {
      for await (const conn of listener) {
        open.add(conn);
        const done: Promise<void> = serve(script, conn).finally(() => {
          open.delete(conn);
          running.delete(done);
        });
        running.add(done);
      }
    } catch {
      // Closed.
    }
  })();
  return script;
}
