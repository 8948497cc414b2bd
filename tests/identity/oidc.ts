/** An OpenID provider for tests: npm's oidc-provider, whose users log in as the test says, without forms. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

/** What mail programs ask for with their tokens. */
export const resource = "https://mail.example/";
export const clientSecret = "a secret of the client";

export interface TestProvider extends AsyncDisposable {
  issuer: string;
  /** Who logs in from now on, by an id; "" refuses. */
  who: string;
  /** What is said of each. */
  people: Map<string, Record<string, unknown>>;
  /** Requests by path, as they came. */
  asked: string[];
  /** Answers in place of the provider, by path. */
  instead: Map<string, (path: string) => { status: number; body: string } | undefined>;
  /** New keys from now on. */
  rotate(): void;
  close(): Promise<void>;
}

const newKey = (kid: string) => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid,
  use: "sig",
  alg: "RS256",
});

/** @param redirects where the pages are called back */
export async function startProvider(redirects: string[]): Promise<TestProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const people: TestProvider["people"] = new Map();
  const client = (id: string, more: Record<string, unknown>) => ({
    client_id: id,
    client_secret: clientSecret,
    grant_types: ["authorization_code"],
    response_types: ["code" as const],
    redirect_uris: redirects,
    ...more,
  });
  const make = (kid: string) =>
    new Provider(issuer, {
      clients: [client("mox", {}), client("program", {}), client("other", {})],
      jwks: { keys: [newKey(kid)] },
      cookies: { keys: ["of the test"] },
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      // As many do: what was asked for is in the ID token.
      conformIdTokenClaims: false,
      findAccount: (_ctx: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, ...people.get(id) }),
      }),
      interactions: { url: (_c: unknown, i: { uid: string }) => `/interaction/${i.uid}` },
      features: {
        devInteractions: { enabled: false },
        introspection: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => undefined,
          useGrantedResource: () => true,
          getResourceServerInfo: (_ctx: unknown, r: string) => ({
            scope: "mail",
            audience: r,
            accessTokenFormat: "jwt" as const,
            accessTokenTTL: 3600,
          }),
        },
      },
      extraTokenClaims: (_ctx: unknown, token: { accountId?: string }) =>
        people.get(token.accountId ?? ""),
      // deno-lint-ignore no-explicit-any
      loadExistingGrant: async (ctx: any) => {
        const { provider, client, session } = ctx.oidc;
        const grant = new provider.Grant({
          clientId: client.clientId,
          accountId: session.accountId,
        });
        grant.addOIDCScope("openid email profile");
        grant.addResourceScope(resource, "mail");
        await grant.save();
        return grant;
      },
      // deno-lint-ignore no-explicit-any
    } as any);
  let provider = make("first");
  let handle = provider.callback();
  const it: TestProvider = {
    issuer,
    who: "",
    people,
    asked: [],
    instead: new Map(),
    rotate() {
      provider = make("second");
      handle = provider.callback();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    [Symbol.asyncDispose]: () => it.close(),
  };
  server.on("request", async (req, res) => {
    const path = req.url!.split("?")[0];
    it.asked.push(path);
    const other = it.instead.get(path)?.(path);
    if (other !== undefined) {
      res.writeHead(other.status, { "content-type": "application/json" }).end(other.body);
      return;
    }
    if (!path.startsWith("/interaction/")) return void handle(req, res);
    await provider.interactionFinished(
      req,
      res,
      it.who === "" ? { error: "access_denied" } : { login: { accountId: it.who } },
      { mergeWithLastSubmission: false },
    );
  });
  return it;
}

/** A browser as far as redirects and cookies go. */
export class Visitor {
  /** By host and name. */
  readonly cookies = new Map<string, string>();

  async get(url: URL, headers: Record<string, string> = {}): Promise<Response> {
    const mine = [...this.cookies].filter(([k]) => k.startsWith(`${url.host} `))
      .map(([k, value]) => `${k.slice(url.host.length + 1)}=${value}`);
    const r = await fetch(url, {
      redirect: "manual",
      headers: { cookie: mine.join("; "), ...headers },
    });
    for (const c of r.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(c)!;
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(c)) this.cookies.delete(`${url.host} ${name}`);
      else this.cookies.set(`${url.host} ${name}`, value);
    }
    return r;
  }

  /** Follows redirects. @param until stops before a URL of which it is true */
  async visit(
    start: string,
    until?: (url: URL) => boolean,
  ): Promise<{ url: URL; response: Response }> {
    let url = new URL(start);
    for (let i = 0; i < 20; i++) {
      if (until?.(url)) return { url, response: new Response() };
      const response = await this.get(url);
      const to = response.headers.get("location");
      if (to === null) return { url, response };
      await response.body?.cancel();
      url = new URL(to, url);
    }
    throw new Error("too many redirects");
  }
}

/** An access token as a mail program gets it; opaque without a resource. */
export async function accessToken(
  p: TestProvider,
  who: string,
  o: { client?: string; resource?: string; scope?: string; redirect: string; id?: boolean },
): Promise<string> {
  p.who = who;
  const client = o.client ?? "program";
  const verifier = "v".repeat(64);
  const challenge = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)),
  ).toBase64({ alphabet: "base64url", omitPadding: true });
  const query = new URLSearchParams({
    client_id: client,
    response_type: "code",
    redirect_uri: o.redirect,
    scope: o.scope ?? "openid email mail",
    code_challenge: challenge,
    code_challenge_method: "S256",
    nonce: "n",
    ...(o.resource === undefined ? {} : { resource: o.resource }),
  });
  const { url } = await new Visitor().visit(
    `${p.issuer}/auth?${query}`,
    (u) => u.href.startsWith(o.redirect),
  );
  const code = url.searchParams.get("code");
  if (code === null) throw new Error(url.href);
  const r = await fetch(`${p.issuer}/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${client}:${encodeURIComponent(clientSecret)}`)}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: o.redirect,
      code_verifier: verifier,
      ...(o.resource === undefined ? {} : { resource: o.resource }),
    }),
  });
  const body = await r.json();
  if (!r.ok) throw new Error(JSON.stringify(body));
  return o.id ? body.id_token : body.access_token;
}
