/** What clients do with a mailbox, timed one after the other. @module */
import { ImapLoad } from "./imap.ts";
import type { Peer } from "./peers/types.ts";
import { record, type Side } from "./table.ts";

/** Commands over all of INBOX and over its first 2,000 messages. */
export async function imapWork(peer: Peer, side: Side, folder: string): Promise<void> {
  const c = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  const time = async (name: string, command = name) => {
    const start = performance.now();
    await c.run(command);
    record(`IMAP ${name}`, "ms", side, performance.now() - start);
  };
  await time("SELECT", "SELECT INBOX");
  await time("FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)");
  await time("FETCH 1:* (UID FLAGS)");
  await time("FETCH 1:* (UID RFC822.SIZE INTERNALDATE)");
  await time("FETCH 1:2000 (BODY.PEEK[])");
  await time("FETCH 1:2000 (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])");
  await time("STORE 1:* +FLAGS", "STORE 1:* +FLAGS (\\Flagged)");
  await time("STORE 1:* -FLAGS.SILENT", "STORE 1:* -FLAGS.SILENT (\\Flagged)");
  await time("SEARCH SUBJECT", 'SEARCH SUBJECT "message 77"');
  await time("SEARCH FROM", "SEARCH FROM nobody@nowhere");
  await time("SEARCH FLAGGED");
  await time("SEARCH SINCE", "SEARCH SINCE 1-Jan-2030");
  await time("SEARCH TEXT (rare)", 'SEARCH TEXT "zebra crossing"');
  await time("SORT (SUBJECT)", "SORT (SUBJECT) UTF-8 ALL");
  await time("THREAD REFERENCES", "THREAD REFERENCES UTF-8 ALL");
  await c.run(`CREATE "${folder}"`);
  await c.run(`CREATE "${folder}-moved"`);
  await time("COPY 1:2000", `COPY 1:2000 "${folder}"`);
  await c.run(`SELECT "${folder}"`);
  await time("MOVE 1:1000", `MOVE 1:1000 "${folder}-moved"`);
  await c.run("STORE 1:* +FLAGS.SILENT (\\Deleted)");
  await time("EXPUNGE of 1000", "EXPUNGE");
  await c.close();
}

/** APPEND one after the other. */
export async function append(peer: Peer, side: Side, n: number): Promise<void> {
  const c = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  const body = "From: a@example.org\r\nSubject: appended\r\n\r\n" +
    "text text text text\r\n".repeat(200);
  const start = performance.now();
  for (let i = 0; i < n; i++) await c.run(`APPEND INBOX {${body.length}+}\r\n${body}`);
  record("IMAP APPEND 4 KB", "msg/s", side, n / (performance.now() - start) * 1000);
  await c.close();
}

/** Login, SELECT and LOGOUT of one session after the other. */
export async function logins(peer: Peer, side: Side, n: number): Promise<void> {
  const start = performance.now();
  for (let i = 0; i < n; i++) {
    const c = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
    await c.run("SELECT INBOX");
    await c.close();
  }
  record(
    "IMAP sessions (LOGIN, SELECT, LOGOUT)",
    "/s",
    side,
    n / (performance.now() - start) * 1000,
  );
}

/** TLS connections one after the other, until the greeting: elapsed, and CPU of the server. */
export async function handshakes(peer: Peer, side: Side, n: number): Promise<void> {
  const [start, before] = [performance.now(), await peer.cpu()];
  for (let i = 0; i < n; i++) (await ImapLoad.greeted(peer.imapsPort)).destroy();
  const each = (ms: number) => ms / n;
  record("TLS handshake", "ms", side, each(performance.now() - start));
  record("TLS handshake, CPU of the server", "ms", side, each(await peer.cpu() - before));
}

/** Milliseconds after which what the logins took has been given back. */
const settling = 45_000;

/** What idle sessions add to the memory, with TLS or without. */
export async function idleSessions(
  peer: Peer,
  side: Side,
  n: number,
  tls: boolean,
): Promise<void> {
  const before = await peer.memory();
  const sessions: ImapLoad[] = [];
  while (sessions.length < n) {
    const group = Array.from(
      { length: Math.min(20, n - sessions.length) },
      async () => {
        const c = tls
          ? await ImapLoad.connectTls(peer.imapsPort, peer.user, peer.password)
          : await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
        await c.run("SELECT INBOX");
        await c.idle();
        return c;
      },
    );
    sessions.push(...await Promise.all(group));
  }
  await new Promise((resolve) => setTimeout(resolve, settling));
  const what = tls ? "idle sessions with TLS" : "idle sessions";
  record(`memory of ${n} ${what}`, "MB", side, await peer.memory() - before);
  for (const c of sessions) c.destroy();
}
