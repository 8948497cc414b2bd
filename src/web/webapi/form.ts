/**
 * Forms with a request's JSON in the field "request", and files beside it: from bytes to what would stand in JSON.
 * Runs in a Worker for large ones (large_form.ts).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { JsonError, parseJson } from "../http/json.ts";

/** Fields with files of multipart forms, and where they go in the request. */
const fileFields = {
  inlinefile: "InlineFiles",
  attachedfile: "AttachedFiles",
  alternativefile: "AlternativeFiles",
} as const;

/** The contents of a form, or the reason why it can't be read. */
export type FormContent =
  | { json: unknown; files: [target: string, list: FormFile[]][] }
  | { problem: string };

/** A file in the form used in requests, its bytes in base64. */
export interface FormFile {
  Name: string;
  ContentType: string;
  Data: string;
}

/** Reads a form. @param type the Content-Type with its boundary */
export async function readFormContent(
  type: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<FormContent> {
  let form: FormData;
  try {
    form = await new Response(bytes, { headers: { "Content-Type": type } }).formData();
  } catch {
    return { problem: "the form can't be read" };
  }
  const text = form.get("request");
  if (typeof text !== "string") {
    return { problem: 'the form has no field "request" with the JSON' };
  }
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (err) {
    if (!(err instanceof JsonError)) throw err;
    return { problem: err.message };
  }
  const files: [string, FormFile[]][] = [];
  for (const [field, target] of Object.entries(fileFields)) {
    const list: FormFile[] = [];
    for (const value of form.getAll(field)) {
      if (typeof value === "string") return { problem: `${field} is not a file` };
      const data = Buffer.from(await value.arrayBuffer()).toString("base64");
      list.push({ Name: value.name, ContentType: value.type, Data: data });
    }
    if (list.length > 0) files.push([target, list]);
  }
  return { json, files };
}
