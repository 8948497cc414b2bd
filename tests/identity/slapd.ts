/** Debian's slapd with some people in it, in a folder of the test's. */
import { findProgram } from "../support/programs.ts";
import { freePorts } from "../support/ports.ts";
import type { TestCa } from "../support/test_ca.ts";

export const bindPassword = "of the server";

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

dn: uid=ann,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann Élan
sn: Example
mail: ann@dir.example
userPassword: ann's password

dn: uid=ben,dc=example,dc=org
objectClass: inetOrgPerson
uid: ben
cn: Ben
sn: Example
mail: ben@dir.example
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
`;

export interface TestDirectory extends AsyncDisposable {
  /** Of ldap, and of ldaps. */
  ports: { ldap: number; ldaps: number };
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Suspends the process: connections stand, and nothing is answered. */
  suspend(on: boolean): void;
}

async function run(program: string, args: string[]): Promise<void> {
  const r = await new Deno.Command(findProgram(program)!, { args, stdout: "null", stderr: "piped" })
    .output();
  if (!r.success) throw new Error(`${program}: ${new TextDecoder().decode(r.stderr)}`);
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
  await Deno.writeTextFile(`${dir}/people.ldif`, people);
  await Deno.writeTextFile(
    `${dir}/slapd.conf`,
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
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
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=mox,dc=example,dc=org" read by * auth
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
