/** Passkeys: a device in software, whose answers are changed in every way. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { fc } from "../../support/fast_check.ts";
import {
  Challenges,
  checkNewPasskey,
  checkPasskeyLogin,
  PasskeyError,
} from "../../../src/web/login/mod.ts";
import { coseKey } from "../../../src/web/login/cose.ts";

const place = { host: "mail.example:8443", hostname: "mail.example" };
const id = Buffer.from("credential");
const b64 = (b: Uint8Array | string) => Buffer.from(b).toString("base64url");

interface Changes {
  type?: string;
  origin?: string;
  rp?: string;
  flags?: number;
  count?: number;
  crossOrigin?: boolean;
  topOrigin?: string;
}

function clientData(challenge: string, type: string, o: Changes): string {
  return b64(JSON.stringify({
    type: o.type ?? type,
    challenge,
    origin: o.origin ?? "https://mail.example:8443",
    crossOrigin: o.crossOrigin,
    topOrigin: o.topOrigin,
  }));
}

function authenticatorData(
  flags: number,
  o: Changes,
  more: Uint8Array = new Uint8Array(0),
): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(o.count ?? 0);
  const rp = createHash("sha256").update(o.rp ?? "mail.example").digest();
  return Buffer.concat([rp, Buffer.from([o.flags ?? flags]), count, more]);
}

type Pair = { publicKey: KeyObject; privateKey: KeyObject };
const kinds: [string, number, () => Pair][] = [
  ["ES256", -7, () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ["EdDSA", -8, () => generateKeyPairSync("ed25519")],
  ["RS256", -257, () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
];
const spki = (k: KeyObject) => k.export({ type: "spki", format: "der" });

/** A COSE key, in CBOR as authenticators write it. */
function cose(key: KeyObject, algorithm: number): Uint8Array {
  const j = key.export({ format: "jwk" }) as Record<string, string>;
  const int = (n: number): number[] => {
    const [major, v] = n < 0 ? [1, -1 - n] : [0, n];
    if (v < 24) return [major << 5 | v];
    return v < 256 ? [major << 5 | 24, v] : [major << 5 | 25, v >> 8, v & 255];
  };
  const bytes = (text: string): number[] => {
    const b = [...Buffer.from(text, "base64url")];
    const head = int(b.length);
    return [head[0] | 2 << 5, ...head.slice(1), ...b];
  };
  const pairs = j.kty === "EC"
    ? [[1, int(2)], [3, int(algorithm)], [-1, int(1)], [-2, bytes(j.x)], [-3, bytes(j.y)]]
    : j.kty === "OKP"
    ? [[1, int(1)], [3, int(algorithm)], [-1, int(6)], [-2, bytes(j.x)]]
    : [[1, int(3)], [3, int(algorithm)], [-1, bytes(j.n)], [-2, bytes(j.e)]];
  const entries = pairs as [number, number[]][];
  return Uint8Array.from([
    5 << 5 | entries.length,
    ...entries.flatMap(([k, v]) => [...int(k), ...v]),
  ]);
}

function made(
  challenges: Challenges,
  key: KeyObject,
  algorithm: number,
  o: Changes = {},
  attested = cose(key, algorithm),
) {
  const data = Buffer.concat([
    Buffer.alloc(16),
    Buffer.from([0, id.length]),
    id,
    attested,
  ]);
  return {
    id: b64(id),
    clientData: clientData(challenges.make(), "webauthn.create", o),
    authenticatorData: b64(authenticatorData(0x45, o, data)),
    publicKey: b64(spki(key)),
    algorithm,
  };
}

function login(challenges: Challenges, key: KeyObject, algorithm: number, o: Changes = {}) {
  const client = clientData(challenges.make(), "webauthn.get", o);
  const data = authenticatorData(5, o);
  const signed = Buffer.concat([
    data,
    createHash("sha256").update(Buffer.from(client, "base64url")).digest(),
  ]);
  return {
    id: b64(id),
    clientData: client,
    authenticatorData: b64(data),
    signature: b64(sign(algorithm === -8 ? null : "sha256", signed, key)),
  };
}

