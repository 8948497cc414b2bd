/** Signatures of messages, made by openssl and gpg, as the webmail tells of them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { findProgram, lacks } from "../../support/programs.ts";
import { cardKeys } from "../../../src/web/webmail/signature.ts";
import { checkSmime } from "../../../src/encryption/mod.ts";
import { message, withWebmail, type World } from "./server.ts";

async function run(
  dir: string,
  program: string,
  args: string[],
  stdin = new Uint8Array(0),
): Promise<Uint8Array> {
  const child = new Deno.Command(findProgram(program)!, {
    args,
    cwd: dir,
    env: { GNUPGHOME: dir },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(stdin).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

const encodeBase64 = (b: Uint8Array) => Buffer.from(b).toString("base64");

async function withFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "sig" });
  try {
    await Deno.chmod(dir, 0o700);
    await fn(dir);
  } finally {
    if (findProgram("gpgconf")) await run(dir, "gpgconf", ["--kill", "all"]).catch(() => {});
    await Deno.remove(dir, { recursive: true });
  }
}

const body = "Content-Type: text/plain; charset=utf-8\r\n\r\nhello w\u00f6rld\r\n";
const bytes = new TextEncoder().encode(body);

/** A multipart/signed with a part that is signed. */
function signed(protocol: string, content: string, signature: string, more = ""): string {
  return `From: Ann <ann@example.org>\r\nTo: mox@localhost\r\nSubject: signed\r\n${more}` +
    `MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="${protocol}"; boundary=b\r\n\r\n` +
    `--b\r\n${content}\r\n--b\r\n${signature}\r\n--b--\r\n`;
}

async function state(w: World, text: string): Promise<string> {
  const id = await w.deliver(text);
  const b = await w.login();
  const r = await b.call("SignatureCheck", { id });
  return `${r.state} ${r.signer}`.trim();
}

