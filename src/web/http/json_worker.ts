/** The Worker side of large_json.ts. @module */
import { answerRequests } from "../../platform/workers/worker.ts";
import { JsonError, parseJson } from "./json.ts";
import { type JsonPiece, piecesOf } from "./json_pieces.ts";

/** The value, whole or in pieces, or why there is none. */
export type ParsedJson = { value: unknown } | { pieces: JsonPiece[] } | { reason: string };

answerRequests((bytes: Uint8Array): Promise<ParsedJson> => {
  try {
    const value = parseJson(bytes);
    const pieces = piecesOf(value);
    return Promise.resolve(pieces === undefined ? { value } : { pieces });
  } catch (err) {
    if (!(err instanceof JsonError)) throw err;
    return Promise.resolve({ reason: err.message });
  }
});
