import { expect, onTestFinished } from 'vitest';
import { GatewayProcess, type GatewayProcessOptions } from './gateway-process.js';
import { presenceIn } from './observer.js';

/** It ends with the test. */
export async function startGateway(
  settings: Readonly<Record<string, string>>,
  options: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  const node = await GatewayProcess.start({ ...options, settings });
  onTestFinished(async () => {
    await node.kill();
    await node.stop();
  });
  return node;
}

/** They share members, events and commands. */
export async function expectOneCluster(a: GatewayProcess, b: GatewayProcess): Promise<void> {
  const [ann, bob] = [await a.connect(), await b.connect()];
  await ann.subscribe('presence-room', { user_id: 'ann' });
  expect(presenceIn(await bob.subscribe('presence-room', { user_id: 'bob' })).ids).toEqual(['ann', 'bob']);
  await ann.receive('pusher_internal:member_added');
  await a.http.publish('presence-room', 'posted', 'from a');
  await b.http.publish('presence-room', 'posted', 'from b');
  for (const client of [ann, bob]) {
    expect([(await client.receive('posted')).data, (await client.receive('posted')).data]).toEqual([
      'from a',
      'from b',
    ]);
  }
  await a.http.post('/users/bob/terminate_connections', {});
  expect((await bob.closing()).code).toBe(4009);
}
