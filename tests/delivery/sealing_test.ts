/** Messages that are encrypted before they are stored: whose, which, and what is left behind. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { encryptionKeyOf, seal, setEncryptionKey } from "../../src/delivery/sealing.ts";
import { TestCa } from "../support/test_ca.ts";
import { withStore } from "../store/setup.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ca = new TestCa();
const certificate = ca.issue(rsa.publicKey, ["bob.example"]);
const other = ca.issue(rsa.publicKey, ["ann.example"]);

const plain = "From: ann@x.example\nSubject: hello\nContent-Type: text/plain\n\nthe secret\n";

Deno.test("a message is sealed where its account has a key; what is stored is the sealed file alone", () =>
  withStore(async (s) => {
    const temp = join(s.dir, "tmp");
    await Deno.mkdir(temp);
    const files = () => [...Deno.readDirSync(temp)].map((e) => e.name);
    const message = {
      ...await s.message(plain),
      flags: 0,
      keywords: [],
      received: 5,
      description: {} as never,
      read: (() => undefined) as never,
    };
    assert.equal(await seal(s.account, temp, message), undefined, "without a key");
    assert.equal(await encryptionKeyOf(s.account), undefined);

    const now = Date.now();
    const info = await setEncryptionKey(s.account, `  ${certificate}\n`, now);
    assert.equal(info!.kind, "smime");
    assert.match(info!.name, /bob\.example/);
    await s.reopen();
    const key = await encryptionKeyOf(s.account);
    assert.deepEqual(key, { info, set: now, key: certificate.trim() });

    const sealed = (await seal(s.account, temp, message))!;
    const { file, fileSize } = sealed.message;
    assert.deepEqual(files(), [file.slice(temp.length + 1)]);
    assert.match(files()[0], /^smtp-sealed-/);
    const text = await Deno.readTextFile(file);
    assert.equal(fileSize, text.length);
    assert.ok(text.startsWith("From: ann@x.example\r\nSubject: hello\r\n"), "its header stays");
    assert.match(text, /^Content-Type: application\/pkcs7-mime/m);
    assert.ok(!text.includes("secret"));
    assert.ok(!atob(text.split("\r\n\r\n")[1].replaceAll("\r\n", "")).includes("secret"));
    assert.deepEqual(
      { ...sealed.message, file: "", fileSize: 0 },
      {
        ...message,
        file: "",
        fileSize: 0,
        fileSynced: true,
        description: undefined,
        read: undefined,
      },
    );
    assert.equal(
      await Deno.readTextFile(message.file),
      plain.replaceAll("\n", "\r\n"),
      "as it came",
    );
    await sealed.remove();
    assert.deepEqual(files(), []);

    // What its sender encrypted stays as it is.
    const theirs = await s.message(
      "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nabc\n",
    );
    assert.equal(await seal(s.account, temp, { ...message, ...theirs }), undefined);
    // What is only signed is encrypted, and so is a message without a body.
    for (
      const more of [
        "Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nabc\n",
        "Subject: x\n",
        "",
      ]
    ) {
      const made = (await seal(s.account, temp, { ...message, ...await s.message(more) }))!;
      assert.match(await Deno.readTextFile(made.message.file), /application\/pkcs7-mime/);
      await made.remove();
    }
    assert.deepEqual(files(), []);

    await setEncryptionKey(s.account, undefined, now);
    assert.equal(await encryptionKeyOf(s.account), undefined);
    assert.equal(await seal(s.account, temp, message), undefined, "the key was taken away");
  }));

Deno.test("another key is used at once; one that can't be used changes nothing", () =>
  withStore(async (s) => {
    const now = Date.now();
    await setEncryptionKey(s.account, certificate, now);
    const first = await encryptionKeyOf(s.account);
    const bad: [text: string, message: string | RegExp][] = [
      ["", "this is neither an OpenPGP public key in armor nor an X.509 certificate in PEM"],
      [
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "the certificate can't be read",
      ],
      [
        ca.issue(generateKeyPairSync("ed25519").publicKey, ["x.example"]),
        "the certificate's key is ed25519: only RSA and EC (P-256, P-384, P-521) can be encrypted to here",
      ],
      [
        ca.pair(["x.example"]).key,
        "this is a secret key: give its public key, and nobody the secret one",
      ],
      [ca.issue(rsa.publicKey, ["x.example"], 0), /^the certificate has ended at /],
    ];
    for (const [text, message] of bad) {
      await assert.rejects(setEncryptionKey(s.account, text, now), { name: "KeyError", message });
      assert.deepEqual(await encryptionKeyOf(s.account), first, "the one before stays");
    }
    const info = await setEncryptionKey(s.account, other, now + 1);
    assert.notEqual(info!.fingerprint, first!.info.fingerprint);
    assert.deepEqual(await encryptionKeyOf(s.account), { info, set: now + 1, key: other.trim() });
  }));

Deno.test("a message that can't be sealed is not taken, and nothing of it is left", () =>
  withStore(async (s) => {
    await setEncryptionKey(s.account, certificate, Date.now());
    const message = { ...await s.message(plain), flags: 0, keywords: [], received: 5 };
    await assert.rejects(seal(s.account, join(s.dir, "missing"), message), Deno.errors.NotFound);
    await assert.rejects(
      seal(s.account, s.dir, { ...message, file: join(s.dir, "gone") }),
      Deno.errors.NotFound,
    );
    assert.ok(![...Deno.readDirSync(s.dir)].some((e) => e.name.startsWith("smtp-sealed-")));
  }));
