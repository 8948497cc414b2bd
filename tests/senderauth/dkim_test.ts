import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { authenticate, type DkimSigner, signDkim } from "../../src/senderauth/mod.ts";
import { hashBody, relaxedField } from "../../src/senderauth/canonical.ts";
import { signField } from "../../src/senderauth/dkim_sign.ts";
import { scanHeader } from "../../src/senderauth/header_fields.ts";
import { signedHeader } from "../../src/senderauth/signed_header.ts";
import { ed25519Private, ed25519Public, keyRecord, message, parts, rsaPublic } from "./messages.ts";

const now = new Date("2024-05-01T12:00:00Z");

async function dkimOf(bytes: Uint8Array, zone: Zone, options: { authenticated?: boolean } = {}) {
  const auth = await authenticate({
    ...parts(bytes),
    remoteIp: "192.0.2.1",
    ehlo: "mx.example",
    mailFrom: "joe@football.example.com",
    resolver: scriptedResolver(zone, options),
    log: new Log("test"),
    hostname: "receiver.example",
    now,
  });
  return auth;
}

const dinner = `From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`;

const rfcZone = {
  "brisbane._domainkey.football.example.com": { TXT: [ed25519Public] },
  "test._domainkey.football.example.com": { TXT: [rsaPublic] },
};

Deno.test("RFC 8463 appendix A.3: both signatures pass", async () => {
  const signed = message(
    `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
` + dinner,
  );
  const { dkim } = await dkimOf(signed, rfcZone);
  assert.deepEqual(dkim.map((d) => [d.status, d.error]), [["pass", undefined], [
    "pass",
    undefined,
  ]]);
  assert.equal(dkim[0].signatureStart, "/gCrinpc");
});

