import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { createHash, createHmac } from "node:crypto";
import {
  type ClientMechanism,
  clientMechanism,
  decodeCredentials,
  deriveCredentials,
  encodeCredentials,
  type MechanismName,
  mechanismNames,
  offeredMechanisms,
  preparePassword,
  type SaslBackend,
  SaslError,
  scramClient,
  type ScramName,
  type ServerMechanism,
  serverMechanism,
} from "../../src/sasl/mod.ts";
import { cramMd5Credentials, cramMd5Digest } from "../../src/sasl/credentials.ts";
import { md5Block, md5Finish, md5Start } from "../../src/sasl/md5.ts";

const bytes = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

const name = "mjl@møx.example";
const password = "pencil, =\u00a0ü";
const stored = decodeCredentials(encodeCredentials(await deriveCredentials(password)));
const certificate = bytes("certificate of mjl");

const backend: SaslBackend = {
  checkPassword: (u, p) =>
    Promise.resolve(u === name && p === preparePassword(password) ? "password" : undefined),
  scramCredentials: (u, m) =>
    Promise.resolve(
      u !== name ? undefined : m === "SCRAM-SHA-1" ? stored.scramSha1 : stored.scramSha256,
    ),
  cramMd5Credentials: (u) => Promise.resolve(u === name ? stored.cramMd5 : undefined),
  certificateUsername: (c) =>
    Promise.resolve(
      text(c) === text(certificate) ? { username: name, credential: "key" } : undefined,
    ),
};

const bindings = new Map([["tls-server-end-point", bytes("hash of the certificate")]]);
const context = {
  mayShowPassword: true,
  channelBindings: bindings,
  peerCertificate: certificate,
  hostname: "mail.example",
};

const server = (n: string, c = context) => serverMechanism(n, backend, c)!;
const client = (n: MechanismName, username = name, pass = password, channelBindings = bindings) =>
  clientMechanism([n], {
    username,
    password: pass,
    channelBindings: n.endsWith("-PLUS") ? channelBindings : new Map(),
    mayShowPassword: true,
    wanted: mechanismNames,
  })!;

/** Runs an exchange as a protocol would; without initial response if `separate`. */
async function exchange(
  s: ServerMechanism,
  c: ClientMechanism,
  separate = false,
): Promise<string> {
  let response: Uint8Array | undefined = separate ? undefined : c.initial;
  for (let round = 0; round < 10; round++) {
    const step = await s.step(response);
    if ("username" in step) {
      assert.equal(c.complete, true);
      return step.username;
    }
    response = separate && round === 0 && c.initial !== undefined
      ? c.initial
      : await c.step(step.challenge);
  }
  throw new Error("no end");
}

async function reasonOf(p: Promise<unknown>): Promise<string> {
  try {
    return String(await p);
  } catch (e) {
    assert.ok(e instanceof SaslError, String(e));
    return e.reason;
  }
}

for (const mechanism of mechanismNames) {
  Deno.test(`${mechanism}: the right password logs in, with and without initial response`, async () => {
    assert.equal(await exchange(server(mechanism), client(mechanism)), name);
    assert.equal(await exchange(server(mechanism), client(mechanism), true), name);
    assert.equal(server(mechanism.toLowerCase()).name, mechanism);
  });

  if (mechanism === "EXTERNAL") continue;
  Deno.test(`${mechanism}: a wrong password, and a name that doesn't exist, do not`, async () => {
    for (const [user, pass] of [[name, "pencil"], ["x@møx.example", password]]) {
      const result = await reasonOf(exchange(server(mechanism), client(mechanism, user, pass)));
      assert.equal(result, "credentials");
    }
  });
}

Deno.test("SCRAM-SHA-1: the example of RFC 5802 §5", async () => {
  const c = scramClient("SCRAM-SHA-1", {
    username: "user",
    password: "pencil",
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
  });
  assert.equal(text(c.initial!), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  const final = await c.step(
    bytes("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"),
  );
  assert.equal(
    text(final),
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
  );
  assert.equal(c.complete, false);
  await c.step(bytes("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
  assert.equal(c.complete, true);
});

Deno.test("SCRAM-SHA-256: the example of RFC 7677 §3", async () => {
  const c = scramClient("SCRAM-SHA-256", {
    username: "user",
    password: "pencil",
    nonce: "rOprNGfwEbeRWgbNEkqO",
  });
  const final = await c.step(
    bytes(
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    ),
  );
  assert.match(text(final), /,p=dHzbZapWIk4jUhN\+Ute9ytag9zjfMHgsqmmiz7AndVQ=$/);
  await c.step(bytes("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  assert.equal(c.complete, true);
});

Deno.test("CRAM-MD5: the example of RFC 2195 §2, from stored states", () => {
  const challenge = bytes("<1896.697170952@postoffice.reston.mci.net>");
  const digest = cramMd5Digest(cramMd5Credentials("tanstaaftanstaaf"), challenge);
  assert.equal(digest.toHex(), "b913a602c7eda7a495b4e6e7334d3890");
});

Deno.test("MD5 and HMAC-MD5 from states agree with OpenSSL's", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ minLength: 1, maxLength: 200 }),
      (block, rest, key) => {
        const state = md5Start();
        md5Block(state, block);
        const got = md5Finish(state, rest, 64).toHex();
        assert.equal(got, createHash("md5").update(block).update(rest).digest("hex"));
        const digest = cramMd5Digest(cramMd5Credentials(key), rest).toHex();
        assert.equal(digest, createHmac("md5", bytes(key)).update(rest).digest("hex"));
      },
    ),
  );
});

