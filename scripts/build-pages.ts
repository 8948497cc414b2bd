/**
 * Builds the web pages: bundles each page's TypeScript, and puts it and the style into one HTML file that
 * the server has in it; and what of docs/ is made from the source: docs/configuration.md from the schemas of the
 * configuration, docs/limits.md from the constants, docs/map.svg from the imports; and the licences of the packages in
 * the program. `--check` only says whether the
 * files are those that the sources give.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { scriptAndLater, wholeScript } from "./build/page_scripts.ts";
import { packagesIn } from "./build/packages.ts";
import { licensesText } from "./house/licenses.ts";
import { limitsPage } from "./house/limits.ts";
import { sourceMap } from "./house/map.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** A page: its folder's parts, and the file it becomes. */
interface Page {
  html: string;
  script: string;
  styles: string[];
  output: string;
  title: string;
  /** A part of its script is loaded when it is needed. */
  later?: true;
}

const pages: Page[] = [
  {
    html: "webmail/page.html",
    script: "webmail/mail/main.ts",
    styles: ["webmail/lib/base.css", "webmail/webmail.css"],
    output: "src/web/pages/webmail.html",
    title: "Webmail",
    later: true,
  },
  {
    html: "webmail/editor.html",
    script: "webmail/editor/main.ts",
    styles: ["webmail/editor.css"],
    output: "src/web/pages/editor.html",
    title: "Message text",
  },
  {
    html: "webmail/page.html",
    script: "webmail/account/main.ts",
    styles: ["webmail/lib/base.css", "webmail/pages.css"],
    output: "src/web/pages/account.html",
    title: "Account",
  },
  {
    html: "webmail/page.html",
    script: "webmail/caught/main.ts",
    styles: ["webmail/lib/base.css", "webmail/caught.css"],
    output: "src/web/pages/caught.html",
    title: "Caught mail",
  },
  {
    html: "webmail/page.html",
    script: "webmail/admin/main.ts",
    styles: ["webmail/lib/base.css", "webmail/pages.css"],
    output: "src/web/pages/admin.html",
    title: "Administration",
  },
];

/** Style without comments and needless blanks. */
function smallStyle(css: string): string {
  return css.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\s+/g, " ").replace(/\s*([{};,>])\s*/g, "$1")
    .replace(/;}/g, "}").trim();
}

/** Parts of the webmail that are loaded when they are opened. */
const laterOutput = "src/web/pages/webmail_later.html";
let webmailScripts: Promise<{ first: string; later: string }> | undefined;
const webmail = () =>
  webmailScripts ??= scriptAndLater(root, "webmail/mail/main.ts", "webmail/later/main.ts");

/** The page as one file. */
async function build(page: Page): Promise<string> {
  const html = await Deno.readTextFile(join(root, page.html));
  const styles = await Promise.all(page.styles.map((s) => Deno.readTextFile(join(root, s))));
  const script = page.later ? (await webmail()).first : await wholeScript(root, page.script);
  return html.replace("<title>Webmail</title>", () => `<title>${page.title}</title>`)
    .replace("STYLE", () => smallStyle(styles.join("\n"))).replace("SCRIPT", () => script);
}

/** The reference of the configuration, by the program's own schemas. */
async function reference(): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "scripts/docs_configuration.ts",
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  if (code !== 0) throw new Error(`the reference: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

let stale = false;
const outputs = [
  ...pages.map((p) => ({ output: p.output, make: () => build(p) })),
  { output: laterOutput, make: async () => (await webmail()).later },
  // A script alone; its name ends as those of the other built files do.
  {
    output: "src/web/pages/service_worker.html",
    make: () => wholeScript(root, "webmail/worker/main.ts"),
  },
  {
    output: "src/commands/licenses.txt",
    make: async () => licensesText(root, await packagesIn()),
  },
  {
    output: "src/web/pages/shared_events.html",
    make: () => wholeScript(root, "webmail/worker/events.ts"),
  },
  { output: "docs/configuration.md", make: reference },
  { output: "docs/limits.md", make: () => limitsPage(root) },
  { output: "docs/map.svg", make: () => sourceMap(root) },
];
for (const p of outputs) {
  const text = await p.make();
  const path = join(root, p.output);
  if (Deno.args.includes("--check")) {
    const now = await Deno.readTextFile(path).catch(() => "");
    if (now !== text) {
      console.error(`${p.output} is not what its sources give: run "deno task pages"`);
      stale = true;
    }
  } else {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text);
    console.log(`${p.output}: ${text.length} characters`);
  }
}
if (stale) Deno.exit(1);
