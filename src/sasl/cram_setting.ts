/**
 * Whether CRAM-MD5 is offered, and whether the credentials for it are stored: one setting for the whole
 * process.
 *
 * @module
 */

let wanted = true;

/** Set when a server starts, by its configuration. */
export function wantCramMd5(yes: boolean): void {
  wanted = yes;
}

/** True unless the administrator has disabled it. */
export function cramMd5Wanted(): boolean {
  return wanted;
}