Deno.test("credentials survive storing, and damaged ones count as none", () => {
  const rows = encodeCredentials(stored);
  assert.deepEqual(Object.keys(rows).sort(), ["cram-md5", "scram-sha-1", "scram-sha-256"]);
  assert.deepEqual(decodeCredentials(rows), stored);
  for (const value of Object.values(rows)) assert.ok(!value.includes("pencil"));
  assert.deepEqual(decodeCredentials({}), {});
  assert.deepEqual(decodeCredentials({ "scram-sha-1": "4096$!$$", "cram-md5": "AAAA$AAAA" }), {});
});

Deno.test("two derivations of a password have different salts", async () => {
  const [a, b] = await Promise.all([deriveCredentials("pencil"), deriveCredentials("pencil")]);
  assert.notDeepEqual(a.scramSha256!.salt, b.scramSha256!.salt);
  assert.notDeepEqual(a.scramSha256!.storedKey, b.scramSha256!.storedKey);
});

Deno.test("passwords are compared in one form (RFC 8265 §4.2)", () => {
  assert.equal(preparePassword("e\u0301\u3000x"), "\u00e9 x");
  assert.equal(preparePassword("Case stays"), "Case stays");
  for (const bad of ["", "a\u0000b", "a\nb", "\ud800", "\u{e01ff}x\u0378", "x".repeat(2000)]) {
    assert.throws(() => preparePassword(bad), SaslError, JSON.stringify(bad));
  }
});

Deno.test("SCRAM refuses a changed channel binding, and a downgrade", async () => {
  const other = new Map([["tls-server-end-point", bytes("another certificate")]]);
  const unknown = new Map([["tls-unique", bytes("x")]]);
  for (const hash of ["SCRAM-SHA-1", "SCRAM-SHA-256"] as const) {
    const plus = `${hash}-PLUS` as ScramName;
    const result = (s: ScramName, c: ClientMechanism) => reasonOf(exchange(server(s), c));
    assert.equal(await result(plus, client(plus, name, password, other)), "channelBinding");
    assert.equal(await result(plus, client(plus, name, password, unknown)), "channelBinding");
    assert.equal(await result(plus, client(hash)), "channelBinding");
    assert.equal(await result(hash, client(plus)), "channelBinding");
    // "y": the client could bind and was told that the server can't.
    const options = { username: name, password, serverCannotBind: true };
    assert.equal(await result(hash, scramClient(hash, options)), "channelBinding");
    const without = serverMechanism(hash, backend, { ...context, channelBindings: new Map() })!;
    assert.equal(await exchange(without, scramClient(hash, options)), name);
  }
});

