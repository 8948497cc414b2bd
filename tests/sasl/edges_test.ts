/** Mechanisms at their edges: steps too many, lengths, stored credentials, what is offered to whom. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { bindingsFor, plusCancelled } from "../../src/sasl/cancelled.ts";
import { clientMechanism, offeredMechanisms, serverMechanism } from "../../src/sasl/choose.ts";
import { sameBytes } from "../../src/sasl/compare.ts";
import { cramMd5Client, cramMd5Server } from "../../src/sasl/crammd5.ts";
import {
  cramMd5Credentials,
  cramMd5Digest,
  decodeCredentials,
  deriveCredentials,
  type DerivedCredentials,
  encodeCredentials,
  scramRounds,
} from "../../src/sasl/credentials.ts";
import { md5Finish, md5Start, md5StateBytes, md5StateFrom } from "../../src/sasl/md5.ts";
import {
  externalClient,
  loginClient,
  loginServer,
  plainClient,
  plainServer,
} from "../../src/sasl/plain.ts";
import { preparePassword, prepareUsername } from "../../src/sasl/prepare.ts";
import { scramClient, scramServer } from "../../src/sasl/scram.ts";
import {
  attributes,
  base64Value,
  escapeName,
  parseClientFinal,
  parseClientFirst,
  parseServerFirst,
  scramText,
} from "../../src/sasl/scram_message.ts";
import { mechanismNames, type SaslBackend, SaslError } from "../../src/sasl/types.ts";

const bytes = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);
const malformed = { name: "SaslError", reason: "malformed" };

/** Where a reader fails, by its reason; "" where it doesn't. */
function reason(fn: () => unknown): string {
  try {
    fn();
    return "";
  } catch (err) {
    assert.ok(err instanceof SaslError, String(err));
    return err.reason;
  }
}

const nobody: SaslBackend = {
  checkPassword: () => Promise.resolve(undefined),
  scramCredentials: () => Promise.resolve(undefined),
  cramMd5Credentials: () => Promise.resolve(undefined),
};

Deno.test("a client that cancels channel binding isn't offered it for a day", () => {
  const tls = { channelBindings: new Map([["tls-unique", bytes("x")]]) };
  const offered = (ip: string, now: number) => bindingsFor(ip, tls, now).size;
  const day = 24 * 3600_000;
  assert.equal(offered("192.0.2.1", 0), 1);
  assert.equal(bindingsFor("192.0.2.1", undefined, 0).size, 0);
  plusCancelled("192.0.2.1", 1000);
  assert.deepEqual([0, 1000, 999 + day, 1000 + day].map((t) => offered("192.0.2.1", t)), [
    0,
    0,
    0,
    1,
  ]);
  assert.equal(offered("192.0.2.2", 1000), 1);
  // The oldest of ten thousand is forgotten; one that cancels again is the newest.
  plusCancelled("192.0.2.3", 1000);
  plusCancelled("192.0.2.1", 1000);
  for (let i = 0; i < 9998; i++) plusCancelled(`10.0.${i >> 8}.${i & 255}`, 1000);
  assert.deepEqual([offered("192.0.2.3", 1000), offered("192.0.2.1", 1000)], [0, 0]);
  plusCancelled("198.51.100.1", 1000);
  assert.deepEqual([offered("192.0.2.3", 1000), offered("192.0.2.1", 1000)], [1, 0]);
});

