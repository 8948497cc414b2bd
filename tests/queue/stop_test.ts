/** The end of the process in the middle of a delivery. */
import assert from "node:assert/strict";
import { until } from "../support/listening.ts";
import { World } from "./world.ts";

const zone = { "to.example": { A: ["127.7.6.1"] } };

Deno.test("a host that has the whole message is waited for: the message is not sent again", async () => {
  const answer = Promise.withResolvers<string>();
  let arrived = false;
  await using w = await World.make({ zone });
  const host = await w.host("127.7.6.1", {
    message: () => {
      arrived = true;
      return answer.promise;
    },
  });
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example"]);
  await until(() => arrived, () => Promise.resolve("no message"));
  const stopped = w.queue.stop();
  answer.resolve("250 2.0.0 mine now");
  await stopped;
  await w.open();
  assert.equal(w.queue.count(), 0);
  assert.equal(host.mails.length, 1);
});

for (const phase of ["greeting", "ehlo", "mail", "rcpt", "data"] as const) {
  Deno.test(`a host that hangs at ${phase} is not waited for, and it was no attempt`, async () => {
    let asked = false;
    await using w = await World.make({ zone });
    const host = await w.host("127.7.6.1", {
      [phase]: () => {
        asked = true;
        return "hang";
      },
    });
    await w.open();
    await w.queue.start();
    await w.send(["a@to.example"]);
    await until(() => asked, () => Promise.resolve("not asked"));
    const start = performance.now();
    await w.queue.stop();
    // An answer to a whole message would be waited for, up to 5 seconds.
    assert.ok(performance.now() - start < 4_900);
    await w.open();
    assert.deepEqual(w.queue.list().map((i) => [i.attempts, i.results]), [[0, []]]);
    host.options = {};
    await w.queue.start();
    await w.queue.idle();
    assert.equal(host.mails.length, 1);
  });
}
