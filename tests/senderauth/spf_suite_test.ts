/**
 * The openspf.org test suite for RFC 7208, release 2014.04 (testdata/rfc7208-tests.LICENSE), turned
 * from YAML to JSON. The tests that Deno runs are its scenarios; a failure names each wrong test.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type ScriptedName, scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { checkSpf } from "../../src/senderauth/spf.ts";
import suite from "./testdata/rfc7208-tests.json" with { type: "json" };

interface SuiteTest {
  host: string;
  helo: string;
  mailfrom: string;
  result: string[];
  explanation?: string;
}

type SuiteRecord = string | Record<string, string | (string | number)[]>;

interface Scenario {
  description: string;
  tests: Record<string, SuiteTest>;
  zonedata: Record<string, SuiteRecord[]>;
}

/** The suite's zones as the scripted resolver wants them: SPF records stand for TXT ones. */
function zoneOf(data: Scenario["zonedata"]): Zone {
  const zone: Zone = {};
  for (const [name, records] of Object.entries(data)) {
    const entry: ScriptedName = {};
    const spf: string[] = [];
    let timeout = false;
    let noTxt = false;
    for (const record of records) {
      if (record === "TIMEOUT") timeout = true;
      if (typeof record === "string") continue;
      for (const [type, value] of Object.entries(record)) {
        if (type === "TXT" && value === "NONE") noTxt = true;
        else if (type === "TXT" || type === "SPF") {
          const text = Buffer.from([value].flat().join(""), "utf8").toString("utf8");
          (type === "TXT" ? entry.TXT ??= [] : spf).push(text);
        } else if (type === "MX") {
          const [preference, host] = value as [number, string];
          (entry.MX ??= []).push(`${preference} ${host || "."}`);
        } else if (type === "CNAME") entry.CNAME = value as string;
        else (entry[type as "A"] ??= []).push(value as string);
      }
    }
    if (!entry.TXT && !noTxt && spf.length > 0) entry.TXT = spf;
    if (timeout) {
      entry.fail = {};
      for (const type of ["A", "AAAA", "MX", "PTR", "TXT"] as const) {
        if (!entry[type]) entry.fail[type] = "timeout";
      }
    }
    zone[name] = entry;
  }
  return zone;
}

/** The suite has names that a scripted zone refuses; nothing can ask for them. */
function askable(data: Scenario["zonedata"]): Scenario["zonedata"] {
  return Object.fromEntries(
    Object.entries(data).filter(([name]) =>
      name.replace(/\.$/, "").split(".").every((l) => l.length > 0 && l.length < 64)
    ),
  );
}

let total = 0;
for (const scenario of suite as unknown as Scenario[]) {
  const tests = Object.entries(scenario.tests);
  total += tests.length;
  Deno.test(`RFC 7208 suite: ${scenario.description} (${tests.length} tests)`, async () => {
    const zone = zoneOf(askable(scenario.zonedata));
    const wrong: string[] = [];
    for (const [name, test] of tests) {
      const outcome = await checkSpf({
        ip: test.host,
        helo: test.helo,
        mailFrom: test.mailfrom,
        resolver: scriptedResolver(zone),
        hostname: "receiver.example",
        now: new Date(),
      });
      if (!test.result.includes(outcome.result)) {
        wrong.push(`${name}: ${outcome.result}, not ${test.result} (${outcome.error})`);
      }
      if (test.explanation !== undefined) {
        const expected = test.explanation === "DEFAULT" ? undefined : test.explanation;
        // Hexadecimal digits have no case (one test expects them in upper case).
        if (outcome.explanation?.toLowerCase() !== expected?.toLowerCase()) {
          wrong.push(`${name}: explanation ${outcome.explanation}, not ${expected}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });
}

Deno.test("the RFC 7208 suite is complete", () => {
  assert.equal(total, 203);
});
