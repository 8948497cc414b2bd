/**
 * The SMTP load, run as a process of its own: sends messages over some connections and prints how long it
 * took until the last was accepted, as JSON.
 *
 * usage: smtp_load.ts port recipient connections messages bytes [recipients]
 *
 * @module
 */
import { createConnection } from "node:net";

const [port, recipient, connections, messages, bytes, recipients] = [
  Number(Deno.args[0]),
  Deno.args[1],
  Number(Deno.args[2]),
  Number(Deno.args[3]),
  Number(Deno.args[4]),
  Number(Deno.args[5] ?? 1),
];

/** One address, or that user's with tags of their own. */
const addresses = recipients === 1
  ? [recipient]
  : Array.from({ length: recipients }, (_, i) => recipient.replace("@", `+${i}@`));

function message(n: number): string {
  const head =
    `From: Sender <sender@remote.test>\r\nTo: <${recipient}>\r\nSubject: load message ${n}\r\n` +
    `Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${n}.${Deno.pid}.${Date.now()}@remote.test>\r\n` +
    `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`;
  const line = "The quick brown fox jumps over the lazy dog, again and again and again.\r\n";
  const lines = Math.max(1, Math.ceil((bytes - head.length) / line.length));
  return head + line.repeat(lines);
}

let next = 0;

/** One connection that sends until all messages are taken. */
function run(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: "127.0.0.1", port, noDelay: true });
    let buffer = "";
    let step = 0;
    let n = 0;
    let named = 0;
    socket.setEncoding("latin1");
    socket.on("error", reject);
    socket.on("data", (chunk: string) => {
      buffer += chunk;
      for (;;) {
        const end = buffer.indexOf("\r\n");
        if (end < 0) return;
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (line[3] === "-") continue;
        if (!/^[23]/.test(line)) {
          socket.destroy();
          reject(new Error(`step ${step}: ${line}`));
          return;
        }
        advance();
      }
    });
    // One command at a time, as most senders do it; the two that can are pipelined by nobody here.
    const advance = () => {
      switch (step) {
        case 0:
          socket.write("EHLO client.remote.test\r\n");
          step = 1;
          return;
        case 1:
          n = next++;
          if (n >= messages) {
            socket.write("QUIT\r\n");
            step = 5;
            return;
          }
          named = 0;
          socket.write("MAIL FROM:<sender@remote.test>\r\n");
          step = 2;
          return;
        case 2:
          socket.write(`RCPT TO:<${addresses[named++]}>\r\n`);
          step = named < addresses.length ? 2 : 3;
          return;
        case 3:
          socket.write("DATA\r\n");
          step = 4;
          return;
        case 4:
          socket.write(message(n) + ".\r\n", "latin1");
          step = 1;
          return;
        default:
          socket.end();
          resolve();
      }
    };
  });
}

const start = performance.now();
await Promise.all(Array.from({ length: connections }, run));
console.log(JSON.stringify({ accepted: performance.now() - start }));
