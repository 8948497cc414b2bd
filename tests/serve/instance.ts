/** Runs `mox serve` as its own process, with a configuration of the test's. */
import { programArgsIn } from "../support/program.ts";

/** domains.conf with one account, of ann@mox.example; more fields of it may follow. */
export const annDomains = `Domains:
	mox.example: nil
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`;

export { freePorts } from "../support/ports.ts";

/** Runs a subcommand to its end, for the server in `dir`. */
export async function moxIn(
  dir: string,
  args: string[],
  options: { stdin?: string; env?: Record<string, string> } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgsIn(dir, args),
    cwd: dir,
    env: options.env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.stdin ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

export interface RunningServer {
  pid: number;
  /** What it has logged so far. */
  log(): string;
  /** Resolves when the log matches; rejects if the server ends without. */
  logged(expected: RegExp): Promise<void>;
  /** Sends a signal and waits for the end. */
  end(signal: Deno.Signal): Promise<number>;
  ended: Promise<number>;
}

/** Starts the server, or another command that runs until it is ended; it may fail: see `ended` and `log`. */
export function startServe(
  dir: string,
  env: Record<string, string> = {},
  command = "serve",
): RunningServer {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgsIn(dir, ["-config", `${dir}/config/mox.conf`, command]),
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const waiting: { expected: RegExp; resolve: () => void; reject: (e: Error) => void }[] = [];
  const reading = (async () => {
    for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += s;
      for (const w of waiting) if (w.expected.test(log)) w.resolve();
    }
    for (const w of waiting) w.reject(new Error(`the server ended: ${log}`));
  })();
  const ended = (async () => {
    const { code } = await child.status;
    await reading;
    return code;
  })();
  return {
    pid: child.pid,
    log: () => log,
    logged(expected) {
      if (expected.test(log)) return Promise.resolve();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ expected, resolve, reject });
      return promise;
    },
    end(signal) {
      try {
        child.kill(signal);
      } catch {
        // It has ended by itself; its log says why.
      }
      return ended;
    },
    ended,
  };
}

export interface SmallConfig {
  ports: { smtp: number; imap: number };
  user?: string;
  ip?: string;
}

/** Writes the smallest configuration of a server: SMTP and IMAP in clear text, an account "ann". */
export async function writeSmallConfig(dir: string, c: SmallConfig): Promise<void> {
  await Deno.mkdir(`${dir}/config`, { recursive: true });
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: info
User: ${c.user ?? "54321"}
Hostname: mail.mox.example
Listeners:
	public:
		IPs:
			- ${c.ip ?? "127.0.0.1"}
		SMTP:
			Enabled: true
			Port: ${c.ports.smtp}
			NoSTARTTLS: true
		IMAP:
			Enabled: true
			Port: ${c.ports.imap}
			NoRequireSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
  );
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    annDomains,
  );
}
