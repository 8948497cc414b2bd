/**
 * ARC chains. The first five messages and their key are of the ARC test suite
 * (github.com/ValiMail/arc_test_suite, MIT licence; testdata/arc-suite.LICENSE); the other
 * scenarios change them, or are sealed here.
 *
 * @module
 */
import assert from "node:assert/strict";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { type ArcOutcome, authenticate, sealArc } from "../../src/senderauth/mod.ts";
import { ed25519Private, ed25519Public, message, parts, rsaPublic } from "./messages.ts";

const now = new Date("2024-05-01T12:00:00Z");
const zone: Zone = {
  "dummy._domainkey.example.org": { TXT: [rsaPublic] },
  "ed._domainkey.hop.example": { TXT: [ed25519Public] },
};

async function arcOf(bytes: Uint8Array, z = zone): Promise<ArcOutcome> {
  const auth = await authenticate({
    ...parts(bytes),
    remoteIp: "192.0.2.1",
    ehlo: "mx.example",
    mailFrom: "jqd@d1.example.org",
    resolver: scriptedResolver(z),
    log: new Log("test"),
    hostname: "receiver.example",
    now,
  });
  return auth.arc;
}

const results = `spf=pass smtp.mfrom=jqd@d1.example;
    dkim=pass (1024-bit key) header.i=@d1.example;
    dmarc=pass
`;

/** The suite's first hop. */
const hop1 = `ARC-Seal: a=rsa-sha256;
    b=dOdFEyhrk/tw5wl3vMIogoxhaVsKJkrkEhnAcq2XqOLSQhPpGzhGBJzR7k1sWGokon3TmQ
    7TX9zQLO6ikRpwd/pUswiRW5DBupy58fefuclXJAhErsrebfvfiueGyhHXV7C1LyJTztywzn
    QGG4SCciU/FTlsJ0QANrnLRoadfps=; cv=none; d=example.org; i=1; s=dummy;
    t=12345
ARC-Message-Signature: a=rsa-sha256;
    b=QsRzR/UqwRfVLBc1TnoQomlVw5qi6jp08q8lHpBSl4RehWyHQtY3uOIAGdghDk/mO+/Xpm
    9JA5UVrPyDV0f+2q/YAHuwvP11iCkBQkocmFvgTSxN8H+DwFFPrVVUudQYZV7UDDycXoM6UE
    cdfzLLzVNPOAHEDIi/uzoV4sUqZ18=;
    bh=KWSe46TZKCcDbH4klJPo+tjk5LWJnVRlP5pvjXFZYLQ=; c=relaxed/relaxed;
    d=example.org; h=from:to:date:subject:mime-version:arc-authentication-results;
    i=1; s=dummy; t=12345
ARC-Authentication-Results: i=1; lists.example.org;
    ${results}`;

const received = `Received: from segv.d1.example (segv.d1.example [72.52.75.15])
    by lists.example.org (8.14.5/8.14.5) with ESMTP id t0EKaNU9010123
    for <arc@example.org>; Thu, 14 Jan 2015 15:01:30 -0800 (PST)
    (envelope-from jqd@d1.example)
Authentication-Results: lists.example.org;
    ${results}Received: by 10.157.14.6 with HTTP; Tue, 3 Jan 2017 12:22:54 -0800 (PST)
Message-ID: <54B84785.1060301@d1.example.org>
Date: Thu, 14 Jan 2015 15:00:01 -0800
From: John Q Doe <jqd@d1.example.org>
To: arc@dmarc.org
Subject: Example 1

Hey gang,
This is a test message.
--J.
`;

/** cv_pass_i1_1 of the suite. */
const suite1 = `MIME-Version: 1.0
Return-Path: <jqd@d1.example.org>
${hop1}${received}`;

/** cv_pass_i2_1 of the suite. */
const suite2 = `MIME-Version: 1.0
ARC-Seal: a=rsa-sha256;
    b=IAqZJ5HwfNxxsrn9R4ayQgiu9RibPKEUVevbt7XFTkSh1baJ533D2Z6IZ2NaBreUhDBb2e
    K9Gtcv+eyUhWkD8VTmE6fq/F8CDIK3ScIiJykF8hNL1wpa/mGwWWwBnkozIJGAbTAAX7AgnH
    knAehnSW99TeU0lmib0XmOt4TN3sY=; cv=pass; d=example.org; i=2; s=dummy;
    t=12346
ARC-Message-Signature: a=rsa-sha256;
    b=2cDGNznUmp4YSSThCe9nrQIH2Gpd5qPFw3OU8sWFzZgEQ5UZtaVQifVUXUrsSyEzjro3Ul
    YPPDx+C1K+LbKRlOZ06il4ws2zlPafsrx1piKsKSCUq0KjFs01hYCDBa3tfdyITSfoWu2HHY
    pCjrhPMPH1jruIdBV/5Gk2Fvy+mW8=;
    bh=KWSe46TZKCcDbH4klJPo+tjk5LWJnVRlP5pvjXFZYLQ=; c=relaxed/relaxed;
    d=example.org; h=from:to:date:subject:mime-version:arc-authentication-results;
    i=2; s=dummy; t=12346
ARC-Authentication-Results: i=2; lists.example.org;
    ${results}Received: by 10.157.11.240 with SMTP id 103csp420860oth;
    Fri, 6 Jan 2017 14:27:31 -0800 (PST)
${hop1}${received}`;

