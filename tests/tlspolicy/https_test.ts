/** Policies of MTA-STS over real HTTPS: certificates of the policy host, redirects, sizes, addresses. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import { hostAddresses, scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { Authorities, type KeyCert, Outbound } from "../../src/net/mod.ts";
import { Policies } from "../../src/tlspolicy/mod.ts";
import { outboundFetch } from "../../src/tlspolicy/sts_https.ts";
import { TestCa } from "../support/test_ca.ts";

setLevel("mtasts", "error");

const ca = new TestCa();
const name = "mta-sts.to.example";
const good = ca.pair([name]);
const text = "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n";
const plain = { "Content-Type": "text/plain; charset=utf-8" };

interface Case {
  name: string;
  certificate?: KeyCert;
  answer?: (res: ServerResponse, path: string) => void;
  zone?: Zone;
  /** Mode of the policy, or the failure. */
  got: string;
}

const cases: Case[] = [
  { name: "as it should be", got: "enforce" },
  { name: "a certificate for a wildcard", certificate: ca.pair(["*.to.example"]), got: "enforce" },
  {
    name: "a certificate that has expired",
    certificate: ca.pair([name], -1),
    got: "sts-webpki-invalid CERT_HAS_EXPIRED",
  },
  {
    name: "a certificate for the domain only",
    certificate: ca.pair(["to.example"]),
    got: "sts-webpki-invalid ERR_TLS_CERT_ALTNAME_INVALID",
  },
  {
    name: "a certificate of an unknown authority",
    certificate: new TestCa("Unknown").pair([name]),
    got: "sts-webpki-invalid UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  },
  {
    name: "a redirect, even to itself",
    answer(res, path) {
      if (path === "/other") res.writeHead(200, plain).end(text);
      else res.writeHead(301, { Location: `https://${name}/other` }).end();
    },
    got: "sts-policy-fetch-error",
  },
  {
    name: "an endless document",
    answer(res) {
      res.writeHead(200, plain);
      const more = () => {
        while (!res.destroyed && res.write("x: y\n".repeat(1000)));
      };
      res.on("drain", more);
      more();
    },
    got: "sts-policy-invalid",
  },
  {
    name: "another type",
    answer: (res) => void res.writeHead(200, { "Content-Type": "text/html" }).end(text),
    got: "sts-policy-invalid",
  },
  {
    name: "a connection that ends in the middle",
    answer(res) {
      res.writeHead(200, { ...plain, "Content-Length": "1000" });
      res.write(text, () => res.destroy());
    },
    got: "sts-policy-fetch-error",
  },
  {
    name: "the first address is dead",
    zone: { [name]: { A: ["127.7.9.9", "127.7.9.1"] } },
    got: "enforce",
  },
  {
    name: "no address",
    zone: { [name]: { TXT: ["none"] } },
    got: "sts-policy-fetch-error",
  },
];

for (const c of cases) {
  Deno.test(`policy host: ${c.name}: ${c.got}`, async () => {
    const dir = await Deno.makeTempDir();
    const { key, cert } = c.certificate ?? good;
    const server = createServer({ key, cert }, (req, res) => {
      assert.equal(req.headers.host?.split(":")[0], name);
      if (c.answer) c.answer(res, req.url!);
      else res.writeHead(200, plain).end(text);
    });
    // Clients that refuse the certificate or the size go in the middle.
    server.on("tlsClientError", () => {});
    server.on("clientError", () => {});
    await new Promise<void>((resolve) => server.listen(0, "127.7.9.1", resolve));
    const { port } = server.address() as { port: number };
    const resolver = scriptedResolver({
      "_mta-sts.to.example": { TXT: ["v=STSv1; id=1"] },
      [name]: { A: ["127.7.9.1"] },
      ...c.zone,
    });
    const fetch = outboundFetch(
      new Outbound({
        authorities: Authorities.of(ca.root),
        lookup: hostAddresses(resolver),
      }),
    );
    const policies = await Policies.open({
      dataDir: dir,
      resolver,
      log: new Log("mtasts"),
      fetch: (url, init) => fetch(url.replace(`${name}/`, `${name}:${port}/`), init),
    });
    try {
      const p = await policies.policyFor("to.example", new AbortController().signal);
      const got = p.failure ? `${p.failure.resultType} ${p.failure.reasonCode}` : p.mode;
      assert.ok(got.startsWith(c.got), got);
    } finally {
      await policies.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Deno.remove(dir, { recursive: true });
    }
  });
}