Deno.test("what is offered can be narrowed, and what a connection can't do isn't offered", () => {
  const bindings = new Map([["tls-unique", bytes("x")]]);
  const context = { mayShowPassword: true, channelBindings: bindings, hostname: "x" };
  const all = mechanismNames.filter((n) => n !== "EXTERNAL");
  assert.deepEqual(offeredMechanisms(context), all);
  assert.deepEqual(offeredMechanisms({ ...context, only: ["PLAIN", "LOGIN", "EXTERNAL"] }), [
    "PLAIN",
    "LOGIN",
  ]);
  assert.deepEqual(offeredMechanisms({ ...context, only: [] }), []);
  assert.equal(serverMechanism("plain", nobody, { ...context, only: ["LOGIN"] }), undefined);
  for (const name of all) {
    assert.equal(serverMechanism(name.toLowerCase(), nobody, context)!.name, name);
  }
  const options = {
    username: "u",
    password: "p",
    channelBindings: bindings,
    mayShowPassword: true,
  };
  for (const name of mechanismNames) {
    const c = clientMechanism([name.toLowerCase()], { ...options, wanted: mechanismNames })!;
    assert.deepEqual([c.name, c.complete], [name, !name.startsWith("SCRAM")]);
  }
  const first = (offered: string[], channelBindings = bindings) =>
    text(clientMechanism(offered, { ...options, channelBindings })!.initial!).slice(0, 2);
  // RFC 5802 §6: "y" says that this side could bind, and the server didn't offer it.
  assert.equal(first(["SCRAM-SHA-256"]), "y,");
  assert.equal(first(["SCRAM-SHA-256"], new Map()), "n,");
  assert.equal(first(["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]), "p=");
  assert.equal(clientMechanism([], options), undefined);
});

Deno.test("names and tries are counted before anything is looked at", async () => {
  const admitted: string[] = [];
  const asked: unknown[] = [];
  const peer = { protocol: "imap", remoteIp: "192.0.2.1" };
  const context = {
    mayShowPassword: true,
    channelBindings: new Map<string, Uint8Array>(),
    hostname: "x",
    peer,
    admit: (user: string) => {
      admitted.push(user);
      return user === "blocked" ? Promise.reject(new Error("too many")) : Promise.resolve();
    },
  };
  const backend: SaslBackend = {
    checkPassword: (u, p, who) => Promise.resolve(void asked.push([u, p, who])),
    scramCredentials: (u, m, who) => Promise.resolve(void asked.push([u, m, who])),
    cramMd5Credentials: (u, who) => Promise.resolve(void asked.push([u, who])),
  };
  const plain = (user: string) =>
    serverMechanism("PLAIN", backend, context)!.step(bytes(`\0${user}\0pw`));
  await assert.rejects(plain("blocked"), /too many/);
  assert.deepEqual(asked, []);
  await assert.rejects(plain("user"), { reason: "credentials" });
  await serverMechanism("SCRAM-SHA-1", backend, context)!.step(bytes("n,,n=user,r=x"));
  const cram = serverMechanism("CRAM-MD5", backend, context)!;
  await cram.step(undefined);
  await assert.rejects(cram.step(bytes(`user ${"0".repeat(32)}`)), { reason: "credentials" });
  assert.deepEqual(asked, [["user", "pw", peer], ["user", "SCRAM-SHA-1", peer], ["user", peer]]);
  assert.deepEqual(admitted, ["blocked", "user", "user", "user"]);
});

Deno.test("PLAIN and LOGIN: lengths, steps, text that isn't UTF-8", async () => {
  const asked: string[] = [];
  const backend = {
    ...nobody,
    checkPassword: (u: string, p: string) => {
      asked.push(`${u}/${p}`);
      return Promise.resolve("password");
    },
  };
  const plain = plainServer(backend);
  assert.deepEqual(await plain.step(undefined), { challenge: new Uint8Array(0) });
  assert.equal(plain.username, undefined);
  assert.deepEqual(await plain.step(bytes("u\0u\0p")), { username: "u", credential: "password" });
  assert.equal(plain.username, "u");
  const padded = (n: number) => bytes(`\0u\0${"p".repeat(n - 3)}`);
  await assert.rejects(plainServer(backend).step(padded(4097)), malformed);
  await assert.rejects(plainServer(backend).step(padded(4096)), malformed, "a password of 4093");
  await assert.rejects(plainServer(backend).step(Uint8Array.of(0, 0xc3, 0, 0x70)), malformed);
  const login = loginServer(backend);
  assert.deepEqual(await login.step(undefined), { challenge: bytes("Username:") });
  assert.deepEqual(await login.step(bytes("me")), { challenge: bytes("Password:") });
  assert.equal(login.username, "me");
  assert.deepEqual(await login.step(bytes("pw")), { username: "me", credential: "password" });
  const again = loginServer(backend);
  await again.step(undefined);
  await assert.rejects(again.step(undefined), malformed, "no name");
  assert.deepEqual(asked, ["u/p", "me/pw"]);
  const pc = plainClient("u", "p");
  assert.equal(text(await pc.step(new Uint8Array(0))), "\0u\0p");
  await assert.rejects(pc.step(bytes("x")), malformed);
  const ec = externalClient("z");
  assert.equal(text(await ec.step(new Uint8Array(0))), "z");
  await assert.rejects(ec.step(bytes("x")), malformed);
  const lc = loginClient("u", "p");
  assert.deepEqual([text(await lc.step(bytes("a"))), text(await lc.step(bytes("b")))], ["u", "p"]);
  await assert.rejects(lc.step(bytes("c")), malformed);
});

Deno.test("CRAM-MD5: the first password that fits, or another one of the user", async () => {
  const used: string[] = [];
  const stored = (password: string, credential?: string) => ({
    ...cramMd5Credentials(password),
    credential,
    used: () => void used.push(password),
  });
  const backend: SaslBackend = {
    ...nobody,
    cramMd5Credentials: () =>
      Promise.resolve({
        ...stored("main", "password"),
        others: [stored("app"), stored("other", "app 2")],
      }),
  };
  const login = async (password: string, b = backend) => {
    const s = cramMd5Server(b, "mail.example");
    const first = await s.step(undefined);
    assert.ok("challenge" in first);
    assert.match(text(first.challenge), /^<[0-9a-f]{24}\.\d+@mail\.example>$/);
    const client = cramMd5Client("a b", password);
    assert.equal(client.initial, undefined);
    return await s.step(await client.step(first.challenge));
  };
  assert.deepEqual(await login("main"), { username: "a b", credential: "password" });
  assert.deepEqual(await login("app"), { username: "a b", credential: "" });
  assert.deepEqual(await login("other"), { username: "a b", credential: "app 2" });
  await assert.rejects(login("wrong"), { reason: "credentials" });
  await assert.rejects(login("main", nobody), { reason: "credentials" });
  assert.deepEqual(used, ["main", "app", "other"]);
  const answers = async (answer: Uint8Array) => {
    const s = cramMd5Server(nobody, "x");
    await s.step(undefined);
    return await s.step(answer);
  };
  const hex = "0".repeat(32);
  await assert.rejects(answers(bytes(hex)), malformed);
  await assert.rejects(answers(bytes(` ${hex}`)), malformed);
  await assert.rejects(answers(bytes(`u ${hex}0`)), malformed);
  await assert.rejects(answers(bytes(`u ${hex.replace("0", "A")}`)), malformed);
  await assert.rejects(answers(Uint8Array.of(0xff, 0x20, ...bytes(hex))), malformed);
  await assert.rejects(answers(bytes(`${"u".repeat(1000)} ${hex}`)), { reason: "credentials" });
  await assert.rejects(
    answers(bytes(`${"u".repeat(4096)} ${hex}`)),
    /begins with the server's challenge/,
  );
  await assert.rejects(
    cramMd5Server(nobody, "x").step(bytes(`u ${hex}`)),
    malformed,
    "not asked yet",
  );
});

Deno.test("keys as long as a block are taken as they are, longer ones are hashed", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 100, 200]) {
    const key = "k".repeat(length);
    for (const n of [0, 1, 55, 56, 63, 64, 119, 120]) {
      const message = bytes("m".repeat(n));
      const want = createHmac("md5", key).update(message).digest("hex");
      assert.equal(cramMd5Digest(cramMd5Credentials(key), message).toHex(), want, `${length} ${n}`);
    }
  }
  const state = md5Start();
  assert.deepEqual(md5StateFrom(md5StateBytes(state)), state);
  assert.equal(
    md5Finish(md5Start(), new Uint8Array(0), 0).toHex(),
    "d41d8cd98f00b204e9800998ecf8427e",
  );
});