Deno.test({
  name: "S/MIME signatures of openssl hold, or not, and lead to an authority, or not",
  ignore: lacks("openssl"),
  fn: () =>
    withFolder(async (dir) => {
      const openssl = (...args: string[]) => run(dir, "openssl", args);
      const key = ["-newkey", "rsa:2048", "-nodes"];
      await openssl(
        "req",
        "-x509",
        ...key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=CA",
      );
      /** A certificate of the authority, for an address. */
      const issue = async (name: string, extensions: string, algorithm = key) => {
        const files = ["-keyout", `${name}.key`, "-out", `${name}.csr`];
        await openssl("req", ...algorithm, ...files, "-subj", `/CN=${name}`);
        await Deno.writeTextFile(`${dir}/ext`, extensions);
        const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"];
        await openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.pem`);
      };
      const forMail = (address: string, usage = "emailProtection") =>
        `subjectAltName=email:${address}\nextendedKeyUsage=${usage}\nsubjectKeyIdentifier=hash\n`;
      await issue("Ann", forMail("ann@example.org"));
      await issue("Eve", forMail("eve@example.org"));
      await issue("Web", forMail("ann@example.org", "serverAuth"));
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      await issue("Curve", forMail("Ann@Example.ORG"), curve);
      await Deno.writeFile(`${dir}/body`, bytes);
      const sign = (name: string, ...more: string[]) =>
        openssl(
          ...["cms", "-sign", "-binary", "-in", "body", "-outform", "DER"],
          ...["-signer", `${name}.pem`, "-inkey", `${name}.key`],
          ...more,
        );
      const authority = await Deno.readTextFile(`${dir}/ca.pem`);
      let trusted: string[] = [];
      await withWebmail(async (w) => {
        const detached = async (name: string, content = body, ...more: string[]) =>
          await state(
            w,
            signed(
              "application/pkcs7-signature",
              content,
              `Content-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n${
                encodeBase64(await sign(name, ...more))
              }`,
            ),
          );
        assert.equal(await detached("Ann"), "held Ann");
        trusted = [authority];
        assert.equal(await detached("Ann"), "good Ann");
        assert.equal(await detached("Curve"), "good Curve");
        const pss = ["-keyid", "-md", "sha512", "-keyopt", "rsa_padding_mode:pss"];
        assert.equal(await detached("Ann", body, ...pss), "good Ann");
        assert.equal(await detached("Ann", body, "-noattr"), "good Ann");
        assert.equal(await detached("Ann", body.replace("hello", "hallo")), "bad Ann");
        assert.equal(await detached("Ann", body, "-nocerts"), "noKey");
        assert.equal(await detached("Ann", body, "-md", "sha1"), "unknown Ann");
        assert.equal(await detached("Eve"), "other Eve");
        // For web servers: not for mail.
        assert.equal(await detached("Web"), "held Web");
        for (const more of [[], ["-stream"], ["-noattr"]]) {
          const within = encodeBase64(await sign("Ann", "-nodetach", ...more));
          const opaque = "From: ann@example.org\r\nMIME-Version: 1.0\r\n" +
            "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n" +
            `Content-Transfer-Encoding: base64\r\n\r\n${within}\r\n`;
          assert.equal(await state(w, opaque), "good Ann", more.join());
          assert.equal(await state(w, opaque.replace("ann@", "bob@")), "other Ann");
          // Two senders, of whom one has signed.
          assert.equal(
            await state(w, opaque.replace("From: ", "From: bob@example.org, ")),
            "unknown",
          );
        }
      }, { authorities: () => trusted });

      // Whatever is in it, it is answered, and soon.
      const cms = await sign("Ann", "-nodetach", "-stream");
      const check = (damaged: Uint8Array) =>
        checkSmime({
          ...{ cms: damaged, content: undefined, from: "ann@example.org", now: Date.now() },
          trusted: [authority],
        }).state;
      assert.equal(check(cms), "good");
      for (let i = 0; i < cms.length; i += 7) {
        assert.notEqual(check(cms.subarray(0, i)), "good");
        const other = Uint8Array.from(cms);
        other[i] ^= 1 << (i % 8);
        check(other);
      }
      assert.equal(check(new Uint8Array(500_000).fill(0x30)), "unknown");
      assert.equal(check(new Uint8Array(500_000).fill(0x80)), "unknown");
    }),
});

Deno.test({
  name: "OpenPGP signatures of gpg are checked by keys of contacts, and those that came along",
  ignore: lacks("gpg"),
  fn: () =>
    withFolder(async (dir) => {
      const gpg = (args: string[], stdin?: Uint8Array) =>
        run(dir, "gpg", ["--batch", "--yes", "--passphrase", "", ...args], stdin as never);
      await gpg(["--quick-gen-key", "Ann <ann@example.org>", "rsa2048", "sign", "1y"]);
      await gpg(["--quick-gen-key", "Eve <eve@example.org>", "ed25519", "sign", "1y"]);
      const text = (b: Uint8Array) => new TextDecoder().decode(b);
      const sign = async (user: string) =>
        text(await gpg(["-u", user, "--armor", "--detach-sign"], bytes)).replace(/\r?\n/g, "\r\n");
      const publicKey = (user: string) => gpg(["--export", user]);
      const part = "Content-Type: application/pgp-signature\r\n\r\n";
      const pgp = (content: string, signature: string, more = "") =>
        signed("application/pgp-signature", content, part + signature, more);
      const [ann, eve] = [await sign("ann@example.org"), await sign("eve@example.org")];
      const key = encodeBase64(await publicKey("ann@example.org"));
      const autocrypt = `Autocrypt: addr=ann@example.org; keydata=\r\n ${
        key.match(/.{1,70}/g)!.join("\r\n ")
      }\r\n`;
      await withWebmail(async (w) => {
        assert.equal(await state(w, pgp(body, ann)), "noKey");
        assert.equal(await state(w, pgp(body, ann, autocrypt)), "held Ann <ann@example.org>");
        const other = autocrypt.replace("addr=ann@", "addr=bob@");
        assert.equal(await state(w, pgp(body, ann, other)), "noKey");
        const b = await w.login();
        const { books: [book] } = await b.call("ContactBooks", {});
        const contact = async (name: string, lines: string) => {
          const card =
            `BEGIN:VCARD\r\nVERSION:4.0\r\nUID:${name}\r\nFN:${name}\r\n${lines}END:VCARD\r\n`;
          const up = await b.upload("x.vcf", "text/vcard", new TextEncoder().encode(card));
          const { uploadId } = await up.json();
          const r = await b.call("ContactImport", { bookId: book.id, uploadId });
          assert.equal(r.imported, 1);
        };
        await contact(
          "Ann",
          `EMAIL:ann@example.org\r\nKEY:data:application/pgp-keys;base64,${key}\r\n`,
        );
        assert.equal(await state(w, pgp(body, ann)), "good Ann <ann@example.org>");
        assert.equal(
          await state(w, pgp(body.replace("hello", "hallo"), ann)),
          "bad Ann <ann@example.org>",
        );
        // A key of somebody else in the contact does not make her the sender.
        const eves = encodeBase64(await publicKey("eve@example.org"));
        await contact(
          "Eve",
          `EMAIL:ann@example.org\r\nKEY:data:application/pgp-keys;base64,${eves}\r\n`,
        );
        assert.equal(await state(w, pgp(body, eve)), "other Eve <eve@example.org>");
        // The signature is no attachment to be opened; what else is in the message is.

        const shown = await b.call("MessageGet", { id: await w.deliver(pgp(body, ann)) });
        assert.deepEqual(shown.attachments, []);
        assert.match(shown.texts[0].text, /hello/);
        assert.equal(await state(w, pgp(body, "nonsense")), "unknown");
        assert.equal(await state(w, message({ subject: "plain" })), "unknown");
        b.close();
      });
    }),
});

Deno.test("keys of cards are found in the forms of versions 2.1 to 4.0", () => {
  const key = btoa("key");
  const found = (line: string) => cardKeys(`BEGIN:VCARD\r\n${line}\r\nEND:VCARD\r\n`).length;
  assert.equal(found(`KEY:data:application/pgp-keys;base64,${key}`), 1);
  assert.equal(found(`item1.KEY;MEDIATYPE=x:data:application/pgp-keys;base64\\,${key}`), 1);
  assert.equal(found(`KEY;TYPE=PGP;ENCODING=b:${key.slice(0, 2)}\r\n ${key.slice(2)}`), 1);
  assert.equal(found(`KEY;ENCODING=BASE64:${key}`), 1);
  assert.equal(found("KEY:https://keys.example/ann.asc"), 0);
  assert.equal(found("KEY;ENCODING=b:%%%"), 0);
});
