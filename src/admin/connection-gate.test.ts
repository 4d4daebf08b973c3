import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCidr } from '../core/network.ts';
import { ConnectionGate } from './connection-gate.ts';

test('an address has 32 connections at a time, and room again when one closes', () => {
  const gate = new ConnectionGate();
  const leave = Array.from({ length: 32 }, () => gate.enter('192.0.2.1'));
  assert.ok(leave.every((each) => each !== undefined));
  assert.equal(gate.enter('192.0.2.1'), undefined);
  assert.ok(gate.enter('192.0.2.2') !== undefined);
  leave[0]?.();
  assert.ok(gate.enter('192.0.2.1') !== undefined);
  assert.equal(gate.enter('192.0.2.1'), undefined);
});

test('all addresses of an IPv6 network of 64 bits count as one', () => {
  const gate = new ConnectionGate();
  for (let i = 0; i < 32; i++) assert.ok(gate.enter(`2001:db8::${i.toString(16)}`) !== undefined);
  assert.equal(gate.enter('2001:db8::ffff:1'), undefined);
  assert.ok(gate.enter('2001:db8:0:1::1') !== undefined);
});

test('with an access list nobody else may connect, nor what is no address', () => {
  const gate = new ConnectionGate();
  const network = parseCidr('192.0.2.0/24');
  assert.ok(network !== undefined);
  gate.networks = [network];
  assert.ok(gate.enter('192.0.2.9') !== undefined);
  for (const address of ['198.51.100.1', '2001:db8::1', 'unknown', '']) assert.equal(gate.enter(address), undefined);
});
