/** Ports: each service of a listener is seen where two would be on one port, and transports have their usual ones. */
import assert from "node:assert/strict";
import { readStatic } from "../../src/config/mod.ts";
import { portUses } from "../../src/config/static/check_static.ts";
import { type HostTransport, transportPort } from "../../src/config/static/transport.ts";
import { smallStatic, staticOf } from "./fixtures.ts";

const withoutTLS = smallStatic.replace(/\t\tTLS:\n(?:\t\t\t.*\n){4}/, "");
const said = (text: string) => readStatic(text).problems.map((p) => `${p.line}: ${p.message}`);
const lineOf = (text: string, part: string) => text.slice(0, text.indexOf(part)).split("\n").length;

Deno.test("each service that has a port is among the uses of its listener", () => {
  const listener = staticOf(smallStatic).Listeners.get("public")!;
  const services = Object.entries(listener).flatMap(([name, s]) =>
    // Nothing is served for PprofHTTP: that field is only read.
    typeof s === "object" && "Port" in s && name !== "PprofHTTP" ? [{ name, s }] : []
  );
  assert.ok(services.length >= 28, `${services.length} services`);
  for (const { name } of services) {
    const alone = { ...listener };
    for (const { name: other, s } of services) {
      Object.assign(alone, { [other]: { ...s, Enabled: other === name, Port: 1234 } });
    }
    const uses = portUses(alone);
    assert.deepEqual([...uses.keys()], [1234], name);
    assert.deepEqual(uses.get(1234)!.map((u) => u.service), [name]);
    const usual = /HTTPS?$/.exec(name)?.[0] ?? name;
    assert.equal(uses.get(1234)![0].protocol.toLowerCase(), usual.toLowerCase(), name);
  }
});

Deno.test("autoconfiguration and MTA-STS without TLS share a port with HTTP, not with HTTPS", () => {
  const listener = staticOf(smallStatic).Listeners.get("public")!;
  for (const name of ["AutoconfigHTTPS", "MTASTSHTTPS"] as const) {
    for (const NonTLS of [false, true]) {
      const uses = portUses({
        ...listener,
        [name]: { ...listener[name], Enabled: true, Port: 81, NonTLS },
      }).get(81)!;
      assert.equal(uses[0].protocol, NonTLS ? "HTTP" : "HTTPS", `${name} ${NonTLS}`);
    }
  }
});

Deno.test("mail services on the port of HTTPS need TLS: the error stands at the line that asks for it", () => {
  for (const name of ["Submissions", "IMAPS"]) {
    const text = withoutTLS.replace(
      /\t\tSMTP:\n(?:.*\n)*?(?=Postmaster)/,
      `\t\t${name}:\n\t\t\tEnabledOnHTTPS: true\n`,
    );
    const line = lineOf(text, "EnabledOnHTTPS");
    assert.ok(
      said(text).includes(`${line}: needs TLS, which is missing in the listener`),
      `${name}: ${said(text)}`,
    );
  }
});

Deno.test("URL of a directory: a host and perhaps a port, nothing else", () => {
  const table: [url: string, problem: string][] = [
    ["ldap://ldap.example", ""],
    ["ldaps://ldap.example:1636", ""],
    ["ldaps://ldap.example/", ""],
    ["ldap://[2001:db8::1]:389", ""],
    ["ldap://", "is not of the form"],
    ["ldap.example", "is not of the form"],
    ["xldap://ldap.example", "is not of the form"],
    ["ldapss://ldap.example", "is not of the form"],
    ["ldap://ldap.example/dc=example", "has more than"],
    ["ldap://ldap.example/?mail", "has more than"],
    ["ldap://user@ldap.example", "has more than"],
    ["ldap://user:secret@ldap.example/", "has more than"],
  ];
  for (const [url, problem] of table) {
    const text = smallStatic.replace(
      "Transports:\n",
      `LDAPDirectories:\n\tstaff:\n\t\tURL: ${url}\n\t\tBaseDN: dc=example\nTransports:\n`,
    );
    const problems = said(text);
    if (problem === "") assert.deepEqual(problems, [], url);
    else assert.ok(problems.length === 1 && problems[0].includes(problem), `${url}: ${problems}`);
  }
});

Deno.test("usual ports of transports, unless another is given", () => {
  const usual: Record<HostTransport, number> = {
    Submissions: 465,
    Submission: 587,
    SMTP: 25,
    LMTP: 24,
  };
  const transport = staticOf(smallStatic).Transports.get("relay")!.Submission!;
  for (const [kind, port] of Object.entries(usual) as [HostTransport, number][]) {
    assert.equal(transportPort(kind, { ...transport, Port: 0 }), port);
    assert.equal(transportPort(kind, { ...transport, Port: 2525 }), 2525);
  }
});
