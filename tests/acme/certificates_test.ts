import assert from "node:assert/strict";
import { connect, type PeerCertificate } from "node:tls";
import { join } from "node:path";
import {
  Authority,
  CertificateFiles,
  Certificates,
  type CertificatesOptions,
  Proofs,
} from "../../src/acme/mod.ts";
import { renewAt, waitAfter } from "../../src/acme/schedule.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { type KeyCert, serveTcp } from "../../src/net/mod.ts";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { lacks } from "../support/programs.ts";
import { outboundTo } from "../support/outbound.ts";
import { type AuthorityOptions, TestAuthority } from "./authority.ts";

setLevel("acme", "error");
const log = new Log("acme");
const name = "mail.mox.example";

interface World {
  authority: TestAuthority;
  proofs: Proofs;
  tlsPort: number;
  dir: string;
  /** What the TLS port shows; set by `open`. */
  make(o?: Partial<CertificatesOptions> & { bindingKey?: string }): Certificates;
}

/** An authority, and a server whose ports it looks at. */
async function withWorld(
  o: AuthorityOptions & { noTls?: boolean },
  fn: (w: World) => Promise<void>,
): Promise<void> {
  const proofs = new Proofs();
  const dir = await Deno.makeTempDir();
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (r) => proofs.answerHttp(new URL(r.url).pathname),
  );
  const other = await selfSignedCertificate({ names: ["other.example"] });
  let current: Certificates | undefined;
  const tls = await serveTcp({
    hostname: "127.0.0.1",
    port: 0,
    log,
    protocol: "imaps",
    pkg: "imapserver",
    tls: {
      certificateFor: (asked): KeyCert => current?.certificateFor(asked ?? name) ?? other,
      proof: {
        get pending() {
          return proofs.pendingTls;
        },
        certificateFor: (asked) => proofs.certificateFor(asked),
      },
    },
  }, async (conn) => {
    conn.write("hello\r\n");
    await conn.flush();
  });
  const authority = new TestAuthority({
    httpPort: http.addr.port,
    tlsPort: o.noTls ? 1 : tls.port,
    ...o,
  });
  const made: Certificates[] = [];
  try {
    await fn({
      authority,
      proofs,
      tlsPort: tls.port,
      dir,
      make(options = {}) {
        const files = new CertificateFiles(join(dir, "acme"));
        const config = {
          DirectoryURL: authority.directory,
          RenewBefore: 30 * 86_400_000,
          ContactEmail: "postmaster@mox.example",
          Port: 443,
          IssuerDomainName: "",
          ExternalAccountBinding: options.bindingKey ? { KeyID: "key-1", KeyFile: "-" } : null,
        } as unknown as ConstructorParameters<typeof Authority>[0]["config"];
        current = new Certificates({
          authority: new Authority({
            config,
            files,
            proofs,
            outbound: outboundTo(),
            bindingKey: options.bindingKey,
            patience: { least: 20, most: 50, looks: 20 },
          }),
          files,
          renewBefore: config.RenewBefore,
          // Where there is no client to look at the proof in TLS, the one over HTTP comes first.
          proofs: lacks("python3") ? ["http-01"] : ["tls-alpn-01", "http-01"],
          keyFor: () => undefined,
          log,
          ...options,
        });
        made.push(current);
        return current;
      },
    });
  } finally {
    for (const c of made) {
      c.stop();
      await c.idle();
    }
    await authority.stop();
    await http.shutdown();
    await tls.shutdown(500);
    await Deno.remove(dir, { recursive: true });
  }
}

/** Waits for the tries that are due. */
async function settled(c: Certificates, want: (s: ReturnType<typeof c.states>[0]) => boolean) {
  for (let i = 0; i < 500; i++) {
    await c.idle();
    const [s] = c.states();
    if (want(s)) return s;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`still ${JSON.stringify(c.states())}`);
}

function peerCertificate(port: number, ca?: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port, servername: name, ca, rejectUnauthorized: ca !== undefined },
      () => {
        resolve(socket.getPeerCertificate());
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}

Deno.test({
  name: "a certificate is got by a proof in the TLS handshake, and used from then on",
  ignore: lacks("python3"),
  fn: () =>
    withWorld({}, async (w) => {
      const before = await peerCertificate(w.tlsPort);
      assert.equal(before.subjectaltname, "DNS:other.example");
      const c = w.make();
      await c.setNames([name]);
      const s = await settled(c, (s) => s.notAfter !== undefined);
      assert.deepEqual([s.failures, s.error], [0, undefined]);
      assert.deepEqual(w.authority.proofs, ["tls-alpn-01"]);
      // Verified against the authority's root.
      const after = await peerCertificate(w.tlsPort, w.authority.ca.root);
      assert.equal(after.subjectaltname, `DNS:${name}`);
      const days = (s.next - Date.now()) / 86_400_000;
      assert.ok(days > 50 && days <= 60, `renewed in ${days} days`);
      const file = join(w.dir, "acme", "certificates", `${name}.pem`);
      if (Deno.build.os !== "windows") assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    }),
});

Deno.test("while a proof is pending, other clients get the usual certificate", () =>
  withWorld({}, async (w) => {
    w.proofs.addTls(name, await selfSignedCertificate({ names: ["proof.example"] }));
    assert.equal((await peerCertificate(w.tlsPort)).subjectaltname, "DNS:other.example");
    w.proofs.removeTls(name);
  }));