Deno.test("credentials that are stored in part or damaged count as none", async () => {
  assert.deepEqual(scramRounds, { sha1: 8192, sha256: 16_384 });
  const c = await deriveCredentials("pw");
  assert.deepEqual([
    c.scramSha1!.salt.length,
    c.scramSha1!.storedKey.length,
    c.scramSha256!.storedKey.length,
  ], [16, 20, 32]);
  assert.deepEqual([c.scramSha1!.iterations, c.scramSha256!.iterations], [8192, 16_384]);
  const like = await deriveCredentials("pw", c);
  assert.deepEqual(like, c, "the same salts");
  const rows = encodeCredentials(c);
  assert.deepEqual(Object.keys(rows), ["scram-sha-1", "scram-sha-256", "cram-md5"]);
  assert.deepEqual(decodeCredentials(rows), c);
  assert.deepEqual(Object.keys(encodeCredentials({ cramMd5: c.cramMd5 })), ["cram-md5"]);
  assert.deepEqual(Object.keys(encodeCredentials({ scramSha256: c.scramSha256 })), [
    "scram-sha-256",
  ]);
  assert.deepEqual(encodeCredentials({}), {});
  const without = (change: Record<string, string>): (keyof DerivedCredentials)[] =>
    Object.keys(decodeCredentials({ ...rows, ...change })) as (keyof DerivedCredentials)[];
  const [count, ...keys] = rows["scram-sha-1"].split("$");
  const rest: (keyof DerivedCredentials)[] = ["scramSha256", "cramMd5"];
  for (
    const bad of [
      "",
      keys.join("$"),
      ["0", ...keys].join("$"),
      ["1.5", ...keys].join("$"),
      ["x", ...keys].join("$"),
      [count, "!", keys[1], keys[2]].join("$"),
      [count, keys[0], "!", keys[2]].join("$"),
      [count, keys[0], keys[1], "!"].join("$"),
      [count, ...keys, "x"].join("$"),
    ]
  ) assert.deepEqual(without({ "scram-sha-1": bad }), rest, bad);
  assert.deepEqual(without({ "scram-sha-1": ["1", ...keys].join("$") }).length, 3);
  const [inner, outer] = rows["cram-md5"].split("$");
  for (const bad of ["", inner, `${inner}$`, `${inner}$AAAA`, `AAAA$${outer}`, "!$!"]) {
    assert.deepEqual(without({ "cram-md5": bad }), ["scramSha1", "scramSha256"], bad);
  }
});

