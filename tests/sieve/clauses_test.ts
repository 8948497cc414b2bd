/** Clauses of the RFCs, here and, where it has them, with Dovecot's `sieve-test`. */
import assert from "node:assert/strict";
import { SieveSyntaxError } from "../../src/sieve/mod.ts";
import { lacks } from "../support/programs.ts";
import {
  clauseMessage,
  clauseRequire,
  clauseScripts,
  clauseTests,
  clauseVariables,
} from "./clauses.ts";
import { runScript, shortActions } from "./context.ts";
import { dovecotActions, SieveTest } from "./dovecot.ts";

/** Where Dovecot 2.3 does otherwise, by section and a part of the text. */
const others: readonly [string, string][] = [
  // Theirs finds nothing there, though RFC 5260 §6 counts fields of all kinds from 1.
  ["5260 §6", `date :index 2 :originalzone :is "received"`],
  // Their octets are cut in the middle of a character, and the mailbox's name is refused then.
  ["5703 §7", `extracttext :first 5`],
];
const otherwise = (section: string, text: string) =>
  others.some(([s, part]) => s === section && text.includes(part));

const allTests = clauseRequire + clauseVariables +
  clauseTests.map(([, test], i) => `if ${test} { fileinto :copy "T${i}"; }`).join("\n");

function differences(
  actions: readonly string[],
  except = (_s: string, _t: string) => false,
): string[] {
  const done = new Set(actions);
  return clauseTests.flatMap(([section, test, expected], i) =>
    done.has(`fileinto T${i}`) === expected || except(section, test)
      ? []
      : [`${section}: ${test} is ${!expected}`]
  );
}

/** As far as both print it. */
const comparable = (actions: readonly string[]) =>
  actions.map((a) => a.replace(/^(vacation) .*/s, "$1").replace(/ \[.*\]$/, (f) => f.toLowerCase()))
    .sort().join(", ");

function outcome(script: string): string {
  try {
    const r = runScript(script, clauseMessage);
    return r.error ? "failure" : comparable(shortActions(r));
  } catch (err) {
    if (err instanceof SieveSyntaxError) return "error";
    throw err;
  }
}

const sorted = (actions: string) => actions.split(", ").sort().join(", ");

Deno.test("clauses of RFC 5228, 5229, 5231, 5173, 5260 and 5703: tests", () => {
  const r = runScript(allTests, clauseMessage, { limits: { actions: 1000 } });
  assert.equal(r.error, undefined, r.error?.message);
  assert.deepEqual(differences(shortActions(r)), []);
});

Deno.test("clauses of RFC 5228 to 5232, 5173, 5260, 5293 and 5703: scripts", () => {
  assert.ok(clauseTests.length + clauseScripts.length >= 200);
  const wrong = clauseScripts.flatMap(([section, script, expected]) => {
    const got = outcome(script);
    return got === sorted(expected) ? [] : [`${section}: ${script}: ${got}`];
  });
  assert.deepEqual(wrong, []);
});

Deno.test({
  name: "Dovecot reads the clauses as they are read here",
  ignore: lacks("sieve-test"),
  fn() {
    const other = new SieveTest();
    try {
      const { actions, errors } = other.run(allTests, clauseMessage);
      assert.doesNotMatch(errors, /failed to compile/);
      const wrong = differences(dovecotActions(actions), otherwise);
      for (const [section, script, expected] of clauseScripts) {
        if (otherwise(section, script)) continue;
        const r = other.run(script, clauseMessage);
        const theirs = /failed to compile/.test(r.errors)
          ? "error"
          : /\berror\b/.test(r.errors)
          ? "failure"
          : comparable(dovecotActions(r.actions));
        if (theirs !== sorted(expected)) wrong.push(`${section} ${script}: ${theirs}`);
      }
      assert.deepEqual(wrong, []);
    } finally {
      other.close();
    }
  },
});
