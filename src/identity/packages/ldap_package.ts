/** The parts of a package that LDAP logins need, loaded when they do. @module */
export { Client, InvalidCredentialsError, ResultCodeError } from "ldapts";
