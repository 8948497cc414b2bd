/**
 * Limits that the session announces (RFC 8620 §2) and the server enforces.
 *
 * @module
 */

/** Most bytes of a request. */
export const maxSizeRequest = 10_000_000;
/** Most requests of a user processed at a time, over HTTP and websockets together. */
export const maxConcurrentRequests = 16;
/** Most uploads of a user at a time. */
export const maxConcurrentUpload = 4;
/** Most method calls of a request. */
export const maxCallsInRequest = 64;
/** Most objects of one /get, and most changed by one /set. */
export const maxObjectsInGet = 1000;
export const maxObjectsInSet = 1000;

/** Most values of a result reference. */
export const maxReferenced = 100_000;
/** Milliseconds of work after which others are served. */
export const turnTime = 10;
