/**
 * Node's HTTP/1.1 server and client. `import` of node:http reads each of its exports, also those that load undici, the
 * other client, which nobody here uses: 10 MB and 40 ms. Asked for like this it comes alone. Effects: network.
 */
export const nodeHttp = process.getBuiltinModule('node:http');