Deno.test("names and passwords in the form in which they are compared", () => {
  assert.equal(preparePassword("a\u00a0b\u2003c\u3000"), "a b c ");
  assert.equal(preparePassword("u\u0308"), "ü");
  assert.equal(prepareUsername("u\u0308\u00a0"), "ü\u00a0");
  for (const bad of ["", "a\0", "a\x7f", "a\u0085", "\ud800", "\u0378", "a".repeat(1025)]) {
    assert.equal(reason(() => preparePassword(bad)), "malformed", JSON.stringify(bad.slice(0, 5)));
    assert.equal(reason(() => prepareUsername(bad)), "malformed", JSON.stringify(bad.slice(0, 5)));
  }
  assert.equal(preparePassword("a".repeat(1024)).length, 1024);
  assert.equal(sameBytes(bytes("abc"), bytes("abc")), true);
  assert.equal(sameBytes(bytes("abc"), bytes("abd")), false);
  assert.equal(sameBytes(bytes("abc"), bytes("ab")), false);
});

Deno.test("messages of SCRAM: names with escapes, headers, attributes, bounds", () => {
  const first = (s: string) => parseClientFirst(bytes(s));
  assert.deepEqual(first("n,,n=a=2Cb=3Dc=2C,r=non+ce"), {
    gs2Header: "n,,",
    binding: { kind: "n" },
    authorizationId: "",
    bare: "n=a=2Cb=3Dc=2C,r=non+ce",
    username: "a,b=c,",
    nonce: "non+ce",
  });
  assert.deepEqual(first("y,a=o=2Cther,n=u,r=x,z=ext").authorizationId, "o,ther");
  assert.deepEqual(first("p=tls-unique,,n=u,r=x").binding, { kind: "p", name: "tls-unique" });
  assert.equal(escapeName("a,b=c,"), "a=2Cb=3Dc=2C");
  for (
    const bad of [
      "n",
      "n,",
      "n,,",
      "n,,n=u",
      "n,,r=x,n=u",
      "n,,m=1,n=u,r=x",
      "x,,n=u,r=x",
      "n,b=c,n=u,r=x",
      "n,,n=u=2c,r=x",
      "n,,n=u,r=",
      "n,,n=u,r=\u00fc",
      "n,,n=u,,r=x",
    ]
  ) {
    assert.equal(reason(() => first(bad)), "malformed", bad);
  }
  const final = (s: string) => parseClientFinal(bytes(s));
  const good = final("c=biws,r=nonce,z=1,p=AAAA");
  assert.deepEqual([text(good.channelBinding), good.nonce, good.proof.length, good.withoutProof], [
    "n,,",
    "nonce",
    3,
    "c=biws,r=nonce,z=1",
  ]);
  for (
    const bad of [
      "c=biws,r=n",
      "c=biws,p=AAAA",
      "r=n,c=biws,p=AAAA",
      "c=biws,r=n,p=AAAA,z=1",
      "c=!,r=n,p=AAAA",
      "c=biws,r=n,p=A",
    ]
  ) {
    assert.equal(reason(() => final(bad)), "malformed", bad);
  }
  const server = (s: string) => parseServerFirst(bytes(s));
  assert.equal(server("r=x,s=AAAA,i=4096").iterations, 4096);
  assert.equal(server("r=x,s=AAAA,i=10000000,z=1").iterations, 10_000_000);
  for (const i of ["4095", "10000001", "04096", "4096.5", "", "1e5"]) {
    assert.equal(reason(() => server(`r=x,s=AAAA,i=${i}`)), "malformed", i);
  }
  for (
    const bad of [
      "s=AAAA,r=x,i=4096",
      "r=x,i=4096,s=AAAA",
      "r=x,s=AAAA",
      "r=x",
      "r=a b,s=AAAA,i=4096",
    ]
  ) {
    assert.equal(reason(() => server(bad)), "malformed", bad);
  }
  assert.equal(reason(() => scramText(new Uint8Array(4097).fill(97))), "malformed");
  assert.equal(scramText(new Uint8Array(4096).fill(97)).length, 4096);
  assert.deepEqual(attributes("a=,b=c=d"), [["a", ""], ["b", "c=d"]]);
  for (const bad of ["a", "1=x", "ab=x", "", "a=x,"]) {
    assert.equal(reason(() => attributes(bad)), "malformed", bad);
  }
  assert.equal(reason(() => base64Value("AA")), "malformed");
});

