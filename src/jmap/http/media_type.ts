/** Media types that clients give. @module */

/** A media type as it can stand in an answer; what isn't one is any bytes. */
export function mediaType(given: string | null): string {
  const type = (given ?? "").trim();
  // "*" stands for any type, where one is asked for; it is none itself.
  return /^[!#$%&'+.^_`|~0-9A-Za-z-]{1,100}\/[!#$%&'+.^_`|~0-9A-Za-z-]{1,100}(?:\s*;[\x20-\x7e]{0,200})?$/
      .test(type)
    ? type
    : "application/octet-stream";
}
