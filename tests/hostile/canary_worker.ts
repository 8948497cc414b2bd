/**
 * The canary: a session on each protocol that asks for next to nothing, and how long it waits. In a Worker, so
 * that what the bench does meanwhile doesn't count.
 */
import type { Ports } from "../support/localserve.ts";

/** Milliseconds between two questions on one session. */
const every = 25;

const encoder = new TextEncoder();
const scope = self as unknown as {
  onmessage: ((e: MessageEvent) => void) | null;
  postMessage(m: unknown): void;
};

let waits: number[] = [];
/** Questions that wait for their answer now, by protocol: since when. */
const waiting = new Map<string, number>();
let lost = 0;

class Lines {
  readonly #conn: Deno.Conn;
  #rest = "";
  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }
  async until(end: RegExp): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    while (!end.test(this.#rest)) {
      const n = await this.#conn.read(buffer);
      if (n === null) throw new Error("closed");
      this.#rest += new TextDecoder().decode(buffer.subarray(0, n));
    }
    this.#rest = "";
  }
  async send(line: string): Promise<void> {
    await this.#conn.write(encoder.encode(line));
  }
}

async function session(
  name: string,
  port: number,
  begin: (l: Lines) => Promise<void>,
  ask: (l: Lines) => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      const lines = new Lines(conn);
      await begin(lines);
      for (let i = 0; i < 400; i++) {
        waiting.set(name, performance.now());
        await ask(lines);
        waits.push(performance.now() - waiting.get(name)!);
        waiting.delete(name);
        await new Promise((r) => setTimeout(r, every));
      }
    } catch {
      waiting.delete(name);
      lost++;
      await new Promise((r) => setTimeout(r, 200));
    }
  }
}

scope.onmessage = (e) => {
  const m = e.data as { start: Ports } | "take";
  if (m === "take") {
    const now = performance.now();
    scope.postMessage({ waits: [...waits, ...[...waiting.values()].map((t) => now - t)], lost });
    waits = [];
    lost = 0;
    return;
  }
  const p = m.start;
  session("imap", p.imap, async (l) => {
    await l.until(/\n$/);
    await l.send("a LOGIN mox@localhost moxmoxmox\r\n");
    await l.until(/^a OK/m);
  }, async (l) => {
    await l.send("n NOOP\r\n");
    await l.until(/^n OK[^\n]*\n$/m);
  });
  session("smtp", p.smtp, async (l) => {
    await l.until(/\n$/);
    await l.send("EHLO localhost\r\n");
    await l.until(/^250 [^\n]*\n$/m);
  }, async (l) => {
    await l.send("RSET\r\n");
    await l.until(/^250 [^\n]*\n$/m);
  });
  session("http", p.http, async () => {}, async (l) => {
    await l.send("GET /canary HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await l.until(/\r\n\r\n/);
  });
};
