/** What of a package logins by LDAP need, loaded when they do. @module */
export { Client, InvalidCredentialsError, ResultCodeError } from "ldapts";
