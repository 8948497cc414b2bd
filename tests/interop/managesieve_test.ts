/** Programs that manage scripts, against localserve. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startLocalserve } from "../support/localserve.ts";
import { lacks } from "../support/programs.ts";

Deno.test({
  name: "sieve-connect uploads, checks, activates, lists, downloads and deletes",
  ignore: lacks("sieve-connect"),
  async fn() {
    const s = await startLocalserve();
    try {
      const script = 'require ["fileinto"];\nif header :contains "subject" "x" { fileinto "X"; }\n';
      const file = join(s.dir, "rule.sieve");
      const wrong = join(s.dir, "wrong.sieve");
      const password = join(s.dir, "password");
      await Deno.writeTextFile(file, script);
      await Deno.writeTextFile(wrong, "nosuch;\n");
      await Deno.writeTextFile(password, "moxmoxmox\n");
      const run = async (...args: string[]) => {
        const command = [
          "-s",
          "127.0.0.1",
          "-p",
          String(s.managesieve),
          "-u",
          "mox@localhost",
          "--notlsverify",
          ...args,
        ];
        const r = await new Deno.Command("sh", {
          args: ["-c", 'exec sieve-connect --passwordfd 9 "$@" 9<"$0"', password, ...command],
          stdout: "piped",
          stderr: "piped",
        }).output();
        return new TextDecoder().decode(r.stdout) + new TextDecoder().decode(r.stderr);
      };
      assert.equal(await run("--upload", "--localsieve", file, "--remotesieve", "one"), "");
      assert.equal(await run("--activate", "--remotesieve", "one"), "");
      assert.match(await run("--list"), /^"one" ACTIVE$/m);
      for (const mechanism of ["CRAM-MD5", "LOGIN"]) {
        assert.match(await run("-m", mechanism, "--list"), /^"one" ACTIVE$/m, mechanism);
      }
      assert.match(
        await run("--checkscript", "--localsieve", wrong),
        /1:1: there is no command nosuch/,
      );
      const got = join(s.dir, "got.sieve");
      await run("--download", "--remotesieve", "one", "--localsieve", got);
      assert.equal(await Deno.readTextFile(got), script);
      await run("--deactivate");
      await run("--delete", "--remotesieve", "one");
      assert.doesNotMatch(await run("--list"), /one/);
    } finally {
      await s.close();
    }
  },
});
