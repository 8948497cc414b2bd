/** A node, its standby and HAProxy in front, each in a network namespace of its own: who serves changes under load. */
import { hasNetSpaces, runInNetSpaces } from "../support/net_spaces.ts";

// Not a test that the suite skips: it is one of the long ones (docs/testing.md).
const test = hasNetSpaces() ? Deno.test : () => {};
test({
  name:
    "standby behind HAProxy: asked, and after a cut, it serves the same clients; nothing is there twice",
  fn() {
    const inner = new URL("./failover_inner.ts", import.meta.url);
    runInNetSpaces(inner, "10.36.0", ["home", "away", "proxy"]);
  },
});
