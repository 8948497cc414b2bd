/** Requests and answers between nodes as lines and pieces: what is read, and what is refused. */
import assert from "node:assert/strict";
import {
  type PassedRequest,
  readPieces,
  readRequest,
  writeAnswer,
} from "../../src/nodes/web_link.ts";
import { connectedPair, text } from "../net/loopback.ts";

const most = 1024 * 1024;

/** The body read from what a peer sends, and how many bytes the pieces had at most. */
async function bodyOf(sent: (string | Uint8Array)[]): Promise<string> {
  await using pair = await connectedPair();
  const sending = (async () => {
    for (const s of sent) pair.client.write(s);
    await pair.client.flush();
  })().catch(() => {});
  let body = "";
  try {
    for await (const piece of readPieces(pair.server)) body += text(piece);
  } finally {
    pair.server.destroy();
    await sending;
  }
  return body;
}

Deno.test("a body is its pieces up to the empty one; a size that is none ends it", async () => {
  assert.equal(await bodyOf(["0\r\n"]), "");
  assert.equal(await bodyOf(["3\r\nabc", "2\r\n\r\n", "1\r\n00\r\nmore"]), "abc\r\n0");
  const large = "x".repeat(most);
  assert.equal(await bodyOf([`${most}\r\n`, large, "0\r\n"]), large);
  for (const size of [`${most + 1}`, "-1", "1.5", "x", "1e9", "Infinity", "NaN", "9".repeat(17)]) {
    await assert.rejects(bodyOf([`${size}\r\n`, "abc", "0\r\n"]), /size of a piece/, size);
  }
  // Longer than any size.
  await assert.rejects(bodyOf([`${"1".repeat(30)}\r\n`]));
});

Deno.test("an answer has its status, fields and body, in pieces that the other side takes; none to HEAD", async () => {
  const answer = async (method: string, response: Response) => {
    await using pair = await connectedPair();
    const writing = writeAnswer(pair.server, method, response);
    const head = JSON.parse(text(await pair.client.readLine(100_000)));
    let [body, largest] = [0, 0];
    if (head.hasBody) {
      // Each piece may come in parts; its size is on the line before it.
      for (;;) {
        const size = Number(text(await pair.client.readLine(20)));
        if (size === 0) break;
        largest = Math.max(largest, size);
        for (let left = size; left > 0;) left -= (await pair.client.readSome(left)).length;
        body += size;
      }
    }
    await writing;
    return { ...head, body, largest };
  };
  const headers = { "Content-Type": "text/x", "X-Two": "2" };
  const plain = await answer("GET", new Response("hello", { status: 207, headers }));
  assert.deepEqual(plain, {
    status: 207,
    headers: [["content-type", "text/x"], ["x-two", "2"]],
    hasBody: true,
    body: 5,
    largest: 5,
  });
  assert.equal((await answer("GET", new Response(null, { status: 204 }))).hasBody, false);
  assert.equal((await answer("HEAD", new Response("hello"))).hasBody, false);
  const bytes = new Uint8Array(2 * most + 5);
  const large = await answer("POST", new Response(bytes));
  assert.equal(large.body, bytes.length);
  assert.ok(large.largest <= most, String(large.largest));
});

Deno.test("a request is read whole or not at all", async () => {
  const request: PassedRequest = {
    service: "webmail",
    https: true,
    method: "GET",
    target: "/webmail/?a=ü",
    host: "mail.example.org",
    origin: "https://mail.example.org",
    remoteIp: "192.0.2.1",
    secure: true,
    headers: ["Accept", "*/*"],
    hasBody: false,
  };
  const read = async (line: string) => {
    await using pair = await connectedPair();
    pair.client.write(`${line}\r\n`);
    await pair.client.flush();
    return await readRequest(pair.server);
  };
  assert.deepEqual(await read(JSON.stringify(request)), request);
  for (const name of Object.keys(request)) {
    await assert.rejects(read(JSON.stringify({ ...request, [name]: undefined })), name);
  }
  for (const line of ["", "null", "{", "[]", JSON.stringify({ ...request, headers: [1] })]) {
    await assert.rejects(read(line), line);
  }
});
