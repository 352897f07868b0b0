import { describe, expect, it } from 'vitest';
import { addressBlock, TrustedProxies } from './client-address.js';

describe('The client behind proxies', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', '2001:db8:aa::/48', '::1']);

  it.each<[what: string, peer: string | undefined, forwardedFor: string | undefined, client: string | undefined]>([
    ['is the peer, when that is no proxy, whatever the header says', '198.51.100.9', '203.0.113.1', '198.51.100.9'],
    ['is the peer, when a proxy says nothing', '10.1.2.3', undefined, '10.1.2.3'],
    ['is the hop that a proxy has added', '10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['is the rightmost hop that is no proxy', '10.1.2.3', '1.1.1.1, 203.0.113.1, 192.0.2.7,10.9.9.9', '203.0.113.1'],
    ['is not what it says itself in front', '10.1.2.3', '192.0.2.7, 203.0.113.1', '203.0.113.1'],
    ['is the leftmost hop when all are proxies', '10.1.2.3', '10.4.4.4, 192.0.2.7', '10.4.4.4'],
    ['is the proxy that hides it', '10.1.2.3', 'unknown', '10.1.2.3'],
    ['is the last proxy that hides it', '10.1.2.3', 'unknown, 192.0.2.7', '192.0.2.7'],
    ['is the proxy whose header is empty', '10.1.2.3', '', '10.1.2.3'],
    ['is the proxy whose header is a comma', '10.1.2.3', ',', '10.1.2.3'],
    ['is the proxy whose header is nonsense', '10.1.2.3', '203.0.113.1;x', '10.1.2.3'],
    ['is no octal and no short address', '10.1.2.3', '0203.0.113.1, 010.0.0.1', '10.1.2.3'],
    ['may be written with a port', '10.1.2.3', '203.0.113.1:4711', '203.0.113.1'],
    ['may be IPv6', '::1', '2001:db8:bb::1', '2001:db8:bb::1'],
    ['may be IPv6 in brackets with a port', '::1', '[2001:db8:bb::1]:443', '2001:db8:bb::1'],
    ['is behind an IPv6 range', '2001:db8:aa:1::5', '203.0.113.1', '203.0.113.1'],
    ['is behind an IPv4 proxy on an IPv6 socket', '::ffff:10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['is behind a mapped hop', '::1', '203.0.113.1, ::ffff:10.0.0.1', '203.0.113.1'],
    ['is unknown on a Unix socket that says nothing', undefined, undefined, undefined],
    ['is what a Unix socket says', undefined, '203.0.113.1', '203.0.113.1'],
    ['is behind the proxies behind a Unix socket', undefined, '203.0.113.1, 10.0.0.1', '203.0.113.1'],
    ['is unknown on a Unix socket that says nonsense', undefined, 'unix:', undefined],
  ])('%s', (_, remoteAddress, forwardedFor, client) => {
    const peer = { remoteAddress };
    if (remoteAddress === undefined) proxies.addLocal(peer);
    expect(proxies.clientOf(peer, forwardedFor)).toBe(client);
  });

  it.each([undefined, '203.0.113.1', '203.0.113.2'])(
    'is nobody in particular when it has reset its connection, though its header says %s',
    (forwardedFor) => {
      // As Node has it: the address went with the connection, and what arrived before is still read.
      expect(proxies.clientOf({ remoteAddress: undefined }, forwardedFor)).toBe('gone');
      expect(new TrustedProxies([]).clientOf({}, forwardedFor)).toBe('gone');
    },
  );

  it('may be behind a range of IPv4 addresses that is written as IPv6', () => {
    const mapped = new TrustedProxies(['::ffff:10.0.0.0/104']);
    expect(mapped.clientOf({ remoteAddress: '10.1.2.3' }, '203.0.113.1')).toBe('203.0.113.1');
    expect(mapped.clientOf({ remoteAddress: '::ffff:10.1.2.3' }, '203.0.113.1')).toBe('203.0.113.1');
    expect(mapped.clientOf({ remoteAddress: '11.1.2.3' }, '203.0.113.1')).toBe('11.1.2.3');
    expect(() => new TrustedProxies(['::ffff:0:0/95'])).toThrow('is no IP address and no CIDR');
  });

  it('is the peer when no proxies are trusted', () => {
    expect(new TrustedProxies([]).clientOf({ remoteAddress: '127.0.0.1' }, '203.0.113.1')).toBe('127.0.0.1');
  });

  it('is found at the end of a header of 16 KB, without looking at the rest', () => {
    const header = `${'203.0.113.1, '.repeat(1_200)}198.51.100.1, 10.0.0.1`;
    expect(proxies.clientOf({ remoteAddress: '10.0.0.2' }, header)).toBe('198.51.100.1');
  });

  it.each(['10.0.0.0/33', '10.0.0/8', 'example.com', '', '/8', '10.0.0.0/', '::/129', '1.2.3.4/-1', '10.0.0.0/8/8'])(
    'cannot be behind %j, which is neither address nor CIDR',
    (entry) => {
      expect(() => new TrustedProxies([entry])).toThrow(
        new TypeError(`${JSON.stringify(entry)} is no IP address and no CIDR such as 10.0.0.0/8`),
      );
    },
  );
});

describe('Who shares a budget', () => {
  it.each([
    ['an IPv4 address with itself', '203.0.113.1', '203.0.113.1', true],
    ['not with its neighbour', '203.0.113.1', '203.0.113.2', false],
    ['an IPv4 address with its mapped form', '203.0.113.1', '::ffff:203.0.113.1', true],
    ['all addresses of a /64', '2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', true],
    ['in whatever way they are written', '2001:DB8:1:2::1', '2001:0db8:0001:0002:0:0:0:2', true],
    ['not with the next /64', '2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['a link-local address with itself in another zone', 'fe80::1%eth0', 'fe80::1%eth1', true],
  ])('%s', (_, one, other, share) => {
    expect(addressBlock(one) === addressBlock(other)).toBe(share);
  });
});
