/** Settings for mail programs and MTA-STS policies, as programs ask for them. */
import assert from "node:assert/strict";
import { autoconfigHandler, autoconfigHost } from "../../../src/web/settings/autoconfig.ts";
import { mtastsHandler, mtastsHost } from "../../../src/web/settings/mtasts.ts";
import { type Site, withSite } from "../site.ts";

const domains = `	mox.example:
		MTASTS:
			PolicyID: 1
			Mode: enforce
			MaxAge: 168h
			MX:
				- mail.mox.example
				- *.büch.example
	plain.example:
		ClientSettingsDomain: imap.plain.example
`;

function withSettings(fn: (site: Site) => Promise<void>): Promise<void> {
  return withSite({ domains }, (config) => [
    {
      name: "autoconfig",
      path: "/",
      host: (h) => autoconfigHost(config, h),
      handle: autoconfigHandler(config),
    },
    {
      name: "mtasts",
      path: "/",
      host: (h) => mtastsHost(config, h),
      handle: mtastsHandler(config),
    },
  ], fn);
}

Deno.test("autoconfig: host, port and kind of TLS for IMAP and SMTP", async () => {
  await withSettings(async (s) => {
    const r = await s.ask(
      "autoconfig.mox.example",
      "/mail/config-v1.1.xml?emailaddress=ann%40mox.example",
    );
    assert.equal(r.status, 200);
    assert.match(String(r.headers["content-type"]), /^application\/xml/);
    assert.match(
      r.text,
      /<incomingServer type="imap">\s*<hostname>mail\.mox\.example<\/hostname>\s*<port>143<\/port>\s*<socketType>plain</,
    );
    assert.match(r.text, /<outgoingServer type="smtp">\s*<hostname>mail\.mox\.example</);
    assert.match(r.text, /<username>%EMAILADDRESS%</);
    assert.match(
      r.text,
      /<incomingServer type="pop3">\s*<hostname>mail\.mox\.example<\/hostname>\s*<port>110<\/port>/,
    );
    assert.ok(
      r.text.indexOf('type="imap"') < r.text.indexOf('type="pop3"'),
      "IMAP is to be preferred",
    );
    assert.match(
      r.text,
      /<incomingServer type="managesieve">\s*<hostname>mail\.mox\.example<\/hostname>\s*<port>4190<\/port>/,
    );
    assert.ok(r.text.indexOf('type="managesieve"') > r.text.indexOf('type="smtp"'), "last");
    const without = await s.ask("autoconfig.plain.example", "/mail/config-v1.1.xml");
    assert.match(without.text, /<hostname>imap\.plain\.example</);
    const wellKnown = await s.ask(
      "mail.mox.example",
      "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=x@plain.example",
    );
    assert.equal(wellKnown.status, 200);
  });
});

Deno.test("autodiscover answers with IMAP and SMTP for the address that was asked", async () => {
  await withSettings(async (s) => {
    const body = `<?xml version="1.0"?><Autodiscover><Request>` +
      `<EMailAddress>ann@mox.example</EMailAddress></Request></Autodiscover>`;
    const r = await s.ask("autodiscover.mox.example", "/Autodiscover/Autodiscover.xml", {
      method: "POST",
      body,
      headers: { "Content-Type": "text/xml" },
    });
    assert.equal(r.status, 200);
    assert.match(r.text, /<Type>IMAP<\/Type>\s*<Server>mail\.mox\.example<\/Server>/);
    assert.match(r.text, /<LoginName>ann@mox\.example<\/LoginName>/);
    const get = await s.ask("autodiscover.mox.example", "/autodiscover/autodiscover.xml");
    assert.equal(get.status, 405);
  });
});

Deno.test("a profile for Apple's systems carries the address, escaped", async () => {
  await withSettings(async (s) => {
    const r = await s.ask(
      "autoconfig.mox.example",
      "/profile.mobileconfig?address=a%3Cb%26@mox.example&name=%3Cscript%3E",
    );
    assert.equal(r.status, 200);
    assert.match(String(r.headers["content-disposition"]), /a_b_@mox\.example\.mobileconfig/);
    assert.doesNotMatch(r.text, /<script>|a<b/);
    assert.match(r.text, /<string>a&#60;b&#38;@mox\.example<\/string>/);
    // The original's form of the question, for several addresses.
    const several = await s.ask(
      "autoconfig.mox.example",
      "/profile.mobileconfig?addresses=a@mox.example,b@mox.example&fullName=A",
    );
    assert.equal(several.status, 200);
    const of = (key: string) =>
      [...several.text.matchAll(new RegExp(`<key>${key}</key><string>([^<]*)`, "g"))]
        .map((m) => m[1]);
    assert.deepEqual(of("EmailAddress"), ["a@mox.example", "b@mox.example"]);
    assert.deepEqual(of("EmailAccountName"), ["A", "A"]);
    assert.equal(new Set(of("PayloadUUID")).size, 3);
    assert.equal(new Set(of("PayloadIdentifier")).size, 3);
    const none = await s.ask("autoconfig.mox.example", "/profile.mobileconfig?addresses=,");
    assert.equal(none.status, 400);
    const other = await s.ask(
      "autoconfig.mox.example",
      "/profile.mobileconfig?addresses=a@mox.example,b@other.example",
    );
    assert.equal(other.status, 404);
  });
});

Deno.test("nothing is told about domains and addresses that aren't configured", async () => {
  await withSettings(async (s) => {
    const other = await s.ask(
      "autoconfig.mox.example",
      "/mail/config-v1.1.xml?emailaddress=x@other.example",
    );
    assert.equal(other.status, 404);
    const same = await s.ask(
      "autoconfig.mox.example",
      "/mail/config-v1.1.xml?emailaddress=nobody@mox.example",
    );
    assert.equal(same.status, 200);
    assert.equal((await s.ask("autoconfig.other.example", "/mail/config-v1.1.xml")).status, 421);
    assert.equal(
      (await s.ask("autoconfig.mox.example", "/mail/config-v1.1.xml?emailaddress=x")).status,
      400,
    );
  });
});

Deno.test("MTA-STS: the policy of the domain, with names in ASCII; none where none is", async () => {
  await withSettings(async (s) => {
    const r = await s.ask("mta-sts.mox.example", "/.well-known/mta-sts.txt");
    assert.equal(r.status, 200);
    assert.match(String(r.headers["content-type"]), /^text\/plain/);
    assert.equal(
      r.text,
      "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mail.mox.example\nmx: *.xn--bch-hoa.example\n",
    );
    assert.equal((await s.ask("mta-sts.plain.example", "/.well-known/mta-sts.txt")).status, 404);
    assert.equal((await s.ask("mta-sts.mox.example", "/")).status, 404);
    assert.equal((await s.ask("mta-sts.other.example", "/.well-known/mta-sts.txt")).status, 421);
  });
});
