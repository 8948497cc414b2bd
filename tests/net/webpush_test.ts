/** Push messages: the example of RFC 8291, and what a browser and a push service make of ours. */
import assert from "node:assert/strict";
import { encryptPush, maxPushText, readKeys } from "../../src/net/webpush/encrypt.ts";
import { newVapidKey, readVapidKey, vapidHeader } from "../../src/net/webpush/vapid.ts";

const options = { alphabet: "base64url" } as const;
const bytes = (text: string) => Uint8Array.fromBase64(text, options);
const text = (b: Uint8Array) => b.toBase64({ ...options, omitPadding: true });
const curve = { name: "ECDH", namedCurve: "P-256" };

/** A pair of keys of P-256 from its parts. */
async function pair(d: string, point: string): Promise<CryptoKeyPair> {
  const raw = bytes(point);
  const jwk = { kty: "EC", crv: "P-256", x: text(raw.slice(1, 33)), y: text(raw.slice(33)) };
  return {
    privateKey: await crypto.subtle.importKey("jwk", { ...jwk, d }, curve, true, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("jwk", jwk, curve, true, []),
  };
}

Deno.test("the example of RFC 8291 §5 comes out byte by byte", async () => {
  const own = await pair(
    "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
  );
  const body = await encryptPush(
    new TextEncoder().encode("When I grow up, I want to be a watermelon"),
    {
      p256dh: bytes(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      ),
      auth: bytes("BTBZMqHH6r4Tts7J_aSIgg"),
    },
    { salt: bytes("DGv6ra1nlYgDCS1FRnbzlw"), own },
  );
  assert.equal(
    text(body),
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w" +
      "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
  );
});

Deno.test("two messages of one text differ, and none is longer than a service takes", async () => {
  const browser = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
  const keys = {
    p256dh: new Uint8Array(await crypto.subtle.exportKey("raw", browser.publicKey)),
    auth: crypto.getRandomValues(new Uint8Array(16)),
  };
  const [a, b] = [
    await encryptPush(new Uint8Array(maxPushText), keys),
    await encryptPush(new Uint8Array(maxPushText), keys),
  ];
  assert.notDeepEqual(a, b);
  assert.ok(a.length <= 4096, String(a.length));
  await assert.rejects(encryptPush(new Uint8Array(maxPushText + 1), keys), RangeError);
  await assert.rejects(encryptPush(new Uint8Array(1), { ...keys, p256dh: new Uint8Array(65) }));
});

Deno.test("keys of a subscription: a point of the curve and 16 bytes, in either alphabet of base64", async () => {
  const browser = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", browser.publicKey));
  const auth = new Uint8Array(16).fill(0xfb);
  const keys = { p256dh: point, auth };
  assert.deepEqual(readKeys(text(point), text(auth)), keys);
  assert.deepEqual(readKeys(point.toBase64(), auth.toBase64()), keys);
  const wrong: [what: string, p256dh: string, auth: string][] = [
    ["a point that is too short", text(point.subarray(0, 64)), text(auth)],
    ["a point that is too long", text(new Uint8Array([...point, 0])), text(auth)],
    ["a point of another form", text(point.with(0, 3)), text(auth)],
    ["a point beside the curve", text(point.with(64, point[64] ^ 1)), text(auth)],
    ["a point that is nowhere", text(new Uint8Array(65).with(0, 4)), text(auth)],
    ["a secret that is too short", text(point), text(auth.subarray(1))],
    ["a secret that is too long", text(point), text(new Uint8Array(17))],
    ["no base64", text(point), "*".repeat(22)],
    ["nothing", "", ""],
  ];
  for (const [what, p, a] of wrong) assert.equal(readKeys(p, a), undefined, what);
});

Deno.test("a push service can check who sends: key, audience, time", async () => {
  const key = await readVapidKey((await newVapidKey()).jwk);
  const now = Date.UTC(2026, 0, 1);
  const url = new URL("https://push.example:8443/send/abc");
  const header = await vapidHeader(key, url, "mailto:postmaster@mox.example", now);
  const m = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(header)!;
  assert.ok(m, header);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes(m[2]))), {
    aud: "https://push.example:8443",
    exp: now / 1000 + 12 * 3600,
    sub: "mailto:postmaster@mox.example",
  });
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const check = await crypto.subtle.importKey("raw", bytes(m[4]), algorithm, false, ["verify"]);
  const signed = new TextEncoder().encode(`${m[1]}.${m[2]}`);
  assert.ok(await crypto.subtle.verify(algorithm, check, bytes(m[3]), signed));
});
