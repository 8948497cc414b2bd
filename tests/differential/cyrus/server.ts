/**
 * Cyrus as an oracle: started from a folder into which Debian's packages were unpacked with `dpkg -x` (docs/testing.md),
 * as installing them would remove other servers.
 *
 * @module
 */
import { once } from "node:events";
import { connect } from "node:net";

export interface Cyrus {
  /** Such as "http://127.0.0.1:12345". */
  origin: string;
  user: string;
  password: string;
  /** Makes what arrived findable. */
  index(): Promise<void>;
  stop(): Promise<void>;
}

const user = "user1";
const password = "secret";

function freePort(): number {
  const l = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = l.addr as Deno.NetAddr;
  l.close();
  return port;
}

async function run(cmd: string, args: string[], env: Record<string, string>, input = "") {
  const child = new Deno.Command(cmd, {
    args,
    env,
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stderr } = await child.output();
  if (code !== 0) throw new Error(`${cmd}: ${new TextDecoder().decode(stderr)}`);
}

/** Commands of IMAP, each answered with OK. */
async function imap(port: number, commands: string[]): Promise<void> {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  let text = "";
  socket.on("data", (s: string) => text += s);
  const until = async (word: RegExp) => {
    while (!word.test(text)) await once(socket, "data", { signal: AbortSignal.timeout(20_000) });
  };
  await until(/^\* OK/);
  for (const [i, c] of commands.entries()) {
    text = "";
    socket.write(`t${i} ${c}\r\n`);
    await until(new RegExp(`^t${i} .*\r\n`, "m"));
    if (!text.includes(`t${i} OK`)) throw new Error(`${c}: ${text}`);
  }
  socket.destroy();
}

/** Starts Cyrus with one user; `root` is the folder with the unpacked packages. */
export async function startCyrus(root: string): Promise<Cyrus> {
  const lib = `${root}/usr/lib/x86_64-linux-gnu`;
  const bin = `${root}/usr/lib/cyrus/bin`;
  const env = {
    LD_LIBRARY_PATH: `${lib}:${root}/lib/x86_64-linux-gnu`,
    SASL_PATH: `${lib}/sasl2`,
  };
  const dir = await Deno.makeTempDir({ prefix: "cyrus-" });
  await Deno.chmod(dir, 0o755);
  const data = `${dir}/data`;
  for (const name of ["conf/socket", "conf/db", "spool", "search", "run", "sieve"]) {
    await Deno.mkdir(`${data}/${name}`, { recursive: true });
  }
  const [imapPort, httpPort] = [freePort(), freePort()];
  const root0 = Deno.uid() === 0;
  await Deno.writeTextFile(
    `${dir}/imapd.conf`,
    [
      `configdirectory: ${data}/conf`,
      `partition-default: ${data}/spool`,
      "defaultpartition: default",
      ...root0 ? ["cyrus_user: nobody", "cyrus_group: nogroup"] : [],
      "admins: admin",
      "unixhierarchysep: yes",
      "altnamespace: yes",
      "httpmodules: caldav carddav jmap freebusy",
      "caldav_allowscheduling: off",
      "sasl_pwcheck_method: auxprop",
      "sasl_auxprop_plugin: sasldb",
      `sasl_sasldb_path: ${data}/sasldb2`,
      "sasl_mech_list: PLAIN LOGIN",
      "allowplaintext: yes",
      "conversations: yes",
      "jmap_nonstandard_extensions: yes",
      `proc_path: ${data}/run/proc`,
      `mboxname_lockpath: ${data}/run/lock`,
      `sievedir: ${data}/sieve`,
      "tls_server_cert: disabled",
      "search_engine: xapian",
      "defaultsearchtier: t1",
      `t1searchpartition-default: ${data}/search`,
      "search_fuzzy_always: off",
      "conversations_counted_flags: \\Flagged \\Answered project",
      "",
    ].join("\n"),
  );
  const service = (name: string, program: string, port: number) =>
    `  ${name} cmd="${bin}/${program} -C ${dir}/imapd.conf" listen="127.0.0.1:${port}" prefork=1`;
  await Deno.writeTextFile(
    `${dir}/cyrus.conf`,
    [
      "START {",
      `  recover cmd="${bin}/ctl_cyrusdb -C ${dir}/imapd.conf -r"`,
      "}",
      "SERVICES {",
      service("imap", "imapd", imapPort),
      service("http", "httpd", httpPort),
      "}",
      "EVENTS { }",
      "",
    ].join("\n"),
  );
  for (const name of [user, "admin"]) {
    const args = ["-p", "-c", "-f", `${data}/sasldb2`, "-u", Deno.hostname(), name];
    await run(`${root}/usr/sbin/saslpasswd2`, args, env, password);
  }
  if (root0) await run("chown", ["-R", "nobody:nogroup", data], {});
  const child = new Deno.Command(`${bin}/master`, {
    args: [
      "-C",
      `${dir}/imapd.conf`,
      "-M",
      `${dir}/cyrus.conf`,
      "-p",
      `${data}/run/master.pid`,
      "-D",
    ],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const origin = `http://127.0.0.1:${httpPort}`;
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(dir, { recursive: true });
  };
  try {
    for (let tries = 0;; tries++) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: imapPort })).close();
        break;
      } catch (err) {
        if (tries > 100) throw err;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
    await imap(imapPort, [`LOGIN admin ${password}`, `CREATE user/${user}`]);
  } catch (err) {
    await stop();
    throw err;
  }
  const index = () =>
    run(`${bin}/squatter`, ["-C", `${dir}/imapd.conf`, "-r", `user/${user}`], env);
  return { origin, user, password, index, stop };
}
