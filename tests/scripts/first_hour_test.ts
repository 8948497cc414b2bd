/** The portable archive, unpacked in a folder without sources: an administrator's first hour, and that it would notice. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleProgram } from "../../scripts/build/bundle.ts";
import { targets } from "../../scripts/build/compile.ts";
import { portable } from "../../scripts/build/portable.ts";
import { sbom } from "../../scripts/build/sbom.ts";
import { firstHour, hindrance } from "../../scripts/smoke/first_hour.ts";
import { lacks } from "../support/programs.ts";

const target = targets.find((t) =>
  t.name === `linux-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}`
)!;

async function inFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "mox-hour-" });
  await Deno.chmod(dir, 0o755);
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test({
  name: "the portable archive: two servers from nothing, with all that goes out by HTTPS",
  ignore: hindrance() !== undefined || lacks("python3"),
  fn: (t) =>
    inFolder(async (dir) => {
      const bundle = await bundleProgram(join(dir, "bundle"));
      const archive = await portable(bundle, target, dir, await sbom());
      const { success } = await new Deno.Command("tar", { args: ["xzf", archive], cwd: dir })
        .output();
      assert.ok(success);
      const folder = archive.replace(/-portable\.tar\.gz$/, "");
      const program = [join(folder, "mox")];
      const hour = async (name: string, patience?: number) => {
        const steps: string[] = [];
        const own = join(dir, name);
        await Deno.mkdir(own, { mode: 0o755 });
        const done = (step: string, cameBack: string) => void steps.push(`${step}: ${cameBack}`);
        try {
          await firstHour({ program, dir: own, done, patience });
          return { steps, failure: undefined };
        } catch (err) {
          return { steps, failure: err as Error };
        }
      };
      await t.step("the first hour", async () => {
        const { steps, failure } = await hour("hour");
        assert.equal(failure, undefined, `${steps.join("\n")}\n${failure?.message}`);
        assert.equal(steps.length, 12, steps.join("\n"));
      });
      await t.step(
        "the same where HTTPS to others is broken: it fails at the certificates",
        async () => {
          const app = join(folder, "app", "mox.js");
          const text = await Deno.readTextFile(app);
          const broken = text.replace(/setDefaults\(\[\s*\.\.\.\w+\s*\]\)/, "setDefaults([])");
          assert.notEqual(broken, text, "nothing was broken");
          await Deno.writeTextFile(app, broken);
          const { steps, failure } = await hour("broken", 8000);
          assert.match(failure?.message ?? "", /^certificates by ACME over HTTPS/);
          assert.match(failure?.message ?? "", /unable to (?:verify|get)/i);
          assert.equal(steps.length, 2, steps.join("\n"));
        },
      );
    }),
});
