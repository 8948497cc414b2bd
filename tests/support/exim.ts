/** Exim of Debian, with a configuration of its own in a folder of the test's. Needs root. @module */
import { answers } from "./listening.ts";
import { must } from "./postfix.ts";
import { findProgram } from "./programs.ts";

/** What an Exim is to do: take mail on one port, and pass it all on to another of 127.0.0.1, by TLS both ways. */
export interface EximOptions {
  port: number;
  relayPort: number;
  hostname: string;
  certificate: { cert: string; key: string };
  /** Local parts that it refuses. */
  unknown: string;
}

export interface Exim extends AsyncDisposable {
  /** What it has logged. */
  log(): Promise<string>;
}

/** Starts it with its files in the folder, which is made; resolves when it answers. */
export async function startExim(dir: string, o: EximOptions): Promise<Exim> {
  await Deno.mkdir(dir);
  const program = findProgram("exim4")!;
  await Deno.writeTextFile(`${dir}/cert.pem`, o.certificate.cert);
  await Deno.writeTextFile(`${dir}/key.pem`, o.certificate.key);
  await Deno.writeTextFile(
    `${dir}/exim.conf`,
    `
exim_path = ${program}
primary_hostname = ${o.hostname}
spool_directory = ${dir}/spool
log_file_path = ${dir}/%slog
pid_file_path = ${dir}/exim.pid
daemon_smtp_ports = ${o.port}
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = ${dir}/cert.pem
tls_privatekey = ${dir}/key.pem
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
acl_smtp_rcpt = rcpt
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
message_size_limit = 20M
begin acl
rcpt:
  deny message = no such user
       local_parts = ${o.unknown}
  accept
begin routers
onward:
  driver = manualroute
  route_list = * 127.0.0.1::${o.relayPort} byname
  self = send
  transport = relay
begin transports
relay:
  driver = smtp
  hosts_require_tls = *
  hosts_try_chunking = *
`,
  );
  // It delivers as this user, never as root.
  await must("chown", "-R", "Debian-exim", dir);
  await must("chown", "root", `${dir}/exim.conf`);
  const child = new Deno.Command(program, {
    args: ["-C", `${dir}/exim.conf`, "-bdf", "-q1m"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const log = async () =>
    (await Promise.all(
      ["main", "panic"].map((n) => Deno.readTextFile(`${dir}/${n}log`).catch(() => "")),
    )).join("");
  try {
    await answers("127.0.0.1", o.port);
  } catch (err) {
    throw new Error(`Exim does not start: ${await log()}`, { cause: err });
  }
  return {
    log,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}