for (const [name, algorithm, pair] of kinds) {
  Deno.test(`${name}: a new key is taken, and logs in`, () => {
    const { publicKey, privateKey } = pair();
    const challenges = new Challenges();
    const stored = checkNewPasskey(made(challenges, publicKey, algorithm), place, challenges);
    assert.deepEqual(Buffer.from(stored.credentialId), id);
    const key = { ...stored, signCount: 4 };
    const at = (o: Changes) =>
      checkPasskeyLogin(login(challenges, privateKey, algorithm, o), key, place, challenges);
    assert.equal(at({}), 0);
    assert.equal(at({ count: 5 }), 5);
    assert.throws(() => at({ count: 4 }), /counts backwards/);
    assert.throws(() => at({ type: "webauthn.create" }), /another kind/);
    assert.throws(() => at({ origin: "https://evil.example" }), /another site/);
    assert.throws(() => at({ rp: "evil.example" }), /another site/);
    assert.throws(() => at({ flags: 1 }), /not verified/);
    assert.throws(() => at({ flags: 4 }), /not verified/);
    const good = login(challenges, privateKey, algorithm);
    assert.equal(checkPasskeyLogin(good, key, place, challenges), 0);
    assert.throws(() => checkPasskeyLogin(good, key, place, challenges), /challenge is not known/);
    const other = login(
      challenges,
      pair().privateKey,
      algorithm,
    );
    assert.throws(() => checkPasskeyLogin(other, key, place, challenges), PasskeyError);
  });
}

Deno.test("a challenge is good for five minutes", () => {
  let now = 0;
  const challenges = new Challenges(() => now);
  const a = challenges.make();
  const b = challenges.make();
  now += 5 * 60_000 - 1;
  assert.equal(challenges.open(a), true);
  challenges.spend(a);
  assert.equal(challenges.open(a), false);
  assert.equal(challenges.open(b), true);
  now += 1;
  assert.equal(challenges.open(b), false);
  for (const other of ["made up", "", a.slice(0, -1), `${a.slice(0, -1)}_`, `${a}A`]) {
    assert.equal(challenges.open(other), false);
  }
  assert.equal(new Challenges(() => now).open(challenges.make()), false);
});

Deno.test("however many challenges strangers ask for, those of others stay good", () => {
  const challenges = new Challenges();
  const own = challenges.make();
  for (let i = 0; i < 20_000; i++) challenges.make();
  assert.equal(challenges.open(own), true);
});

Deno.test("a new key with another id, of an unknown kind, or that is none, is refused", () => {
  const challenges = new Challenges();
  const [, algorithm, pair] = kinds[0];
  const { publicKey } = pair();
  const check = (change: object) =>
    checkNewPasskey({ ...made(challenges, publicKey, algorithm), ...change }, place, challenges);
  assert.throws(() => check({ id: b64("other") }), /another id/);
  assert.throws(() => check({ algorithm: -65535 }), /algorithm/);
  assert.throws(() => check({ publicKey: b64("x") }), /can't be read/);
});

Deno.test("any answer is refused without failing", () => {
  const challenges = new Challenges();
  const [, algorithm, pair] = kinds[0];
  const { publicKey } = pair();
  const stored = checkNewPasskey(made(challenges, publicKey, algorithm), place, challenges);
  const any = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 200 }).map(b64), fc.json().map(b64));
  fc.assert(fc.property(any, any, any, any, (a, b, c, d) => {
    const answer = { id: a, clientData: b, authenticatorData: c, signature: d };
    assert.throws(
      () => checkPasskeyLogin(answer, { ...stored, signCount: 0 }, place, challenges),
      PasskeyError,
    );
    const own = clientData(challenges.make(), "webauthn.create", {});
    const fresh = { id: a, clientData: own, authenticatorData: c, publicKey: d, algorithm: -7 };
    assert.throws(() => checkNewPasskey(fresh, place, challenges), PasskeyError);
  }));
});

Deno.test("a key that is not the authenticator's is refused, and one made in a frame of another site", () => {
  const challenges = new Challenges();
  const check = (m: Parameters<typeof checkNewPasskey>[0]) => checkNewPasskey(m, place, challenges);
  for (const [, algorithm, pair] of kinds) {
    const { publicKey } = pair();
    const other = pair().publicKey;
    check(made(challenges, publicKey, algorithm));
    const attested = cose(other, algorithm);
    assert.throws(
      () => check(made(challenges, publicKey, algorithm, {}, attested)),
      /authenticator/,
    );
    assert.throws(
      () => check(made(challenges, publicKey, algorithm, {}, attested.subarray(0, 20))),
      /can't be read/,
    );
    for (const frame of [{ crossOrigin: true }, { topOrigin: "https://other.example" }]) {
      assert.throws(() => check(made(challenges, publicKey, algorithm, frame)), /frame/);
      assert.throws(
        () =>
          checkPasskeyLogin(
            login(challenges, pair().privateKey, algorithm, frame),
            { publicKey: spki(publicKey), algorithm, signCount: 0 },
            place,
            challenges,
          ),
        /frame/,
      );
    }
  }
});

Deno.test("any bytes as an authenticator's key give a key or an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        coseKey(bytes);
      } catch (e) {
        assert.ok(e instanceof Error);
      }
    }),
    { numRuns: 2000 },
  );
});
