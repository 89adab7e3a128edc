// A program: opens silent connections to a port of this machine, says `open` once each was taken or refused, and holds those
// that were taken until it ends. A process of its own, so that what it costs is not a pause of whoever measures.

import { openSilentConnections } from '#test/chaos/faults/silent-connections.ts';

const [port = '', count = ''] = process.argv.slice(2);

await openSilentConnections(Number(port), Number(count), (index) => (index % 2 === 0 ? 'mute' : 'begun'));
process.stdout.write('open\n');
// Those that lost their places are gone by then, and nothing else would keep this process.
setInterval(() => undefined, 60_000);
