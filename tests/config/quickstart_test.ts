/** Files in the form that the original's quickstart writes load unchanged. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Config,
  configExamples,
  describeDomains,
  describeStatic,
  dynamicConfig,
  firstTimeSenderDelay,
  formatConfig,
  readDynamic,
  readStatic,
  staticConfig,
} from "../../src/config/mod.ts";
import { type MapNode, parseSconf, printSconf } from "../../src/config/sconf/sconf.ts";
import { smallDynamic, smallStatic, staticOf } from "./fixtures.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "testdata", "quickstart");
const staticText = Deno.readTextFileSync(join(folder, "mox.conf"));
const dynamicText = Deno.readTextFileSync(join(folder, "domains.conf"));

Deno.test("both files load, with their keys, and mean what they say", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const pem = { type: "pkcs8", format: "pem" } as const;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export(pem);
    const ed = generateKeyPairSync("ed25519").privateKey.export(pem);
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(pem);
    const files: Record<string, string> = {
      "mox.conf": staticText,
      "domains.conf": dynamicText,
      "hostkeys/mail.mox.example.rsa2048.privatekey.pkcs8.pem": rsa.toString(),
      "hostkeys/mail.mox.example.ecdsap256.privatekey.pkcs8.pem": ec.toString(),
      "dkim/2024a._domainkey.mox.example.rsa2048.privatekey.pkcs8.pem": rsa.toString(),
      "dkim/2024b._domainkey.mox.example.ed25519.privatekey.pkcs8.pem": ed.toString(),
    };
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(dir, name)), { recursive: true });
      await Deno.writeTextFile(join(dir, name), text);
    }
    const config = await Config.load(join(dir, "mox.conf"));
    const pub = config.static.Listeners.get("public")!;
    assert.deepEqual(pub.IPs, ["192.0.2.10", "2001:db8::10"]);
    assert.equal(pub.SMTP.Port, 25);
    assert.equal(pub.Submissions.Port, 465);
    assert.equal(pub.IMAPS.Port, 993);
    assert.equal(pub.WebserverHTTPS.Port, 443);
    assert.equal(pub.Submission.Enabled, false);
    assert.equal(pub.TLS!.MinVersion, "TLSv1.2");
    assert.equal(firstTimeSenderDelay(pub), 15_000);
    assert.equal(config.static.Listeners.get("internal")!.AdminHTTP.Path, "/admin/");
    assert.equal(config.static.ACME.get("letsencrypt")!.RenewBefore, 30 * 86_400_000);
    const domain = config.domain("mox.example")!.config;
    assert.equal(domain.MTASTS!.MaxAge, 86_400_000);
    assert.deepEqual([...domain.DKIM.Selectors.keys()], domain.DKIM.Sign);
    const ann = config.account("ann")!;
    assert.equal(ann.JunkFilter!.Threshold, 0.95);
    assert.equal(ann.MaxOutgoingMessagesPerDay, 1000);
    assert.equal(ann.MaxFirstTimeRecipientsPerDay, 200);
    assert.equal(config.accountFor("ann+x@mox.example"), "ann");
    const reports = config.lookupAddress("dmarcreports", "mox.example");
    assert.equal(reports.kind === "account" && reports.destination.Mailbox, "DMARC");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("they are written back as they were, and their values alone mean the same", () => {
  for (const [type, text] of [[staticConfig, staticText], [dynamicConfig, dynamicText]] as const) {
    const { root } = parseSconf(text);
    const value = type.read(root, 0, assert.fail);
    const update = type.update as (old: MapNode, v: unknown) => MapNode;
    assert.equal(printSconf(update(root, value)), text);
    for (const docs of [true, false]) {
      const written = formatConfig(type as typeof staticConfig, value as never, docs);
      assert.deepEqual(type.read(parseSconf(written).root, 0, assert.fail), value);
    }
  }
});

Deno.test("the descriptions hold each field, documented, and have the form of the files", () => {
  for (const text of [describeStatic(), describeDomains()]) {
    const { problems } = parseSconf(text);
    assert.deepEqual(problems, []);
    for (const line of text.split("\n")) {
      const width = line.replace(/\t/g, "    ").length;
      assert.ok(width <= 100, line);
    }
  }
  assert.match(describeStatic(), /\n# Full name of this machine[^:]*\nHostname:\n/);
  assert.match(describeDomains(), /\n\t\t# Most recipients in 24 hours[^:]*default 200\)\n/);
});

Deno.test("the examples are right", () => {
  for (const example of configExamples) {
    if (example.file === "mox.conf") {
      const text = smallStatic.replace(/Transports:\n(?:\t.*\n)+/, "") + example.text;
      assert.deepEqual(readStatic(text).problems, [], example.name);
    } else {
      const text = smallDynamic + example.text;
      assert.deepEqual(readDynamic(text, staticOf(smallStatic)).problems, [], example.name);
    }
  }
});
