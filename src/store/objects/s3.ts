/**
 * A bucket of an object storage, by the S3 API: put, get, list, remove, each request signed (AWS Signature Version 4).
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import type { HttpAnswer, Outbound } from "../../net/mod.ts";

export interface BucketOptions {
  /** Such as https://s3.example.org; the bucket is part of the path. */
  endpoint: string;
  region: string;
  bucket: string;
  accessKey: string;
  secretKey: string;
}

/** Milliseconds for one request, including its object. */
const timeout = 120_000;
/** Most bytes of an object that is read. */
const maxObject = 128 * 1024 * 1024;

/** The storage refuses a request, or can't be reached. */
export class ObjectsError extends Error {
  override name = "ObjectsError";
}

const hex = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Uint8Array, text: string) =>
  createHmac("sha256", key).update(text).digest();

/** Escaped as the signature requires: all but unreserved characters, and but "/" for paths. */
function escaped(text: string, path = false): string {
  const all = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return path ? all.replaceAll("%2F", "/") : all;
}

/** The header fields of a signed request. Exported for its test against the published example. */
export function signedHeaders(
  o: Omit<BucketOptions, "endpoint" | "bucket">,
  r: { method: string; host: string; path: string; query: [string, string][]; bodyHash: string },
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${o.region}/s3/aws4_request`;
  const headers: Record<string, string> = {
    host: r.host,
    "x-amz-content-sha256": r.bodyHash,
    "x-amz-date": time,
  };
  const names = Object.keys(headers).sort();
  const query = r.query.map(([k, v]) => `${escaped(k)}=${escaped(v)}`).sort().join("&");
  const request = [
    r.method,
    escaped(r.path, true),
    query,
    ...names.map((n) => `${n}:${headers[n]}`),
    "",
    names.join(";"),
    r.bodyHash,
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, hex(request)].join("\n");
  let key: Uint8Array = hmac(`AWS4${o.secretKey}`, time.slice(0, 8));
  for (const part of [o.region, "s3", "aws4_request"]) key = hmac(key, part);
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${o.accessKey}/${scope}, ` +
      `SignedHeaders=${names.join(";")}, Signature=${hmac(key, text).toString("hex")}`,
  };
}

export class Bucket {
  readonly #o: BucketOptions;
  readonly #outbound: Outbound;

  constructor(options: BucketOptions, outbound: Outbound) {
    this.#o = options;
    this.#outbound = outbound;
  }

  async #request(
    method: string,
    name: string,
    query: [string, string][],
    body?: Uint8Array,
  ): Promise<HttpAnswer> {
    const { endpoint, bucket } = this.#o;
    const url = new URL(endpoint);
    const path = `${url.pathname.replace(/\/$/, "")}/${bucket}${name === "" ? "" : `/${name}`}`;
    const bodyHash = hex(body ?? "");
    const headers = signedHeaders(
      this.#o,
      { method, host: url.host, path, query, bodyHash },
      new Date(),
    );
    url.pathname = escaped(path, true);
    url.search = query.map(([k, v]) => `${escaped(k)}=${escaped(v)}`).sort().join("&");
    try {
      // The administrator chose the address.
      const call = { url, method, headers, body, timeout, maxBytes: maxObject, rule: undefined };
      return await this.#outbound.request(call);
    } catch (err) {
      throw new ObjectsError(`${url.host}: ${(err as Error).message}`, { cause: err });
    }
  }

  #refused(what: string, answer: HttpAnswer): ObjectsError {
    const text = new TextDecoder().decode(answer.body.subarray(0, 2000));
    const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? "";
    return new ObjectsError(`${what}: the object storage answers ${answer.status} ${code}`.trim());
  }

  /** Stores an object. @throws ObjectsError */
  async put(name: string, body: Uint8Array): Promise<void> {
    const a = await this.#request("PUT", name, [], body);
    if (a.status !== 200) throw this.#refused(name, a);
  }

  /** @throws ObjectsError, also if the object is missing */
  async get(name: string): Promise<Uint8Array> {
    const a = await this.#request("GET", name, []);
    if (a.status !== 200) throw this.#refused(name, a);
    return a.body;
  }

  /** Removes an object; a missing one counts as removed. @throws ObjectsError */
  async remove(name: string): Promise<void> {
    const a = await this.#request("DELETE", name, []);
    if (a.status !== 204 && a.status !== 200 && a.status !== 404) throw this.#refused(name, a);
  }

  /** Names of all objects with the prefix, in order. @throws ObjectsError */
  async list(prefix: string): Promise<string[]> {
    const names: string[] = [];
    for (let token = "";;) {
      const query: [string, string][] = [["list-type", "2"], ["prefix", prefix]];
      if (token !== "") query.push(["continuation-token", token]);
      const a = await this.#request("GET", "", query);
      if (a.status !== 200) throw this.#refused("the list of objects", a);
      const text = new TextDecoder().decode(a.body);
      if (!/<ListBucketResult\b/.test(text)) {
        throw new ObjectsError("the list of objects: the answer is none of an object storage");
      }
      for (const [, key] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) names.push(unescaped(key));
      const before = token;
      token = unescaped(
        /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1] ?? "",
      );
      if (token === "") return names.sort();
      if (token === before) {
        throw new ObjectsError(
          "the list of objects does not end: the object storage names the same place again",
        );
      }
    }
  }
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Decodes XML text; storages also write quotes and the like as numeric references. */
function unescaped(text: string): string {
  return text.replace(
    /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi,
    (whole, name?: string, decimal?: string, hexadecimal?: string) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = decimal === undefined ? parseInt(hexadecimal!, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
