/** Certificates and times against a real OpenLDAP. */
import { before } from 'node:test';
import { join } from 'node:path';
import { GATEWAY_ACCOUNT, Slapd } from '../support/slapd.ts';
import { ownerSuite } from './owner-suite.ts';
import { type Cards, makeCards, type Peer } from './peer.ts';
import { peopleLdif } from './people.ts';
import { timeSuite } from './time-suite.ts';
import { tokenSuite } from './token-suite.ts';

const BASE = 'dc=example,dc=test';
let peer: Peer;
let cards: Cards;
let slapd: Slapd;

before(async () => {
  cards = makeCards();
  slapd = await Slapd.start({
    ldif: peopleLdif(cards),
    settings: [`include ${join(import.meta.dirname, 'mapping.schema')}`],
  });
  peer = {
    server: { hosts: [slapd.url], baseDn: BASE },
    password: GATEWAY_ACCOUNT.password,
    userIdAttribute: 'uid',
    attribute: 'description',
  };
});

tokenSuite(
  () => peer,
  () => cards,
);
timeSuite(() => peer, 'time');

ownerSuite(
  () => peer,
  () => cards,
  () => slapd.stop(),
);
