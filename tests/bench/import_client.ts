/** What another user feels during an import, from a thread of its own: NOOP and FETCH over and over. @module */
import { ImapLoad } from "./imap.ts";

const worker = self as unknown as {
  onmessage: (e: MessageEvent) => void;
  postMessage(m: unknown): void;
};

let stopped = false;

async function run(port: number, user: string, password: string): Promise<void> {
  const c = await ImapLoad.connect(port, user, password);
  await c.run("SELECT INBOX");
  worker.postMessage("ready");
  const noop: number[] = [];
  const fetch: number[] = [];
  while (!stopped) {
    let start = performance.now();
    await c.run("NOOP");
    noop.push(performance.now() - start);
    start = performance.now();
    await c.run("FETCH 1:50 (UID FLAGS ENVELOPE)");
    fetch.push(performance.now() - start);
    await new Promise((r) => setTimeout(r, 5));
  }
  await c.close();
  worker.postMessage({ noop, fetch });
}

worker.onmessage = (e) => {
  if (e.data === "stop") stopped = true;
  else run(e.data.port, e.data.user, e.data.password);
};
