/** Nodes in network namespaces of their own, whose links are cut while an account moves between them. */
import { hasNetSpaces, runInNetSpaces } from "../support/net_spaces.ts";

// Not a test that the suite skips: it is one of the long ones (docs/testing.md).
const test = hasNetSpaces() ? Deno.test : () => {};
test({
  name:
    "nodes: links cut at each part of a move; nothing acknowledged is lost, nothing is there twice",
  fn() {
    runInNetSpaces(new URL("./partition_inner.ts", import.meta.url), "10.35.0", ["one", "two"]);
  },
});
