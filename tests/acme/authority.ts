/**
 * A small ACME authority (RFC 8555) that really checks: nonces, signatures, external account bindings,
 * proofs over HTTP and TLS (RFC 8737), certificate requests.
 */
import {
  createHash,
  createHmac,
  createPublicKey,
  randomBytes,
  verify,
  X509Certificate,
} from "node:crypto";
import { readDer, readDerList } from "../../src/net/der.ts";
import { TestCa } from "../support/test_ca.ts";

export interface AuthorityOptions {
  /** Where proofs are looked for, in place of ports 80 and 443 of the name. */
  host?: string;
  /** The same for each name. */
  hostOf?: (name: string) => string;
  /** Kinds of proofs that are offered; three if not given. */
  kindsFor?: (name: string) => string[];
  /** Speaks HTTPS, with a certificate of its own for this name. */
  name?: string;
  /** TXT records of a name; without it dns-01 is never right. */
  lookTxt?: (name: string) => Promise<string[]>;
  httpPort?: number;
  tlsPort?: number;
  /** Key of the external account binding that new accounts must have, in base64url. */
  bindingKey?: string;
  /** Days that certificates are good for. */
  days?: number;
}

interface Order {
  id: string;
  names: string[];
  status: string;
  authorizations: string[];
  certificate?: string;
}

interface Authz {
  id: string;
  name: string;
  status: string;
  token: string;
  error?: unknown;
}

const b64 = (b: Uint8Array | string) => Buffer.from(b as string).toString("base64url");
const parse = (text: string) => JSON.parse(Buffer.from(text, "base64url").toString());

