/**
 * `deno task soak [minutes]`: a server under everything at once (mail in and out, IMAP sessions, webmail,
 * backups), with its memory over time; at the end what is on disk is verified. Fails if anything was lost,
 * if verifydata finds something, or if memory goes on rising.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { waitForPort } from "../bench/peers/types.ts";

const minutes = Number(Deno.args[0] ?? 60);
const main = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "main.ts");
const offset = 31_000;
const [smtpPort, submissionPort, imapPort, httpPort] = [1025, 1587, 1143, 1080].map((p) =>
  p + offset
);
const user = "mox@localhost";
const password = "moxmoxmox";
const end = Date.now() + minutes * 60_000;
const dir = await Deno.makeTempDir({ prefix: "soak-" });
/** Messages that stay; older ones are expunged by an IMAP session. */
const kept = 3000;

const counts = { received: 0, submitted: 0, imap: 0, web: 0, backups: 0, refused: 0 };
const errors: string[] = [];

async function run(args: string[], quiet = true): Promise<string> {
  const r = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", main, ...args],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  if (!r.success) throw new Error(`${args[0]}: ${text.decode(r.stderr)}${text.decode(r.stdout)}`);
  if (!quiet) console.log(text.decode(r.stdout).trim());
  return text.decode(r.stdout);
}

/** Does something again and again until the end; an error is noted, and it goes on. */
async function worker(name: string, pause: number, work: () => Promise<void>): Promise<void> {
  while (Date.now() < end) {
    try {
      await work();
    } catch (err) {
      errors.push(`${name}: ${(err as Error).message}`);
      console.error(errors[errors.length - 1]);
      if (errors.length > 100) throw new Error(`too many errors: ${errors.slice(-3).join("; ")}`);
    }
    await new Promise((r) => setTimeout(r, pause));
  }
}

const words = Array.from({ length: 2000 }, (_, i) => `word${(i * 7919) % 10007}`);
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)];
const text = () => Array.from({ length: 50 + Math.random() * 400 }, () => pick(words)).join(" ");

let ids = 0;
const acknowledged = new Set<string>();

function smtp(port: number, auth: boolean) {
  return nodemailer.createTransport({
    host: "127.0.0.1",
    port,
    pool: true,
    maxConnections: 4,
    tls: { rejectUnauthorized: false },
    auth: auth ? { user, pass: password } : undefined,
  });
}

async function receive(t: ReturnType<typeof smtp>): Promise<void> {
  const id = `soak-${ids++}`;
  await t.sendMail({
    from: `p${ids % 50}@remote.test`,
    to: user,
    subject: `soak ${id} ${pick(words)}`,
    messageId: `<${id}@remote.test>`,
    inReplyTo: ids > 10 && ids % 3 === 0 ? `<soak-${ids - 7}@remote.test>` : undefined,
    text: text(),
    attachments: ids % 20 === 0
      ? [{ filename: "a.bin", content: crypto.getRandomValues(new Uint8Array(60_000)) as Buffer }]
      : [],
  });
  acknowledged.add(id);
  counts.received++;
}

async function imap(expunge: boolean): Promise<void> {
  const c = new ImapFlow({
    host: "127.0.0.1",
    port: imapPort,
    secure: false,
    tls: { rejectUnauthorized: false },
    auth: { user, pass: password },
    logger: false,
  });
  c.on("error", () => {});
  await c.connect();
  const lock = await c.getMailboxLock("INBOX");
  try {
    const total = c.mailbox ? c.mailbox.exists : 0;
    if (total > 0) {
      const from = Math.max(1, total - 50);
      const list = await c.fetchAll(`${from}:*`, {
        uid: true,
        flags: true,
        envelope: true,
        bodyStructure: true,
      });
      await c.messageFlagsAdd({ uid: String(pick(list).uid) }, ["\\Seen"]);
      await c.search({ body: pick(words) });
      await c.fetchOne(String(total), { source: true });
    }
    if (expunge && total > kept) {
      const gone: string[] = [];
      for await (const m of c.fetch(`1:${total - kept}`, { uid: true, envelope: true })) {
        gone.push(m.envelope?.messageId ?? "");
      }
      await c.messageDelete(`1:${total - kept}`);
      for (const id of gone) acknowledged.delete(/<(soak-\d+)@/.exec(id)?.[1] ?? "");
    }
  } finally {
    lock.release();
    await c.logout();
  }
  counts.imap++;
}

