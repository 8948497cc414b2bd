/** The program as a bundle and as executables: whole, small, and independent of its sources. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleProgram, laterModules } from "../../scripts/build/bundle.ts";
import { compile, isUnavailable, sizeBudget, targets } from "../../scripts/build/compile.ts";
import { smokeLocalserve } from "../../scripts/smoke/localserve.ts";
import { narrowedFlags } from "../../src/commands/runtime_flags.ts";
import { takeOffset } from "../support/ports.ts";

Deno.test("the bundle runs from an empty folder, and reads nothing but its data", async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "mox-bundle-" });
  try {
    const bundle = await bundleProgram(join(dir, "bundle"));
    const empty = join(dir, "empty");
    await Deno.mkdir(empty);
    await t.step("the files of Workers are beside it", () => {
      assert.ok(bundle.workers.some((w) => basename(w) === "password_worker.js"));
      const text = Deno.readTextFileSync(bundle.main);
      assert.doesNotMatch(text, /new URL\("[^"]*\.ts", import\.meta\.url\)/);
      for (const [, name] of text.matchAll(/new URL\("\.\/([^"]+)", import\.meta\.url\)/g)) {
        assert.ok(
          name === "roots.pem" || bundle.workers.some((w) => basename(w) === name),
          name,
        );
      }
    });
    await t.step(
      "packages that are loaded later have in the bundle what they have here",
      async () => {
        const packages = laterModules().filter((m) => /_packages?\.ts$/.test(m));
        assert.ok(packages.length > 2);
        for (const source of packages) {
          const name = basename(source).replace(/\.ts$/, ".js");
          const names = async (path: string) => {
            const all = await import(pathToFileURL(path).href);
            return Object.keys(all).filter((k) => all[k] !== undefined).sort();
          };
          assert.deepEqual(await names(join(dir, "bundle", name)), await names(source), name);
        }
      },
    );
    await t.step(
      "mail in and out, with the permissions that are compiled in, but for reading",
      async () => {
        // Of the system: the resolver, names, and the certificate authorities.
        const read = [empty, ...bundle.workers, "/etc"];
        const permissions = narrowedFlags({ read, write: [empty] });
        const program = [Deno.execPath(), "run", "--no-config", "--no-lock", "--cached-only"];
        await smokeLocalserve([...program, ...permissions, bundle.main], empty, takeOffset());
      },
    );
    await t.step("an executable has the bundle in it and nothing else", async () => {
      // Another executable stands in for the compiler's runtime: see scripts/build-all.ts.
      const packed = await compile(bundle, targets[0], join(dir, "mox"), Deno.execPath());
      const own = [bundle.main, ...bundle.workers].map((f) => basename(f)).sort();
      assert.deepEqual(packed.embedded, own);
      assert.ok(packed.size < 100_000_000 + sizeBudget + 20_000_000);
    });
    await t.step("on Windows, with certificate authorities: its store has few", async () => {
      const pem = await Deno.readTextFile(bundle.roots);
      assert.ok(pem.split("BEGIN CERTIFICATE").length > 100);
      const { main, workers, roots } = bundle;
      const windows = targets.find((x) => x.name === "windows-x64")!;
      // The form of the stand-in doesn't matter for what is in it.
      const packed = await compile(bundle, windows, join(dir, "w"), Deno.execPath()).catch((e) =>
        e
      );
      if (packed instanceof Error) return assert.match(packed.message, /PE|Windows|exe/i);
      assert.deepEqual(packed.embedded, [main, ...workers, roots].map((f) => basename(f)).sort());
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("what the compiler says where its runtime can't be had is understood", () => {
  // As versions of it have said it.
  for (
    const text of [
      "error: Writing temporary file\n\nCaused by:\n    0: client error (SendRequest)",
      "0: Setting up base binary.\n    1: Download could not be found, aborting",
      "error sending request for url (https://dl.deno.land/release/v2.9.6/denort-x86_64.zip)",
    ]
  ) assert.ok(isUnavailable(text), text);
  assert.ok(!isUnavailable("error: Module not found"));
});
