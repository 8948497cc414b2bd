/** Addresses that accounts may send from: their own, and those of others who let them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Config } from "../../src/config/mod.ts";
import { inConfigDir, smallDynamic, smallStatic } from "./fixtures.ts";

Deno.test("an account has the addresses of those who let it send as them or on their behalf, without catch-alls", () =>
  inConfigDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "mox.conf"), smallStatic);
    await Deno.writeTextFile(
      join(dir, "domains.conf"),
      smallDynamic.replace(
        "\tann:\n\t\tDomain: mox.example\n",
        (s) => `${s}\t\tSendOnBehalf:\n\t\t\t- bob\n`,
      )
        .replace("\tbob:\n\t\tDomain: mox.example\n", (s) => `${s}\t\tSendAs:\n\t\t\t- ann\n`),
    );
    const config = await Config.load(join(dir, "mox.conf"));
    const of = (name: string) => config.delegatedAddresses(name).sort();
    assert.deepEqual(of("bob"), [
      '"odd one"@mox.example',
      "Ann@case.example",
      "ann@mox.example",
    ]);
    // The catch-all of b\u00fccher.example is bob's own.
    assert.deepEqual(of("ann"), ["bob@mox.example"]);
    assert.deepEqual(of("eve"), []);
  }));
