/** Nodes in network namespaces of their own, whose links are cut while an account moves between them. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";

function run(...args: string[]): { success: boolean; text: string } {
  const o = new Deno.Command(args[0], { args: args.slice(1) }).outputSync();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  return { success: o.success, text: text(o.stdout) + text(o.stderr) };
}

/** Whether this machine lets us have networks of our own, with links between them. */
function namespaces(): boolean {
  if (!isLinux || !isRoot() || !Deno.env.get("MOX_TEST_LONG")) return false;
  try {
    return run(
      "unshare",
      "-n",
      "ip",
      "link",
      "add",
      "name",
      "moxa",
      "type",
      "veth",
      "peer",
      "name",
      "moxb",
    )
      .success;
  } catch {
    return false;
  }
}

// Not a test that the suite skips: it is one of the long ones (docs/testing.md).
const test = namespaces() ? Deno.test : () => {};
test({
  name:
    "nodes: links cut at each part of a move; nothing acknowledged is lost, nothing is there twice",
  fn() {
    const prefix = `mox${Deno.pid}`;
    const clients = `${prefix}-clients`;
    const names = ["one", "two"];
    const made: string[] = [];
    const must = (...args: string[]) => {
      const { success, text } = run(...args);
      assert.ok(success, `${args.join(" ")}: ${text}`);
    };
    try {
      for (const n of [clients, ...names.map((n) => `${prefix}-${n}`)]) {
        must("ip", "netns", "add", n);
        made.push(n);
        must("ip", "-n", n, "link", "set", "lo", "up");
      }
      const inside = ["ip", "-n", clients];
      must(...inside, "link", "add", "name", "sw", "type", "bridge");
      must(...inside, "addr", "add", "10.35.0.9/24", "dev", "sw");
      must(...inside, "link", "set", "sw", "up");
      for (const [i, n] of names.entries()) {
        const ns = `${prefix}-${n}`;
        must(
          ...inside,
          "link",
          "add",
          `v-${n}`,
          "type",
          "veth",
          "peer",
          "name",
          "eth",
          "netns",
          ns,
        );
        must(...inside, "link", "set", `v-${n}`, "master", "sw", "up");
        must("ip", "-n", ns, "addr", "add", `10.35.0.${i + 1}/24`, "dev", "eth");
        must("ip", "-n", ns, "link", "set", "eth", "up");
      }
      const inner = fileURLToPath(new URL("./partition_inner.ts", import.meta.url));
      const lock = fileURLToPath(new URL("../../deno.lock", import.meta.url));
      const { success, text } = run(
        ...["ip", "netns", "exec", clients, Deno.execPath(), "run", "--no-check"],
        // The clients and what cuts the links; the nodes are started from there with the flags that are shipped.
        ...["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-run"],
        ...[`--lock=${lock}`, "--frozen", inner, prefix],
      );
      assert.ok(success, text);
      console.log(text);
    } finally {
      for (const n of made) run("ip", "netns", "del", n);
    }
  },
});
