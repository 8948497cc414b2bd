/**
 * Whether CRAM-MD5 is offered, and what it checks with is kept: for all of the process.
 *
 * @module
 */

let wanted = true;

/** Set when a server starts, by its configuration. */
export function wantCramMd5(yes: boolean): void {
  wanted = yes;
}

/** True unless the administrator does without it. */
export function cramMd5Wanted(): boolean {
  return wanted;
}
