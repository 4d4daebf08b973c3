/** Names on the wire that server and client share. Pure. */

/** The session's cookie: `__Host-` binds it to this host, TLS and the whole path. */
export const COOKIE = '__Host-sallyport';
/** Over the control socket: the local account that gave the command. */
export const LOCAL_ACCOUNT_HEADER = 'sallyport-account';
