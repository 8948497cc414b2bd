/** A built program that is tried: its subcommands, and servers that run. @module */

/** Who runs it, and where. */
export interface RunOptions {
  cwd: string;
  env?: Record<string, string>;
  /** User and group id; as this process's user if not given. */
  uid?: number;
  /** With the right to listen on low ports, as a systemd unit gives it. */
  lowPorts?: boolean;
}

/** The environment of a service: nothing of this one's but where programs are. */
function environmentOf(options: RunOptions): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ["PATH", "SYSTEMROOT", "TEMP", "APPDATA"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) kept[name] = value;
  }
  return { ...kept, ...options.env };
}

function commandFor(
  program: readonly string[],
  args: readonly string[],
  options: RunOptions,
): string[] {
  const whole = [...program, ...args];
  if (options.uid === undefined) return whole;
  const id = String(options.uid);
  const rights = options.lowPorts
    ? ["--inh-caps", "-all,+net_bind_service", "--ambient-caps", "-all,+net_bind_service"]
    : ["--inh-caps", "-all"];
  return [
    "setpriv",
    ...["--reuid", id, "--regid", id, "--clear-groups"],
    ...rights,
    "--no-new-privs",
    "--",
    ...whole,
  ];
}

function start(program: readonly string[], args: readonly string[], options: RunOptions) {
  const [command, ...rest] = commandFor(program, args, options);
  return new Deno.Command(command, {
    args: rest,
    cwd: options.cwd,
    env: environmentOf(options),
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a subcommand to its end. @returns what it prints. @throws Error with that if it fails */
export async function run(
  program: readonly string[],
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { code, stdout, stderr } = await start(program, args, options).output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) {
    throw new Error(
      `${args.join(" ")} ends with ${code}: ${text}${new TextDecoder().decode(stderr)}`,
    );
  }
  return text;
}

/** A server that runs. */
export interface Server {
  /** All that it has said. */
  said(): string;
  /** Waits until it has said something. @throws Error if it ends, or takes too long */
  says(expected: RegExp | string, ms?: number): Promise<void>;
  /** Ends it. @returns its exit status */
  end(): Promise<number>;
}

/** Starts one. */
export function startServer(
  program: readonly string[],
  args: readonly string[],
  options: RunOptions,
): Server {
  const child = start(program, args, options).spawn();
  let said = "";
  let ended = false;
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) said += text;
  });
  const end = Promise.all(reading).then(() => child.status).then(({ code }) => {
    ended = true;
    return code;
  });
  return {
    said: () => said,
    async says(expected, ms = 30_000) {
      const until = Date.now() + ms;
      const found = () =>
        typeof expected === "string" ? said.includes(expected) : expected.test(said);
      while (!found()) {
        if (ended) throw new Error(`the server ended: ${said}`);
        if (Date.now() > until) throw new Error(`no ${expected} in what it says: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async end() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      return await end;
    },
  };
}
