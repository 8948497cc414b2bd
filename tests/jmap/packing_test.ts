/** Answers made in pieces, and messages of websockets put together from them. */
import assert from "node:assert/strict";
import { packAnswer } from "../../src/jmap/core/packing.ts";
import type { Invocation } from "../../src/jmap/core/request.ts";
import { FrameReader } from "../../src/jmap/http/frames.ts";
import { fc } from "../support/fast_check.ts";

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of pieces) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

const parsed = (pieces: readonly Uint8Array[]) =>
  JSON.parse(new TextDecoder().decode(joined(pieces))) as unknown;

Deno.test("an answer in pieces says the same as in one", async () => {
  const args = fc.record({
    list: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
    other: fc.jsonValue(),
    none: fc.constant(undefined),
  }, { requiredKeys: [] });
  const invocation = fc.tuple(fc.string(), args, fc.string()) as fc.Arbitrary<Invocation>;
  await fc.assert(
    fc.asyncProperty(
      fc.array(invocation),
      fc.dictionary(fc.string(), fc.jsonValue()),
      async (m, d) => {
        const rest = { sessionState: "s", ...d };
        const whole = JSON.parse(JSON.stringify({ methodResponses: m, ...rest })) as unknown;
        assert.deepEqual(parsed(await packAnswer(m, rest)), whole);
      },
    ),
  );
});

Deno.test("a large answer comes in pieces", async () => {
  const list = Array.from({ length: 30_000 }, (_, i) => ({ id: `é${i}` }));
  const pieces = await packAnswer([["Email/get", { list, notFound: [] }, "0"]], {
    sessionState: "s",
  });
  assert.ok(pieces.length > 5);
  assert.deepEqual(parsed(pieces), {
    methodResponses: [["Email/get", { list, notFound: [] }, "0"]],
    sessionState: "s",
  });
});

/** A frame of a client's. */
function masked(opcode: number, isLast: boolean, data: Uint8Array, mask: Uint8Array): Uint8Array {
  const head = new Uint8Array(14);
  head.set([(isLast ? 0x80 : 0) | opcode, 0xff]);
  new DataView(head.buffer).setUint32(6, data.length);
  head.set(mask, 10);
  return joined([head, data.map((b, i) => b ^ mask[i & 3])]);
}

Deno.test("masks are taken off messages, however they are cut", () => {
  const bytes = (most: number) => fc.uint8Array({ maxLength: most });
  const frames = fc.array(
    fc.record({
      data: fc.oneof(bytes(9), bytes(300)),
      mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  );
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(frames, fc.nat(70_000), cuts, (all, many, sizes) => {
      // One is longer than a piece of the reader.
      const last = { data: new Uint8Array(many).map((_, i) => i * 7), mask: all[0].mask };
      const message = [...all, last];
      const sent = joined(
        message.map(({ data, mask }, i) => masked(i === 0 ? 1 : 0, i === all.length, data, mask)),
      );
      const reader = new FrameReader(1_000_000);
      const got: Uint8Array[] = [];
      for (let at = 0, i = 0; at < sent.length; i++) {
        const n = i < 60 ? sizes[i % sizes.length] : 40_001;
        got.push(...reader.push(sent.subarray(at, at + n)).map((m) => m.data));
        at += n;
      }
      const whole = joined(message.map((m) => m.data));
      assert.deepEqual(got.map((d) => d.length), [whole.length]);
      assert.ok(whole.every((b, i) => b === got[0][i]));
      assert.equal(reader.held, 0);
    }),
  );
});
