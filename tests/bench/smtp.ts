/** Mail coming in: messages a second until accepted and until in the mailbox, and how soon it is seen. @module */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ImapLoad } from "./imap.ts";
import type { Peer } from "./peers/types.ts";
import { record, type Side } from "./table.ts";

const here = dirname(fileURLToPath(import.meta.url));

export interface SmtpLoad {
  connections: number;
  messages: number;
  bytes: number;
  recipients?: number;
}

/** Runs the load in a process of its own; milliseconds until the last was accepted. */
async function send(peer: Peer, o: SmtpLoad): Promise<number> {
  const r = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "-A", join(here, "smtp_load.ts")],
      ...[String(peer.smtpPort), peer.recipient, String(o.connections), String(o.messages)],
      ...[String(o.bytes), String(o.recipients ?? 1)],
    ],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!r.success) throw new Error(`the SMTP load at ${peer.name} failed`);
  return JSON.parse(new TextDecoder().decode(r.stdout)).accepted;
}

function size(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MB` : `${bytes / 1024} KB`;
}

/** Sends, and waits until all is in INBOX. */
export async function smtpIn(peer: Peer, side: Side, o: SmtpLoad): Promise<void> {
  const imap = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  const copies = o.messages * (o.recipients ?? 1);
  const before = await imap.count("INBOX");
  const start = performance.now();
  const accepted = await send(peer, o);
  const startUp = performance.now() - start - accepted;
  while (await imap.count("INBOX") < before + copies) await new Promise((d) => setTimeout(d, 5));
  const total = performance.now() - start - startUp;
  await imap.close();
  const label = `SMTP ${size(o.bytes)}, ${o.connections} conn.` +
    (o.recipients ? `, ${o.recipients} recipients` : "");
  record(`${label}: accepted`, "msg/s", side, o.messages / accepted * 1000);
  record(`${label}: in the mailbox`, "msg/s", side, o.messages / total * 1000);
}

/** Milliseconds from the start of a message's transaction to the notice at an idle session. */
export async function notice(peer: Peer, side: Side): Promise<void> {
  const imap = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  await imap.run("SELECT INBOX");
  await imap.idle();
  const seen = imap.untagged("EXISTS");
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: peer.smtpPort });
  connection.setNoDelay(true);
  const buffer = new Uint8Array(4096);
  const answer = async () => {
    let text = "";
    do {
      const n = await connection.read(buffer);
      if (n === null) throw new Error("connection closed");
      text += new TextDecoder().decode(buffer.subarray(0, n));
    } while (!/^\d{3} [^\n]*\n$/m.test(text));
  };
  const write = (text: string) => connection.write(new TextEncoder().encode(text));
  await answer();
  for (
    const line of [
      "EHLO x.test",
      "MAIL FROM:<s@remote.test>",
      `RCPT TO:<${peer.recipient}>`,
      "DATA",
    ]
  ) {
    await write(`${line}\r\n`);
    await answer();
  }
  const start = performance.now();
  await write("From: <s@remote.test>\r\nSubject: notice\r\n\r\nbody\r\n.\r\n");
  await answer();
  await seen;
  record(
    "from the end of DATA to the notice at an IDLE session",
    "ms",
    side,
    performance.now() - start,
  );
  connection.close();
  await imap.done();
  await imap.close();
}
