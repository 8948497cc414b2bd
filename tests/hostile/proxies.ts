/** Connections of a trusted proxy that mean ill: headers of the PROXY protocol held back, wrong, too long, or of ever new clients. */
import { connect, type Socket } from "node:net";
import type { Localserve } from "../support/localserve.ts";
import { crowd, type Input } from "./peer.ts";

/** The address of the proxy: others on this machine are clients without one. */
const proxy = "127.0.0.77";

/** Has the server believe that address. */
async function configure(dir: string): Promise<void> {
  const path = `${dir}/mox.conf`;
  const conf = await Deno.readTextFile(path);
  const trusted = `\t\tTrustedProxies:\n\t\t\t- ${proxy}\n\t\tProxyProtocol: true\n`;
  await Deno.writeTextFile(path, conf.replace(/^(\t\tSMTP:\n)/m, `${trusted}$1`));
}

/** A connection of the proxy that begins with some bytes; resolves when the server has closed it, or after some milliseconds. */
function sends(port: number, bytes: string | Uint8Array, patience: number): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", localAddress: proxy });
    let text = "";
    const timer = setTimeout(() => socket.destroy(), patience);
    socket.on("data", (b: Uint8Array) => text += new TextDecoder().decode(b));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.on("connect", () => socket.write(bytes));
  });
}

const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

/** Version 2 with as much after it as its length says: TLVs that contain each other's lengths. */
function large(): Uint8Array {
  const size = 65_535;
  const all = new Uint8Array(16 + size);
  all.set([...signature, 0x21, 0x11, 0xff, 0xff]);
  for (let i = 16 + 12; i + 4 < all.length; i += 4) all.set([0x20, 0, 1, 0], i);
  return all;
}

const wrong: (string | Uint8Array)[] = [
  "EHLO x\r\n",
  `PROXY TCP4 ${"1".repeat(5_000)}`,
  "PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n",
  "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
  large(),
  Uint8Array.of(...signature, 0x21, 0x11, 0, 3, 1, 2, 3),
  `${"x".repeat(1_000_000)}`,
];

const seconds = 5;

/** Runs them all; the first thing that was wrong with an answer is an error. */
async function each(n: number, run: (i: number, wrong: (why: string) => void) => Promise<void>) {
  let fault: string | undefined;
  await crowd(n, (i) => run(i, (why) => fault ??= why));
  if (fault !== undefined) throw new Error(fault);
}

async function bad({ smtp, imap }: Localserve): Promise<void> {
  const end = performance.now() + seconds * 1000;
  await each(60, async (c, wrongly) => {
    for (let i = c; performance.now() < end; i++) {
      const said = await sends(i % 2 === 0 ? smtp : imap, wrong[i % wrong.length], 10_000);
      if (said !== "") wrongly(`a wrong header was answered: ${said.slice(0, 100)}`);
    }
  });
}

async function held({ smtp, imap }: Localserve): Promise<void> {
  const halves = ["PROXY TCP4 1.2.3.4 ", Uint8Array.of(...signature, 0x21), ""];
  await crowd(500, async (c) => {
    await sends(c % 2 === 0 ? smtp : imap, halves[c % halves.length], seconds * 1000);
  });
}

/** Each of another network: what limits remember of networks has a bound. */
async function clients({ smtp }: Localserve): Promise<void> {
  const end = performance.now() + seconds * 1000;
  await each(40, async (c, wrongly) => {
    for (let i = 0; performance.now() < end; i++) {
      const ip = `2001:db8:${c.toString(16)}:${(i % 65_536).toString(16)}::1`;
      const said = await sends(smtp, `PROXY TCP6 ${ip} 2001:db8::1 4711 25\r\nQUIT\r\n`, 10_000);
      if (!/^(?:220|421) /.test(said)) wrongly(`answered: ${said.slice(0, 100)}`);
    }
  });
}

export const proxies: Input[] = [
  { name: "proxies: wrong and too long headers, 60 connections for 5 s", configure, run: bad },
  { name: "proxies: 500 headers held back for 5 s", configure, run: held },
  { name: "proxies: a new client with each of 40 connections for 5 s", configure, run: clients },
];
