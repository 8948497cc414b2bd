/** A web server on loopback for a configuration, asked with any Host. */
import { request } from "node:http";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { Config } from "../../src/config/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { routeServices, serveHttp, type WebService } from "../../src/web/http/mod.ts";

const staticConfig = `DataDir: ../data
LogLevel: info
Hostname: mail.mox.example
Listeners:
	public:
		IPs:
			- 127.0.0.1
		SMTP:
			Enabled: true
			NoSTARTTLS: true
		Submission:
			Enabled: true
			NoRequireSTARTTLS: true
		IMAP:
			Enabled: true
			NoRequireSTARTTLS: true
		POP3:
			Enabled: true
			NoRequireSTARTTLS: true
		ManageSieve:
			Enabled: true
			NoRequireSTARTTLS: true
		MTASTSHTTPS:
			Enabled: true
			NonTLS: true
		WebserverHTTP:
			Enabled: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
`;

const accounts = `Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`;

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Site {
  config: Config;
  dir: string;
  port: number;
  ask(
    host: string,
    path: string,
    options?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
  /** Sends bytes and gives what comes back until `until` is in it or the end. */
  raw(text: string, until?: string): Promise<string>;
}

/** `domains` is the text of domains.conf's Domains, `rest` what comes after the accounts. */
export async function withSite(
  o: { domains: string; rest?: string; files?: Record<string, string> },
  services: (config: Config) => WebService[],
  fn: (site: Site) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  await Deno.mkdir(`${dir}/config`);
  for (const [name, text] of Object.entries(o.files ?? {})) {
    const path = `${dir}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  await Deno.writeTextFile(`${dir}/config/mox.conf`, staticConfig);
  const rest = (o.rest ?? "").replaceAll("$DIR", dir);
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    `Domains:\n${o.domains}${accounts}${rest}`,
  );
  const config = await Config.load(`${dir}/config/mox.conf`);
  const server = await serveHttp(
    { hostname: "127.0.0.1", port: 0, log: new Log("httptest") },
    routeServices(services(config)),
  );
  const { port } = server;
  try {
    await fn({
      config,
      dir,
      port,
      ask: (host, path, options = {}) =>
        new Promise((resolve, reject) => {
          const req = request({
            host: "127.0.0.1",
            port,
            path,
            method: options.method ?? "GET",
            headers: { Host: host, ...options.headers },
            agent: false,
          }, (res) => {
            const chunks: Uint8Array[] = [];
            res.on("data", (d) => chunks.push(d));
            res.on("end", () =>
              resolve({
                status: res.statusCode!,
                headers: res.headers,
                text: new TextDecoder().decode(Buffer.concat(chunks)),
              }));
            res.on("error", reject);
          });
          req.on("error", reject);
          req.end(options.body);
        }),
      raw: (text, until) =>
        new Promise((resolve, reject) => {
          const socket = connect(port, "127.0.0.1", () => socket.write(text));
          let got = "";
          socket.on("data", (d) => {
            got += d.toString("latin1");
            if (until !== undefined && got.includes(until)) socket.destroy();
          });
          socket.on("close", () => resolve(got));
          socket.on("error", reject);
        }),
    });
  } finally {
    await server.shutdown(1000);
    await Deno.remove(dir, { recursive: true });
  }
}
