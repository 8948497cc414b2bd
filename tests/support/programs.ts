/**
 * Programs that some tests talk to: real mail clients, browsers and servers.
 *
 * Where one is missing its tests are skipped and it is named at the end of the suite, except where
 * MOX_TEST_REQUIRE_PROGRAMS is set (CI): there the tests run, and fail.
 *
 * @module
 */

const known = [
  "chromium",
  "mbsync",
  "interimap",
  "swaks",
  "neomutt",
  "mutt",
  "python3",
  "dovecot",
  "postfix",
  "exim4",
  "sieve-test",
  "sieve-connect",
  "fail2ban-regex",
  "vdirsyncer",
  "khal",
  "khard",
  "slapd",
  "haproxy",
  "nginx",
  "caddy",
  "named",
  "rspamd",
  "clamd",
  "opendkim",
  "gpg",
  "openssl",
] as const;
export type Program = (typeof known)[number];

/** Full path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const windows = Deno.build.os === "windows";
  const dirs = (Deno.env.get("PATH") ?? "").split(windows ? ";" : ":");
  if (!windows) dirs.push("/usr/sbin", "/sbin", "/usr/local/sbin");
  for (const dir of dirs) {
    if (dir === "") continue;
    const path = `${dir}/${name}${windows ? ".exe" : ""}`;
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** For `Deno.test({ ignore: lacks("swaks"), ... })`. */
export function lacks(...programs: Program[]): boolean {
  if (Deno.env.get("MOX_TEST_REQUIRE_PROGRAMS")) return false;
  return programs.some((p) => findProgram(p) === undefined);
}

/** Names of the known programs that are missing. */
export function missingPrograms(): string[] {
  return known.filter((p) => findProgram(p) === undefined);
}
