/**
 * What Sieve scripts of a user add to a delivery: CPU time of all threads of the server for each message, with no script,
 * with ten rules and with a thousand of which the last one files the message; and PUTSCRIPT of these by ManageSieve.
 *
 * usage: deno run -A tests/bench/sieve.ts [messages [offset of ports]]
 *
 * @module
 */
import { createConnection } from "node:net";
import { ImapLoad } from "./imap.ts";
import { startMox } from "./peers/mox.ts";

const count = Number(Deno.args[0] ?? 400);
const offset = Number(Deno.args[1] ?? 21_000);

/** One ManageSieve session: commands in, the line that ends with OK, NO or BYE awaited (RFC 5804). */
class Managed {
  readonly #socket = createConnection({ host: "127.0.0.1", port: 5190 + offset, noDelay: true });
  #text = "";
  #waiting: ((text: string) => void) | undefined;

  constructor() {
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (text: string) => {
      this.#text += text;
      if (/(?:^|\n)(?:OK|NO|BYE)[^\n]*\n$/.test(this.#text)) this.#waiting?.(this.#text);
    });
  }

  /** @throws Error with the answer if it isn't OK */
  async run(command: string): Promise<void> {
    this.#text = "";
    const answer = new Promise<string>((resolve) => this.#waiting = resolve);
    if (command !== "") this.#socket.write(`${command}\r\n`);
    const text = await answer;
    if (!/(?:^|\n)OK[^\n]*\n$/.test(text)) throw new Error(text);
  }

  close(): void {
    this.#socket.destroy();
  }
}

const rules = (n: number) =>
  'require ["fileinto"];\n' +
  Array.from({ length: n }, (_, i) => {
    const last = i === n - 1;
    const test = last
      ? 'header :contains "subject" "load message"'
      : `address :is "from" "person${i}@example.org"`;
    return `if ${test} { fileinto "${last ? "Archive" : "Junk"}"; stop; }\n`;
  }).join("");

const mox = await startMox(offset);
const load = new URL("./smtp_load.ts", import.meta.url).pathname;

async function deliver(n: number): Promise<number> {
  const before = await mox.cpu();
  const r = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "-A", load, String(mox.smtpPort), mox.recipient],
      ...["16", String(n), "4096"],
    ],
  }).output();
  if (!r.success) throw new Error("the SMTP load failed");
  return (await mox.cpu() - before) / n;
}

try {
  const s = new Managed();
  await s.run("");
  const login = btoa(`\0${mox.user}\0${mox.password}`);
  await s.run(`AUTHENTICATE "PLAIN" "${login}"`);
  await deliver(count * 2);
  const c = await ImapLoad.connect(mox.imapPort, mox.user, mox.password);
  console.log("CPU in ms of a message; three rounds, the first after PUTSCRIPT");
  for (const n of [0, 10, 1000]) {
    let put = 0;
    if (n > 0) {
      const script = rules(n);
      const before = await mox.cpu();
      await s.run(`PUTSCRIPT "bench" {${script.length}+}\r\n${script}`);
      put = await mox.cpu() - before;
      await s.run('SETACTIVE "bench"');
    }
    const filed = await c.count("Archive");
    const each = [await deliver(count), await deliver(count), await deliver(count)];
    const expected = n === 0 ? 0 : 3 * count;
    if (await c.count("Archive") - filed !== expected) throw new Error("messages were not filed");
    console.log(
      `${n} rules: ${each.map((t) => t.toFixed(2)).join(" ")}; PUTSCRIPT ${put.toFixed(1)} ms`,
    );
  }
  await c.close();
  s.close();
} finally {
  await mox.stop();
}
