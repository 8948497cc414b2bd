/**
 * Postfix and Dovecot of Debian with a configuration of their own in a temporary folder: SMTP in through
 * Postfix's queue and LMTP to Dovecot's Maildir, fsync on everywhere. Needs root, as both drop to users.
 *
 * @module
 */
import { must, startPostfix } from "../../support/postfix.ts";
import {
  freePort,
  type Peer,
  processCpu,
  processMemory,
  processTree,
  waitForPort,
} from "./types.ts";

/** Starts both; `stop` ends them and removes the folder. */
export async function startPostfixDovecot(): Promise<Peer> {
  const dir = await Deno.makeTempDir({ prefix: "peer-" });
  await Deno.chmod(dir, 0o755);
  const smtpPort = freePort();
  const imapPort = freePort();
  const imapsPort = freePort();
  const [user, password] = ["bench", "bench-password"];
  await must("sh", "-c", `id vmail >/dev/null 2>&1 || useradd --system --no-create-home vmail`);

  await must(
    "openssl",
    ...[
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "9",
    ],
    ...["-subj", "/CN=localhost", "-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`],
  );

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
recipient_delimiter = +
ssl = yes
ssl_cert = <${dir}/cert.pem
ssl_key = <${dir}/key.pem
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
    address = 127.0.0.1
    port = ${imapsPort}
    ssl = yes
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

  const postfix = await startPostfix(`${dir}/spool-of-postfix`, {
    address: "127.0.0.1",
    port: smtpPort,
    processes: 100,
    main: `
myhostname = bench.test
mydestination =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = static:ok
recipient_delimiter = +
virtual_transport = lmtp:unix:${dir}/run/lmtp
virtual_destination_concurrency_limit = 50
virtual_destination_recipient_limit = 100
smtpd_client_connection_count_limit = 0
message_size_limit = 104857600
virtual_mailbox_limit = 0
mailbox_size_limit = 0
`,
  });
  await waitForPort(imapPort);
  return {
    name: "Postfix+Dovecot",
    smtpPort,
    imapPort,
    imapsPort,
    user,
    password,
    recipient: `${user}@example.test`,
    async memory() {
      let sum = 0;
      for (
        const file of [`${dir}/run/master.pid`, `${dir}/spool-of-postfix/spool/pid/master.pid`]
      ) {
        const pid = Number(await Deno.readTextFile(file));
        for (const p of await processTree(pid)) sum += await processMemory(p);
      }
      return sum;
    },
    async cpu() {
      const master = Number(await Deno.readTextFile(`${dir}/run/master.pid`));
      let sum = 0;
      for (const p of await processTree(master)) sum += await processCpu(p);
      return sum;
    },
    async stop() {
      await postfix.stop();
      await must("doveadm", "-c", `${dir}/dovecot.conf`, "stop").catch(() => {});
      await Deno.remove(dir, { recursive: true });
    },
  };
}