Deno.test("RFC 6376 appendix A: the signed message passes", async () => {
  const signed = message(
    `DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
      c=simple/simple; q=dns/txt; i=joe@football.example.com;
      h=Received : From : To : Subject : Date : Message-ID;
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
      4bmp/YzhwvcubU4=;
Received: from client1.football.example.com  [192.0.2.1]
      by submitserver.example.com with SUBMISSION;
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game. Are you hungry yet?

Joe.
`,
  );
  const { dkim } = await dkimOf(signed, {
    "brisbane._domainkey.example.com": {
      TXT: [
        "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt" +
        "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi" +
        "tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
      ],
    },
  });
  assert.deepEqual(dkim.map((d) => [d.status, d.error]), [["pass", undefined]]);
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey as unknown as KeyObject;

/** Signs the dinner message and gives it with the zone that has its keys. */
async function sign(
  change: Partial<DkimSigner> = {},
  text = dinner,
): Promise<{ bytes: Uint8Array; field: string; zone: Zone }> {
  const signers = [
    { domain: "football.example.com", selector: "s1", privateKey: rsa, ...change },
    { domain: "football.example.com", selector: "s2", privateKey: ed25519Private, ...change },
  ];
  const field = await signDkim({ ...parts(message(text)), signers, now });
  return {
    field,
    bytes: message(field.replaceAll("\r\n", "\n") + text),
    zone: {
      "s1._domainkey.football.example.com": { TXT: [keyRecord(rsa)] },
      "s2._domainkey.football.example.com": { TXT: [keyRecord(ed25519Private)] },
    },
  };
}

const statuses = (auth: { dkim: { status: string }[] }) => auth.dkim.map((d) => d.status).join(" ");

Deno.test("what is signed here passes here, in each form", async () => {
  for (const headerForm of ["simple", "relaxed"] as const) {
    for (const bodyForm of ["simple", "relaxed"] as const) {
      for (const text of [dinner, "From: a@football.example.com\n\n", dinner + "\n \n\n"]) {
        const { bytes, zone } = await sign({ headerForm, bodyForm, expiresIn: 3600 }, text);
        assert.equal(statuses(await dkimOf(bytes, zone)), "pass pass", headerForm + bodyForm);
      }
    }
  }
});

Deno.test("signature fields have no long line and name what they sign", async () => {
  const { field } = await sign({ identity: "joe@football.example.com" });
  for (const line of field.split("\r\n")) assert(line.length <= 78, line);
  const compact = field.replace(/\s/g, "");
  // Once more than they occur, so that none can be added.
  assert.match(compact, /;h=From:From:To:To:Cc:Bcc:/);
  assert.match(compact, /;i=joe@football\.example\.com;/);
});

Deno.test("RFC 8058 §4: fields of lists are signed where they are; a list may add its own", async () => {
  const text = `List-Unsubscribe: <https://l.example/x>\nList-Unsubscribe-Post: a=b\n${dinner}`;
  const { field, bytes, zone } = await sign({}, text);
  assert.match(field.replace(/\s/g, ""), /:List-Unsubscribe:List-Unsubscribe-Post;bh=/);
  const changed = new TextDecoder().decode(bytes).replace("l.example/x", "l.example/y");
  assert.equal(
    statuses(await dkimOf(message(changed.replaceAll("\r\n", "\n")), zone)),
    "fail fail",
  );

  const plain = await sign();
  assert.doesNotMatch(plain.field, /List-/);
  const listed = `List-Id: <l.example>\n${new TextDecoder().decode(plain.bytes)}`;
  const dkim = await dkimOf(message(listed.replaceAll("\r\n", "\n")), plain.zone);
  assert.equal(statuses(dkim), "pass pass");
});

Deno.test("any change of what is signed fails", async () => {
  const { bytes, zone } = await sign();
  const text = new TextDecoder().decode(bytes);
  for (
    const [from, to, status] of [
      ["We lost", "We won", "fail fail"],
      ["Subject: Is", "Subject: is", "fail fail"],
      ["\r\nSubject:", "\r\nCc: x@example.com\r\nSubject:", "fail fail"],
      ["\r\nSubject:", "\r\nSubject: free money\r\nSubject:", "fail fail"],
      ["\r\nSubject:", "\r\nX-Other: x@example.com\r\nSubject:", "pass pass"],
      ["Is dinner", "Is \t dinner", "pass pass"],
      ["Joe.\r\n", "Joe. \r\n\r\n", "pass pass"],
    ]
  ) {
    const changed = new TextEncoder().encode(text.replace(from, to));
    assert.equal(statuses(await dkimOf(changed, zone)), status, to);
  }
});

Deno.test("keys: each way in which one can't be used", async () => {
  const { bytes, zone } = await sign();
  const p = keyRecord(rsa).replace(/.*p=/, "");
  const weak = generateKeyPairSync("rsa", { modulusLength: 512 })
    .privateKey as unknown as KeyObject;
  for (
    const [entry, status, error] of [
      [{ TXT: [`k=rsa; p=${p}`] }, "pass", undefined],
      [{ TXT: [`p=${p}`, "v=spf1 -all"] }, "pass", undefined],
      [{ TXT: [`v=DKIM1; p=${p}; t=y`] }, "pass", undefined],
      [{ TXT: [`v=DKIM1; h=sha1:sha256; s=email; p=${p}`] }, "pass", undefined],
      [{ TXT: [`v=DKIM1; h=sha1; p=${p}`] }, "permerror", /not for SHA-256/],
      [{ TXT: [`v=DKIM1; s=tlsrpt; p=${p}`] }, "permerror", /not for mail/],
      [{ TXT: [`v=DKIM1; k=ed25519; p=${p}`] }, "permerror", /32 bytes/],
      [{ TXT: [keyRecord(ed25519Private)] }, "permerror", /another type/],
      [{ TXT: ["v=DKIM1; p="] }, "permerror", /revoked/],
      [{ TXT: [`k=rsa; v=DKIM1; p=${p}`] }, "permerror", /version/],
      [{ TXT: [`v=DKIM1; p=${p}`, `v=DKIM1; p=${p}`] }, "permerror", /more than one/],
      [{ TXT: ["v=DKIM1; k=rsa; p=!!!"] }, "permerror", /base64/],
      [{ TXT: ["v=DKIM1; k=rsa; p=AAAA"] }, "permerror", /not an RSA key/],
      [{ TXT: ["something else"] }, "permerror", /no key/],
      [{ TXT: [keyRecord(weak)] }, "policy", /too short/],
      [{}, "permerror", /no key/],
      [{ fail: "servfail" }, "temperror", /servfail/],
      [{ fail: "timeout" }, "temperror", /timeout/],
    ] as const
  ) {
    const { dkim } = await dkimOf(bytes, {
      ...zone,
      "s1._domainkey.football.example.com": entry as Zone[string],
    });
    assert.equal(dkim[0].status, status, JSON.stringify(entry));
    if (error) assert.match(dkim[0].error!, error);
    assert.equal(dkim[1].status, "pass");
  }
});

Deno.test("a PKCS #1 public key is a key too", async () => {
  const { bytes, zone } = await sign();
  const der = createPublicKey(rsa as never).export({ format: "der", type: "pkcs1" });
  const { dkim } = await dkimOf(bytes, {
    ...zone,
    "s1._domainkey.football.example.com": { TXT: [`v=DKIM1; p=${der.toString("base64")}`] },
  });
  assert.equal(dkim[0].status, "pass", dkim[0].error);
});

Deno.test("the flags for testing and strict identity", async () => {
  const { bytes, zone } = await sign({ identity: "@sub.football.example.com" });
  const strict = keyRecord(rsa) + "; t=y:s";
  const { dkim } = await dkimOf(bytes, {
    ...zone,
    "s1._domainkey.football.example.com": { TXT: [strict] },
  });
  assert.equal(dkim[0].status, "permerror");
  assert.equal(dkim[0].testing, true);
  assert.equal(dkim[1].status, "pass");
  assert.equal(dkim[1].identity, "@sub.football.example.com");
});

Deno.test("an authenticated key is told from another", async () => {
  const { bytes, zone } = await sign();
  assert.equal((await dkimOf(bytes, zone)).dkim[0].recordAuthenticated, false);
  assert.equal(
    (await dkimOf(bytes, zone, { authenticated: true })).dkim[0].recordAuthenticated,
    true,
  );
});

Deno.test("an expired signature does not count", async () => {
  const { bytes, zone } = await sign({ expiresIn: -10 });
  // x= before t= is malformed; a signature of last week is expired.
  assert.equal(statuses(await dkimOf(bytes, zone)), "neutral neutral");
  const field = await signDkim({
    ...parts(message(dinner)),
    signers: [{ domain: "football.example.com", selector: "s1", privateKey: rsa, expiresIn: 60 }],
    now: new Date(now.getTime() - 7 * 86400_000),
  });
  const old = await dkimOf(message(field.replaceAll("\r\n", "\n") + dinner), zone);
  assert.equal(statuses(old), "permerror");
  assert.match(old.dkim[0].error!, /expired/);
});

Deno.test("signature fields that can't be read are neutral, weak ones policy", async () => {
  const { field, zone } = await sign();
  const one = field.slice(0, field.indexOf("DKIM-Signature", 1)).replaceAll("\r\n", "\n");
  for (
    const [from, to, status] of [
      ["v=1;", "v=2;", "neutral"],
      ["v=1;", "", "neutral"],
      ["v=1;", "v=1; v=1;", "neutral"],
      ["v=1;", "v=1; ;", "neutral"],
      ["v=1;", "v=1; foo;", "neutral"],
      ["a=rsa-sha256", "a=rsa-sha512", "neutral"],
      ["a=rsa-sha256", "a=rsa-sha1", "policy"],
      ["c=relaxed/relaxed", "c=nofws", "neutral"],
      ["d=football.example.com", "d=com", "neutral"],
      ["d=football.example.com", "i=@example.com; d=football.example.com", "neutral"],
      ["h=From:From:", "h=To:", "neutral"],
      ["v=1;", "v=1; l=x;", "neutral"],
      ["v=1;", "v=1; q=http;", "neutral"],
      ["v=1;", "v=1; q=dns/txt; n=note;", "fail"],
      ["v=1;", "v=1; l=99999;", "fail"],
    ]
  ) {
    assert(one.includes(from), from);
    const bytes = message(one.replace(from, to) + dinner);
    assert.equal(statuses(await dkimOf(bytes, zone)), status, to);
  }
});

Deno.test("l= that leaves something unsigned makes a signature count for nothing", async () => {
  // Signed by hand: signing here never writes l=.
  const { zone } = await sign();
  const base = message(dinner);
  const p = parts(base);
  const length = base.length - p.bodyOffset - 1;
  const [hash] = await hashBody(p.message, p.bodyOffset, [{ form: "relaxed", length }]);
  const signed = signedHeader(scanHeader(p.headerBytes));
  const names = ["from", "subject"];
  const field = signField(
    "DKIM-Signature",
    [
      ["v", "1"],
      ["a", "rsa-sha256"],
      ["c", "relaxed/relaxed"],
      ["d", "football.example.com"],
      ["s", "s1"],
      ["l", String(length)],
      ["h", names.join(":")],
      ["bh", btoa(String.fromCharCode(...hash.digest))],
    ],
    rsa,
    (u) => [...signed.select(names).map((f) => signed.canonical(f, "relaxed")), relaxedField(u)],
  ).replaceAll("\r\n", "\n");
  const { dkim } = await dkimOf(message(field + dinner + "Buy now!\n"), zone);
  assert.equal(dkim[0].status, "policy", dkim[0].error);
  assert(dkim[0].unsignedBodyBytes! > 0);
});

Deno.test("an unsigned subject makes a signature count for nothing", async () => {
  const { bytes, zone } = await sign({ headers: ["From", "To"] });
  assert.equal(statuses(await dkimOf(bytes, zone)), "policy policy");
});

Deno.test("of many signatures ten are evaluated", async () => {
  const { field, zone } = await sign();
  const many = field.replaceAll("\r\n", "\n").repeat(500) + dinner;
  const resolver = scriptedResolver(zone);
  const auth = await authenticate({
    ...parts(message(many)),
    remoteIp: "192.0.2.1",
    ehlo: "x.example",
    mailFrom: "",
    resolver,
    log: new Log("test"),
    hostname: "receiver.example",
    now,
  });
  assert.equal(auth.dkim.length, 10);
  assert.equal(auth.dkimSkipped, 990);
  assert.equal(resolver.queries.filter((q) => q.includes("_domainkey")).length, 10);
});

Deno.test("the keys of RFC 8463 sign as its verifier expects", async () => {
  const field = await signDkim({
    ...parts(message(dinner)),
    signers: [{
      domain: "football.example.com",
      selector: "brisbane",
      privateKey: ed25519Private,
    }],
    now,
  });
  const { dkim } = await dkimOf(message(field.replaceAll("\r\n", "\n") + dinner), rfcZone);
  assert.equal(dkim[0].status, "pass");
});
