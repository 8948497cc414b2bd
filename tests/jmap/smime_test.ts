/** S/MIME signatures as Email/get tells of them and Email/query finds them (RFC 9219), made by openssl. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { findProgram, lacks } from "../support/programs.ts";
import { type Json, withJmap } from "./world.ts";

const capability = "urn:ietf:params:jmap:smimeverify";
const properties = ["smimeStatus", "smimeStatusAtDelivery", "smimeErrors", "smimeVerifiedAt"];
const body = "Content-Type: text/plain\r\n\r\nhello world\r\n";

async function openssl(dir: string, ...args: string[]): Promise<Uint8Array> {
  const { code, stdout, stderr } = await new Deno.Command(findProgram("openssl")!, {
    args,
    cwd: dir,
    stdin: "null",
  }).output();
  assert.equal(code, 0, `openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

const base64 = (b: Uint8Array) => Buffer.from(b).toString("base64").replace(/.{64}/g, "$&\r\n");
const head = (subject: string, from = "ann@example.org") =>
  `From: ${from}\r\nTo: ann@mox.example\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\n`;

function detached(subject: string, content: string, cms: Uint8Array, from?: string): string {
  return `${head(subject, from)}Content-Type: multipart/signed; ` +
    `protocol="application/pkcs7-signature"; boundary=b\r\n\r\n--b\r\n${content}\r\n--b\r\n` +
    "Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
    `${base64(cms)}\r\n--b--\r\n`;
}

const within = (subject: string, type: string, cms: Uint8Array) =>
  `${head(subject)}Content-Type: application/pkcs7-mime${type}\r\n` +
  `Content-Transfer-Encoding: base64\r\n\r\n${base64(cms)}\r\n`;

/** Makes an authority, and certificates of it. */
async function certificates(dir: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const ca = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=CA"];
  await openssl(dir, "req", "-x509", ...key, ...ca, "-days", "30");
  await Deno.writeTextFile(
    `${dir}/ext`,
    "subjectAltName=email:ann@example.org\nextendedKeyUsage=emailProtection\n",
  );
  const request = ["-keyout", "ann.key", "-out", "ann.csr", "-subj", "/CN=Ann"];
  await openssl(dir, "req", ...key, ...request);
  const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
  await openssl(dir, "x509", "-req", "-in", "ann.csr", ...by, "-out", "ann.pem", "-days", "30");
  await Deno.writeTextFile(`${dir}/body`, body);
}

