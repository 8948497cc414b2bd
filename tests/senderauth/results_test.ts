import assert from "node:assert/strict";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { Log } from "../../src/log/mod.ts";
import {
  authenticate,
  authenticationResults,
  formatResults,
  methodResults,
  readAuthservId,
  receivedSpf,
  stripForgedResults,
} from "../../src/senderauth/mod.ts";
import { checkIprev } from "../../src/senderauth/iprev.ts";
import { message, parts } from "./messages.ts";

Deno.test("results stand in fields that RFC 8601 and RFC 7208 §9.1 have", async () => {
  const envelope = { remoteIp: "192.0.2.1", ehlo: "mx.example", mailFrom: "joe@example.com" };
  const auth = await authenticate({
    ...parts(message("From: joe@example.com\n\nhi\n")),
    ...envelope,
    resolver: scriptedResolver({
      "example.com": { TXT: ["v=spf1 ip4:192.0.2.0/24 -all"] },
      "_dmarc.example.com": { TXT: ["v=DMARC1; p=reject"] },
      "1.2.0.192.in-addr.arpa": { PTR: ["mx.example.com"] },
      "mx.example.com": { A: ["192.0.2.1"] },
    }),
    log: new Log("test"),
    hostname: "receiver.example",
    now: new Date(),
  });
  assert.equal(
    authenticationResults("receiver.example", methodResults(auth, envelope)),
    "Authentication-Results: receiver.example;\r\n" +
      "\tiprev=pass (mx.example.com) policy.iprev=192.0.2.1;\r\n" +
      "\tspf=pass smtp.mailfrom=joe@example.com;\r\n" +
      "\tdkim=none;\r\n" +
      "\tdmarc=pass (policy reject) header.from=example.com;\r\n" +
      "\tarc=none\r\n",
  );
  assert.equal(
    receivedSpf(auth, { ...envelope, hostname: "receiver.example" }),
    "Received-SPF: pass\r\n" +
      "\tclient-ip=192.0.2.1;\r\n" +
      '\tenvelope-from="joe@example.com";\r\n' +
      "\thelo=mx.example;\r\n" +
      "\tidentity=mailfrom;\r\n" +
      '\tmechanism="ip4:192.0.2.0/24";\r\n' +
      "\treceiver=receiver.example\r\n",
  );
});

Deno.test("what senders choose can't break out of a field", () => {
  const evil = 'x";\r\nBcc: a (b) \\ ';
  const text = formatResults("h.example", [{
    method: "spf",
    result: "pass",
    comment: evil,
    reason: evil,
    properties: [["smtp.mailfrom", evil], ["smtp.helo", "[192.0.2.1]"]],
  }]);
  assert.equal(
    text,
    'h.example;\r\n\tspf=pass (x";  Bcc: a b  ) reason="x\\";  Bcc: a (b) \\\\ "' +
      ' smtp.mailfrom="x\\";  Bcc: a (b) \\\\ " smtp.helo="[192.0.2.1]"',
  );
  assert.equal(formatResults("h.example", []), "h.example; none");
});

Deno.test("fields that claim to be ours are found, those of others are left", () => {
  const header = message(`Received: x
Authentication-Results: mx.example; spf=pass
Authentication-Results: other.example; spf=pass
AUTHENTICATION-RESULTS : (a (nested) comment)
\tMX.Example 1; dkim=pass
Authentication-Results: "mx.example"; dkim=pass
Authentication-Results: mx.example.evil; dkim=pass
Authentication-Results: (unfinished mx.example; dkim=pass
Received-SPF: pass receiver=mx.example
Received-SPF: pass receiver=other.example; helo=mx.example
Received-SPF: pass (x) client-ip=192.0.2.1; receiver="MX.example";
Received-SPF: pass mx.example
From: mx.example
`);
  const cut = stripForgedResults(header, "mx.example").map(({ start, end }) =>
    new TextDecoder().decode(header.subarray(start, end))
  );
  assert.deepEqual(cut, [
    "Authentication-Results: mx.example; spf=pass\r\n",
    "AUTHENTICATION-RESULTS : (a (nested) comment)\r\n\tMX.Example 1; dkim=pass\r\n",
    'Authentication-Results: "mx.example"; dkim=pass\r\n',
    "Authentication-Results: (unfinished mx.example; dkim=pass\r\n",
    "Received-SPF: pass receiver=mx.example\r\n",
    'Received-SPF: pass (x) client-ip=192.0.2.1; receiver="MX.example";\r\n',
    "Received-SPF: pass mx.example\r\n",
  ]);
  assert.equal(readAuthservId(" xn--bcher-kva.example; x"), "xn--bcher-kva.example");
  assert.deepEqual(
    stripForgedResults(
      new TextEncoder().encode("Authentication-Results: bücher.example; x=pass\r\n"),
      "xn--bcher-kva.example",
    ),
    [{ start: 0, end: 49 }],
  );
});

Deno.test("a forged field is found behind any number of others", () => {
  const forged = "Authentication-Results: mx.example; spf=pass\n";
  const header = message("X: y\n".repeat(20_000) + forged);
  assert.deepEqual(stripForgedResults(header, "mx.example"), [
    { start: 120_000, end: header.length },
  ]);
});

Deno.test("iprev: a name that leads back, or why not", async () => {
  const r = scriptedResolver({
    "1.2.0.192.in-addr.arpa": { PTR: ["other.example", "mx.example"] },
    "mx.example": { A: ["192.0.2.9", "192.0.2.1"], AAAA: ["2001:db8::1"] },
    "other.example": { A: ["192.0.2.2"] },
    "2.2.0.192.in-addr.arpa": { PTR: ["mx.example"] },
    "3.2.0.192.in-addr.arpa": { PTR: ["broken.example"] },
    "broken.example": { fail: "servfail" },
    "4.2.0.192.in-addr.arpa": { fail: "timeout" },
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": {
      PTR: ["mx.example"],
    },
  });
  const of = async (ip: string) => (await checkIprev(r, ip)).result;
  assert.equal((await checkIprev(r, "192.0.2.1")).name, "mx.example");
  assert.equal(await of("2001:DB8:0::1"), "pass");
  assert.equal(await of("192.0.2.2"), "fail");
  assert.equal(await of("192.0.2.3"), "temperror");
  assert.equal(await of("192.0.2.4"), "temperror");
  assert.equal(await of("192.0.2.5"), "permerror");
  assert.equal(await of("nonsense"), "permerror");
});
