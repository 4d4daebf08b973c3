// What Haraka lacks for the comparison: a verified client certificate, one search in the directory, a durable store.
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { Writable } = require('node:stream');

let files = 0;

exports.register = function register() {
  this.settings = this.config.get('bench.json');
  const { Client } = createRequire(path.join(this.settings.home, 'package.json'))('ldapts');
  const { url, dn, password } = this.settings.directory;
  this.directory = new Client({ url });
  this.bound = this.directory.bind(dn, password);
  this.register_hook('mail', 'certificate');
  this.register_hook('rcpt', 'accept');
  this.register_hook('queue', 'store');
};

exports.certificate = async function certificate(next, connection) {
  const { port } = connection.local;
  if (port === this.settings.plainPort) return next(OK);
  const socket = connection.client;
  const secure = socket.cleartext ?? socket.targetsocket ?? socket;
  const peer = secure.getPeerX509Certificate?.();
  if (peer === undefined || (secure._handle?.verifyError?.() ?? null) !== null) return next(DENY, 'certificate required');
  if (port !== this.settings.ldapPort) return next(OK);
  try {
    await this.bound;
    const filter = `(&(caccn=${/CN=([A-Z.0-9]+)/.exec(peer.subject)[1]})(cacserial=${peer.serialNumber}))`;
    const { searchEntries } = await this.directory.search(this.settings.directory.baseDn, { filter, attributes: ['uid'] });
    return searchEntries.length === 1 ? next(OK) : next(DENY, 'unknown certificate');
  } catch {
    return next(DENYSOFT, 'no directory');
  }
};

exports.accept = (next) => next(OK);

exports.store = function store(next, connection) {
  const name = path.join(this.settings.store, `m${++files}`);
  const parts = [];
  const sink = new Writable({
    write(part, _encoding, done) {
      parts.push(part);
      done();
    },
  });
  sink.on('finish', () => void keepAndAnswer(name, parts, next));
  connection.transaction.message_stream.pipe(sink);
};

async function keepAndAnswer(name, parts, next) {
  let stored = true;
  try {
    await keep(name, parts);
  } catch {
    stored = false;
  }
  if (stored) next(OK);
  else next(DENYSOFT, 'not stored');
}

async function keep(name, parts) {
  const file = await fs.promises.open(`${name}.tmp`, 'w');
  await file.writev(parts);
  await file.sync();
  await file.close();
  await fs.promises.rename(`${name}.tmp`, name);
}
