/** Other programs that scan mail, started for tests: milters, rspamd, clamd. */
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { freePorts } from "../support/ports.ts";
import { findProgram } from "../support/programs.ts";

/** The Python that has pymilter; Debian's, where another one comes first. */
export const milterPython: string | undefined = ["python3", "/usr/bin/python3"].find((python) => {
  try {
    const args = ["-c", "import Milter"];
    return new Deno.Command(python, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
});

export interface Running extends AsyncDisposable {
  /** In the form of the configuration. */
  address: string;
  port: number;
  dir: string;
  log(): string;
  end(): Promise<void>;
}

/** Waits until something listens. */
async function listening(to: { path: string } | { port: number }, ended: Promise<unknown>) {
  let over = false;
  ended.then(() => over = true);
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect("path" in to ? to : { ...to, host: "127.0.0.1" });
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    const open = await promise;
    socket.destroy();
    if (open) return;
    if (over) throw new Error("it ended before it listened");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function start(
  dir: string,
  command: string,
  args: string[],
  to: { path: string } | { port: number },
  signal: Deno.Signal = "SIGKILL",
): Promise<Running> {
  const child = new Deno.Command(command, {
    args,
    cwd: dir,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const piece of stream) text += new TextDecoder().decode(piece);
  };
  const done = Promise.all([read(child.stdout), read(child.stderr), child.status]);
  const end = async () => {
    try {
      child.kill(signal);
    } catch {
      // Ended already.
    }
    await done;
  };
  try {
    await listening(to, child.status);
  } catch (err) {
    await end();
    throw new Error(`${command}: ${(err as Error).message}: ${text}`);
  }
  return {
    address: "path" in to ? `unix:${to.path}` : `127.0.0.1:${to.port}`,
    port: "port" in to ? to.port : 0,
    dir,
    log: () => text,
    end,
    async [Symbol.asyncDispose]() {
      await end();
      await Deno.remove(dir, { recursive: true }).catch(() => {});
    },
  };
}

async function folder(name: string): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: `mox-${name}-` });
  await Deno.chmod(dir, 0o777);
  return dir;
}

/** pymilter with asking_milter.py, at a Unix socket or a TCP port. */
export async function startPymilter(kind: "unix" | "tcp" = "unix"): Promise<Running> {
  const dir = await folder("pymilter");
  const script = fileURLToPath(new URL("asking_milter.py", import.meta.url));
  if (kind === "tcp") {
    const [port] = await freePorts(1);
    return await start(dir, milterPython!, [script, `inet:${port}@127.0.0.1`], { port });
  }
  const path = `${dir}/milter.sock`;
  return await start(dir, milterPython!, [script, `unix:${path}`], { path });
}

/** opendkim, verifying, at a TCP port. @param conf more of its configuration */
export async function startOpendkim(conf = ""): Promise<Running> {
  const dir = await folder("opendkim");
  const [port] = await freePorts(1);
  await Deno.writeTextFile(
    `${dir}/opendkim.conf`,
    `Syslog no
Socket inet:${port}@127.0.0.1
Background no
PidFile ${dir}/opendkim.pid
${conf}`,
  );
  return await start(
    dir,
    findProgram("opendkim")!,
    ["-f", "-x", `${dir}/opendkim.conf`],
    { port },
  );
}

/** The text that every scanner for viruses takes for one; in pieces, so that this file is none. */
export const eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD", "-ANTIVIRUS-TEST-FILE!$H+H*"]
  .join("");

/** clamd with a database of one signature. @param conf more of its configuration */
export async function startClamd(conf = ""): Promise<Running> {
  const dir = await folder("clamd");
  await Deno.mkdir(`${dir}/db`);
  const hex = [...new TextEncoder().encode(eicar)].map((b) => b.toString(16).padStart(2, "0"));
  await Deno.writeTextFile(`${dir}/db/test.ndb`, `Eicar.Test:0:*:${hex.join("")}\n`);
  const path = `${dir}/clamd.sock`;
  await Deno.writeTextFile(
    `${dir}/clamd.conf`,
    `LocalSocket ${path}
DatabaseDirectory ${dir}/db
Foreground yes
LogFile ${dir}/clamd.log
${conf}`,
  );
  return await start(dir, findProgram("clamd")!, ["-c", `${dir}/clamd.conf`], { path });
}

/** A running rspamd. */
export interface Rspamd extends Running {
  controller: number;
  /** Ends it and starts it again on the same ports, so that no process of it has the databases locked. */
  restart(): Promise<void>;
}

/**
 * rspamd with a few rules of its own; workers that scan and learn without a password.
 * @param conf more of its configuration
 */
