/** `mox sieve check`, `run` and `trace`, each as a process of its own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { mox } from "../support/localserve.ts";

Deno.test("sieve check, run and trace", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const [good, bad] = [join(dir, "good.sieve"), join(dir, "bad.sieve")];
    await Deno.writeTextFile(
      good,
      `require ["fileinto", "variables", "include"];
if header :matches "subject" "*: *" {
  set :lower "list" "\${1}";
  include :optional "more";
  fileinto "Lists/\${list}";
}
`,
    );
    await Deno.writeTextFile(join(dir, "more.sieve"), `redirect "a@example.org";\n`);
    await Deno.writeTextFile(bad, `fileinto "x";\nkepp;\n`);
    const checked = await mox(["sieve", "check", good, bad]);
    assert.equal(checked.code, 1);
    assert.equal(
      checked.stdout,
      `${bad}:1:1: the command fileinto needs require "fileinto"\n${bad}:2:1: there is no command kepp\n`,
    );
    const message = "From: a@example.org\nSubject: DEV: hello\n\nhi\n";
    const ran = await mox(["sieve", "run", "-include", dir, good], message);
    assert.equal(
      ran.stdout,
      "send on to a@example.org, by line 1\nfile into Lists/dev, by line 5\n",
    );
    const traced = await mox(["sieve", "trace", good], message);
    assert.equal(
      traced.stdout,
      `${good}:2: the test is true: its block is run
${good}:3: set list to "dev"
${good}:5: fileinto "Lists/dev"
file into Lists/dev, by line 5
`,
    );
    const kept = await mox(["sieve", "run", good], "Subject: none\n\n");
    assert.deepEqual([kept.code, kept.stdout], [0, "keep (implicit)\n"]);
    assert.equal((await mox(["sieve", "run", bad], message)).code, 1);
    assert.equal((await mox(["sieve", "run"])).code, 2);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