Deno.test("a SCRAM client doesn't believe a server that can't prove itself", async () => {
  const c = client("SCRAM-SHA-256");
  const s = server("SCRAM-SHA-256");
  const first = await s.step(c.initial);
  assert.ok("challenge" in first);
  await c.step(first.challenge);
  assert.equal(
    await reasonOf(c.step(bytes("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))),
    "credentials",
  );
  assert.equal(c.complete, false);
});

Deno.test("a SCRAM client refuses odd servers", async () => {
  for (
    const challenge of [
      "",
      "r=other,s=QSXCR+Q6sek8bf92,i=4096",
      "r=nonce,s=QSXCR+Q6sek8bf92,i=4096",
      "r=nonceX,s=QSXCR+Q6sek8bf92,i=1",
      "r=nonceX,s=QSXCR+Q6sek8bf92,i=99999999999",
      "r=nonceX,s=!,i=4096",
      "r=nonceX,i=4096,s=QSXCR+Q6sek8bf92",
      "m=x,r=nonceX,s=QSXCR+Q6sek8bf92,i=4096",
    ]
  ) {
    const c = scramClient("SCRAM-SHA-1", { username: "user", password: "pencil", nonce: "nonce" });
    assert.equal(await reasonOf(c.step(bytes(challenge))), "malformed", challenge);
  }
});

Deno.test("malformed client messages are told apart from wrong passwords", async () => {
  const cases: [MechanismName, string][] = [
    ["PLAIN", ""],
    ["PLAIN", "no separators"],
    ["PLAIN", "\0user"],
    ["PLAIN", "\0user\0pass\0more"],
    ["PLAIN", "\0\0password"],
    ["PLAIN", "\0user\0"],
    ["LOGIN", ""],
    ["SCRAM-SHA-1", ""],
    ["SCRAM-SHA-1", "n,,"],
    ["SCRAM-SHA-1", "n,,n=user"],
    ["SCRAM-SHA-1", "n,,m=ext,n=user,r=nonce"],
    ["SCRAM-SHA-1", "n,b=x,n=user,r=nonce"],
    ["SCRAM-SHA-1", "n,,n=us=er,r=nonce"],
    ["SCRAM-SHA-1", "n,,n=us=2Der,r=nonce"],
    ["SCRAM-SHA-1", "n,,n=user,r="],
    ["SCRAM-SHA-1", "n,,n=user,r=no nce"],
    ["SCRAM-SHA-1", "q,,n=user,r=nonce"],
    ["SCRAM-SHA-1", "p=,,n=user,r=nonce"],
    ["SCRAM-SHA-1", "n,,n=us\0er,r=nonce"],
    ["SCRAM-SHA-256-PLUS", "p=tls unique,,n=user,r=nonce"],
    ["CRAM-MD5", "user 0123456789abcdef0123456789abcdef"],
  ];
  for (const [mechanism, input] of cases) {
    assert.equal(await reasonOf(server(mechanism).step(bytes(input))), "malformed", input);
  }
  const cram = server("CRAM-MD5");
  await cram.step(undefined);
  assert.equal(await reasonOf(cram.step(bytes("user nothex"))), "malformed");
});

Deno.test("nobody can act as somebody else", async () => {
  assert.equal(
    await reasonOf(server("PLAIN").step(bytes(`other\0${name}\0${password}`))),
    "authorization",
  );
  assert.equal(
    await reasonOf(server("SCRAM-SHA-1").step(bytes(`n,a=other,n=${name},r=nonce`))),
    "authorization",
  );
  assert.equal(await reasonOf(server("EXTERNAL").step(bytes("other"))), "authorization");
});

Deno.test("names without account look like others until the proof", async () => {
  const ask = async (user: string) => {
    const step = await server("SCRAM-SHA-256").step(bytes(`n,,n=${user},r=nonce`));
    assert.ok("challenge" in step);
    return text(step.challenge).replace(/^r=[^,]*/, "");
  };
  assert.equal(await ask("nobody@example"), await ask("nobody@example"));
  assert.match(await ask("nobody@example"), /^,s=[A-Za-z0-9+/]{22}==,i=4096$/);
});

Deno.test("what is offered depends on the connection", () => {
  assert.deepEqual(offeredMechanisms(context), [...mechanismNames]);
  const plain = {
    mayShowPassword: false,
    channelBindings: new Map<string, Uint8Array>(),
    hostname: "x",
  };
  assert.deepEqual(offeredMechanisms(plain), ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"]);
  assert.equal(serverMechanism("PLAIN", backend, plain), undefined);
  assert.equal(serverMechanism("SCRAM-SHA-256-PLUS", backend, plain), undefined);
  assert.equal(serverMechanism("GSSAPI", backend, context), undefined);
});

Deno.test("a client takes the best mechanism, and shows no password in the clear", () => {
  const choose = (offered: string[], mayShowPassword: boolean, channelBindings = bindings) =>
    clientMechanism(offered, { username: "u", password: "p", channelBindings, mayShowPassword })
      ?.name;
  assert.equal(choose(["LOGIN", "plain", "SCRAM-SHA-1"], true), "SCRAM-SHA-1");
  assert.equal(choose([...mechanismNames], true), "SCRAM-SHA-256-PLUS");
  assert.equal(choose([...mechanismNames], true, new Map()), "SCRAM-SHA-256");
  assert.equal(choose(["LOGIN", "PLAIN", "EXTERNAL"], true), "PLAIN");
  assert.equal(choose(["LOGIN", "PLAIN"], false), undefined);
  assert.equal(choose(["LOGIN", "PLAIN", "CRAM-MD5"], false), "CRAM-MD5");
});

Deno.test("any bytes give a step or a SaslError", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom("n,,", "y,,", "p=tls-server-end-point,,", `n=${name},`, "r=abc", ",", "=", "\0")
      .map(bytes),
  );
  const input = fc.array(piece, { maxLength: 6 }).map((list) => {
    const out = new Uint8Array(list.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const p of list) {
      out.set(p, at);
      at += p.length;
    }
    return out;
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...mechanismNames),
      fc.array(fc.option(input, { nil: undefined }), { maxLength: 5 }),
      async (mechanism, inputs) => {
        const s = server(mechanism);
        for (const i of inputs) {
          try {
            const step = await s.step(i);
            assert.ok(!("username" in step) || mechanism === "EXTERNAL");
          } catch (e) {
            assert.ok(e instanceof SaslError, String(e));
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
});
