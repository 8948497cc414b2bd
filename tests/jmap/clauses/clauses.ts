/** Clauses of a text, each asked of one server over HTTP: those that fail are told together, by their section. */
import { type Client, type Json, withJmap, type World } from "../world.ts";

export type Clause = (at: string, ask: () => Promise<void> | void) => Promise<void>;

/** A test whose clauses all run, whatever became of those before. JMAP and DAV are on one port. */
export function clauses(title: string, run: (clause: Clause, w: World) => Promise<void>): void {
  Deno.test(title, () =>
    withJmap(async (w) => {
      const failed: string[] = [];
      await run(async (at, ask) => {
        try {
          await ask();
        } catch (err) {
          failed.push(`${at}: ${(err as Error).message}`);
        }
      }, w);
      if (failed.length > 0) throw new Error(`${failed.length} failed\n${failed.join("\n")}`);
    }, { jmap: "\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" }));
}

/** A request of DAV below /dav/, such as `calendars/ann/default/a.ics`. */
export async function dav(
  w: World,
  c: Client,
  method: string,
  path: string,
  body?: string,
  type = "text/calendar",
): Promise<{ status: number; text: string }> {
  const r = await fetch(`${w.origin}/dav/${path}`, {
    method,
    body,
    headers: { authorization: c.authorization, "content-type": type },
  });
  return { status: r.status, text: await r.text() };
}

/** A client of the same user that asks another account. */
export function guest(c: Client, accountId: string): Client {
  const other = Object.create(c) as Client & { accountId: string };
  Object.defineProperty(other, "accountId", { value: accountId });
  return other;
}

/** The SetError of what wasn't created, by the key `e`; fails if it was created. */
export function refusal(
  r: Json,
  kind: "notCreated" | "notUpdated" | "notDestroyed" = "notCreated",
) {
  const all = Object.values(r[kind] ?? {}) as Json[];
  if (all.length !== 1) throw new Error(`not refused: ${JSON.stringify(r)}`);
  return all[0];
}

/** What was created by the key `e`. */
export function made(r: Json): Json {
  if (!r.created?.e) throw new Error(`not created: ${JSON.stringify(r)}`);
  return r.created.e;
}

/** Fails if something of a /set was refused. */
export function done(r: Json): Json {
  for (const kind of ["notCreated", "notUpdated", "notDestroyed"]) {
    if (r[kind] && Object.keys(r[kind]).length > 0) {
      throw new Error(`refused: ${JSON.stringify(r)}`);
    }
  }
  return r;
}
