/** Certificates and times against a real 389 Directory Server. */
import { join } from 'node:path';
import { before } from 'node:test';
import { Directory389, DS_ACCOUNT, DS_BASE } from '../support/directory-389.ts';
import { ownerSuite } from './owner-suite.ts';
import { type Cards, makeCards, type Peer } from './peer.ts';
import { peopleLdif } from './people.ts';
import { timeSuite } from './time-suite.ts';
import { tokenSuite } from './token-suite.ts';

const RECIPES = join(import.meta.dirname, '..', 'contract', 'recipes');
let peer: Peer;
let cards: Cards;
let directory: Directory389;

before(async () => {
  cards = makeCards();
  directory = await Directory389.start([join(RECIPES, 'cac.schema'), join(import.meta.dirname, 'mapping.schema')]);
  directory.add(peopleLdif(cards));
  peer = {
    server: { hosts: [directory.url], baseDn: DS_BASE, bind: { dn: DS_ACCOUNT.dn } },
    password: DS_ACCOUNT.password,
    userIdAttribute: 'uid',
    attribute: 'description',
  };
});

tokenSuite(
  () => peer,
  () => cards,
);
timeSuite(() => peer, 'text');

ownerSuite(
  () => peer,
  () => cards,
  () => directory.stop(),
);
