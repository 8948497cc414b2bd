/**
 * The text of an answer, made in pieces with turns for others between them: 20 MB in one held the loop for 150 ms.
 *
 * @module
 */
import { giveWay, turnSpent } from "../../platform/turns.ts";
import type { Invocation } from "./request.ts";

/** Characters that are gathered before they become bytes. */
const pieceLength = 64 * 1024;

/** The texts that make up an answer; objects of a list one by one. */
function* texts(
  methodResponses: readonly Invocation[],
  rest: Record<string, unknown>,
): Generator<string> {
  yield '{"methodResponses":[';
  for (const [i, [name, args, callId]] of methodResponses.entries()) {
    if (i > 0) yield ",";
    const { list, ...others } = args;
    if (!Array.isArray(list)) {
      yield JSON.stringify([name, args, callId]);
      continue;
    }
    const text = JSON.stringify(others).slice(0, -1);
    yield `[${JSON.stringify(name)},${text}${text === "{" ? "" : ","}"list":[`;
    for (const [k, item] of list.entries()) {
      yield `${k > 0 ? "," : ""}${JSON.stringify(item) ?? "null"}`;
    }
    yield `]},${JSON.stringify(callId)}]`;
  }
  yield `],${JSON.stringify(rest).slice(1)}`;
}

/** The bytes of an answer, in pieces. @param rest what stands beside the responses; not empty */
export async function packAnswer(
  methodResponses: readonly Invocation[],
  rest: Record<string, unknown>,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let gathered = "";
  for (const text of texts(methodResponses, rest)) {
    gathered += text;
    if (gathered.length >= pieceLength) {
      pieces.push(encoder.encode(gathered));
      gathered = "";
    }
    if (turnSpent()) await giveWay();
  }
  pieces.push(encoder.encode(gathered));
  return pieces;
}
