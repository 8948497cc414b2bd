/** Scanners that mean ill, while many messages come in: one never answers, one answers without end, one dies in between. */
import { packet, uint32 } from "../../src/scanning/milter/packets.ts";
import type { Localserve } from "../support/localserve.ts";
import { bytes, crowd, type Input, Peer } from "./peer.ts";

/** What a scanner does with a connection after the server has begun to speak. */
type Behaviour = (conn: Deno.Conn) => Promise<void>;

/** Milter's agreement to version 6 with all actions and steps. */
const agreement = packet("O", uint32(6, 0x1ff, 0));

async function swallow(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  while (await conn.read(buffer) !== null);
}

async function without(end: Uint8Array, conn: Deno.Conn): Promise<void> {
  for (;;) {
    for (let at = 0; at < end.length;) at += await conn.write(end.subarray(at));
  }
}

const oneChunk = bytes(`10000\r\n${"x".repeat(0x10000)}\r\n`);
const manyPackets = new Uint8Array(6 * 10_000);
for (let i = 0; i < manyPackets.length; i += 6) {
  manyPackets.set(i % 12 === 0 ? packet("c") : packet("p"), i);
}

const behaviours: Readonly<Record<string, Behaviour>> = {
  silent: swallow,
  milter: async (conn) => {
    await conn.write(agreement);
    await Promise.all([swallow(conn), without(manyPackets, conn)]);
  },
  rspamd: async (conn) => {
    await conn.write(bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    await Promise.all([swallow(conn), without(oneChunk, conn)]);
  },
  clamd: async (conn) => {
    await Promise.all([swallow(conn), without(oneChunk, conn)]);
  },
  dying: async (conn) => {
    await conn.write(agreement);
    const buffer = new Uint8Array(1024);
    for (let i = 0; i < 3; i++) await conn.read(buffer);
    conn.close();
  },
};

const listeners = new Map<string, Deno.Listener>();

/** Listens as a scanner until the end of the program; its port. */
function listening(name: string): number {
  let listener = listeners.get(name);
  if (listener === undefined) {
    listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    listeners.set(name, listener);
    (async () => {
      for await (const conn of listener) {
        behaviours[name](conn).catch(() => {}).finally(() => {
          try {
            conn.close();
          } catch {
            // It has closed itself.
          }
        });
      }
    })();
  }
  return (listener.addr as Deno.NetAddr).port;
}

/** Has incoming mail scanned by one scanner. */
async function configure(dir: string, kind: string, name: string): Promise<void> {
  const path = `${dir}/mox.conf`;
  const at = `127.0.0.1:${listening(name)}`;
  const place = kind === "Rspamd" ? `URL: http://${at}` : `Address: ${at}`;
  const conf = await Deno.readTextFile(path);
  await Deno.writeTextFile(
    path,
    conf.replace(/^(\t\tSMTP:\n)/m, "$1\t\t\tScanners:\n\t\t\t\t- bad\n") +
      `\nScanners:\n\tbad:\n\t\tTimeout: 3s\n\t\t${kind}:\n\t\t\t${place}\n`,
  );
}

const connections = 60;

/** Messages of 200 kB in many connections at a time: all come again later. */
async function flood(server: Localserve): Promise<void> {
  const text = bytes(`Subject: x\r\n\r\n${"x".repeat(70).concat("\r\n").repeat(2800)}\r\n.\r\n`);
  let answered = 0;
  await crowd(connections, async () => {
    for (let i = 0; i < 3; i++) {
      using p = await Peer.to(server.smtp);
      await p.until(/^220 /m);
      await p.command("EHLO x", /^250 /m);
      await p.command("MAIL FROM:<a@remote.example>", /^250/m);
      await p.command("RCPT TO:<mox@localhost>", /^250/m);
      await p.command("DATA", /^354/m);
      await Promise.all([p.send(text), p.until(/^451 /m)]);
      answered++;
    }
  });
  if (answered < connections) throw new Error(`451 only for ${answered} messages`);
}

const row = (text: string, kind: string, name: string): Input => ({
  name: `scanner: ${text}`,
  configure: (dir) => configure(dir, kind, name),
  run: flood,
});

export const scanners: Input[] = [
  row("a milter that never answers", "Milter", "silent"),
  row("a milter that answers without end", "Milter", "milter"),
  row("a milter that dies in between", "Milter", "dying"),
  row("an rspamd that never answers", "Rspamd", "silent"),
  row("an rspamd that answers without end", "Rspamd", "rspamd"),
  row("a clamd that never answers", "ClamAV", "silent"),
  row("a clamd that answers without end", "ClamAV", "clamd"),
];
