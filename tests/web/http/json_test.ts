/** JSON of requests: bounded before it is parsed. */
import assert from "node:assert/strict";
import { parseJsonBody } from "../../../src/web/http/large_json.ts";
import { JsonError, maxJsonDepth, maxJsonValues, parseJson } from "../../../src/web/http/json.ts";

const bytes = (s: string) => new TextEncoder().encode(s);

Deno.test("what is within the limits is read, from text and from UTF-8", () => {
  for (const text of ['{"a":[1,"é,[{\\"",null]}', "[]", '"x"', "1", " [1] "]) {
    assert.deepEqual(parseJson(text), JSON.parse(text));
    assert.deepEqual(parseJson(bytes(text)), JSON.parse(text));
  }
  const deep = "[".repeat(maxJsonDepth) + "]".repeat(maxJsonDepth);
  assert.deepEqual(parseJson(deep), JSON.parse(deep));
  const strings = JSON.stringify({ a: ",[{".repeat(1_000_000) });
  assert.deepEqual(parseJson(strings), JSON.parse(strings));
  assert.equal((parseJson(`[${"1,".repeat(maxJsonValues - 2)}1]`) as []).length, maxJsonValues - 1);
});

Deno.test("what is above them is refused at once", () => {
  const cases: [string | Uint8Array, RegExp][] = [
    ["[".repeat(1_000_000), /nested more than 64 levels/],
    ['{"a":'.repeat(65) + "1" + "}".repeat(65), /nested more than 64 levels/],
    [`[${"{},".repeat(3_000_000)}{}]`, /more than 200000 values/],
    [`{${'"a":1,'.repeat(200_000)}"a":1}`, /more than 200000 values/],
    [`[${"1,".repeat(maxJsonValues - 1)}1]`, /more than 200000 values/],
    ["", /not JSON/],
    ["{", /not JSON/],
    ['{"a":1}x', /not JSON/],
    [Uint8Array.of(0x22, 0xff, 0x22), /not UTF-8/],
  ];
  for (const [body, reason] of cases) {
    assert.throws(() => parseJson(body), (e: Error) => {
      assert.ok(e instanceof JsonError);
      assert.match(e.message, reason);
      return true;
    });
  }
});

Deno.test("large bodies are parsed without holding up others, to the same values and refusals", async () => {
  const large = { text: 'ü\n"'.repeat(400_000), list: [1, null, { a: true }] };
  let turned = false;
  const timer = setTimeout(() => turned = true, 0);
  assert.deepEqual(await parseJsonBody(bytes(JSON.stringify(large))), large);
  clearTimeout(timer);
  assert.ok(turned, "the loop had no turn");
  const bad: [string, RegExp][] = [
    [`{"a": "${"x".repeat(1_000_000)}"`, /not JSON/],
    [`${"[".repeat(600_000)}`, /levels deep/],
    [`[${"1,".repeat(400_000)}1]`, /more than 200000 values/],
  ];
  for (const [text, reason] of bad) {
    await assert.rejects(parseJsonBody(bytes(text)), (err) => {
      assert.ok(err instanceof JsonError);
      assert.match(err.message, reason);
      return true;
    });
  }
  const latin = bytes(`"${"x".repeat(1_000_000)}"`);
  latin[5] = 0xff;
  await assert.rejects(parseJsonBody(latin), /not UTF-8/);
  assert.deepEqual(await parseJsonBody(bytes('{"small": 1}')), { small: 1 });
});
