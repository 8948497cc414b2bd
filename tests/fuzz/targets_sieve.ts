/** Fuzz targets: scripts, run on a message that is fuzzed too; and rules read from scripts. @module */
import { compileSieve, executeSieve, SieveSyntaxError } from "../../src/sieve/mod.ts";
import { readRules } from "../../src/web/webmail/rules/read.ts";
import { writeRules } from "../../src/web/webmail/rules/write.ts";
import { testContext } from "../sieve/context.ts";
import { expressions, requireLine } from "../sieve/expressions.ts";
import { messages } from "../sieve/messages.ts";
import { scripts, wrong } from "../sieve/scripts.ts";
import type { Target } from "./targets.ts";

const latin1 = new TextDecoder("latin1");
const limits = { steps: 20_000 };

export const sieveTargets: Record<string, Target> = {
  "sieve scripts": {
    allowed: [SieveSyntaxError],
    seeds: [...scripts, ...wrong, ...expressions.map((e) => `${requireLine}if ${e} { keep; }`)],
    run(input) {
      const script = compileSieve(input);
      for (const m of [messages.mime, messages.odd]) {
        executeSieve([script], testContext(m, { limits, lists: {}, scripts: { a: "keep;" } }));
      }
    },
  },
  "sieve messages": {
    seeds: Object.values(messages),
    run(input) {
      executeSieve([everything], testContext(latin1.decode(input), { limits: { actions: 1000 } }));
    },
  },
  "sieve rules": {
    seeds: scripts.filter((s) => s.includes("if ")),
    run(input) {
      const { items, required } = readRules(latin1.decode(input));
      if (items.length === 1 && "text" in items[0]) return;
      const again = readRules(writeRules(items, required));
      if (JSON.stringify(again.items) !== JSON.stringify(items)) {
        throw new Error("rules read differ");
      }
    },
  },
};

/** All tests at once. */
const everything = compileSieve(
  requireLine + expressions.map((e, i) => `if ${e} { fileinto :copy "T${i}"; }`).join("\n"),
);
