/** OAUTHBEARER and XOAUTH2: what is taken of a client's response, and that any other bytes are refused in order. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { readOAuthBearer, readXOAuth2 } from "../../src/sasl/bearer.ts";
import {
  offeredMechanisms,
  type SaslBackend,
  SaslError,
  serverMechanism,
} from "../../src/sasl/mod.ts";

const context = {
  mayShowPassword: true,
  channelBindings: new Map<string, Uint8Array>(),
  hostname: "mail.mox.example",
  offers: { tokens: true, plainOnly: false },
};

const backend: SaslBackend = {
  checkPassword: () => Promise.resolve(undefined),
  scramCredentials: () => Promise.resolve(undefined),
  cramMd5Credentials: () => Promise.resolve(undefined),
  checkToken: (username, token) =>
    Promise.resolve(
      token === "right" ? { username: username || "ann", credential: "c" } : undefined,
    ),
};

Deno.test("they are offered where tokens can be checked and TLS is on; others aren't where a directory has passwords", () => {
  const tokens = (o: Partial<typeof context>) =>
    offeredMechanisms({ ...context, ...o }).filter((n) => /BEARER|XOAUTH2/.test(n));
  assert.deepEqual(tokens({}), ["OAUTHBEARER", "XOAUTH2"]);
  assert.deepEqual(tokens({ mayShowPassword: false }), []);
  assert.deepEqual(tokens({ offers: { tokens: false, plainOnly: false } }), []);
  assert.deepEqual(
    offeredMechanisms({ ...context, offers: { tokens: false, plainOnly: true } }),
    ["PLAIN", "LOGIN"],
  );
});

Deno.test("responses of clients", () => {
  const right: [string, { username: string; token: string }][] = [
    ["n,a=ann@x.example,\x01host=h\x01port=143\x01auth=Bearer tok.en==\x01\x01", {
      username: "ann@x.example",
      token: "tok.en==",
    }],
    ["n,a=a=2Cb=3D@x.example,\x01auth=bearer t\x01\x01", {
      username: "a,b=@x.example",
      token: "t",
    }],
    ["n,,\x01auth=Bearer t\x01\x01", { username: "", token: "t" }],
  ];
  for (const [text, read] of right) assert.deepEqual(readOAuthBearer(text), read);
  assert.deepEqual(readXOAuth2("user=ann@x.example\x01auth=Bearer t\x01\x01"), {
    username: "ann@x.example",
    token: "t",
  });
  const wrong = [
    "",
    "n,,",
    "p=tls-unique,,\x01auth=Bearer t\x01\x01",
    "n,a=x\x01auth=Bearer t\x01\x01",
  ];
  for (const text of wrong) assert.throws(() => readOAuthBearer(text), SaslError, text);
  for (
    const text of [
      "",
      "user=\x01auth=Bearer t\x01\x01",
      "user=x\x01auth=t\x01\x01",
      "user=x\x01auth=Bearer t\x01",
    ]
  ) {
    assert.throws(() => readXOAuth2(text), SaslError, text);
  }
});

Deno.test("a refusal is told in a challenge, and then ends the exchange", async () => {
  for (const name of ["OAUTHBEARER", "XOAUTH2"]) {
    const m = serverMechanism(name, backend, context)!;
    const response = name === "XOAUTH2"
      ? "user=ann\x01auth=Bearer wrong\x01\x01"
      : "n,a=ann,\x01auth=Bearer wrong\x01\x01";
    const step = await m.step(new TextEncoder().encode(response));
    assert.ok("challenge" in step);
    assert.match(new TextDecoder().decode(step.challenge), /"status":"(?:401|invalid_token)"/);
    await assert.rejects(m.step(Uint8Array.of(1)), { reason: "credentials" });
    const right = serverMechanism(name, backend, context)!;
    const done = await right.step(new TextEncoder().encode(response.replace("wrong", "right")));
    assert.deepEqual(done, { username: "ann", credential: "c" });
  }
});

Deno.test("any bytes give a step or a SaslError", async () => {
  await fc.assert(fc.asyncProperty(
    fc.constantFrom("OAUTHBEARER", "XOAUTH2"),
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map((s) => new TextEncoder().encode(`n,a=${s},\x01auth=Bearer ${s}\x01\x01`)),
    ),
    async (name, bytes) => {
      try {
        await serverMechanism(name, backend, context)!.step(bytes);
      } catch (err) {
        if (!(err instanceof SaslError)) throw err;
      }
    },
  ));
});
