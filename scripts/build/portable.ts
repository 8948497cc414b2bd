/**
 * Portable archives: the runtime for a system, the program's bundle, and a launcher that starts one with the
 * other and the flags that are shipped. For where no executable can be had: nothing is installed, and
 * nothing but the folder is needed.
 *
 * @module
 */
import { basename, join } from "node:path";
import {
  runtimeAssignments,
  runtimeEnvironment,
  runtimeFlags,
} from "../../src/commands/runtime_flags.ts";
import { type ArchiveFile, writeTarGz, writeZipFile } from "./archive.ts";
import { type Bundle, root } from "./bundle.ts";
import type { Target } from "./compile.ts";
import { runtimeFile, runtimeFor } from "./runtimes.ts";
import config from "../../deno.json" with { type: "json" };

/** Nothing is looked for outside of the folder: no configuration, lock file, registry or newer version. */
const closed = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only"];

/** A script of a Unix shell. */
export function unixLauncher(): string {
  return `#!/bin/sh
# The mail server, by the runtime beside it, with the rights that it is meant to have.
self=$0
while [ -L "$self" ]; do
  link=$(readlink -- "$self")
  case $link in /*) self=$link ;; *) self=\${self%/*}/$link ;; esac
done
case $self in */*) here=\${self%/*} ;; *) here=. ;; esac
here=$(CDPATH= cd -- "$here" && pwd -P) || exit 1
DENO_DIR=$here/runtime/cache DENO_NO_UPDATE_CHECK=1 NO_COLOR=1 ${runtimeAssignments}
export DENO_DIR DENO_NO_UPDATE_CHECK NO_COLOR ${Object.keys(runtimeEnvironment).join(" ")}
exec "$here/runtime/deno" run ${[...closed, ...runtimeFlags].join(" ")} "$here/app/mox.js" "$@"
`;
}

/** A batch file. */
export function windowsLauncher(): string {
  return `@echo off
rem The mail server, by the runtime beside it, with the rights that it is meant to have.
setlocal
set "DENO_DIR=%~dp0runtime\\cache"
set DENO_NO_UPDATE_CHECK=1
set NO_COLOR=1
${Object.entries(runtimeEnvironment).map(([name, value]) => `set ${name}=${value}`).join("\n")}
"%~dp0runtime\\deno.exe" run ${
    [...closed, ...runtimeFlags].map((f) => f.includes(",") ? `"${f}"` : f).join(" ")
  } "%~dp0app\\mox.js" %*
exit /b %ERRORLEVEL%
`.replaceAll("\n", "\r\n");
}

const readme = (target: Target) =>
  `mox for Deno ${config.version}, ${target.name}

${
    target.name.startsWith("windows")
      ? `Unpack it anywhere, and start in its folder:

  mox.cmd localserve        a mail server for developers, on this machine only
  mox.cmd help              all that it can do
`
      : `Unpack it where the server's user can read it, such as /opt, and start:

  ./mox localserve          a mail server for developers, on this machine only
  ./mox help                all that it can do

For a server: sudo ln -s "$PWD/mox" /usr/local/bin/mox, and "mox help quickstart".
`
  }
app/ has the program, runtime/ what runs it (Deno, MIT license). sbom.cdx.json lists what the program is made
of. An update is a newer archive in place of this folder; configuration and data are elsewhere.
`;

/** Writes the archive of a target into a folder; returns its path. */
export async function portable(
  bundle: Bundle,
  target: Target,
  dir: string,
  sbom: string,
): Promise<string> {
  const windows = target.name.startsWith("windows");
  const top = `mox-${config.version}-${target.name}`;
  const text = (s: string) => new TextEncoder().encode(s);
  const files: ArchiveFile[] = [
    windows
      ? { name: `${top}/mox.cmd`, bytes: text(windowsLauncher()) }
      : { name: `${top}/mox`, bytes: text(unixLauncher()), executable: true },
    { name: `${top}/README.txt`, bytes: text(readme(target)) },
    { name: `${top}/LICENSE`, bytes: await Deno.readFile(join(root, "LICENSE")) },
    { name: `${top}/sbom.cdx.json`, bytes: text(sbom) },
  ];
  const roots = windows ? [bundle.roots] : [];
  for (const path of [bundle.main, ...bundle.workers, ...roots]) {
    files.push({ name: `${top}/app/${basename(path)}`, bytes: await Deno.readFile(path) });
  }
  files.push({
    name: `${top}/runtime/${runtimeFile(target)}`,
    bytes: await Deno.readFile(await runtimeFor(target)),
    executable: true,
  });
  const path = join(dir, `${top}-portable.${windows ? "zip" : "tar.gz"}`);
  await (windows ? writeZipFile : writeTarGz)(path, files);
  return path;
}
