/** A whole mail server with the web API on loopback, and a host that takes its mail. */
import { Config } from "../../../src/config/mod.ts";
import { scriptedResolver } from "../../../src/dns/mod.ts";
import { setLevel } from "../../../src/log/mod.ts";
import { setAccountPassword } from "../../../src/serve/logins.ts";
import { MailServer } from "../../../src/serve/server.ts";
import { opportunistic } from "../../../src/tlspolicy/mod.ts";
import { freePorts } from "../../serve/instance.ts";
import { type FakeHost, fakeHost } from "../../smtp/fake_host.ts";

for (
  const pkg of [
    "serve",
    "queue",
    "smtpclient",
    "control",
    "webapi",
    "http",
    "webhook",
    "smtpserver",
    "submission",
  ]
) {
  setLevel(pkg, "error");
}

export const password = "correct horse";

export interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any -- tests look into answers freely
  json: any;
  text: string;
  headers: Headers;
}

export interface World {
  server: MailServer;
  host: FakeHost;
  base: string;
  smtpPort: number;
  dir: string;
  call(
    method: string,
    request: unknown,
    o?: { login?: string; password?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** Sends a request as it is. */
  raw(method: string, init: RequestInit): Promise<Answer>;
  restart(): Promise<void>;
}

export const basic = (login: string, secret: string) =>
  `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${login}:${secret}`)))}`;

async function answerOf(r: Response): Promise<Answer> {
  const text = await r.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: r.status, json, text, headers: r.headers };
}

/** @param account further lines of the account "ann" */
export async function withApi(
  fn: (w: World) => Promise<void>,
  o: { account?: string; domain?: string; loginClock?: () => number } = {},
): Promise<void> {
  const dir = await Deno.makeTempDir();
  await using host = await fakeHost({ extensions: ["8BITMIME", "PIPELINING", "SMTPUTF8"] });
  const [port, smtpPort] = await freePorts(2);
  await Deno.writeTextFile(
    `${dir}/mox.conf`,
    `DataDir: data\nLogLevel: error\nHostname: mail.mox.example\nAllowedUserNetworks:\n\t- 127.0.0.1\nListeners:\n\tweb:\n\t\tIPs:\n` +
      `\t\t\t- 127.0.0.1\n\t\tSMTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${smtpPort}\n\t\t\tNoSTARTTLS: true\n` +
      `\t\t\tFirstTimeSenderDelay: 0s\n` +
      `\t\tWebAPIHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${port}\n` +
      `\t\tAccountHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${port}\n` +
      `Postmaster:\n\tAccount: ann\n\tMailbox: Postmaster\n`,
  );
  await Deno.writeTextFile(
    `${dir}/domains.conf`,
    `Domains:\n\tmox.example:${o.domain ? `\n${o.domain}` : " nil\n"}Accounts:\n\tann:\n` +
      `\t\tDomain: mox.example\n\t\tFullName: Ann\n${o.account ?? ""}` +
      `\t\tDestinations:\n\t\t\tann@mox.example: nil\n`,
  );
  const resolver = scriptedResolver({
    "to.example": { MX: ["10 to.example"], A: ["127.0.0.1"], authenticated: true },
  });
  const start = async () =>
    await MailServer.start({
      config: await Config.load(`${dir}/mox.conf`),
      local: false,
      outgoing: { resolver, port: host.port, tlsPolicy: opportunistic },
      receiving: { resolver },
      prepare: (accounts) => setAccountPassword(accounts, "ann", password),
      loginClock: o.loginClock,
    });
  const base = `http://127.0.0.1:${port}/webapi/v0/`;
  const raw = async (method: string, init: RequestInit) =>
    await answerOf(await fetch(base + method, { redirect: "manual", ...init }));
  const w: World = {
    server: await start(),
    host,
    base,
    smtpPort,
    dir,
    raw,
    call: (method, request, c = {}) =>
      raw(method, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Authorization: basic(c.login ?? "ann@mox.example", c.password ?? password),
          ...c.headers,
        },
        body: JSON.stringify(request),
      }),
    async restart() {
      await w.server.stop();
      w.server = await start();
    },
  };
  try {
    await fn(w);
  } finally {
    await w.server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}
