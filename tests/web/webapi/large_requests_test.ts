/** Large requests wait for each other, small ones for nobody. */
import assert from "node:assert/strict";
import { LargeRequests } from "../../../src/web/webapi/large_requests.ts";

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("one of an account and three of all run at a time, in order; who goes away while waiting takes no place", async () => {
  const large = new LargeRequests();
  const began: string[] = [];
  const never = new AbortController().signal;
  const enter = async (account: string, name: string, signal = never) => {
    const leave = await large.enter(account, signal);
    began.push(name);
    return leave;
  };
  const a1 = await enter("a", "a1");
  const a2 = enter("a", "a2");
  const gone = new AbortController();
  const a3 = enter("a", "a3", gone.signal);
  a3.catch(() => {});
  const b = await enter("b", "b");
  const c = await enter("c", "c");
  const d = enter("d", "d");
  await settled();
  assert.deepEqual(began, ["a1", "b", "c"]);
  gone.abort(new Error("gone"));
  await assert.rejects(a3, /gone/);
  b();
  (await d)();
  a1();
  (await a2)();
  c();
  (await enter("a", "a4"))();
  assert.deepEqual(began, ["a1", "b", "c", "d", "a2", "a4"]);
});
