/** Incoming mail encrypted to a key, decrypted again by gpg and openssl; keys that can't be used. */
import assert from "node:assert/strict";
import { encryptionKeyOf, setEncryptionKey } from "../../src/delivery/sealing.ts";
import { KeyError, readEncryptionKey } from "../../src/encryption/mod.ts";
import { splitContentFields } from "../../src/encryption/message.ts";
import { wrapKey } from "../../src/encryption/recipients.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { domainsConf, mail, type Receiver, startReceiver } from "../serve/receiver.ts";

const env = (dir: string) => ({ GNUPGHOME: dir });

async function run(
  command: string,
  args: string[],
  o: { stdin?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const child = new Deno.Command(findProgram(command)!, {
    args,
    env: o.env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(o.stdin ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** A folder with keys: gpg's home, and a certificate. */
async function withKeys(
  fn: (k: { dir: string; pgp: string; certificate: string }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gpg" });
  try {
    await Deno.chmod(dir, 0o700);
    const options = ["--batch", "--passphrase", "", "--quick-gen-key"];
    await run("gpg", [...options, "Bob <bob@ours.example>", "future-default", "default", "1y"], {
      env: env(dir),
    });
    const pgp = await run("gpg", ["--armor", "--export"], { env: env(dir) });
    const files = ["-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`];
    const about = ["-days", "10", "-subj", "/CN=Bob/emailAddress=bob@ours.example"];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...about]);
    await fn({ dir, pgp, certificate: await Deno.readTextFile(`${dir}/cert.pem`) });
  } finally {
    if (findProgram("gpgconf")) {
      await run("gpgconf", ["--kill", "gpg-agent"], { env: env(dir) }).catch(() => {});
    }
    await Deno.remove(dir, { recursive: true });
  }
}

/** A certificate with an EC key, which is in ec.pem. @param usage for example keyAgreement; "" for none given */
async function ecCertificate(dir: string, curve: string, usage = ""): Promise<string> {
  const files = ["-keyout", `${dir}/ec.pem`, "-out", `${dir}/ec-cert.pem`, "-subj", "/CN=Bob"];
  const ec = ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${curve}`, "-nodes", "-days", "10"];
  const uses = usage === "" ? [] : ["-addext", `keyUsage=${usage}`];
  await run("openssl", ["req", "-x509", ...ec, ...files, ...uses]);
  return await Deno.readTextFile(`${dir}/ec-cert.pem`);
}

/** The next message of a mailbox. */
function reader(r: Receiver): (mailbox: string) => Promise<string> {
  const seen = new Map<string, number>();
  return async (mailbox) => {
    const found = await r.messages("bob", mailbox);
    const before = seen.get(mailbox) ?? 0;
    assert.equal(found.length, before + 1, mailbox);
    seen.set(mailbox, found.length);
    return found[before];
  };
}

const text =
  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHow äre you?\r\n";
const to = "bob@ours.example";
const letter = (subject: string) =>
  mail({
    to,
    subject,
    headers:
      "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n",
    body: "How äre you?",
  });

Deno.test({
  name: "mail for an account with a key is stored so that gpg and openssl read it, and nobody else",
  ignore: lacks("gpg", "openssl"),
  fn: (t) =>
    withKeys(async ({ dir, pgp, certificate }) => {
      await using r = await startReceiver({
        domains: domainsConf.replace("QuotaMessageSize: 20000", "QuotaMessageSize: 2000000"),
      });
      const next = reader(r);
      const set = (key: string | undefined) =>
        r.account("bob", (a) => setEncryptionKey(a, key, Date.now()));
      const send = async (m: string) => {
        const reply = await r.send({ to, text: m });
        assert.equal(reply.code, 250, reply.lines.join());
      };

      await t.step("OpenPGP", async () => {
        const info = await set(pgp);
        assert.equal(info!.name, "Bob <bob@ours.example>");
        await send(letter("to pgp"));
        const stored = await next("Inbox");
        assert.match(stored, /\r\nSubject: to pgp\r\n/);
        assert.match(stored, /^X-Mox-Reason: /m);
        assert.match(
          stored,
          /Content-Type: multipart\/encrypted; protocol="application\/pgp-encrypted"/,
        );
        assert.equal(stored.match(/^Content-Type: text\/plain/gm), null);
        assert.ok(!stored.includes("How "));
        assert.equal(stored.match(/^MIME-Version:/gm)!.length, 1);
        const armored = stored.slice(stored.indexOf("-----BEGIN PGP"));
        const opened = await run("gpg", ["--batch", "-d"], { stdin: armored, env: env(dir) });
        assert.equal(opened, text.replace("\r\n\r\nHow", "\r\n\r\nHow") + "\r\n");
      });

      await t.step("what is encrypted already stays as it is", async () => {
        const inner = "Content-Type: multipart/encrypted; boundary=b\nMIME-Version: 1.0\n";
        await send(mail({ to, subject: "before", headers: inner, body: "--b\n\nx\n--b--" }));
        assert.match(await next("Inbox"), /\r\n--b\r\n\r\nx\r\n--b--/);
        const signed =
          "Content-Type: application/pkcs7-mime; smime-type=signed-data\nMIME-Version: 1.0\n";
        await send(mail({ to, subject: "signed", headers: signed, body: "MIIB" }));
        assert.match(await next("Inbox"), /Content-Type: multipart\/encrypted/);
      });

      await t.step("S/MIME, filed by a script that reads the text", async () => {
        await set(certificate);
        const script = 'require ["body", "fileinto", "mailbox"];\n' +
          'if body :text :contains "äre" { fileinto :create "Found"; }\n';
        await r.server.sieve!.scripts.put("bob", "main", script);
        await r.server.sieve!.scripts.setActive("bob", "main");
        await send(letter("to smime"));
        const stored = await next("Found");
        assert.match(stored, /Content-Type: application\/pkcs7-mime; smime-type=enveloped-data/);
        assert.ok(!stored.includes("How "));
        await Deno.writeTextFile(`${dir}/m.eml`, stored);
        const keys = ["-inkey", `${dir}/key.pem`, "-recip", `${dir}/cert.pem`];
        const opened = await run("openssl", ["cms", "-decrypt", "-in", `${dir}/m.eml`, ...keys]);
        assert.equal(opened, `${text}\r\n`);
      });

      await t.step(
        "without a key again it comes as it is; other accounts never had one",
        async () => {
          assert.equal(await set(undefined), undefined);
          assert.equal(await r.account("bob", encryptionKeyOf), undefined);
          await send(letter("plain äre"));
          assert.match(await next("Found"), /How äre you\?/);
          assert.deepEqual(
            [...Deno.readDirSync(`${r.dir}/data/tmp`)].filter((e) => e.name.includes("sealed")),
            [],
          );
        },
      );

      await t.step("S/MIME with EC keys, of certificates with and without key usage", async () => {
        await r.server.sieve!.scripts.setActive("bob", "");
        for (const [curve, usage] of [["P-256", ""], ["P-384", "keyAgreement"], ["P-521", ""]]) {
          await set(await ecCertificate(dir, curve, usage));
          await send(letter(`to ${curve}`));
          const stored = await next("Inbox");
          assert.match(stored, /Content-Type: application\/pkcs7-mime; smime-type=enveloped-data/);
          await Deno.writeTextFile(`${dir}/m.eml`, stored);
          const keys = ["-inkey", `${dir}/ec.pem`, "-recip", `${dir}/ec-cert.pem`];
          const opened = await run("openssl", ["cms", "-decrypt", "-in", `${dir}/m.eml`, ...keys]);
          assert.equal(opened, `${text}\r\n`, curve);
        }
      });

      await t.step("sizes around the blocks of the cipher", async () => {
        await set(certificate);
        await r.server.sieve!.scripts.setActive("bob", "");
        for (const n of [0, 1, 13, 14, 15, 16, 17, 70_000]) {
          await send(
            mail({
              to,
              subject: `size ${n}`,
              body: "x".repeat(70).concat("\n").repeat(n / 70) + "y".repeat(n % 70),
            }),
          );
          await Deno.writeTextFile(`${dir}/m.eml`, await next("Inbox"));
          const keys = ["-inkey", `${dir}/key.pem`, "-recip", `${dir}/cert.pem`];
          const opened = await run("openssl", ["cms", "-decrypt", "-in", `${dir}/m.eml`, ...keys]);
          const body = opened.slice(opened.indexOf("\r\n\r\n"));
          assert.equal(body.replace(/[^xy]/g, "").length, n);
        }
      });
    }),
});

Deno.test({
  name: "keys that can't be used are refused in words",
  ignore: lacks("gpg", "openssl"),
  fn: () =>
    withKeys(async ({ dir, pgp, certificate }) => {
      const now = Date.now();
      const gen = ["--batch", "--passphrase", "", "--quick-gen-key"];
      await run("gpg", [...gen, "Sign <sign@ours.example>", "ed25519", "sign", "1y"], {
        env: env(dir),
      });
      const sign = await run("gpg", ["--armor", "--export", "sign@ours.example"], {
        env: env(dir),
      });
      const both = await run("gpg", ["--armor", "--export"], { env: env(dir) });
      const secret = await run("gpg", [
        "--armor",
        "--batch",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
        "--export-secret-keys",
        "bob@ours.example",
      ], { env: env(dir) });
      const ecSigning = await ecCertificate(dir, "P-256", "digitalSignature");
      const ecOther = await ecCertificate(dir, "secp256k1");
      const files = ["-keyout", `${dir}/ed.pem`, "-out", `${dir}/ed-cert.pem`, "-subj", "/CN=x"];
      await run("openssl", ["req", "-x509", "-newkey", "ed25519", "-nodes", ...files]);
      const ed25519 = await Deno.readTextFile(`${dir}/ed-cert.pem`);
      const cases: [string, string, number, RegExp][] = [
        ["nothing", "", now, /neither an OpenPGP/],
        ["a text", "hello", now, /neither an OpenPGP/],
        ["secret", secret, now, /secret key/],
        ["secret PEM", await Deno.readTextFile(`${dir}/key.pem`), now, /secret key/],
        [
          "certificate with its key",
          certificate + await Deno.readTextFile(`${dir}/key.pem`),
          now,
          /secret key/,
        ],
        ["cut off", pgp.slice(0, 300), now, /can't be read/],
        [
          "damaged",
          pgp.replace(/\n[A-Za-z0-9+/]{20}/, "\nAAAAAAAAAAAAAAAAAAAA"),
          now,
          /can't be|nothing can/,
        ],
        ["for signing only", sign, now, /nothing can be encrypted/],
        ["two keys", both, now, /there are 2 keys/],
        ["ended", pgp, now + 2 * 366 * 86_400_000, /nothing can be encrypted/],
        ["certificate that has ended", certificate, now + 20 * 86_400_000, /has ended/],
        ["certificate for later", certificate, now - 20 * 86_400_000, /begins at/],
        ["certificate cut off", certificate.slice(0, 200), now, /can't be read/],
        ["EC certificate for signing", ecSigning, now, /keyAgreement/],
        ["EC certificate on another curve", ecOther, now, /secp256k1: only P-256/],
        ["Ed25519 certificate", ed25519, now, /ed25519: only RSA and EC/],
        ["huge", pgp + " ".repeat(300_000), now, /too large/],
      ];
      for (const [name, key, at, said] of cases) {
        await assert.rejects(readEncryptionKey(key, at), (err) => {
          assert.ok(err instanceof KeyError, `${name}: ${err}`);
          assert.match(err.message, said, name);
          return true;
        });
      }
    }),
});

Deno.test("fields of the content go inside, the others stay, folded ones as a whole", () => {
  const of = (s: string) => {
    const { outer, inner } = splitContentFields(new TextEncoder().encode(s));
    return [outer, inner].map((b) => new TextDecoder().decode(b));
  };
  assert.deepEqual(
    of(
      "A: 1\r\nContent-Type: x;\r\n b=c\r\nMIME-Version: 1.0\r\n (x)\r\nB: 2\r\n 3\r\n\r\nContent-X: body",
    ),
    ["A: 1\r\nB: 2\r\n 3\r\n", "Content-Type: x;\r\n b=c\r\n"],
  );
  assert.deepEqual(of("\r\nbody"), ["", ""]);
  assert.deepEqual(of("A: 1"), ["A: 1", ""]);
});

Deno.test("AES Key Wrap gives the octets of RFC 3394 §4.6", () => {
  const kek = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
  const key = "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F";
  assert.equal(
    wrapKey(Uint8Array.fromHex(kek), Uint8Array.fromHex(key)).toHex().toUpperCase(),
    "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
  );
});