/** cv_pass_i2_1_ams1_invalid of the suite: the second hop changed From, and signed that. */
const suiteChanged = `MIME-Version: 1.0
ARC-Seal: a=rsa-sha256;
    b=TKrRvbWMQbGHGQSIMlStVE/2vKjY5E8kVSSXJmEyOL1OjexNoNSfnYpjklVVaG9O4Hsbc5
    ZEbLSkpDIOKlnb+XlLNL5xvYntBNamjtH0e9et3DpyPQUIZ2gyZsuFwPzN/m96BU5iv+blU0
    XLjgABkBLyfaFlEPsQ0SUs8gZjM7Y=; cv=pass; d=example.org; i=2; s=dummy;
    t=12346
ARC-Message-Signature: a=rsa-sha256;
    b=ZFJ9p6LT/KerwWPXp+WzznYAbt+cF4R/3l5nfSeNZSi38hhtpLkoJi/2R1FXdnnznKa3mQ
    gk3WCEaxLNmHEl90TDHGL5vhViJ57OSS0X7ZgyKzZrNbVSDYj416pFR356MMXdaV8WVq9mD4
    yATaaWBkVi8eOh287Qbqj0k93H/+U=;
    bh=KWSe46TZKCcDbH4klJPo+tjk5LWJnVRlP5pvjXFZYLQ=; c=relaxed/relaxed;
    d=example.org; h=from:to:date:subject:mime-version:arc-authentication-results;
    i=2; s=dummy; t=12346
ARC-Authentication-Results: i=2; lists.example.org;
    ${results}Received: by 10.157.11.240 with SMTP id 103csp420860oth;
    Fri, 6 Jan 2017 14:27:31 -0800 (PST)
${hop1}${received.replace("John Q Doe", "Gene Q Doe")}`;

/** The suite's first hop of its second message. */
const multipartHop1 = `ARC-Seal: a=rsa-sha256;
    b=RkKDOauVsqcsTEFv6NVE6J0sxj8LUE4kfwRzs0CvMg/+KOqRDQoFxxJsJkI77EHZqcSgwr
    QKpt6aKsl2zyUovVhAppT65S0+vo+h3utd3f8jph++1uiAUhVf57PihDC/GcdhyRGa6YNQGh
    GoArSHaJKb06/qF5OBif8o9lmRC8E=; cv=none; d=example.org; i=1; s=dummy;
    t=12345
ARC-Message-Signature: a=rsa-sha256;
    b=SMBCg/tHQkIAIzx7OFir0bMhCxk/zaMOx1nyOSAviXW88ERohOFOXIkBVGe74xfJDSh9ou
    ryKgNA4XhUt4EybBXOn1dlrMA07dDIUFOUE7n+8QsvX1Drii8aBIpiu+O894oBEDSYcd1R+z
    sZIdXhOjB/Lt4sTE1h5IT2p3UctgY=;
    bh=dHN66dCNljBC18wb03I1K6hlBvV0qqsKoDsetl+jxb8=; c=relaxed/relaxed;
    d=example.org; h=from:to:date:subject:mime-version:arc-authentication-results;
    i=1; s=dummy; t=12345
ARC-Authentication-Results: i=1; lists.example.org;
    ${results}`;

const multipart = `Received: from segv.d1.example (segv.d1.example [72.52.75.15])
    by lists.example.org (8.14.5/8.14.5) with ESMTP id t0EKaNU9010123
    for <arc@example.org>; Thu, 14 Jan 2015 15:01:30 -0800 (PST)
    (envelope-from jqd@d1.example)
Authentication-Results: lists.example.org;
    ${results}MIME-Version: 1.0
Return-Path: <jqd@d1.example.org>
Received: by 10.157.52.162 with SMTP id g31csp5274520otc;
        Tue, 3 Jan 2017 12:32:02 -0800 (PST)
X-Received: by 10.36.31.84 with SMTP id d81mr49584685itd.26.1483475522271;
        Tue, 03 Jan 2017 12:32:02 -0800 (PST)
Message-ID: <C3A9E208-6B5D-4D9F-B4DE-9323946993AC@d1.example.org>
Date: Thu, 5 Jan 2017 14:39:01 -0800
From: Gene Q Doe <gqd@d1.example.org>
To: arc@dmarc.org
Subject: Example 2
Content-Type: multipart/alternative; boundary=001a113e15fcdd0f9e0545366e8f

--001a113e15fcdd0f9e0545366e8f
Content-Type: text/plain; charset=UTF-8

This is a test message

--001a113e15fcdd0f9e0545366e8f
Content-Type: text/html; charset=UTF-8

<div dir="ltr">This is a test message</div>

--001a113e15fcdd0f9e0545366e8f--
`;