export class TestAuthority {
  readonly ca = new TestCa();
  readonly options: AuthorityOptions;
  /** What was asked for, in order. */
  readonly requests: string[] = [];
  /** Kinds of the proofs that were right. */
  readonly proofs: string[] = [];
  readonly issued: string[] = [];
  /** Refuse so many requests that are signed with a bad nonce first. */
  badNonces = 0;
  /** Refuse new orders with "rateLimited" and this Retry-After, in seconds. */
  rateLimited: number | undefined;
  readonly #nonces = new Set<string>();
  readonly #accounts = new Map<string, Record<string, string>>();
  readonly #orders = new Map<string, Order>();
  readonly #authz = new Map<string, Authz>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(o: AuthorityOptions = {}) {
    this.options = o;
    const tls = o.name === undefined ? {} : this.ca.pair([o.name]);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls },
      (r) => this.#answer(r),
    );
  }

  get #base(): string {
    const { name } = this.options;
    const { port } = this.#server.addr;
    return name === undefined ? `http://127.0.0.1:${port}` : `https://${name}:${port}`;
  }
  #host(name: string): string {
    return this.options.hostOf?.(name) ?? this.options.host ?? "127.0.0.1";
  }
  get directory(): string {
    return `${this.#base}/directory`;
  }
  get accounts(): number {
    return this.#accounts.size;
  }
  stop(): Promise<void> {
    return this.#server.shutdown();
  }

  #reply(status: number, body: unknown, headers: Record<string, string> = {}): Response {
    const nonce = b64(randomBytes(12));
    this.#nonces.add(nonce);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return new Response(text, {
      status,
      headers: { "replay-nonce": nonce, "content-type": "application/json", ...headers },
    });
  }

  #problem(status: number, type: string, detail: string, headers = {}): Response {
    return this.#reply(status, { type: `urn:ietf:params:acme:error:${type}`, detail, status }, {
      "content-type": "application/problem+json",
      ...headers,
    });
  }

  async #answer(r: Request): Promise<Response> {
    const path = new URL(r.url).pathname;
    this.requests.push(path.split("/")[1]);
    if (path === "/directory") {
      const at = (p: string) => `${this.#base}/${p}`;
      return this.#reply(200, {
        newNonce: at("new-nonce"),
        newAccount: at("new-account"),
        newOrder: at("new-order"),
        revokeCert: at("revoke"),
        keyChange: at("key-change"),
        meta: {
          termsOfService: at("terms"),
          externalAccountRequired: this.options.bindingKey !== undefined,
        },
      });
    }
    if (path === "/new-nonce") return this.#reply(200, "");
    const { protected: head64, payload: body64, signature } = await r.json();
    const head = parse(head64);
    if (!this.#nonces.delete(head.nonce) || this.badNonces-- > 0) {
      return this.#problem(400, "badNonce", "nonce is not known");
    }
    this.badNonces = 0;
    if (head.url !== r.url) return this.#problem(403, "unauthorized", "url is another");
    const account = head.kid ? this.#accounts.get(head.kid) : undefined;
    const jwk = head.jwk ?? account;
    if (!jwk) return this.#problem(400, "accountDoesNotExist", "no such account");
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const signed = Buffer.from(`${head64}.${body64}`);
    const good = head.alg === "ES256" && verify(
      "sha256",
      signed,
      { key, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    if (!good) return this.#problem(403, "unauthorized", "signature is wrong");
    const body = body64 === "" ? undefined : parse(body64);
    return await this.#signed(path, body, jwk, r.url);
  }

  async #signed(
    path: string,
    // deno-lint-ignore no-explicit-any
    body: any,
    jwk: Record<string, string>,
    url: string,
  ): Promise<Response> {
    const [, what, id] = path.split("/");
    if (what === "new-account") return this.#newAccount(body, jwk, url);
    if (what === "account") return this.#reply(200, { status: "valid" });
    if (what === "new-order") return this.#newOrder(body);
    if (what === "authz") return this.#reply(200, this.#authzBody(this.#authz.get(id)!));
    if (what === "challenge") return await this.#challenge(id, path.split("/")[3], body, jwk);
    if (what === "order") return this.#reply(200, this.#orderBody(this.#orders.get(id)!));
    if (what === "finalize") return this.#finalize(this.#orders.get(id)!, body.csr);
    if (what === "cert") {
      return this.#reply(200, `${this.#orders.get(id)!.certificate}${this.ca.root}`, {
        "content-type": "application/pem-certificate-chain",
      });
    }
    return this.#problem(404, "malformed", path);
  }

  #newAccount(
    body: { externalAccountBinding?: Record<string, string>; termsOfServiceAgreed?: boolean },
    jwk: Record<string, string>,
    url: string,
  ): Response {
    const { bindingKey } = this.options;
    if (bindingKey !== undefined) {
      const b = body.externalAccountBinding;
      if (!b) return this.#problem(403, "externalAccountRequired", "bind the account");
      const mac = createHmac("sha256", Buffer.from(bindingKey, "base64url"))
        .update(`${b.protected}.${b.payload}`).digest("base64url");
      const head = parse(b.protected);
      if (mac !== b.signature || head.kid !== "key-1" || head.url !== url) {
        return this.#problem(403, "unauthorized", "binding is wrong");
      }
    }
    if (!body.termsOfServiceAgreed) return this.#problem(403, "userActionRequired", "agree");
    const kid = `${this.#base}/account/${thumbprint(jwk)}`;
    const there = this.#accounts.has(kid);
    this.#accounts.set(kid, jwk);
    return this.#reply(there ? 200 : 201, { status: "valid" }, { location: kid });
  }

  #newOrder(body: { identifiers: { value: string }[] }): Response {
    if (this.rateLimited !== undefined) {
      return this.#problem(429, "rateLimited", "too many orders", {
        "retry-after": String(this.rateLimited),
      });
    }
    const order: Order = {
      id: b64(randomBytes(6)),
      names: body.identifiers.map((i) => i.value),
      status: "pending",
      authorizations: [],
    };
    for (const name of order.names) {
      const a = { id: b64(randomBytes(6)), name, status: "pending", token: b64(randomBytes(16)) };
      this.#authz.set(a.id, a);
      order.authorizations.push(a.id);
    }
    this.#orders.set(order.id, order);
    return this.#reply(201, this.#orderBody(order), {
      location: `${this.#base}/order/${order.id}`,
    });
  }

  #orderBody(o: Order): unknown {
    const valid = o.authorizations.every((a) => this.#authz.get(a)!.status === "valid");
    if (o.status === "pending" && valid) o.status = "ready";
    return {
      status: o.status,
      identifiers: o.names.map((value) => ({ type: "dns", value })),
      authorizations: o.authorizations.map((a) => `${this.#base}/authz/${a}`),
      finalize: `${this.#base}/finalize/${o.id}`,
      certificate: o.certificate && `${this.#base}/cert/${o.id}`,
    };
  }

  #challengeBody(a: Authz, type: string): unknown {
    const url = `${this.#base}/challenge/${a.id}/${type}`;
    return { type, url, token: a.token, status: a.status, error: a.error };
  }

  #authzBody(a: Authz): unknown {
    return {
      status: a.status,
      identifier: { type: "dns", value: a.name },
      challenges: (this.options.kindsFor?.(a.name) ?? ["http-01", "tls-alpn-01", "dns-01"]).map((
        t,
      ) => this.#challengeBody(a, t)),
    };
  }

  async #challenge(
    id: string,
    type: string,
    body: unknown,
    jwk: Record<string, string>,
  ): Promise<Response> {
    const a = this.#authz.get(id)!;
    if (body !== undefined && a.status === "pending") {
      const expected = `${a.token}.${thumbprint(jwk)}`;
      const why = type === "http-01"
        ? await this.#lookHttp(a, expected)
        : type === "dns-01"
        ? await this.#lookDns(a, expected)
        : await this.#lookTls(a, expected);
      a.status = why === undefined ? "valid" : "invalid";
      if (why === undefined) this.proofs.push(type);
      else a.error = { type: "urn:ietf:params:acme:error:unauthorized", detail: why };
    }
    return this.#reply(200, this.#challengeBody(a, type));
  }

  async #lookDns(a: Authz, expected: string): Promise<string | undefined> {
    const found = await this.options.lookTxt?.(`_acme-challenge.${a.name}`) ?? [];
    const right = createHash("sha256").update(expected).digest("base64url");
    return found.includes(right) ? undefined : `found ${found.join(", ")}`;
  }

  async #lookHttp(a: Authz, expected: string): Promise<string | undefined> {
    try {
      const path = `/.well-known/acme-challenge/${a.token}`;
      const r = await fetch(`http://${this.#host(a.name)}:${this.options.httpPort}${path}`, {
        headers: { host: a.name },
        redirect: "manual",
      });
      const text = await r.text();
      return r.status === 200 && text === expected ? undefined : `got ${r.status} ${text}`;
    } catch (err) {
      return (err as Error).message;
    }
  }

  /** With OpenSSL, through Python: the runtime's own TLS refuses such certificates on both sides. */
  async #lookTls(a: Authz, expected: string): Promise<string | undefined> {
    const script = `
import socket, ssl, sys
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
c.check_hostname = False
c.verify_mode = ssl.CERT_NONE
c.set_alpn_protocols(["acme-tls/1"])
with c.wrap_socket(socket.create_connection(("${this.#host(a.name)}", ${this.options.tlsPort}), 5),
                   server_hostname="${a.name}") as s:
    print(s.selected_alpn_protocol(), s.getpeercert(True).hex())
`;
    const r = await new Deno.Command("python3", {
      args: ["-c", script],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder();
    if (!r.success) return text.decode(r.stderr).trim().split("\n").at(-1);
    const [protocol, hex] = text.decode(r.stdout).trim().split(" ");
    const hash = createHash("sha256").update(expected).digest("hex");
    // id-pe-acmeIdentifier, critical, an OCTET STRING with the hash in it.
    const right = hex.includes(`06082b0601050507011f0101ff04220420${hash}`);
    const { subjectAltName } = new X509Certificate(Buffer.from(hex, "hex"));
    if (protocol !== "acme-tls/1") return `protocol ${protocol}`;
    if (subjectAltName !== `DNS:${a.name}`) return `certificate for ${subjectAltName}`;
    return right ? undefined : "no or wrong acmeIdentifier";
  }

  #finalize(o: Order, csr64: string): Response {
    if (o.status !== "ready") this.#orderBody(o);
    if (o.status !== "ready") return this.#problem(403, "orderNotReady", o.status);
    const csr = Uint8Array.from(Buffer.from(csr64, "base64url"));
    const [info] = readDerList(readDer(csr)!.content)!;
    // version, subject, subjectPKInfo, attributes
    const content = info.content;
    let at = 0;
    const parts: Uint8Array[] = [];
    while (at < content.length) {
      const e = readDer(content, at)!;
      const end = e.content.byteOffset - content.byteOffset + e.content.length;
      parts.push(content.subarray(at, end));
      at = end;
    }
    const text = Buffer.from(csr).toString("latin1");
    if (!o.names.every((n) => text.includes(n))) {
      return this.#problem(400, "badCSR", "names differ from the order's");
    }
    o.certificate = this.ca.issue(Uint8Array.from(parts[2]), o.names, this.options.days);
    o.status = "valid";
    this.issued.push(...o.names);
    return this.#reply(200, this.#orderBody(o), { location: `${this.#base}/order/${o.id}` });
  }
}

/** RFC 7638. */
function thumbprint(jwk: Record<string, string>): string {
  const text = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y });
  return createHash("sha256").update(text).digest("base64url");
}
