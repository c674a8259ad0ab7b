/** A process that works off erasures and does nothing else, for as long as it is let live. */
import { openLeaving } from '../support/leaving.ts';

const { STORE_URL = '', SIMULATOR_URL = '', FACES_URL = '', AHEAD_MS = '0' } = process.env;

const leaving = await openLeaving({
  ...{ storeUrl: STORE_URL, simulatorUrl: SIMULATOR_URL, facesUrl: FACES_URL },
  // So that nobody has to wait until the lease of one that was killed is over.
  clock: () => Date.now() + Number(AHEAD_MS),
});
leaving.erasure.start();
process.stdout.write('ready\n');