Deno.test({
  name: "signatures of emails are told of, and found by",
  ignore: lacks("openssl"),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "smime" });
    try {
      await certificates(dir);
      const cms = (...more: string[]) => {
        const by = ["-signer", "ann.pem", "-inkey", "ann.key", "-binary", "-outform", "DER"];
        return openssl(dir, "cms", "-sign", "-in", "body", ...by, ...more);
      };
      const [signature, whole, bare] = [await cms(), await cms("-nodetach"), await cms("-nocerts")];
      const sealed = await openssl(
        ...[dir, "cms", "-encrypt", "-in", "body", "-binary", "-outform", "DER", "ann.pem"],
      );
      await withJmap(async ({ ann, bob }) => {
        const session = (await ann.raw("session")).json;
        assert.deepEqual(session.capabilities[capability], {});
        assert.deepEqual(session.accounts.ann.accountCapabilities[capability], {});
        const ids: Record<string, string> = {};
        const put = async (subject: string, text: string, more: Json = {}) => {
          const { id } = await ann.import(text, undefined, more);
          ids[subject] = id;
        };
        await put("plain", `${head("plain")}\r\n${body}`);
        await put("good", detached("good", body, signature));
        await put("within", within("within", "; smime-type=signed-data", whole));
        await put("changed", detached("changed", body.replace("hello", "hallo"), signature));
        await put("other", detached("other", body, signature, "eve@example.org"));
        await put("bare", detached("bare", body, bare));
        await put("damaged", detached("damaged", body, new Uint8Array([48, 3, 1])));
        await put("sealed", within("sealed", "; smime-type=enveloped-data", sealed));
        await put("pgp", detached("pgp", body, signature).replaceAll("pkcs7-sig", "pgp-sig"));
        // Delivered before there was the certificate.
        const early = { receivedAt: "2020-01-01T00:00:00Z" };
        await put("early", detached("early", body, signature), early);
        const list: Json[] =
          (await ann.call("Email/get", { ids: Object.values(ids), properties })).list;
        const of = (subject: string) => list.find((e) => e.id === ids[subject]);
        const told = Object.keys(ids).map((subject) => {
          const { smimeStatus, smimeStatusAtDelivery, smimeErrors, smimeVerifiedAt } = of(subject);
          assert.equal(smimeVerifiedAt !== null, smimeStatus?.startsWith("signed/") ?? false);
          return [subject, smimeStatus, smimeStatusAtDelivery, smimeErrors?.join() ?? null];
        });
        const [good, bad] = ["signed/verified", "signed/failed"];
        assert.deepEqual(told, [
          ["plain", null, null, null],
          ["good", good, good, null],
          ["within", good, good, null],
          ["changed", bad, bad, "The message isn't what was signed."],
          ["other", bad, bad, "The signature is by Ann, and not by the address in From."],
          ["bare", bad, bad, "The message doesn't have the certificate of its signer."],
          [
            ...["damaged", bad, bad],
            "The signature is damaged, or made in a way that isn't known here.",
          ],
          ["sealed", null, null, null],
          ["pgp", "unknown", "unknown", null],
          ["early", good, bad, null],
        ]);
        assert.match(of("good").smimeVerifiedAt, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        assert.deepEqual(Object.keys(of("good")).sort(), ["id", ...properties].sort());
        const [plain] = (await ann.call("Email/get", { ids: [ids.good] })).list;
        assert.equal("smimeStatus" in plain, false);

        const names = new Map(Object.entries(ids).map(([k, v]) => [v, k]));
        const found = async (filter: Json) =>
          (await ann.call("Email/query", { filter })).ids.map((id: string) => names.get(id)).sort();
        const without = ["plain", "sealed"];
        const all = Object.keys(ids).sort();
        assert.deepEqual(await found({ hasSmime: true }), all.filter((n) => !without.includes(n)));
        assert.deepEqual(await found({ hasSmime: false }), without);
        assert.deepEqual(await found({ hasVerifiedSmime: true }), ["early", "good", "within"]);
        assert.deepEqual(await found({ hasVerifiedSmimeAtDelivery: true }), ["good", "within"]);
        assert.deepEqual(
          await found({ hasVerifiedSmime: true, hasVerifiedSmimeAtDelivery: false }),
          ["early"],
        );
        assert.deepEqual(await found({ hasVerifiedSmime: true, subject: "within" }), ["within"]);
        assert.deepEqual(
          await found({ operator: "NOT", conditions: [{ hasVerifiedSmime: true }] }),
          all.filter((n) => !["early", "good", "within"].includes(n)),
        );
        // Asked again, from what is known.
        assert.deepEqual(await found({ hasVerifiedSmime: true }), ["early", "good", "within"]);
        const changes = await ann.call("Email/queryChanges", {
          filter: { hasVerifiedSmime: true },
          sinceQueryState: (await ann.call("Email/query", { limit: 0 })).queryState,
        });
        assert.deepEqual([changes.added, changes.removed], [[], []]);

        bob.using = bob.using.filter((u) => u !== capability);
        const refused = await bob.fails("Email/get", { ids: [], properties: ["smimeStatus"] });
        assert.equal(refused.type, "invalidArguments");
        const filter = { operator: "OR", conditions: [{ hasSmime: true }] };
        assert.equal((await bob.fails("Email/query", { filter })).type, "unsupportedFilter");
      }, { static: `TLS:\n\tCA:\n\t\tCertFiles:\n\t\t\t- ${dir}/ca.pem\n` });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
