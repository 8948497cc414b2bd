/** HAProxy, nginx and Caddy of Debian, with configurations of the test's. @module */
import { findProgram } from "./programs.ts";
import { answers } from "./listening.ts";

export interface RunningProxy extends AsyncDisposable {
  /** What it has written to its error output. */
  log(): string;
}

async function start(
  name: "haproxy" | "nginx" | "caddy",
  args: string[],
  listens: readonly number[],
  env: Record<string, string> = {},
): Promise<RunningProxy> {
  const child = new Deno.Command(findProgram(name)!, {
    args,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const reading = (async () => {
    for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) log += s;
  })();
  const ended = child.status.then(async ({ code }) => {
    await reading;
    throw new Error(`${name} ended with ${code}: ${log}`);
  });
  ended.catch(() => {});
  await Promise.race([
    Promise.all(listens.map((port) => answers("127.0.0.1", port))),
    ended,
  ]);
  return {
    log: () => log,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      await child.status;
      await reading;
    },
  };
}

/** Starts HAProxy with sections of its configuration; resolves when all ports answer. */
export async function startHaproxy(
  dir: string,
  sections: string,
  listens: readonly number[],
): Promise<RunningProxy> {
  const path = `${dir}/haproxy.cfg`;
  await Deno.writeTextFile(
    path,
    `global
	maxconn 200
	ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
	mode tcp
	timeout connect 5s
	timeout client 60s
	timeout server 60s
${sections}`,
  );
  return await start("haproxy", ["-f", path, "-db"], listens);
}

/** Folder of Debian's loadable modules. */
export const nginxModules = "/usr/lib/nginx/modules";

/** Starts nginx with blocks of its configuration; resolves when all ports answer. */
export async function startNginx(
  dir: string,
  blocks: string,
  listens: readonly number[],
): Promise<RunningProxy> {
  const path = `${dir}/nginx.conf`;
  await Deno.mkdir(`${dir}/nginx`, { recursive: true });
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((n) => `\t${n}_temp_path ${dir}/nginx/${n};\n`).join("");
  await Deno.writeTextFile(
    path,
    `load_module ${nginxModules}/ngx_mail_module.so;
load_module ${nginxModules}/ngx_stream_module.so;
daemon off;
master_process off;
pid ${dir}/nginx/pid;
error_log stderr warn;
events {
	worker_connections 256;
}
${blocks.replace("http {\n", `http {\n\taccess_log off;\n${temp}`)}`,
  );
  return await start("nginx", ["-c", path, "-p", `${dir}/nginx`, "-e", "stderr"], listens);
}

/** Starts Caddy with sites of its Caddyfile; resolves when all ports answer. */
export async function startCaddy(
  dir: string,
  sites: string,
  listens: readonly number[],
): Promise<RunningProxy> {
  const path = `${dir}/Caddyfile`;
  await Deno.writeTextFile(
    path,
    `{\n\tadmin off\n\tauto_https off\n}\n${sites}`,
  );
  const env = { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
  return await start("caddy", ["run", "--config", path, "--adapter", "caddyfile"], listens, env);
}
