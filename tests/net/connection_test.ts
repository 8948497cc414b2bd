import assert from "node:assert/strict";
import { ConnectionError, type SocketConnection } from "../../src/net/mod.ts";
import { bytes, connectedPair, noise, reasonOf, text } from "./loopback.ts";

async function readAll(conn: SocketConnection, n: number): Promise<Uint8Array> {
  const out = new Uint8Array(n);
  let have = 0;
  while (have < n) {
    const part = await conn.readSome(n - have);
    out.set(part, have);
    have += part.length;
  }
  return out;
}

Deno.test("lines come one by one, however they were sent", async () => {
  await using pair = await connectedPair();
  pair.client.write("one\r\ntwo\r\nth");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "one");
  assert.equal(pair.server.lastLineBareLf, false);
  assert.equal(text(await pair.server.readLine(100)), "two");
  const third = pair.server.readLine(100);
  pair.client.write("ree\nfour\r\n\r\n");
  await pair.client.flush();
  assert.equal(text(await third), "three");
  assert.equal(pair.server.lastLineBareLf, true);
  assert.equal(text(await pair.server.readLine(100)), "four");
  assert.equal(text(await pair.server.readLine(100)), "");
  assert.equal(pair.server.buffered, 0);
});

Deno.test("a line that is too long is dropped to its end, and the next one is read", async () => {
  await using pair = await connectedPair();
  pair.client.write("x".repeat(5000));
  await pair.client.flush();
  const tooLong = reasonOf(pair.server.readLine(1000));
  pair.client.write("y".repeat(5000) + "\r\nnext\r\n");
  await pair.client.flush();
  assert.equal(await tooLong, "line");
  assert.equal(text(await pair.server.readLine(1000)), "next");
  pair.client.write("12345678\r\n123456789\r\nok\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(10)), "12345678");
  assert.equal(await reasonOf(pair.server.readLine(10)), "line");
  assert.equal(text(await pair.server.readLine(10)), "ok");
  const ends = [["a".repeat(20) + " {5+}\r", "\n"], ["b".repeat(40) + " {6+", "}\n"], [
    `${"c".repeat(20)}\n`,
  ]];
  const told = [" {5+}", " {6+}", "cc"];
  for (const [i, pieces] of ends.entries()) {
    const err = pair.server.readLine(10).catch((e: unknown) => e);
    for (const piece of pieces) {
      pair.client.write(piece);
      await pair.client.flush();
    }
    const e = await err;
    assert.ok(e instanceof ConnectionError && e.end !== undefined);
    assert.ok(e.end.length <= 33);
    assert.ok(text(e.end).endsWith(told[i]), text(e.end));
  }
});

Deno.test("a line without end ends reading, with little memory used", async () => {
  await using pair = await connectedPair();
  const feed = (async () => {
    const piece = bytes("z".repeat(60_000));
    try {
      for (let i = 0; i < 200; i++) {
        pair.client.write(piece);
        await pair.client.flush();
      }
    } catch (e) {
      assert.ok(e instanceof ConnectionError);
    }
  })();
  const err = await pair.server.readLine(1000).catch((e: unknown) => e);
  assert.ok(err instanceof ConnectionError);
  assert.equal(err.reason, "endless");
  assert.equal(text(err.start!), "z".repeat(256));
  assert.ok(pair.server.buffered < 300_000, `${pair.server.buffered} bytes pending`);
  pair.server.destroy();
  await feed;
});

Deno.test("bytes and lines mix, and bytes can be put back", async () => {
  await using pair = await connectedPair();
  pair.client.write("A1 APPEND {5}\r\nab\r\nc tail\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "A1 APPEND {5}");
  assert.equal(text(await readAll(pair.server, 5)), "ab\r\nc");
  assert.equal(text(await pair.server.readLine(100)), " tail");
  pair.server.unread(bytes("back\r\n"));
  assert.equal(pair.server.buffered, 6);
  assert.equal(text(await pair.server.readLine(100)), "back");
});

Deno.test("views stay as they were while more input arrives", async () => {
  await using pair = await connectedPair();
  const lines: Uint8Array[] = [];
  const sent: string[] = [];
  for (let i = 0; i < 2000; i++) sent.push(`line ${i} ${"q".repeat(i % 97)}`);
  const feed = (async () => {
    for (const l of sent) {
      pair.client.write(l + "\r\n");
      await pair.client.flush();
    }
  })();
  for (let i = 0; i < sent.length; i++) lines.push(await pair.server.readLine(1000));
  await feed;
  assert.deepEqual(lines.map(text), sent);
});

Deno.test("reading fails once the peer has closed, and what it sent before is still there", async () => {
  await using pair = await connectedPair();
  pair.client.write("last\r\npartial");
  await pair.client.flush();
  const closing = pair.client.close();
  assert.equal(text(await pair.server.readLine(100)), "last");
  assert.equal(await reasonOf(pair.server.readLine(100)), "closed");
  assert.equal(text(await pair.server.readSome(100)), "partial");
  assert.equal(await reasonOf(pair.server.readSome(100)), "closed");
  // Half closed: answers still get through until this end closes too.
  pair.server.write("bye\r\n");
  await pair.server.flush();
  await pair.server.close();
  await closing;
});

Deno.test("no input in time gives a timeout, and the connection can still be used", async () => {
  await using pair = await connectedPair();
  pair.server.readTimeout = 40;
  assert.equal(await reasonOf(pair.server.readLine(100)), "timeout");
  pair.client.write("slow");
  await pair.client.flush();
  assert.equal(await reasonOf(pair.server.readLine(100)), "timeout");
  pair.client.write(" line\r\n");
  await pair.client.flush();
  pair.server.readTimeout = 10_000;
  assert.equal(text(await pair.server.readLine(100)), "slow line");
  pair.server.write("answer\r\n");
  await pair.server.flush();
  assert.equal(text(await pair.client.readLine(100)), "answer");
});

Deno.test("a longer timeout comes from the shared clock", async () => {
  await using pair = await connectedPair();
  pair.server.readTimeout = 2000;
  const start = performance.now();
  assert.equal(await reasonOf(pair.server.readSome(1)), "timeout");
  const took = performance.now() - start;
  // A busy machine may be late; the time limit of another reader is not taken for this one.
  assert.ok(took >= 1990 && took < 20_000, `${took} ms`);
});

Deno.test("output of all kinds arrives in order, through slow reading", async () => {
  await using pair = await connectedPair();
  const big = noise(700_000);
  const kept = new Uint8Array(20_000);
  const expected: Uint8Array[] = [];
  const put = (data: string | Uint8Array) => {
    pair.server.write(data);
    expected.push(typeof data === "string" ? bytes(data) : data.slice());
  };
  const writing = (async () => {
    for (let i = 0; i < 40; i++) {
      put(`* ${i} grüße\r\n`);
      put(big.subarray(i * 1000, i * 18_000));
      put("é".repeat(i * 700));
      put("");
      kept.fill(i);
      put(kept);
      kept.fill(255);
      await pair.server.flush();
    }
  })();
  const got: Uint8Array[] = [];
  let n = 0;
  const total = () => expected.reduce((sum, e) => sum + e.length, 0);
  let done = false;
  writing.then(() => done = true);
  while (!done || n < total()) {
    const part = await pair.client.readSome(50_000);
    got.push(part.slice());
    n += part.length;
  }
  await writing;
  assert.deepEqual(
    new Uint8Array(await new Blob(got as BlobPart[]).arrayBuffer()),
    new Uint8Array(await new Blob(expected as BlobPart[]).arrayBuffer()),
  );
});

Deno.test("a peer that doesn't read is dropped after the write timeout", async () => {
  await using pair = await connectedPair();
  pair.server.writeTimeout = 100;
  const piece = noise(100_000);
  let reason = "no error";
  for (let i = 0; i < 500 && reason === "no error"; i++) {
    pair.server.write(piece);
    reason = await reasonOf(pair.server.flush());
  }
  assert.equal(reason, "timeout");
  assert.equal(pair.server.closed, true);
});

Deno.test("a reader that waits holds the sender back", async () => {
  await using pair = await connectedPair();
  let sent = 0;
  const piece = noise(64 * 1024);
  pair.client.writeTimeout = 1000;
  const feed = (async () => {
    try {
      for (; sent < 2000; sent++) {
        pair.client.write(piece);
        await pair.client.flush();
      }
    } catch (e) {
      assert.ok(e instanceof ConnectionError);
    }
  })();
  await pair.server.readSome(1);
  await feed;
  assert.ok(pair.server.buffered < 600_000, `${pair.server.buffered} bytes pending`);
  assert.ok(sent < 1000, `${sent} pieces sent`);
});

Deno.test("waitInput resolves on input, on abort, and when the peer is gone", async () => {
  await using pair = await connectedPair();
  const abort = new AbortController();
  const waiting = pair.server.waitInput(abort.signal);
  abort.abort();
  await waiting;
  assert.equal(pair.server.buffered, 0);

  const first = pair.server.waitInput();
  pair.client.write("x");
  await pair.client.flush();
  await first;
  assert.equal(pair.server.buffered, 1);
  await pair.server.readSome(1);

  const last = pair.server.waitInput();
  pair.client.destroy();
  await last;
  assert.equal(await reasonOf(pair.server.readSome(1)), "closed");
});

Deno.test("stop ends waiting for a line, but not a line or data that has begun", async () => {
  await using pair = await connectedPair();
  const waiting = reasonOf(pair.server.readLine(100));
  pair.server.stop();
  assert.equal(await waiting, "shutdown");
  pair.client.write("half");
  await pair.client.flush();
  await pair.server.waitInput();
  const line = pair.server.readSome(4);
  assert.equal(text(await line), "half");
  const data = pair.server.readSome(4);
  pair.client.write("data");
  await pair.client.flush();
  assert.equal(text(await data), "data");
});

Deno.test("both ends can compress, in the middle of a conversation", async () => {
  await using pair = await connectedPair();
  pair.client.write("A1 COMPRESS DEFLATE\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "A1 COMPRESS DEFLATE");
  pair.server.write("A1 OK\r\n");
  await pair.server.flush();
  pair.server.startDeflate();
  assert.equal(text(await pair.client.readLine(100)), "A1 OK");
  pair.client.startDeflate();

  const big = noise(2_000_000, 7);
  for (let i = 0; i < 50; i++) {
    pair.client.write(`A${i} NOOP\r\n`);
    await pair.client.flush();
    assert.equal(text(await pair.server.readLine(100)), `A${i} NOOP`);
    pair.server.write(`A${i} OK\r\n`);
    await pair.server.flush();
    assert.equal(text(await pair.client.readLine(100)), `A${i} OK`);
  }
  const writing = (async () => {
    for (let at = 0; at < big.length; at += 50_000) {
      pair.server.write(big.subarray(at, at + 50_000));
      await pair.server.flush();
    }
  })();
  const got = await readAll(pair.client, big.length);
  await writing;
  assert.deepEqual(got, big);
  // What was flushed right before closing arrives too.
  pair.server.write("* BYE\r\n");
  const closing = pair.server.close();
  assert.equal(text(await pair.client.readLine(100)), "* BYE");
  assert.equal(await reasonOf(pair.client.readLine(100)), "closed");
  await pair.client.close();
  await closing;
});

Deno.test("bytes that are no deflate end the connection, not the process", async () => {
  await using pair = await connectedPair();
  pair.server.startDeflate();
  pair.client.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3));
  await pair.client.flush();
  assert.equal(await reasonOf(pair.server.readLine(100)), "closed");
});

Deno.test("a decompression bomb fills no memory", async () => {
  await using pair = await connectedPair();
  pair.server.startDeflate();
  pair.client.startDeflate();
  pair.client.writeTimeout = 500;
  const zeros = new Uint8Array(16_000);
  const feed = (async () => {
    try {
      for (let i = 0; i < 5000; i++) {
        pair.client.write(zeros);
        await pair.client.flush();
      }
    } catch (e) {
      assert.ok(e instanceof ConnectionError);
    }
  })();
  await pair.server.readSome(1);
  for (let i = 0; i < 20; i++) {
    await new Promise((r) => setTimeout(r, 20));
    assert.ok(pair.server.buffered < 1_000_000, `${pair.server.buffered} bytes pending`);
  }
  pair.server.destroy();
  await feed;
});
