/** Commands about scripts (RFC 5804 §2.5 to §2.12). @module */
import { ScriptError } from "../../delivery/sieve/scripts.ts";
import { problemText, type SieveProblem } from "../../sieve/mod.ts";
import { type Done, No, stringText } from "../answers.ts";
import type { Command, Session } from "../session.ts";

/** Response codes of RFC 5804 §1.3. */
const codes: Partial<Record<ScriptError["code"], string>> = {
  missing: "NONEXISTENT",
  exists: "ALREADYEXISTS",
  active: "ACTIVE",
  tooMany: "QUOTA/MAXSCRIPTS",
  tooLarge: "QUOTA/MAXSIZE",
  overQuota: "QUOTA",
};

/** Lines with problems that are sent; more would help nobody. */
const maxLines = 50;

function listed(problems: readonly SieveProblem[]): string {
  return problems.slice(0, maxLines).map((p) => problemText(p)).join("\r\n");
}

async function done<T>(fn: () => T | Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (err) {
    if (!(err instanceof ScriptError)) throw err;
    const text = err.problems.length > 0 ? listed(err.problems) : err.message;
    throw new No(text, codes[err.code], { cause: err });
  }
}

function withWarnings(warnings: readonly SieveProblem[]): Done {
  return warnings.length === 0 ? {} : { code: "WARNINGS", text: listed(warnings) };
}

const scriptsOf = (s: Session) => s.backend.scripts;

export const havespace: Command = {
  name: "HAVESPACE",
  when: "after",
  async run(session, a) {
    const [name, size] = [a.text("name of the script"), a.number("size")];
    a.end();
    await done(() => scriptsOf(session).checkSpace(session.owner, name, size));
  },
};

export const putscript: Command = {
  name: "PUTSCRIPT",
  when: "after",
  async run(session, a) {
    const [name, content] = [a.text("name of the script"), a.text("script")];
    a.end();
    return withWarnings(await done(() => scriptsOf(session).put(session.owner, name, content)));
  },
};

export const checkscript: Command = {
  name: "CHECKSCRIPT",
  when: "after",
  async run(session, a) {
    const content = a.text("script");
    a.end();
    return withWarnings((await done(() => scriptsOf(session).check(content))).warnings);
  },
};

export const listscripts: Command = {
  name: "LISTSCRIPTS",
  when: "after",
  run(session, a) {
    a.end();
    for (const { name, active } of scriptsOf(session).list(session.owner)) {
      session.conn.write(`${stringText(name)}${active ? " ACTIVE" : ""}\r\n`);
    }
  },
};

export const setactive: Command = {
  name: "SETACTIVE",
  when: "after",
  async run(session, a) {
    const name = a.text("name of the script");
    a.end();
    await done(() => scriptsOf(session).setActive(session.owner, name));
  },
};

export const getscript: Command = {
  name: "GETSCRIPT",
  when: "after",
  run(session, a) {
    const name = a.text("name of the script");
    a.end();
    const content = scriptsOf(session).get(session.owner, name);
    if (content === undefined) throw new No("there is no script of that name", "NONEXISTENT");
    const bytes = new TextEncoder().encode(content);
    session.conn.write(`{${bytes.length}}\r\n`);
    session.conn.write(bytes);
    session.conn.write("\r\n");
  },
};

export const deletescript: Command = {
  name: "DELETESCRIPT",
  when: "after",
  async run(session, a) {
    const name = a.text("name of the script");
    a.end();
    await done(() => scriptsOf(session).remove(session.owner, name));
  },
};

export const renamescript: Command = {
  name: "RENAMESCRIPT",
  when: "after",
  async run(session, a) {
    const [from, to] = [a.text("old name"), a.text("new name")];
    a.end();
    await done(() => scriptsOf(session).rename(session.owner, from, to));
  },
};