export async function startRspamd(conf = ""): Promise<Rspamd> {
  const dir = await folder("rspamd");
  const [port, controller] = await freePorts(2);
  await Deno.mkdir(`${dir}/none`);
  // Its own list of suffixes takes it most of a minute to read where the machine is busy.
  await Deno.writeTextFile(`${dir}/tlds`, "com\nnet\norg\nexample\n");
  await Deno.writeTextFile(
    `${dir}/rspamd.conf`,
    `options {
  pidfile = "${dir}/rspamd.pid";
  filters = "";
  disable_hyperscan = true;
  vectorized_hyperscan = false;
  dns { nameserver = ["127.0.0.1"]; timeout = 0.1s; retransmits = 1; }
  local_addrs = [];
  hs_cache_dir = "${dir}";
  tempdir = "${dir}";
  url_tld = "${dir}/tlds";
  history_rows = 10;
}
logging { type = "console"; level = "notice"; }
actions {
  reject = 15; add_header = 6; greylist = 4;
  discard { flags = ["no_threshold"]; }
  quarantine { flags = ["no_threshold"]; }
}
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
worker "controller" { bind_socket = "127.0.0.1:${controller}"; count = 1; secure_ip = "127.0.0.1"; }
metric {
  actions { reject = 15; add_header = 6; greylist = 4; }
}
${conf}
lua = "${dir}/rspamd.lua";
classifier "bayes" {
  tokenizer { name = "osb"; }
  cache { path = "${dir}/learn_cache.sqlite"; type = "sqlite3"; }
  backend = "sqlite3";
  min_tokens = 2;
  min_learns = 1;
  statfile { symbol = "BAYES_HAM"; path = "${dir}/bayes.ham.sqlite"; spam = false; }
  statfile { symbol = "BAYES_SPAM"; path = "${dir}/bayes.spam.sqlite"; spam = true; }
}
modules { path = "${dir}/none/"; }
`,
  );
  await Deno.writeTextFile(
    `${dir}/rspamd.lua`,
    `local function rule(name, score, word)
  rspamd_config[name] = {
    callback = function(task)
      local subject = task:get_header('Subject') or ''
      return subject:find(word, 1, true) ~= nil
    end,
    score = score, group = 'test', description = word,
  }
end
rule('TEST_MARK', 7.0, 'mark me')
rule('TEST_REFUSE', 20.0, 'refuse me')
rspamd_config:register_symbol({
  -- A filter of another type isn't asked about what is refused already.
  name = 'TEST_HEADERS', type = 'idempotent',
  callback = function(task)
    local reply = {
      add_headers = { ['X-Test-Rspamd'] = tostring(task:get_metric_score('default')[1]),
        ['X-Test-User'] = task:get_user() or 'nobody' },
      remove_headers = { ['X-Forged'] = 0 },
    }
    local subject = task:get_header('Subject') or ''
    if subject:find('lose', 1, true) then reply.reject = 'discard' end
    if subject:find('aside', 1, true) then reply.reject = 'quarantine' end
    if subject:find('let go', 1, true) then reply.no_action = true end
    if subject:find('name it', 1, true) then reply.spam_header = 'X-Our-Spam' end
    task:set_milter_reply(reply)
  end,
})
rspamd_config:register_symbol({
  name = 'TEST_LATER', type = 'postfilter',
  callback = function(task)
    if (task:get_header('Subject') or ''):find('later', 1, true) then
      task:set_pre_result('soft reject', 'come again')
    end
    for _, action in ipairs({ 'quarantine', 'discard' }) do
      if (task:get_header('Subject') or ''):find('force ' .. action, 1, true) then
        task:set_pre_result(action, 'as asked')
      end
    end
  end,
})
`,
  );
  const args = ["-f", "-i", "-c", `${dir}/rspamd.conf`];
  const begin = async () => {
    for (;;) {
      const made = await start(dir, findProgram("rspamd")!, args, { port }, "SIGTERM");
      await listening({ port: controller }, Promise.race([]));
      if (await learns(controller)) return made;
      // Its processes open the databases at the same time: one of them may be without one, or have it locked, for good.
      await made.end();
    }
  };
  let made = await begin();
  return {
    ...made,
    controller,
    log: () => made.log(),
    end: () => made.end(),
    async restart() {
      await made.end();
      made = await begin();
    },
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  };
}

/** Whether an rspamd learns: a message of random words. */
async function learns(controller: number): Promise<boolean> {
  const words = Array.from({ length: 10 }, () => crypto.randomUUID().slice(0, 8)).join(" ");
  const r = await fetch(`http://127.0.0.1:${controller}/learnspam`, {
    method: "POST",
    body: `From: a@b.example\r\nSubject: ${words}\r\n\r\n${words}\r\n`,
  });
  await r.body?.cancel();
  return r.status === 200;
}
