/** Forms of the web API: large ones are read without holding up others, to the same as small ones. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { formContent } from "../../../src/web/webapi/large_form.ts";

/** A form as clients send it. */
async function form(fields: Record<string, string | File>): Promise<[string, Uint8Array]> {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  const r = new Response(data);
  return [r.headers.get("content-type")!, new Uint8Array(await r.arrayBuffer())];
}

for (const size of [1000, 3_000_000]) {
  Deno.test(`a form with a file of ${size} bytes is read, and what is wrong in one is named`, async () => {
    const bytes = new Uint8Array(size).map((_, i) => i * 7);
    const file = new File([bytes], "ü.bin", { type: "application/x-some" });
    let turned = false;
    const timer = setInterval(() => turned = true, 0);
    const content = await formContent(
      ...await form({ request: '{"Subject":"hi"}', attachedfile: file }),
    );
    clearInterval(timer);
    if (size > 256 * 1024) assert.ok(turned, "the loop had no turn");
    assert.ok("json" in content);
    assert.deepEqual(content.json, { Subject: "hi" });
    const [[target, [got]]] = content.files;
    assert.equal(target, "AttachedFiles");
    assert.deepEqual([got.Name, got.ContentType], ["ü.bin", "application/x-some"]);
    assert.ok(Buffer.from(got.Data, "base64").equals(bytes));

    const wrong: [Record<string, string | File>, RegExp][] = [
      [{ attachedfile: file }, /no field "request"/],
      [{ request: "{", attachedfile: file }, /not JSON/],
      [{ request: "{}", inlinefile: "x".repeat(size) }, /inlinefile is not a file/],
    ];
    for (const [fields, problem] of wrong) {
      const c = await formContent(...await form(fields));
      assert.match("problem" in c ? c.problem : "", problem);
    }
    const [, body] = await form({ request: "{}", attachedfile: file });
    const c = await formContent("multipart/form-data; boundary=other", body);
    assert.match("problem" in c ? c.problem : "", /can't be read/);
  });
}
