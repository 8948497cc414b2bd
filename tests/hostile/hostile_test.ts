/**
 * The short form of the bench: what had stopped the server or made it grow, once each. The bars are wide, as the
 * machine may be busy; `deno task hostile` has all inputs and the real ones.
 */
import assert from "node:assert/strict";
import { startLocalserve } from "../support/localserve.ts";
import { inputs } from "./inputs.ts";
import { type Bar, measure, wrong } from "./measure.ts";

const bar: Bar = { p99: 4000, longest: 6000, rise: 300, left: 300, settle: 0 };
const chosen = [
  "IMAP: 16,000 NOOP pipelined, answers read",
  "IMAP: 10 connections of 16,000 NOOP, answers unread",
  "SMTP: 20,000 NOOP pipelined, answers unread, 10 connections",
  "HTTP: 30 connections of 6,000 GET pipelined, answers unread",
  "HTTP/2: 10 connections of requests reset at once, made again for 5 s",
  "IMAP: LIST with a pattern of 240 kB, and with 1,000 patterns",
];

Deno.test({
  name: "floods: others are served, memory is bounded, no unhandled error",
  ignore: Deno.build.os !== "linux",
  async fn(t) {
    const server = await startLocalserve();
    try {
      for (const name of chosen) {
        const input = inputs.find((i) => i.name === name);
        assert.ok(input, name);
        await t.step(name, async () => {
          assert.deepEqual(wrong(await measure(server, input, bar.settle), bar), []);
        });
      }
    } finally {
      await server.close();
    }
  },
});
