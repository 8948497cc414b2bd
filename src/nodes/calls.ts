/**
 * Questions between nodes: a line of JSON, and a line of JSON in answer.
 *
 * @module
 */
import type { Connection } from "../net/mod.ts";
import {
  connectNode,
  connectPlace,
  type LinkPeer,
  type LinkPlace,
  NodeAway,
  type NodePlace,
} from "./link.ts";
import type { NodeKey } from "./key.ts";

/** Bytes of a line; domains.conf goes over it. */
const maxLine = 80 * 1024 * 1024;
const encoder = new TextEncoder();

/** Answers a question of a node. A CallError that it throws is reported to the other side. */
export type CallHandler = (args: Record<string, unknown>, peer: LinkPeer) => Promise<unknown>;

/** A question that the other side has refused. */
export class CallError extends Error {
  override name = "CallError";
}

interface Question {
  call?: unknown;
  args?: Record<string, unknown>;
}

/** Answers the questions of one connection. */
export async function serveCalls(
  conn: Connection,
  peer: LinkPeer,
  handlers: ReadonlyMap<string, CallHandler>,
): Promise<void> {
  for (;;) {
    const line = await conn.readLine(maxLine);
    let answer: unknown;
    try {
      const q = JSON.parse(new TextDecoder().decode(line)) as Question | null;
      const handler = handlers.get(String(q?.call));
      if (handler === undefined) throw new CallError("the question is not known");
      answer = { ok: await handler(q?.args ?? {}, peer) ?? null };
    } catch (err) {
      if (!(err instanceof CallError) && !(err instanceof SyntaxError)) throw err;
      answer = { error: err.message };
    }
    conn.write(encoder.encode(`${JSON.stringify(answer)}\r\n`));
    await conn.flush();
  }
}

/**
 * Asks a node.
 * @param timeout milliseconds for the answer
 * @throws NodeAway; CallError if it refuses
 */
export async function callNode(
  key: NodeKey,
  name: string,
  place: NodePlace,
  call: string,
  args: Record<string, unknown>,
  timeout = 20_000,
): Promise<unknown> {
  return await question(await connectNode(key, name, place, "call"), name, call, args, timeout);
}

/**
 * As {@link callNode}, at one address only.
 * @param keys hashes of keys that are accepted like the place's
 */
export async function callPlace(
  key: NodeKey,
  name: string,
  place: LinkPlace,
  call: string,
  args: Record<string, unknown>,
  keys: readonly string[] = [],
): Promise<unknown> {
  const conn = await connectPlace(key, name, place, "call", keys);
  return await question(conn, name, call, args, 20_000);
}

async function question(
  conn: Connection,
  name: string,
  call: string,
  args: Record<string, unknown>,
  timeout: number,
): Promise<unknown> {
  let answer: { ok?: unknown; error?: string };
  try {
    conn.readTimeout = timeout;
    conn.write(encoder.encode(`${JSON.stringify({ call, args })}\r\n`));
    await conn.flush();
    answer = JSON.parse(new TextDecoder().decode(await conn.readLine(maxLine)));
  } catch (err) {
    throw new NodeAway(name, err);
  } finally {
    await conn.close();
  }
  if (answer.error !== undefined) throw new CallError(answer.error);
  return answer.ok;
}
