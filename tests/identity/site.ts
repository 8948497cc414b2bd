/** A server, as it is shipped, whose users are known elsewhere. */
import { freePorts, type RunningServer, startServe } from "../serve/instance.ts";
import { moxIn } from "../serve/instance.ts";
import { isRoot } from "../../src/platform/users.ts";

export interface IdentitySite {
  dir: string;
  ports: { http: number; imap: number; submission: number };
  origin: string;
  server: RunningServer;
  mox(args: string[], stdin?: string): Promise<{ code: number; stdout: string; stderr: string }>;
}

export interface IdentitySiteOptions {
  /** Of mox.conf. */
  extra: (dir: string) => string;
  /** Domains and Accounts of domains.conf. */
  domains: string;
  /** Files of the folder config. */
  files?: Record<string, string>;
  ports: IdentitySite["ports"];
}

export async function identityPorts(): Promise<IdentitySite["ports"]> {
  const [http, imap, submission] = await freePorts(3);
  return { http, imap, submission };
}

/** Runs it, and takes all of it away afterwards. */
export async function withIdentitySite(
  o: IdentitySiteOptions,
  fn: (s: IdentitySite) => Promise<void>,
): Promise<void> {
  const { ports } = o;
  const dir = await Deno.makeTempDir({ prefix: "mox-identity-" });
  await Deno.chmod(dir, 0o755);
  await Deno.mkdir(`${dir}/config`);
  for (const [name, text] of Object.entries(o.files ?? {})) {
    await Deno.writeTextFile(`${dir}/config/${name}`, text);
  }
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: info
User: ${isRoot() ? "54321" : Deno.uid()}
Hostname: mail.mox.example
AdminPasswordFile: adminpasswd
Listeners:
	public:
		IPs:
			- 127.0.0.1
		IMAP:
			Enabled: true
			Port: ${ports.imap}
			NoRequireSTARTTLS: true
		Submission:
			Enabled: true
			Port: ${ports.submission}
			NoRequireSTARTTLS: true
${
      ["Account", "Webmail", "Admin", "JMAP"].map((p) =>
        `		${p}HTTP:\n			Enabled: true\n			Port: ${ports.http}\n`
      ).join("")
    }Postmaster:
	Account: ann
	Mailbox: Postmaster
${o.extra(dir)}`,
  );
  await Deno.writeTextFile(`${dir}/config/domains.conf`, o.domains);
  const server = startServe(dir);
  try {
    await server.logged(/mox is running/);
    const origin = `http://localhost:${ports.http}`;
    const mox = (args: string[], stdin?: string) => moxIn(dir, args, { stdin });
    await fn({ dir, ports, origin, server, mox });
  } finally {
    await server.end("SIGTERM");
    await Deno.remove(dir, { recursive: true });
  }
}
