/**
 * Scripts of pages: one as a whole, or in two parts of which the second is loaded when it is needed.
 *
 * @module
 */
import { join } from "node:path";
import { bundling } from "./bundle.ts";

/** A script element ends at this text, wherever it stands. */
const inElement = (script: string) => script.trim().replaceAll("</script", "<\\/script");

async function run(root: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...bundling, "--platform", "browser", "--minify", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  if (code !== 0) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** The script and all that it imports. */
export async function wholeScript(root: string, script: string): Promise<string> {
  return inElement(await run(root, [script]));
}

/** A name, and what it becomes. */
type Name = readonly [from: string, to: string];

/** The names of an import or export, as in `a as b,c`. */
function names(list: string): Name[] {
  return list.split(",").map((n) => {
    const [from, to] = n.trim().split(/\s+as\s+/);
    return [from, to ?? from];
  });
}

/** What a bundle imports at its start, exports at its end, and has between them. */
interface Split {
  /** The file that it imports from; "" without imports. */
  from: string;
  imports: readonly Name[];
  exports: readonly Name[];
  code: string;
}

function split(file: string, text: string): Split {
  let code = text.trim();
  const start = /^import\s*\{([^{}]*)\}\s*from\s*"([^"]+)";/.exec(code);
  if (start !== null) code = code.slice(start[0].length);
  const end = /export\s*\{([^{}]*)\};?$/.exec(code);
  if (end !== null) code = code.slice(0, end.index);
  if (/(?:^|[;}])(?:import\s*["'{*]|export\s*[{*])/.test(code)) {
    throw new Error(`${file}: imports or exports in a form that isn't expected here`);
  }
  return {
    from: start?.[2].replace(/^.*\//, "") ?? "",
    imports: start === null ? [] : names(start[1]),
    exports: end === null ? [] : names(end[1]),
    code,
  };
}

/**
 * Two scripts that share modules: `first` starts, with all shared modules; `later` runs when its text is put into the
 * page, uses them, and leaves what it exports in `moxLater.parts`.
 *
 * The bundler makes three files for it, which import from each other by their addresses. Here they become functions,
 * as a page that allows scripts by their hashes alone can't import any.
 */
export async function scriptAndLater(
  root: string,
  first: string,
  later: string,
): Promise<{ first: string; later: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await run(root, ["--code-splitting", "--outdir", folder, first, later]);
    const shared = [...Deno.readDirSync(folder)].filter((e) => e.isFile).map((e) => e.name);
    if (shared.length !== 1) throw new Error(`${first}: ${shared.length} files of shared modules`);
    // Both lie in folders of their own, as their sources do.
    const read = (name: string) => split(name, Deno.readTextFileSync(join(folder, name)));
    const output = (script: string) =>
      read(script.split("/").slice(-2).join("/").replace(/\.ts$/, ".js"));
    const [common, start, rest] = [read(shared[0]), output(first), output(later)];
    for (const s of [start, rest]) {
      if (s.from !== shared[0]) throw new Error(`${first}: an import of ${s.from}`);
    }
    const object = (list: readonly Name[]) =>
      `{${list.map(([from, to]) => `${to}:${from}`).join()}}`;
    const taken = (list: readonly Name[]) =>
      `{${list.map(([from, to]) => `${from}:${to}`).join()}}`;
    return {
      first: inElement(
        `globalThis.moxLater={shared:(()=>{${common.code}\nreturn${object(common.exports)}})()};` +
          `((${taken(start.imports)})=>{${start.code}\n})(moxLater.shared)`,
      ),
      later: inElement(
        `moxLater.parts=((${taken(rest.imports)})=>{${rest.code}\nreturn${
          object(rest.exports)
        }})(moxLater.shared)`,
      ),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
