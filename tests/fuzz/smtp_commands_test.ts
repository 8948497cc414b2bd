/** Any input gives answers in the form of SMTP; nothing makes the server lose its way. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { registry } from "../../src/metrics/mod.ts";
import { SmtpError } from "../../src/smtp/server/mod.ts";
import { parseParameters, parseUtf8Xtext, parseXtext } from "../../src/smtp/server/parameters.ts";
import { type Address, addressText, parsePath, PathError } from "../../src/smtp/server/path.ts";
import { startServer } from "../smtp/talk.ts";

const word = fc.constantFrom(
  ...[
    "EHLO",
    "HELO",
    "MAIL",
    "RCPT",
    "FROM:",
    "TO:",
    "<",
    ">",
    "<>",
    "<a@b.example>",
    "@",
    "a",
    ".",
  ],
  ...["DATA", "BDAT", "LAST", "RSET", "NOOP", "STARTTLS", "AUTH", "PLAIN", "AGEAYg==", "*", "="],
  ...["SIZE=", "BODY=", "8BITMIME", "SMTPUTF8", "RET=FULL", "ENVID=", "NOTIFY=", "ORCPT=", ";"],
  ...[
    " ",
    " ",
    " ",
    "\r\n",
    "\r\n",
    "\r\n",
    "\r",
    "\n",
    "\0",
    "ü",
    "\xff",
    "0",
    "12",
    "9".repeat(20),
  ],
  ...['"', "\\", "[", "]", "IPv6:", "::1", "1.2.3.4", "+", "+41", "x".repeat(300), "\r\n.\r\n"],
);

Deno.test("paths: a value or a PathError, and values come back from their text", () => {
  const options = fc.record({ pedantic: fc.boolean(), utf8: fc.boolean() });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), options, (words, o) => {
      const text = `<${words.join("")}`;
      let parsed: { address: Address | undefined; rest: string };
      try {
        parsed = parsePath(text, o);
      } catch (e) {
        assert.ok(e instanceof PathError, String(e));
        return;
      }
      if (parsed.address === undefined) return;
      const again = parsePath(`<${addressText(parsed.address)}>`, { ...o, utf8: true });
      assert.deepEqual(again.address, parsed.address);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("paths: addresses made by the grammar are taken", () => {
  const atom = fc.stringMatching(/^[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~]{1,10}$/);
  const dots = fc.array(atom, { minLength: 1, maxLength: 4 }).map((a) => a.join("."));
  const quoted = fc.stringMatching(/^[ -~]{1,20}$/).map((s) =>
    `"${s.replaceAll(/["\\]/g, "\\$&")}"`
  );
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
    .filter((l) => l.slice(2, 4) !== "--");
  const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((l) => l.join("."));
  fc.assert(
    fc.property(fc.oneof(dots, quoted), domain, (localpart, d) => {
      const { address, rest } = parsePath(`<${localpart}@${d}> X`, { pedantic: true, utf8: false });
      assert.equal(address!.asciiDomain, d);
      assert.equal(rest, " X");
      assert.deepEqual(parsePath(`<${addressText(address!)}>`, { pedantic: true, utf8: false }), {
        address,
        rest: "",
      });
    }),
    { numRuns: 5000 },
  );
});

Deno.test("parameters: a map or an SmtpError", () => {
  const orError = (f: () => unknown) => {
    try {
      f();
    } catch (e) {
      assert.ok(e instanceof SmtpError, String(e));
    }
  };
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.array(word).map((w) => w.join(""))), (text) => {
      orError(() => parseParameters(text, ["SIZE", "BODY", "RET"]));
      orError(() => parseXtext(text, "X"));
      orError(() => parseXtext(text, "X", true));
      orError(() => parseUtf8Xtext(text, "X"));
    }),
    { numRuns: 10_000 },
  );
});

Deno.test("conversations of any words: every answer is one, and the server lives on", async () => {
  await using server = await startServer({
    limits: { errors: 1e9, commandTimeout: 5000, dataTimeout: 5000 },
    allowPlainAuth: true,
  });
  const panics = async () => {
    const metric = await registry.getSingleMetric("mox_panic_total")!.get();
    return metric.values.find((v) => v.labels.pkg === "smtpserver")!.value;
  };
  const before = await panics();
  const line = fc.oneof(
    fc.array(word, { maxLength: 8 }).map((w) => w.join("") + "\r\n"),
    fc.constantFrom(
      "EHLO x\r\n",
      "MAIL FROM:<a@b.example>\r\n",
      "RCPT TO:<mjl@mox.example>\r\n",
      "DATA\r\nx\r\n.\r\n",
      "BDAT 3 LAST\r\nx\r\n",
      "RSET\r\n",
      "AUTH PLAIN\r\n*\r\n",
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      await using c = await server.dial();
      const all = lines.join("").replaceAll(/STARTTLS/gi, "NOOP");
      // Latin 1: some of it isn't UTF-8.
      await c.send(Uint8Array.from(all, (ch) => ch.charCodeAt(0)));
      await c.send("\r\n.\r\nRSET\r\nQUIT\r\n");
      // The client leaves; whatever the server still says must be answers.
      try {
        for (;;) {
          c.conn.readTimeout = 300;
          const reply = await c.reply();
          assert.ok(reply.code >= 220 && reply.code <= 555);
          if (reply.code === 221 || reply.code === 421) break;
        }
      } catch (e) {
        // A BDAT of some size may still wait for its bytes.
        assert.match(String(e), /closed|no input|connection failed/);
      }
    }),
    { numRuns: 150 },
  );
  assert.equal(await panics(), before);
  await using c = await server.dial();
  await c.hello();
});