Deno.test("SCRAM: steps in their order, and nothing after the end", async () => {
  const stored = (await deriveCredentials("pencil")).scramSha256!;
  const used: string[] = [];
  const backend: SaslBackend = {
    ...nobody,
    scramCredentials: () =>
      Promise.resolve({ ...stored, used: () => void used.push("it"), credential: "password" }),
  };
  const begin = async (name: "SCRAM-SHA-256" | "SCRAM-SHA-1" = "SCRAM-SHA-256") => {
    const server = scramServer(name, backend, new Map());
    const client = scramClient(name, { username: "u,=", password: "pencil" });
    assert.deepEqual(await server.step(undefined), { challenge: new Uint8Array(0) });
    const step = await server.step(client.initial);
    assert.ok("challenge" in step);
    return { server, client, final: await client.step(step.challenge) };
  };
  const whole = await begin();
  const last = await whole.server.step(whole.final);
  assert.ok("challenge" in last);
  assert.equal(whole.client.complete, false);
  assert.equal((await whole.client.step(last.challenge)).length, 0);
  assert.equal(whole.client.complete, true);
  await assert.rejects(whole.client.step(last.challenge), malformed);
  assert.deepEqual(await whole.server.step(new Uint8Array(0)), {
    username: "u,=",
    credential: "password",
  });
  await assert.rejects(whole.server.step(new Uint8Array(0)), malformed);
  assert.deepEqual(used, ["it"]);
  const more = await begin();
  await more.server.step(more.final);
  await assert.rejects(more.server.step(bytes("x")), malformed);
  const ended = await begin();
  await assert.rejects(ended.server.step(undefined), malformed);
  await assert.rejects(ended.server.step(ended.final), malformed);
  // A proof of another hash's size is malformed, one that is wrong is not.
  const proof = text((await begin()).final).replace(/p=.*/, `p=${new Uint8Array(20).toBase64()}`);
  await assert.rejects((await begin()).server.step(bytes(proof)), malformed);
  const sized = await begin();
  const short = text(sized.final).replace(/p=.*/, `p=${new Uint8Array(20).toBase64()}`);
  await assert.rejects(sized.server.step(bytes(short)), /proof has the wrong size/);
  const nonce = await begin();
  const other = text(nonce.final).replace(/r=[^,]*/, "r=other");
  await assert.rejects(nonce.server.step(bytes(other)), /nonce is not the one sent/);
  const told = await begin();
  await assert.rejects(told.client.step(bytes("e=other-error")), /server says: other-error/);
  assert.throws(() => scramClient("SCRAM-SHA-1-PLUS", { username: "u", password: "p" }), {
    reason: "unavailable",
  });
});

Deno.test("names without account have salts of their own, the same from try to try, for each hash", async () => {
  const ask = async (user: string, name: "SCRAM-SHA-256" | "SCRAM-SHA-1") => {
    const step = await scramServer(name, nobody, new Map()).step(bytes(`n,,n=${user},r=x`));
    assert.ok("challenge" in step);
    return text(step.challenge).replace(/^r=[^,]*,/, "");
  };
  const a = await ask("a", "SCRAM-SHA-256");
  assert.equal(await ask("a", "SCRAM-SHA-256"), a);
  assert.notEqual(await ask("b", "SCRAM-SHA-256"), a);
  assert.notEqual(await ask("a", "SCRAM-SHA-1"), a);
  assert.match(a, /^s=[A-Za-z0-9+/]{22}==,i=4096$/);
});

Deno.test("errors carry their cause", () => {
  const cause = new Error("why");
  const err = new SaslError("malformed", "what", { cause });
  assert.deepEqual([err.reason, err.message, err.cause, err.name], [
    "malformed",
    "what",
    cause,
    "SaslError",
  ]);
});
