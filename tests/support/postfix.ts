/** Postfix of Debian, with a configuration of its own in a folder of the test's. Needs root. @module */

import { answers } from "./listening.ts";

/** Runs a program to its end. Its output goes to a file: daemons would keep a pipe open. */
export async function must(cmd: string, ...args: string[]): Promise<void> {
  const log = await Deno.makeTempFile();
  const r = await new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >"$0" 2>&1 </dev/null', log, cmd, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  const text = await Deno.readTextFile(log);
  await Deno.remove(log);
  if (!r.success) throw new Error(`${cmd} ${args.join(" ")}: ${text}`);
}

/** What a Postfix is to do. */
export interface PostfixOptions {
  address: string;
  port: number;
  /** Lines of main.cf besides those that every instance here has. */
  main: string;
  /** Most processes of smtpd; as many as Postfix likes if not given. */
  processes?: number;
}

export interface Postfix extends AsyncDisposable {
  port: number;
  /** What it has logged. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it with its files in the folder, which is made; resolves when it answers. */
export async function startPostfix(dir: string, o: PostfixOptions): Promise<Postfix> {
  for (const name of ["", "/postfix", "/spool", "/data"]) await Deno.mkdir(dir + name);
  await must("chown", "postfix", `${dir}/data`);
  await Deno.writeTextFile(
    `${dir}/postfix/main.cf`,
    `
compatibility_level = 3.6
queue_directory = ${dir}/spool
data_directory = ${dir}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = ${dir}/postfix.log
maillog_file_prefixes = ${dir}
mynetworks = 127.0.0.0/8
inet_interfaces = ${o.address}
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
alias_database =
smtpd_peername_lookup = no
biff = no
${
      o.main.includes("smtpd_relay_restrictions")
        ? ""
        : "smtpd_relay_restrictions = permit_mynetworks, reject"
    }
${o.main}`,
  );
  await Deno.writeTextFile(
    `${dir}/postfix/master.cf`,
    `
${o.address}:${o.port} inet n - n - ${o.processes ?? "-"} smtpd
pickup    unix  n  -  n  60  1  pickup
cleanup   unix  n  -  n  -   0  cleanup
qmgr      unix  n  -  n  300 1  qmgr
tlsmgr    unix  -  -  n  1000? 1 tlsmgr
rewrite   unix  -  -  n  -   -  trivial-rewrite
bounce    unix  -  -  n  -   0  bounce
defer     unix  -  -  n  -   0  bounce
trace     unix  -  -  n  -   0  bounce
verify    unix  -  -  n  -   1  verify
flush     unix  n  -  n  1000? 0 flush
proxymap  unix  -  -  n  -   -  proxymap
smtp      unix  -  -  n  -   -  smtp
relay     unix  -  -  n  -   -  smtp
error     unix  -  -  n  -   -  error
retry     unix  -  -  n  -   -  error
discard   unix  -  -  n  -   -  discard
virtual   unix  -  n  n  -   -  virtual
lmtp      unix  -  -  n  -   50 lmtp
anvil     unix  -  -  n  -   1  anvil
scache    unix  -  -  n  -   1  scache
postlog   unix-dgram n - n - 1 postlogd
`,
  );
  await must("postfix", "-c", `${dir}/postfix`, "set-permissions").catch(() => {});
  try {
    await must("postfix", "-c", `${dir}/postfix`, "start");
  } catch (err) {
    const log = await Deno.readTextFile(`${dir}/postfix.log`).catch(() => "");
    throw new Error(`Postfix does not start: ${log}`, { cause: err });
  }
  const stop = () => must("postfix", "-c", `${dir}/postfix`, "stop").catch(() => {});
  await answers(o.address, o.port);
  return {
    port: o.port,
    log: () => Deno.readTextFile(`${dir}/postfix.log`).catch(() => ""),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
