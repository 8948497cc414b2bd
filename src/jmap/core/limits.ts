/**
 * Limits that the session announces (RFC 8620 §2), and that are kept.
 *
 * @module
 */

/** Bytes of a request. */
export const maxSizeRequest = 10_000_000;
/** Requests of a user that are answered at a time, over HTTP and websockets together. */
export const maxConcurrentRequests = 16;
/** Uploads of a user at a time. */
export const maxConcurrentUpload = 4;
/** Method calls of a request. */
export const maxCallsInRequest = 64;
/** Objects of one /get, and changed by one /set. */
export const maxObjectsInGet = 1000;
export const maxObjectsInSet = 1000;

/** Values that a result reference gives. */
export const maxReferenced = 100_000;
/** Milliseconds of work after which others are served. */
export const turnTime = 10;
