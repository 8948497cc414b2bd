/** Debian's slapd with some people in it, in a folder of the test's. */
import { findProgram } from "../support/programs.ts";
import { freePorts } from "../support/ports.ts";
import type { TestCa } from "../support/test_ca.ts";

export const bindPassword = "of the server";

/** Passwords of people whose hashes are of this kind, as uid and made by slappasswd; "" for one it doesn't make. */
export const hashed: readonly (readonly [uid: string, scheme: string])[] = [
  ["ssha", "{SSHA}"],
  ["sha", "{SHA}"],
  ["crypt6", "{CRYPT}$6$%.12s"],
  ["crypt5", "{CRYPT}$5$%.12s"],
  ["crypt1", "{CRYPT}$1$%.8s"],
  ["des", "{CRYPT}%.2s"],
  ["smd5", "{SMD5}"],
];

const person = (uid: string, password: string) => `
dn: uid=${uid},dc=example,dc=org
objectClass: inetOrgPerson
uid: ${uid}
cn: ${uid}
sn: Example
mail: ${uid}@dir.example
userPassword: ${password}
`;

const people = `dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: cn=mox,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: mox
userPassword: ${bindPassword}

dn: cn=reader,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: ${bindPassword}

dn: uid=ann,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann Élan
sn: Example
mail: ann@dir.example
mail: ann@two.example
userPassword: ann's password

dn: uid=ben,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: posixAccount
uid: ben
uid: benedict
uidNumber: 1001
gidNumber: 500
homeDirectory: /home/ben
cn: Ben
sn: Example
mail: ben@dir.example
mail: ben@two.example
userPassword: ben's password

dn: uid=out,dc=example,dc=org
objectClass: inetOrgPerson
uid: out
cn: Out
sn: Example
mail: out@dir.example
userPassword: out's password

dn: uid=twin1,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin1
cn: Twin
sn: Example
mail: twin@dir.example
userPassword: twin's password

dn: uid=twin2,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin2
cn: Twin
sn: Example
mail: twin@dir.example
userPassword: twin's password

dn: cn=mail,dc=example,dc=org
objectClass: groupOfNames
cn: mail
member: uid=ann,dc=example,dc=org
member: uid=ben,dc=example,dc=org
member: uid=twin1,dc=example,dc=org

dn: cn=sales,dc=example,dc=org
objectClass: groupOfNames
cn: sales
member: uid=ann,dc=example,dc=org

dn: cn=posix,dc=example,dc=org
objectClass: posixGroup
cn: posix
gidNumber: 600
memberUid: ann
memberUid: benedict

dn: cn=primary,dc=example,dc=org
objectClass: posixGroup
cn: primary
gidNumber: 500
`;

export interface TestDirectory extends AsyncDisposable {
  /** Of ldap, and of ldaps. */
  ports: { ldap: number; ldaps: number };
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Suspends the process: connections stand, and nothing is answered. */
  suspend(on: boolean): void;
}

async function run(program: string, args: string[]): Promise<string> {
  const r = await new Deno.Command(findProgram(program)!, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!r.success) throw new Error(`${program}: ${new TextDecoder().decode(r.stderr)}`);
  return new TextDecoder().decode(r.stdout).trim();
}

/** The hash of `UID's password`, as slapd's own program makes it. */
async function hashOf(uid: string, scheme: string): Promise<string> {
  const [, name, salt] = /^(\{\w+\})(.*)$/.exec(scheme)!;
  const more = salt === "" ? [] : ["-c", salt];
  return await run("slappasswd", ["-h", name, ...more, "-s", `${uid}'s password`]);
}

/** Waits until something listens. */
async function listening(port: number, ended: () => boolean): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (err) {
      if (ended()) throw new Error("slapd has ended", { cause: err });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export async function startSlapd(ca: TestCa): Promise<TestDirectory> {
  const dir = await Deno.makeTempDir({ prefix: "mox-slapd-" });
  await Deno.mkdir(`${dir}/db`);
  const pair = ca.pair(["localhost"]);
  await Deno.writeTextFile(`${dir}/cert.pem`, pair.cert);
  await Deno.writeTextFile(`${dir}/key.pem`, pair.key);
  let ldif = people;
  for (const [uid, scheme] of hashed) ldif += person(uid, await hashOf(uid, scheme));
  ldif += person("elsewhere", "{SASL}elsewhere@example.org");
  // An old and a new password, of which both are good.
  ldif += person("both", `${await hashOf("both", "{SSHA}")}\nuserPassword: the other`);
  await Deno.writeTextFile(`${dir}/people.ldif`, ldif);
  await Deno.writeTextFile(
    `${dir}/slapd.conf`,
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile ${dir}/cert.pem
TLSCertificateKeyFile ${dir}/key.pem
pidfile ${dir}/pid
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw of-the-test
directory ${dir}/db
access to attrs=userPassword by dn.exact="cn=reader,dc=example,dc=org" read by anonymous auth by * none
access to * by dn.exact="cn=mox,dc=example,dc=org" read by dn.exact="cn=reader,dc=example,dc=org" read by * auth
`,
  );
  await run("slapadd", ["-f", `${dir}/slapd.conf`, "-l", `${dir}/people.ldif`]);
  const [ldap, ldaps] = await freePorts(2);
  let child: Deno.ChildProcess | undefined;
  const it: TestDirectory = {
    ports: { ldap, ldaps },
    async start() {
      let ended = false;
      child = new Deno.Command(findProgram("slapd")!, {
        args: [
          "-f",
          `${dir}/slapd.conf`,
          "-h",
          `ldap://127.0.0.1:${ldap} ldaps://127.0.0.1:${ldaps}`,
          "-d",
          "0",
        ],
        stdout: "null",
        stderr: "null",
      }).spawn();
      child.status.then(() => ended = true);
      await listening(ldap, () => ended);
      await listening(ldaps, () => ended);
    },
    async stop() {
      child?.kill("SIGCONT");
      child?.kill("SIGKILL");
      await child?.status;
      child = undefined;
    },
    suspend: (on) => child?.kill(on ? "SIGSTOP" : "SIGCONT"),
    async [Symbol.asyncDispose]() {
      await it.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
  await it.start();
  return it;
}
