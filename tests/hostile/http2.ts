/** HTTP/2, before login: frames and streams that mean ill. */
import {
  endHeaders,
  endStream,
  fields,
  frame,
  frameType,
  Http2Peer,
} from "../support/http2_peer.ts";
import type { Localserve } from "../support/localserve.ts";
import { crowd, type Input, pause } from "./peer.ts";

const get = (n: number) =>
  frame(frameType.headers, endStream | endHeaders, 1 + 2 * n, fields("/webmail/"));
const post = (n: number) =>
  frame(frameType.headers, endHeaders, 1 + 2 * n, fields("/webapi/v0/Send", "POST"));
const widest = [
  frame(frameType.settings, 0, 0, [0, 4, 0x7f, 0xff, 0xff, 0xff]),
  frame(frameType.windowUpdate, 0, 0, [0x7f, 0xff, 0, 0]),
];

const peers = (
  n: number,
  name: string,
  each: (p: Http2Peer, s: Localserve) => Promise<void>,
): Input => ({
  name: `HTTP/2: ${n} connections ${name}`,
  run: (s) =>
    crowd(n, async () => {
      using p = await Http2Peer.to(s.https);
      await each(p, s);
    }),
});

/** Frames in batches, until the connection ends or they are all sent. */
async function flood(p: Http2Peer, n: number, frames: (i: number) => Uint8Array[]): Promise<void> {
  for (let i = 0; i < n && !p.closed; i += 100) {
    await p.send(...Array.from({ length: 100 }, (_, k) => frames(i + k)).flat());
  }
}

/** A new connection as soon as one is ended, for so many milliseconds. */
async function again(
  s: Localserve,
  ms: number,
  each: (p: Http2Peer) => Promise<void>,
): Promise<void> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    using p = await Http2Peer.to(s.https);
    await each(p);
  }
}

export const http2: Input[] = [
  peers(
    10,
    "of requests reset at once, made again for 5 s",
    (_, s) =>
      again(
        s,
        5000,
        (p) =>
          flood(p, 10_000, (i) => [get(i), frame(frameType.reset, 0, 1 + 2 * i, [0, 0, 0, 8])]),
      ),
  ),
  peers(30, "of 100 requests, answers unread in the widest windows", async (p) => {
    p.socket.pause();
    await p.send(...widest, ...Array.from({ length: 100 }, (_, i) => get(i)));
    await pause(4000);
  }),
  peers(30, "of 100 requests, windows never widened", async (p) => {
    await p.send(...Array.from({ length: 100 }, (_, i) => get(i)));
    await pause(4000);
  }),
  peers(30, "of 100 bodies of 256 kB each that nobody asked for", async (p) => {
    for (let i = 0; i < 100 && !p.closed; i++) await p.send(post(i));
    for (let i = 0; i < 1600 && !p.closed; i++) {
      await p.send(frame(frameType.data, 0, 1 + 2 * (i % 100), new Uint8Array(16_384)));
    }
    await pause(3000);
  }),
  peers(10, "of header lists that unpack to 40 MB", async (p) => {
    const kept = fields("/", "GET", [["x", "y".repeat(4000)]]);
    // The last field is put into the table.
    kept[kept.length - 4000 - 1 - 3 - 2] |= 0x40;
    await p.send(frame(frameType.headers, endStream | endHeaders, 1, kept));
    for (let i = 1; i < 300 && !p.closed; i++) {
      const list = [...fields("/"), ...new Array(10_000).fill(0x80 | 62)];
      await p.send(frame(frameType.headers, endStream | endHeaders, 1 + 2 * i, list));
    }
    await pause(1000);
  }),
  peers(10, "of continuations without end", async (p) => {
    await p.send(frame(frameType.headers, endStream, 1, fields("/")));
    await flood(p, 100_000, () => [frame(frameType.continuation, 0, 1, [0, 1, 120, 1, 121])]);
  }),
  peers(10, "of 100,000 pings, answers unread", async (p) => {
    p.socket.pause();
    await flood(p, 100_000, () => [frame(frameType.ping, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1])]);
  }),
  peers(10, "of 100,000 settings and priorities", async (p) => {
    await flood(p, 100_000, (i) => [
      frame(frameType.settings, 0, 0, [0, 3, 0, 0, 0, 1]),
      frame(frameType.priority, 0, 1 + 2 * i, [0, 0, 0, 0, 1]),
    ]);
  }),
  {
    name: "HTTP/2: 300 connections with half a header list",
    run: (s) =>
      crowd(300, async () => {
        using p = await Http2Peer.to(s.https);
        await p.send(
          frame(frameType.headers, endStream, 1, fields("/", "GET", [["x", "y".repeat(15_000)]])),
        );
        await pause(3000);
      }),
  },
];
