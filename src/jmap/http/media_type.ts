/** Media types given by clients. @module */

/** A media type valid in an answer; anything else becomes application/octet-stream. */
export function mediaType(given: string | null): string {
  const type = (given ?? "").trim();
  // "*" means any type in a request; it is not a type itself.
  return /^[!#$%&'+.^_`|~0-9A-Za-z-]{1,100}\/[!#$%&'+.^_`|~0-9A-Za-z-]{1,100}(?:\s*;[\x20-\x7e]{0,200})?$/
      .test(type)
    ? type
    : "application/octet-stream";
}