/** cv_pass_i1_2 and cv_pass_i2_2 of the suite. */
const suiteMultipart1 = `MIME-Version: 1.0
Return-Path: <jqd@d1.example.org>
${multipartHop1}${multipart}`;

const suiteMultipart2 = `MIME-Version: 1.0
ARC-Seal: a=rsa-sha256;
    b=CiZp+ZloBeWiIyjY+Eq0lKt20KQDF3QIJNw7+/jdjtQ1XTSMhHsli7H/ocIXsiU/kLF5pn
    pABQiZPvAWfCaEcCA9lyb/7i3q2i72GLdK1vdrdD2nIM5e7L3u/5Z56SJdKTu46SyoFQve9b
    Cp7qoQB9/TUTxxvkDoapsSjDCDqZ0=; cv=pass; d=example.org; i=2; s=dummy;
    t=12346
ARC-Message-Signature: a=rsa-sha256;
    b=A2OCip1Cf9z6X7ML9/bRajnToeCD3H7IkP7YqmSKqDtn8Yu8oaJdwP0lZfCTjX++Qas9nj
    tGWMojFpj8Wd2rzdyMXwUWF3xlcFBD2gApO9xbehIASIF4lFQMyP6D80LjsjdtpstgwGZl9P
    y6WTyD1Kw/bNPZadxvNeDg3LVcQpo=;
    bh=dHN66dCNljBC18wb03I1K6hlBvV0qqsKoDsetl+jxb8=; c=relaxed/relaxed;
    d=example.org; h=from:to:date:subject:mime-version:arc-authentication-results;
    i=2; s=dummy; t=12346
ARC-Authentication-Results: i=2; lists.example.org;
    ${results}Received: by 10.157.11.240 with SMTP id 103csp420860oth;
    Fri, 6 Jan 2017 14:27:31 -0800 (PST)
Return-Path: <jqd@d1.example.org>
${multipartHop1}${multipart}`;

Deno.test("ARC suite cv_pass_i1_2, cv_pass_i2_2 and cv_pass_i2_1_ams1_invalid pass", async () => {
  for (const text of [suiteMultipart1, suiteMultipart2, suiteChanged]) {
    const arc = await arcOf(message(text));
    assert.deepEqual([arc.result, arc.error], ["pass", undefined]);
  }
});

Deno.test("ARC suite cv_pass_i1_1 and cv_pass_i2_1 pass", async () => {
  const one = await arcOf(message(suite1));
  assert.deepEqual([one.result, one.error], ["pass", undefined]);
  assert.deepEqual(one.chain, [{ instance: 1, domain: "example.org", selector: "dummy" }]);
  assert.match(one.lastResults!, /^lists\.example\.org; *spf=pass/);
  const two = await arcOf(message(suite2));
  assert.deepEqual([two.result, two.error], ["pass", undefined]);
  assert.equal(two.chain.length, 2);
});

Deno.test("a message without ARC fields has no chain", async () => {
  const arc = await arcOf(message("From: a@example.com\n\nhi\n"));
  assert.equal(arc.result, "none");
  assert.equal(arc.instance, 0);
  assert.equal((await arcOf(new Uint8Array())).result, "none");
});

