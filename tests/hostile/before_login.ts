/** What strangers send over IMAP, SMTP and HTTP, without a login. */
import { crowd, type Input, pause, Peer } from "./peer.ts";

const noops = "a NOOP\r\n".repeat(16_000);
const rsets = "NOOP\r\n".repeat(20_000);
const gets = "GET /webmail/ HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(6_000);

export const beforeLogin: Input[] = [
  {
    name: "IMAP: 16,000 NOOP pipelined, answers read",
    async run(s) {
      using p = await Peer.to(s.imap);
      const reading = p.closed(20_000);
      await p.send(noops + "z LOGOUT\r\n");
      await reading;
    },
  },
  ...[10, 30].map((n) => ({
    name: `IMAP: ${n} connections of 16,000 NOOP, answers unread`,
    run: (s) =>
      crowd(n, async () => {
        using p = await Peer.to(s.imap);
        await p.send(noops, 3000);
        await pause(3000);
      }),
  } as Input)),
  {
    name: "IMAP: 30 connections of a line without end",
    run: (s) =>
      crowd(30, async () => {
        using p = await Peer.to(s.imap);
        await p.send(new Uint8Array(20 * 2 ** 20).fill(0x61), 4000);
        await p.closed(1000);
      }),
  },
  {
    name: "IMAP: 300 connections that hold half a line of 16 kB",
    run: (s) =>
      crowd(300, async () => {
        using p = await Peer.to(s.imap);
        await p.send(`a LOGIN "${"x".repeat(15_000)}`, 3000);
        await pause(3000);
      }),
  },
  {
    name: "IMAP: LOGIN with a literal of each 32 kB, 30 connections",
    run: (s) =>
      crowd(30, async () => {
        using p = await Peer.to(s.imap);
        await p.send(`a LOGIN {30000+}\r\n${"x".repeat(30_000)} y\r\n`.repeat(30), 3000);
        await pause(1000);
      }),
  },
  {
    name: "SMTP: 20,000 NOOP pipelined, answers unread, 10 connections",
    run: (s) =>
      crowd(10, async () => {
        using p = await Peer.to(s.smtp);
        await p.send(`EHLO x\r\n${rsets}`, 3000);
        await pause(3000);
      }),
  },
  {
    name: "SMTP: a line without end, 10 connections",
    run: (s) =>
      crowd(10, async () => {
        using p = await Peer.to(s.smtp);
        await p.send(new Uint8Array(20 * 2 ** 20).fill(0x61), 4000);
        await p.closed(1000);
      }),
  },
  {
    name: "SMTP: DATA of 100 MB without a line end, 5 connections",
    run: (s) =>
      crowd(5, async () => {
        using p = await Peer.to(s.smtp);
        await p.until(/220/);
        await p.command("EHLO x", /^250 /m);
        await p.command("MAIL FROM:<a@remote.example>", /250/);
        await p.command("RCPT TO:<mox@localhost>", /250/);
        await p.command("DATA", /354/);
        await p.send(new Uint8Array(20 * 2 ** 20).fill(0x61), 5000);
      }),
  },
  {
    name: "SMTP: 1,000 recipients pipelined, 10 connections",
    run: (s) =>
      crowd(10, async () => {
        using p = await Peer.to(s.smtp);
        await p.send(
          `EHLO x\r\nMAIL FROM:<a@remote.example>\r\n${
            "RCPT TO:<mox@localhost>\r\n".repeat(1000)
          }DATA\r\n`,
          3000,
        );
        await pause(2000);
      }),
  },
  {
    name: "HTTP: 6,000 GET pipelined, answers unread",
    async run(s) {
      using p = await Peer.to(s.http);
      await p.send(gets, 3000);
      await pause(3000);
    },
  },
  {
    name: "HTTP: 30 connections of 6,000 GET pipelined, answers unread",
    run: (s) =>
      crowd(30, async () => {
        using p = await Peer.to(s.http);
        await p.send(gets, 3000);
        await pause(3000);
      }),
  },
  {
    name: "HTTP: 6,000 GET pipelined, answers read",
    async run(s) {
      using p = await Peer.to(s.http);
      const reading = p.closed(6000);
      await p.send(gets, 6000);
      await reading;
    },
  },
  {
    name: "HTTP: a chunk extension of 5 MB",
    async run(s) {
      using p = await Peer.to(s.http);
      await p.send(
        `POST /webmail/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;${
          "x".repeat(5_000_000)
        }\r\n`,
        3000,
      );
      await p.closed(3000);
    },
  },
  {
    name: "HTTP: 300,000 chunks of a byte",
    async run(s) {
      using p = await Peer.to(s.http);
      const reading = p.closed(5000);
      await p.send(
        `POST /webmail/api HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${
          "1\r\nx\r\n".repeat(300_000)
        }0\r\n\r\n`,
        4000,
      );
      await reading;
    },
  },
  {
    name: "HTTP: 300 connections with half a header of 30 kB",
    run: (s) =>
      crowd(300, async () => {
        using p = await Peer.to(s.http);
        await p.send(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(30_000)}`, 3000);
        await pause(3000);
      }),
  },
];