Deno.test({
  name: "if the TLS port can't be reached, the next try proves by HTTP",
  ignore: lacks("python3"),
  fn: () =>
    withWorld({ noTls: true }, async (w) => {
      const c = w.make();
      await c.setNames([name]);
      const failed = await settled(c, (s) => s.failures === 1);
      assert.ok(failed.error !== undefined && failed.next > Date.now() + 240_000);
      c.retry(name);
      await settled(c, (s) => s.notAfter !== undefined);
      assert.deepEqual(w.authority.proofs, ["http-01"]);
    }),
});

Deno.test("a certificate on disk is used again, and renewed with a new key when its time has come", () =>
  withWorld({ days: 6 }, async (w) => {
    let now = Date.now();
    const first = w.make({ now: () => now });
    await first.setNames([name]);
    await settled(first, (s) => s.notAfter !== undefined);
    first.stop();
    const pair = first.certificateFor(name)!;

    const c = w.make({ now: () => now });
    await c.setNames([name]);
    assert.deepEqual(c.certificateFor(name), pair);
    await c.idle();
    assert.equal(w.authority.issued.length, 1);

    // Of a short-lived certificate a third has to be over.
    now += 3 * 86_400_000;
    await c.setNames([name]);
    await settled(c, () => w.authority.issued.length === 2);
    assert.notEqual(c.certificateFor(name)!.key, pair.key);
    assert.equal(w.authority.accounts, 1);

    now += 10 * 86_400_000;
    assert.equal(c.certificateFor(name), undefined, "an expired certificate is not shown");
  }));

Deno.test("a key of the configuration is kept over renewals, for DANE", () =>
  withWorld({}, async (w) => {
    const { key } = await selfSignedCertificate({ names: [name] });
    const c = w.make({ keyFor: () => key });
    await c.setNames([name]);
    await settled(c, (s) => s.notAfter !== undefined);
    assert.equal(c.certificateFor(name)!.key.trim(), key.trim());
    c.stop();
    const { key: another } = await selfSignedCertificate({ names: [name] });
    const later = w.make({ keyFor: () => another });
    await later.setNames([name]);
    await settled(later, () => w.authority.issued.length === 2);
    assert.equal(later.certificateFor(name)!.key.trim(), another.trim());
  }));

Deno.test("an account is bound with the configured key, and a wrong one is told", async () => {
  const bindingKey = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
  await withWorld({ bindingKey }, async (w) => {
    const wrong = w.make({ bindingKey: "YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlcg" });
    await wrong.setNames([name]);
    const s = await settled(wrong, (s) => s.failures === 1);
    assert.match(s.error!, /binding is wrong/);
    wrong.stop();
    const right = w.make({ bindingKey });
    await right.setNames([name]);
    await settled(right, (s) => s.notAfter !== undefined);
  });
});

Deno.test("a bad nonce is tried again at once", () =>
  withWorld({}, async (w) => {
    w.authority.badNonces = 2;
    const c = w.make();
    await c.setNames([name]);
    const s = await settled(c, (s) => s.notAfter !== undefined || s.failures > 0);
    assert.equal(s.failures, 0, s.error);
  }));

Deno.test("an authority's rate limit is waited out; a name not in DNS isn't asked for", () =>
  withWorld({}, async (w) => {
    w.authority.rateLimited = 36_000;
    const c = w.make();
    await c.setNames([name]);
    const s = await settled(c, (s) => s.failures === 1);
    assert.match(s.error!, /too many orders/);
    assert.ok(s.next > Date.now() + 35_000_000, new Date(s.next).toISOString());
    c.stop();

    const asked = w.authority.requests.length;
    const hindered = w.make({ hindrance: (n) => Promise.resolve(`${n} has no address`) });
    await hindered.setNames([name]);
    const t = await settled(hindered, (s) => s.failures === 1);
    assert.equal(t.error, `${name} has no address`);
    assert.equal(w.authority.requests.length, asked);
  }));

Deno.test("one name that can't be had stops no other", () =>
  withWorld({}, async (w) => {
    const c = w.make({
      hindrance: (n) => Promise.resolve(n.startsWith("bad") ? "not in DNS" : undefined),
    });
    await c.setNames(["bad.mox.example", name]);
    for (let i = 0; !c.certificateFor(name) && i < 500; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(c.certificateFor(name));
    assert.equal(c.states().find((s) => s.name === "bad.mox.example")?.failures, 1);
  }));

Deno.test("renewals come between a third and five sixths of a certificate's life", () => {
  const day = 86_400_000;
  assert.equal(renewAt(0, 90 * day, 30 * day, 0), 60 * day);
  assert.equal(renewAt(0, 6 * day, 30 * day, 0), 2 * day);
  assert.equal(renewAt(0, 90 * day, 0, 0), 75 * day);
  assert.equal(renewAt(0, 90 * day, 30 * day, 0.5), 60 * day - 90 * day / 40);
  assert.equal(waitAfter(1, 0, 0.5), 5 * 60_000);
  assert.equal(waitAfter(100, 0, 0.5), 8 * 3_600_000);
  assert.equal(waitAfter(1, 7_200_000, 0), 7_200_000);
});