Deno.test("chains fail for each thing that RFC 8617 asks for", async () => {
  const seal1 = hop1.slice(0, hop1.indexOf("ARC-Message"));
  const ams1 = hop1.slice(hop1.indexOf("ARC-Message"), hop1.indexOf("ARC-Auth"));
  const aar1 = hop1.slice(hop1.indexOf("ARC-Auth"));
  const cases: [name: string, text: string][] = [
    ["body changed", suite1.replace("gang", "gong")],
    ["signed header changed", suite1.replace("Subject: Example", "Subject: Sample")],
    ["results changed", suite1.replace("dmarc=pass", "dmarc=fail")],
    ["seal cut", suite1.replace("b=dOdF", "b=dOdG")],
    ["seal missing", suite1.replace(seal1, "")],
    ["message signature missing", suite1.replace(ams1, "")],
    ["results missing", suite1.replace(aar1, "")],
    ["seal twice", suite1.replace(seal1, seal1 + seal1)],
    ["results twice", suite1.replace(aar1, aar1 + aar1)],
    ["first hop missing", suite2.replace(hop1, "")],
    ["i=0", suite1.replaceAll("i=1;", "i=0;")],
    ["i=51", suite1.replaceAll("i=1;", "i=51;")],
    ["no i", suite1.replaceAll("i=1;", "")],
    ["cv=pass first", suite1.replace("cv=none", "cv=pass")],
    ["cv=none second", suite2.replace("cv=pass", "cv=none")],
    ["cv=fail", suite2.replace("cv=pass", "cv=fail")],
    ["cv unknown", suite1.replace("cv=none", "cv=maybe")],
    ["no cv", suite1.replace("cv=none;", "")],
    ["seal with h=", suite1.replace("cv=none;", "cv=none; h=from;")],
    ["tag twice", suite1.replace("cv=none;", "cv=none; cv=none;")],
    ["empty tag", suite1.replace("cv=none;", "cv=none;;")],
    ["seal signed", suite1.replace("h=from:", "h=arc-seal:from:")],
    ["From not signed", suite1.replace("h=from:", "h=")],
    ["unknown algorithm", suite1.replace("a=rsa-sha256", "a=rsa-sha512")],
    ["SHA-1", suite1.replace("a=rsa-sha256", "a=rsa-sha1")],
    ["no domain", suite1.replace("d=example.org; i=1; s=dummy;", "i=1; s=dummy;")],
    ["other domain", suite1.replace("d=example.org; i=1", "d=example.net; i=1")],
    ["other selector", suite1.replace("s=dummy", "s=smart")],
    ["unknown form", suite1.replace("c=relaxed/relaxed", "c=relaxed/lazy")],
    ["bad body hash", suite1.replace("bh=KW", "bh=!!")],
  ];
  for (const [name, text] of cases) {
    assert.notEqual(text, suite1, name);
    const arc = await arcOf(message(text));
    assert.equal(arc.result, "fail", name);
    assert(arc.error, name);
  }
});

Deno.test("keys that are missing, revoked or not to be had", async () => {
  const missing = await arcOf(message(suite1), {});
  assert.deepEqual([missing.result, missing.temporary], ["fail", false]);
  const name = "dummy._domainkey.example.org";
  assert.equal((await arcOf(message(suite1), { [name]: { TXT: ["p="] } })).result, "fail");
  const later = await arcOf(message(suite1), { [name]: { fail: "servfail" } });
  assert.deepEqual([later.result, later.temporary], ["fail", true]);
});

/** Passes a message on through a hop: the chain checked, then sealed. */
async function hop(text: string, z = zone): Promise<string | undefined> {
  const bytes = message(text);
  const seal = await sealArc({
    ...parts(bytes),
    chain: await arcOf(bytes, z),
    results: "hop.example; spf=pass smtp.mailfrom=jqd@d1.example.org",
    domain: "hop.example",
    selector: "ed",
    privateKey: ed25519Private,
    now,
  });
  return seal && seal.replaceAll("\r\n", "\n") + text;
}

Deno.test("seals made here hold, on a first hop and after others", async () => {
  let text: string | undefined = "From: a@example.com\nSubject: x\n\nhello\n";
  for (let i = 1; i <= 4; i++) {
    text = await hop(text!);
    const arc = await arcOf(message(text!));
    assert.deepEqual([arc.result, arc.chain.length, arc.error], ["pass", i, undefined]);
  }
  const after = await arcOf(message((await hop(suite2))!));
  assert.deepEqual([after.result, after.chain.length], ["pass", 3]);
  assert.equal(after.chain[2].domain, "hop.example");
});

Deno.test("a broken chain is sealed as failed once, then no more", async () => {
  const broken = suite2.replace("gang", "gong");
  const sealed = (await hop(broken))!;
  assert.match(sealed, /^ARC-Seal: i=3;[^:]*cv=fail;/);
  const arc = await arcOf(message(sealed));
  assert.deepEqual([arc.result, arc.sealedAsFailed, arc.instance], ["fail", true, 3]);
  assert.equal(await hop(sealed), undefined);
});

Deno.test("a chain of fifty is evaluated with bounded lookups, and not made longer", async () => {
  let text = "From: a@example.com\nSubject: x\n\nhello\n";
  for (let i = 1; i <= 50; i++) text = (await hop(text))!;
  const arc = await arcOf(message(text));
  assert.deepEqual([arc.result, arc.chain.length], ["pass", 50]);
  assert.equal(await hop(text), undefined);
});