async function web(): Promise<void> {
  const base = `http://localhost:${httpPort}/webmail/`;
  const page = await fetch(base);
  await page.arrayBuffer();
  if (page.status !== 200) throw new Error(`webmail answered ${page.status}`);
  counts.web++;
}

async function backup(): Promise<void> {
  const to = join(dir, "backup");
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await run(["backup", "-dir", join(dir, "server"), to]);
  counts.backups++;
}

const server = new Deno.Command(Deno.execPath(), {
  args: [
    ...["run", "--no-check", "-A", main, "localserve"],
    ...["-dir", join(dir, "server"), "-ports", String(offset)],
  ],
  stdout: "null",
  stderr: "null",
}).spawn();
await waitForPort(smtpPort);
await waitForPort(imapPort);

const samples: { minute: number; mb: number }[] = [];
async function sample(): Promise<void> {
  const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
  const mb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  const minute = minutes - (end - Date.now()) / 60_000;
  samples.push({ minute, mb });
  console.log(
    `${minute.toFixed(1).padStart(6)} min ${mb.toFixed(0).padStart(5)} MB  ` +
      Object.entries(counts).map(([k, v]) => `${k} ${v}`).join(", ") +
      (errors.length > 0 ? `, errors ${errors.length}` : ""),
  );
}

let failed = false;
const complain = (what: string) => {
  failed = true;
  console.error(what);
};
try {
  const incoming = smtp(smtpPort, false);
  const outgoing = smtp(submissionPort, true);
  await Promise.all([
    ...Array.from({ length: 3 }, () => worker("smtp", 30, () => receive(incoming))),
    worker("submission", 500, async () => {
      await outgoing.sendMail({
        from: user,
        to: "friend@elsewhere.test",
        subject: "out",
        text: text(),
      });
      counts.submitted++;
    }),
    worker("imap", 200, () => imap(false)),
    worker("imap", 1000, () => imap(true)),
    worker("web", 300, web),
    worker("backup", Math.min(60_000, minutes * 12_000), backup),
    worker("sample", Math.max(2000, minutes * 1000), sample),
  ]);
  incoming.close();
  outgoing.close();

  // Everything acknowledged and not expunged is there.
  const c = new ImapFlow({
    host: "127.0.0.1",
    port: imapPort,
    secure: false,
    tls: { rejectUnauthorized: false },
    auth: { user, pass: password },
    logger: false,
  });
  await c.connect();
  await c.mailboxOpen("INBOX");
  const there = new Set<string>();
  for await (const m of c.fetch("1:*", { envelope: true })) {
    const id = /<(soak-\d+)@/.exec(m.envelope?.messageId ?? "")?.[1];
    if (id) there.add(id);
  }
  await c.logout();
  const lost = [...acknowledged].filter((id) => !there.has(id));
  if (lost.length > 0) {
    complain(`${lost.length} acknowledged messages are missing: ${lost.slice(0, 5)}`);
  } else {console.log(
      `${acknowledged.size} acknowledged messages that were not expunged are all there`,
    );}
} finally {
  server.kill("SIGTERM");
  await server.status;
}
for (const e of errors.slice(0, 5)) complain(e);
const verified = await run(["verifydata", join(dir, "server", "data")], false).catch((err) => {
  complain((err as Error).message);
  return "";
});
if (/warning|error/i.test(verified)) complain("verifydata found something");
// Of the time after the start-up: the last third against the third before it.
const third = (k: number) => {
  const part = samples.slice(
    Math.floor(samples.length * k / 3),
    Math.floor(samples.length * (k + 1) / 3),
  );
  return part.reduce((sum, s) => sum + s.mb, 0) / part.length;
};
console.log(`memory by thirds: ${[0, 1, 2].map((k) => third(k).toFixed(0)).join(", ")} MB`);
if (third(2) > third(1) * 1.15) complain("memory goes on rising");
await Deno.remove(dir, { recursive: true });
console.log(failed ? "soak FAILED" : "soak passed");
Deno.exit(failed ? 1 : 0);
