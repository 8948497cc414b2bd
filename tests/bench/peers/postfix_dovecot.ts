/**
 * Postfix and Dovecot of Debian with a configuration of their own in a temporary folder: SMTP in through
 * Postfix's queue and LMTP to Dovecot's Maildir, fsync on everywhere. Needs root, as both drop to users.
 *
 * @module
 */
import { freePort, type Peer, waitForPort } from "./types.ts";

/** Runs a program to its end. Its output goes to a file: daemons would keep a pipe open. */
async function must(cmd: string, ...args: string[]): Promise<void> {
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

/** Starts both; `stop` ends them and removes the folder. */
export async function startPostfixDovecot(): Promise<Peer> {
  const dir = await Deno.makeTempDir({ prefix: "peer-" });
  await Deno.chmod(dir, 0o755);
  const smtpPort = freePort();
  const imapPort = freePort();
  const [user, password] = ["bench", "bench-password"];
  await must("sh", "-c", `id vmail >/dev/null 2>&1 || useradd --system --no-create-home vmail`);

  // Dovecot
  await Deno.mkdir(`${dir}/mail`);
  await Deno.mkdir(`${dir}/run`);
  await must("chown", "vmail", `${dir}/mail`);
  await Deno.writeTextFile(`${dir}/users`, `${user}:{PLAIN}${password}::::::\n`);
  await Deno.writeTextFile(
    `${dir}/dovecot.conf`,
    `
base_dir = ${dir}/run
state_dir = ${dir}/run
log_path = ${dir}/dovecot.log
protocols = imap lmtp
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:${dir}/mail/%n
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1
mail_fsync = always
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%n ${dir}/users
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=${dir}/mail/%n
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 0
  }
  service_count = 0
  client_limit = 4000
  vsz_limit = 1G
}
service imap {
  process_limit = 4000
}
service anvil {
  client_limit = 20000
}
service auth {
  client_limit = 20000
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
protocol imap {
  mail_max_userip_connections = 5000
}
namespace inbox {
  inbox = yes
}
`,
  );
  await must("dovecot", "-c", `${dir}/dovecot.conf`);

  // Postfix
  await Deno.mkdir(`${dir}/postfix`);
  await Deno.mkdir(`${dir}/spool`);
  await Deno.mkdir(`${dir}/data`);
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
myhostname = bench.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:unix:${dir}/run/lmtp
virtual_destination_concurrency_limit = 50
virtual_destination_recipient_limit = 100
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
message_size_limit = 104857600
virtual_mailbox_limit = 0
mailbox_size_limit = 0
biff = no
`,
  );
  await Deno.writeTextFile(
    `${dir}/postfix/master.cf`,
    `
127.0.0.1:${smtpPort} inet n - n - 100 smtpd
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
  await must("postfix", "-c", `${dir}/postfix`, "start");
  await waitForPort(smtpPort);
  await waitForPort(imapPort);
  return {
    name: "Postfix+Dovecot",
    smtpPort,
    imapPort,
    user,
    password,
    recipient: `${user}@example.test`,
    async stop() {
      await must("postfix", "-c", `${dir}/postfix`, "stop").catch(() => {});
      await must("doveadm", "-c", `${dir}/dovecot.conf`, "stop").catch(() => {});
      await Deno.remove(dir, { recursive: true });
    },
  };
}
