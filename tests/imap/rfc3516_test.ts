/** BINARY (RFC 3516), as transcripts. */
import assert from "node:assert/strict";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

const mixed = [
  "From: a@b.example",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="x"',
  "",
  "--x",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Gr=C3=BC=C3=9Fe",
  "--x",
  "Content-Type: application/octet-stream",
  "Content-Transfer-Encoding: base64",
  "",
  "AAECAw==",
  "--x",
  "Content-Type: application/octet-stream",
  "Content-Transfer-Encoding: x-unknown",
  "",
  "begin 644 x",
  "--x--",
  "",
].join("\r\n");

Deno.test("§4 BINARY gives parts without their encoding, BINARY.SIZE their size", () =>
  withClient(async (c) => {
    await c.append("INBOX", mixed);
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: FETCH 1 BINARY.SIZE[1]
      S: * 1 FETCH (BINARY.SIZE[1] 7)
      S: OK …
      C: FETCH 1 (BINARY.SIZE[2])
      S: * 1 FETCH (BINARY.SIZE[2] 4)
      S: OK …
      C: FETCH 1 BINARY.PEEK[1]
      S: * 1 FETCH (BINARY[1] {7}…)
      S: OK …
      C: FETCH 1 FLAGS
      S: * 1 FETCH (FLAGS ())
      S: OK …
      C: FETCH 1 BINARY[1]<0.3>
      S: * 1 FETCH (FLAGS (\\Seen) BINARY[1]<0> {3}…Gr…)
      S: OK …
      C: FETCH 1 BINARY.PEEK[3]
      S: * 1 FETCH (BINARY[3] NIL)
      S: NO [UNKNOWN-CTE] …
      C: FETCH 1 BINARY.PEEK[9]
      S: * 1 FETCH (BINARY[9] NIL)
      S: OK …
      C: FETCH 1 BINARY.SIZE[1]<0.1>
      S: BAD …
      `,
    );
    // With NUL in it, a literal8.
    const [line] = await c.ok("FETCH 1 BINARY.PEEK[2]");
    assert.equal(line, "* 1 FETCH (BINARY[2] ~{4}\r\n\0\x01\x02\x03)");
  }));
