/**
 * `deno task windows`: parts of the test suite with the Windows runtime under Wine, from Linux. The environment
 * variable WINE names the command that runs Windows programs (default `wine`); folders of tests may be given as
 * arguments.
 *
 * Left out, and why: tests/interop, tests/bench, tests/browser and tests/imap/neomutt (programs of Linux), tests/crash
 * (signals that Windows doesn't have), tests/scripts (builds on Linux), tests/faults (calls of Linux's file system).
 * Single tests of users, capabilities and systemd ignore themselves there.
 *
 * @module
 */
import { targets } from "./build/compile.ts";
import { runtimeFor } from "./build/runtimes.ts";

const folders = [
  "platform",
  "config",
  "store",
  "delivery",
  "queue",
  "smtp",
  "imap",
  "net",
  "dns",
  "sasl",
  "web",
  "commands",
].map((f) => `tests/${f}`);

const target = targets.find((t) => t.name === "windows-x64")!;
const wine = (Deno.env.get("WINE") ?? "wine").split(" ");
const runtime = await runtimeFor(target);
const paths = Deno.args.length > 0 ? Deno.args : folders;
const { code } = await new Deno.Command(wine[0], {
  args: [
    ...wine.slice(1),
    runtime,
    "test",
    "--lock=deno.lock",
    "--frozen",
    "-A",
    "--no-check",
    ...paths,
  ],
  env: { WINEDEBUG: "-all" },
}).spawn().status;
Deno.exit(code);
