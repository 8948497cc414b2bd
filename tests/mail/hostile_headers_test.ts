/** Headers and structures that mean ill: what is kept of them is bounded, and honest ones are kept whole. */
import assert from "node:assert/strict";
import { parseAddressList } from "../../src/mail/address/address.ts";
import { imapEnvelope } from "../../src/mail/structure/envelope.ts";
import { chooseFieldLines, chooseFields } from "../../src/mail/header/filter.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { parseMessageIds } from "../../src/mail/header/messageid.ts";
import { rawFields } from "../../src/jmap/mail/header_fields.ts";
import { leaves, limits, parseMessage } from "../../src/mail/structure/structure.ts";
import { describeBytes } from "../../src/store/messages/describe.ts";
import { nextTurn } from "../../src/platform/turns.ts";

const bytes = (s: string) => new TextEncoder().encode(s);
const list = (n: number, of = (i: number) => `Name ${i} <person${i}@dept.example.org>`) =>
  Array.from({ length: n }, (_, i) => of(i)).join(",\r\n ");
const fields = (h: string) => splitHeader(bytes(h));

Deno.test("2,000 recipients are all in ENVELOPE; of a megabyte of them as many as the bound allows", async () => {
  const honest = imapEnvelope(fields(`From: a@b.example\r\nTo: ${list(2000)}\r\n\r\n`));
  assert.ok(honest.includes('"person1999" "dept.example.org"'));
  const d = await describeBytes(
    bytes(["From", "To", "Cc", "Bcc"].map((n) => `${n}: ${list(6000)}\r\n`).join("") + "\r\nx"),
  );
  assert.ok(d.envelope.length < 600_000, `${d.envelope.length}`);
  assert.equal(d.summary.from.length, 1000);
  assert.equal(d.summary.from[0].address, "person0@dept.example.org");
  // No address is cut in two.
  for (const a of parseAddressList(list(20_000).replaceAll("\r\n", ""))) {
    assert.match("domain" in a ? a.domain : "", /^dept\.example\.org$/);
  }
});

Deno.test("groups count as addresses do, and messages in a message share its bound", async () => {
  assert.ok(parseAddressList("a:;".repeat(80_000)).length <= 10_000);
  const inner = `Content-Type: message/rfc822\r\n\r\nTo: ${list(3000)}\r\n\r\nx\r\n`;
  const d = await describeBytes(
    bytes(
      `From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${
        `--b\r\n${inner}`.repeat(6)
      }--b--\r\n`,
    ),
  );
  assert.ok(d.bodyStructure.length < 600_000, `${d.bodyStructure.length}`);
  assert.ok(d.bodyStructure.includes('"person0"'));
});

Deno.test("of References the last hundred ids are kept, however many there are", () => {
  const ids = parseMessageIds(Array.from({ length: 100_000 }, (_, i) => `<${i}@x>`).join(" "));
  assert.deepEqual([ids.length, ids[0], ids[99]], [100, "99900@x", "99999@x"]);
});

Deno.test("of hundreds of thousands of parameters each part keeps what reading it needs", () => {
  const many = Array.from({ length: 90 }, (_, i) => `; p${i}=x`).join("");
  const part = `--b\r\nContent-Type: text/plain; charset=utf-8${many}\r\n\r\nx\r\n`;
  const { root } = parseMessage(
    bytes(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(1000)}--b--\r\n`),
  );
  const all = [...leaves(root)];
  assert.equal(all.length, 1000);
  assert.equal(Object.keys(all[0].params).length, 91);
  assert.deepEqual(all[999].params, { charset: "utf-8" });
  const kept = all.reduce((n, p) => n + Object.keys(p.params).length, 0);
  assert.ok(kept <= limits.params + 1000);
});

Deno.test("others get turns while a hostile message is described", async () => {
  const hostile = bytes(
    ["From", "To", "Cc"].map((n) => `${n}: ${list(6000)}\r\n`).join("") + "\r\nx",
  );
  let described = false;
  let turns = 0;
  const others = (async () => {
    while (!described) {
      await nextTurn();
      if (!described) turns++;
    }
  })();
  const start = performance.now();
  await describeBytes(hostile);
  const took = performance.now() - start;
  described = true;
  await others;
  // A quick machine is done before it has to give way.
  assert.ok(turns > 0 || took < 50, `${took} ms without a turn`);
});

/** Characters and bytes that searches have looked at meanwhile. */
function searched(fn: () => void): number {
  let seen = 0;
  const holders = [String.prototype, Uint8Array.prototype] as unknown as {
    indexOf(this: { length: number }, what: unknown, from?: number): number;
  }[];
  const originals = holders.map((h) => h.indexOf);
  holders.forEach((h, i) => {
    h.indexOf = function (what, from = 0) {
      const found = originals[i].call(this, what, from);
      seen += (found < 0 ? this.length : found) - from;
      return found;
    };
  });
  try {
    fn();
  } finally {
    holders.forEach((h, i) => h.indexOf = originals[i]);
  }
  return seen;
}

Deno.test("a body that stands where the header should be is looked through a few times, not once for each line", () => {
  const body = bytes("QUJD\n".repeat(20_000));
  const names = new Set(["from"]);
  for (
    const read of [
      () => splitHeader(body),
      () => rawFields(body),
      () => chooseFields(body, names, false),
      () => chooseFieldLines(new TextDecoder().decode(body), names),
    ]
  ) {
    const seen = searched(() => void read());
    assert.ok(seen < 5 * body.length, `${seen} for ${body.length}`);
  }
  assert.deepEqual(splitHeader(bytes("no field\nTo: a\nnone\nFrom: b\nnone")).map((f) => f.name), [
    "to",
    "from",
  ]);
});
