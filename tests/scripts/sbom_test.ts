/** The list of what the program is made of: whole, and with nothing in it that may not be passed on. */
import assert from "node:assert/strict";
import { sbom } from "../../scripts/build/sbom.ts";
import { programArgs } from "../support/program.ts";
import config from "../../scripts/imports.json" with { type: "json" };

interface Component {
  name: string;
  version: string;
  purl: string;
  hashes?: { alg: string; content: string }[];
  licenses?: { license?: { id?: string; name?: string }; expression?: string }[];
}

/** Licenses that allow passing the program on, as they are named in packages. */
const allowed = new Set([
  "MIT",
  "MIT-0",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "Apache-2.0",
  "MPL-2.0",
  "CC0-1.0",
  "BlueOak-1.0.0",
  "Unlicense",
  // OpenPGP.js, a file of its own that is loaded when it is needed (docs/decisions.md).
  "LGPL-3.0+",
  "Python-2.0",
  "Zlib",
]);

Deno.test("each package that is shipped is listed with version, checksum and a license that allows it", async () => {
  const { components } = JSON.parse(await sbom()) as { components: Component[] };
  const packages = components.filter((c) => c.name !== "deno");
  assert.ok(packages.length > 20);
  for (const c of packages) {
    const what = `${c.name}@${c.version}`;
    assert.match(c.purl, /^pkg:npm\//, what);
    const sha512 = c.hashes?.find((h) => h.alg === "SHA-512");
    assert.match(sha512?.content ?? "", /^[0-9a-f]{128}$/, `${what}: checksum of the lock file`);
    const licenses = (c.licenses ?? []).map((l) =>
      l.expression ?? l.license?.id ?? l.license?.name ?? ""
    );
    // "MPL-2.0 OR Apache-2.0": one of them is enough.
    const one = licenses.flatMap((l) => l.replace(/[()]/g, "").split(/ OR /));
    assert.ok(one.some((l) => allowed.has(l)), `${what}: license ${licenses.join(", ") || "none"}`);
  }
  // And each has its licence in what the program prints.
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: programArgs(["licenses"]) })
    .output();
  const printed = new TextDecoder().decode(stdout);
  const lines = new Set(printed.split("\n"));
  for (const c of packages) {
    const name = decodeURIComponent(c.purl.slice("pkg:npm/".length)).replace(/@([^@]*)$/, " $1");
    assert.ok(lines.has(name), `${name} is not in "mox licenses": run "deno task pages"`);
  }
  assert.match(printed, /^mox for Deno\n\n.*MIT/);
  // What is pinned is what is shipped.
  const pinned = new Map(
    Object.values(config.imports).flatMap((v) => {
      const m = /^npm:((?:@[^/]+\/)?[^@/]+)@(\d[^/]*)/.exec(v);
      return m ? [[m[1], m[2]] as const] : [];
    }),
  );
  for (const c of packages) {
    const version = pinned.get(c.name);
    if (version === undefined) continue;
    const there = packages.some((p) => p.name === c.name && p.version === version);
    assert.ok(there, `${c.name}: ${version} is pinned, ${c.version} is shipped`);
  }
});
